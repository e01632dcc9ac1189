"""Work at the end of a run, with a time limit."""

from __future__ import annotations

import asyncio
from typing import Any


async def ended_in_time(
    work: asyncio.Task[Any], stop: asyncio.Future[Any], seconds: float, stopping_seconds: float
) -> bool:
    """Waits for the work, and cancels it when it takes longer; it has ended in both cases.

    After `stop` only `stopping_seconds` are left.
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
