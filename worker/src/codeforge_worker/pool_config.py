"""The pool's workerConfig, from the bucket `config`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

import msgspec
from nats.aio.msg import Msg

from .broker import Broker

log = logging.getLogger(__name__)

# How often to read without a notice: core NATS may lose notices.
AGAIN_SECONDS = 60.0


class PoolConfig:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._values: Mapping[str, str] = {}
        self._changed = asyncio.Event()
        self._least = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def known(self) -> bool:
        """Whether it has been read at all."""
        return self._reading is not None

    @property
    def values(self) -> Mapping[str, str]:
        return self._values

    async def open(self) -> None:
        """Returns when it has been read: a run with the wrong settings costs as much."""
        await self._broker.serve(self._broker.subjects.settings_changed, self._told)
        await self._broker.flush()
        await self._read()
        self._reading = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._reading:
            self._reading.cancel()

    def look_again(self) -> None:
        self._changed.set()

    async def _told(self, notice: Msg) -> None:
        # The announced revision: a replica of the bucket may lag.
        self._least = int(notice.data) if notice.data.isdigit() else 0
        self.look_again()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            await self._read()

    async def _read(self) -> None:
        body = await self._broker.settings_of_pool(self._least)
        try:
            values = msgspec.json.decode(body, type=dict[str, str]) if body else {}
        except msgspec.MsgspecError as error:
            log.warning("workerConfig of the pool is not what the operator writes, and is not used: %s", error)
            return
        if values != self._values:
            log.info("workerConfig of the pool: %s", ", ".join(sorted(values)) or "none")
        self._values = values
