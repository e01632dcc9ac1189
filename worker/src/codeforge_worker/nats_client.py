"""nats-py, whose answered PING means that the server has read all that was sent before."""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.client import Client


class NatsClient(Client):
    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        # nats-py 2.16 writes a PING past what it still has to write: flush() and drain() would return too early.
        # Shielded, as it swallows a cancellation.
        await asyncio.shield(self._flush_pending(force_flush=True))
        await super()._send_ping(future)  # pyright: ignore[reportUnknownMemberType]
