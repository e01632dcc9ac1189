"""The one way to know that the server has read what a client sent."""

from __future__ import annotations

from nats.aio.client import Client

from .patience import PATIENCE


async def flushed(client: Client) -> None:
    """nats-py writes a PING past what it still has to write: the second one comes after that."""
    for _ in range(2):
        await client.flush(timeout=int(PATIENCE))
