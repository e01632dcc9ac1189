"""Sees an async function that keeps the event loop, and with it the heartbeats of every task, from running."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

TICK_SECONDS = 0.5
LATE_SECONDS = 1.0


class LoopWatch:
    def __init__(self, late: Callable[[float], None]) -> None:
        """`late` is called once, with the seconds for which nothing else could run."""
        self._late = late
        self._told = False
        self._loop = asyncio.get_running_loop()
        self._seen = self._loop.time()
        self._ticking = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._look()
            self._seen = self._loop.time()

    def _look(self) -> None:
        blocked = self._loop.time() - self._seen
        if blocked > TICK_SECONDS + LATE_SECONDS and not self._told:
            self._told = True
            self._late(blocked)

    async def stop(self) -> None:
        """The last moments count as well: a function may block, and then return."""
        self._look()
        self._ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticking
