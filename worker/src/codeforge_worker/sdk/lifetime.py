"""What a function's author does once for each worker: before its first task, and after its last one."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from ..settings import StartupError
from .ending import Ended, ended, ended_async
from .function import Function, Hook
from .thread import in_thread

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0


@contextlib.asynccontextmanager
async def lifetime(function: Function) -> AsyncGenerator[None]:
    """`StartupError` when it cannot be begun. Its end is bounded, and tells what went wrong in the log."""
    if function.start:
        end = await _called(f"{function.name} start", function.start)
        if end.raised is not None:
            error = f"{type(end.raised).__name__}: {end.raised}"
            raise StartupError(f"backend {function.name} cannot start: {error}") from end.raised
    try:
        yield
    finally:
        if function.stop:
            await _stop(function.name, function.stop)


async def _stop(name: str, hook: Hook) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            end = await _called(f"{name} stop", hook)
    except TimeoutError:
        log.error("backend %s: its stop took longer than %.0f s and was left behind", name, STOP_SECONDS)
        return
    if end.raised is not None:
        log.error("backend %s: its stop failed", name, exc_info=end.raised)


async def _called(name: str, hook: Hook) -> Ended:
    if inspect.iscoroutinefunction(hook):
        called: Callable[[], Awaitable[object]] = hook
        return await asyncio.create_task(ended_async(called))
    return await in_thread(name, lambda: ended(hook))
