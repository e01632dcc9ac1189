"""Work at the end of a run, which must not hold up the end for long."""

from __future__ import annotations

import asyncio
from typing import Any


async def ended_in_time(
    work: asyncio.Task[Any], stop: asyncio.Future[Any], seconds: float, stopping_seconds: float
) -> bool:
    """Waits for the work, and cancels it when it takes longer; it has ended either way.

    When `stop` comes meanwhile, only `stopping_seconds` are left from then on.
    """
    waiting = {work} if stop.done() else {work, stop}
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if len(waiting) > 1 and stop.done():
        await asyncio.wait({work}, timeout=stopping_seconds)
    done = work.done()
    if not done:
        work.cancel()
        await asyncio.wait({work})
    return done
