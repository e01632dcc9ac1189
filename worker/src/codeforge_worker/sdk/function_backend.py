"""Runs a function as a backend: an async one on the loop, a plain one in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager

from ..context import RunContext
from ..outcome import Outcome
from ..process import STOP_SECONDS
from .context import Context
from .ending import Ended, ended, ended_async, outcome
from .function import Function
from .lifetime import lifetime
from .loop_watch import LoopWatch
from .said import of_run, routing
from .thread import in_thread

log = logging.getLogger(__name__)

_AFTER_PROGRAMS_SECONDS = 1.0


class FunctionBackend:
    def __init__(self, function: Function, *, grace_seconds: float = STOP_SECONDS) -> None:
        """`grace_seconds`: how long a function may take to end once it was asked to."""
        self._function = function
        self._grace_seconds = grace_seconds

    def lifetime(self) -> AbstractAsyncContextManager[None]:
        """Around all of its runs in this process."""
        return lifetime(self._function)

    async def run(self, context: RunContext) -> Outcome:
        config = context.config(self._function.config)
        typed = self._function.typed
        given = Context(context, config, typed and typed.read(self._function.name, context.given(config)))
        with routing.under_way():
            try:
                end = await self._end(context, given)
            finally:
                await given.programs.stop()
                given.close()
        return outcome(self._function.name, end, context.output(), lambda line: context.on_line(line, "stderr"))

    async def _end(self, context: RunContext, given: Context) -> Ended:
        if not self._function.is_async:
            name = f"{self._function.name} {context.task.task_id}"
            return await self._until(in_thread(name, lambda: self._called(given)), context, given)
        watch = LoopWatch(lambda seconds: self._warn(context, seconds))
        try:
            work = asyncio.create_task(self._called_async(given))
            return await self._until(work, context, given)
        finally:
            await watch.stop()

    def _called(self, given: Context) -> Ended:
        with of_run(given.said):
            return ended(lambda: self._function.call(given))

    async def _called_async(self, given: Context) -> Ended:
        with of_run(given.said):
            return await ended_async(lambda: self._function.call(given))

    async def _until(self, work: asyncio.Future[Ended], context: RunContext, given: Context) -> Ended:
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            given.cancel()
            if isinstance(work, asyncio.Task):
                work.cancel()
            programs = given.programs.running
            await asyncio.wait({work, *programs}, timeout=self._grace_seconds)
            if programs:
                # One that is deaf is killed when its grace is over, and its function learns of it after that.
                await given.programs.stop()
                await asyncio.wait({work}, timeout=_AFTER_PROGRAMS_SECONDS)
            if not work.done():
                log.warning(
                    "backend %s did not end within %.0f s of being asked to: task %s goes on without it",
                    self._function.name,
                    self._grace_seconds,
                    context.task.task_id,
                )
                context.leave(work)
            raise
        if work.cancelled():
            # Cancelled before its first step.
            return Ended(raised=asyncio.CancelledError())
        return work.result()

    def _warn(self, context: RunContext, seconds: float) -> None:
        sentence = (
            f"backend {self._function.name} kept the event loop from running for {seconds:.1f} s, and with it the "
            "heartbeats of every task: write it as a plain def, or call what blocks by asyncio.to_thread"
        )
        log.warning("%s", sentence)
        context.on_line(sentence, "stderr")
