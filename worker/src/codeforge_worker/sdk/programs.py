"""`context.run`: programs that a function starts, kept to its run as an agent of the worker's own is."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..lines import Stream
from ..process import run
from .errors import CommandFailed, Stopped

if TYPE_CHECKING:
    from ..context import RunContext

# Of stdout, for the function; a line of more comes in parts.
OUTPUT_BYTES = 1 << 20


@dataclass(frozen=True)
class Finished:
    """How a program ended: its exit code, negative for a signal, and the last 1 MiB of its stdout."""

    code: int
    output: str


class Programs:
    """Those of one run. Made on the loop's thread; `run` is for any other, `run_async` for this one."""

    def __init__(self, context: RunContext, say: Callable[[str, Stream], None]) -> None:
        self._context = context
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._running: set[asyncio.Task[Finished]] = set()
        self._ending: set[asyncio.Task[Finished]] = set()
        self._stopped = False

    def run(
        self, argv: Sequence[str | Path], cwd: Path, environment: Mapping[str, str], stdin: str, check: bool
    ) -> Finished:
        if threading.get_ident() == self._thread:
            raise RuntimeError("context.run would keep the event loop from running: write await context.run_async(…)")
        if self._stopped:
            raise _stopped()
        started = asyncio.run_coroutine_threadsafe(self.run_async(argv, cwd, environment, stdin, check), self._loop)
        try:
            return started.result()
        except concurrent.futures.CancelledError:
            raise _stopped() from None

    async def run_async(
        self, argv: Sequence[str | Path], cwd: Path, environment: Mapping[str, str], stdin: str, check: bool
    ) -> Finished:
        if isinstance(argv, str) or not argv:
            raise TypeError('a program is a list of its name and its arguments, such as ["git", "status"]')
        if self._stopped:
            raise _stopped()
        # A task of its own: it ends with the run also where nobody awaits it.
        task = asyncio.create_task(self._run([os.fspath(word) for word in argv], cwd, environment, stdin))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self._end(task)
            await asyncio.wait({task})
            raise
        finished = task.result()
        if check and finished.code:
            how = f"was killed by signal {-finished.code}" if finished.code < 0 else f"exited with code {finished.code}"
            last = self._context.last_line()
            raise CommandFailed(f"{argv[0]} {how}" + (f"; its last line: {last}" if last else ""), finished.code)
        return finished

    async def _run(self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], stdin: str) -> Finished:
        kept: deque[str] = deque()
        size = 0

        def on_line(text: str, stream: Stream) -> None:
            nonlocal size
            self._say(text, stream)
            if stream == "stdout":
                kept.append(text)
                size += len(text) + 1
                while size > OUTPUT_BYTES and len(kept) > 1:
                    size -= len(kept.popleft()) + 1

        try:
            code = await run(
                argv,
                cwd=cwd,
                environment=environment,
                on_line=on_line,
                stdin=stdin,
                walls=self._context.walls(),
                record_bytes=OUTPUT_BYTES,
                room=self._context.room,
            )
        except OSError as error:
            raise CommandFailed(f"{argv[0]} cannot be started: {error}", None) from error
        return Finished(code, "\n".join(kept))

    @property
    def running(self) -> frozenset[asyncio.Task[Finished]]:
        return frozenset(self._running)

    def cancel(self) -> None:
        """Asks them to end, with what they have started; none is begun any more."""
        self._stopped = True
        for task in self.running:
            self._end(task)

    def _end(self, task: asyncio.Task[Finished]) -> None:
        """Once: asked again it would not wait any more until all of the program has ended."""
        if task not in self._ending:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    async def stop(self) -> None:
        """Nothing of them is left after this."""
        self.cancel()
        if self._running:
            await asyncio.wait(self._running)


def _stopped() -> Stopped:
    return Stopped("the run was asked to stop, or has ended: no program runs any more")
