"""The pool's workerConfig, as the operator keeps it in the bucket `config`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

import msgspec
from nats.aio.msg import Msg

from .broker import Broker
from .settings import Settings

log = logging.getLogger(__name__)

# What the operator says may be lost: core NATS keeps nothing.
AGAIN_SECONDS = 60.0


class PoolConfig:
    def __init__(self, settings: Settings, broker: Broker) -> None:
        self._pool = f"{settings.namespace}.{settings.pool}"
        self._broker = broker
        self._values: Mapping[str, str] = {}
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    @property
    def known(self) -> bool:
        """Whether it has been read at all."""
        return self._reading is not None

    @property
    def values(self) -> Mapping[str, str]:
        return self._values

    async def open(self) -> None:
        """Returns when it has been read: a run with other settings than asked for is paid all the same."""
        await self._broker.serve(f"control.pool.{self._pool}", self._told)
        await self._broker.flush()
        await self._read()
        self._reading = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._reading:
            self._reading.cancel()

    def look_again(self) -> None:
        self._changed.set()

    async def _told(self, _: Msg) -> None:
        self.look_again()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), AGAIN_SECONDS)
            self._changed.clear()
            await self._read()

    async def _read(self) -> None:
        body = await self._broker.last("KV_config", f"$KV.config.{self._pool}")
        try:
            values = msgspec.json.decode(body, type=dict[str, str]) if body else {}
        except msgspec.MsgspecError as error:
            log.warning("workerConfig of the pool is not what the operator writes, and is not used: %s", error)
            return
        if values != self._values:
            log.info("workerConfig of the pool: %s", ", ".join(sorted(values)) or "none")
        self._values = values
