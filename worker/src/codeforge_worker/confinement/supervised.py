"""The worker's side of a supervisor: starts one for each program, and sees to it that none of its run is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import kernel
from .order import Order, Report, Walls, read_report
from .package import started
from .processes import children, descendants

# For the supervisor, beyond the grace of what it supervises.
_MORE_SECONDS = 5.0
_ROUND_SECONDS = 0.01
_PYTHON = started("supervisor")


class NotBegun(Exception):
    """The program was not executed, since a wall could not be put up, or its supervisor failed."""


class Supervised:
    """A program under its supervisor, which holds no end of the streams."""

    def __init__(self, program: str, process: Process, report: asyncio.Task[bytes], grace: float) -> None:
        self._program = program
        self._process = process
        self._report = report
        self._grace = grace
        assert process.stdin and process.stdout and process.stderr  # noqa: S101 (pipes were asked for)
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    async def end(self) -> int:
        """Waits until nothing is left of the run. The exit code; `OSError` when the program could not be executed."""
        # Shielded: whoever is cancelled here waits again, after having asked for the end.
        report = read_report(await asyncio.shield(self._report))
        code = await _exit_code(self._process)
        _children.supervisors.discard(self._process.pid)
        # Not before: the kernel closes a process's pipes first, and gives its children to another one after that.
        if report is None or report.failure:
            await _children.end_orphans()
        return code if report is None else self._code(report)

    async def stop(self) -> None:
        """Asks all of the run to end, sees that they do, and waits for it."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            self._signal(number)
        done, _ = await asyncio.wait({self._report}, timeout=self._grace + _MORE_SECONDS)
        if not done:
            # Its run has kept it from its work.
            self._signal(signal.SIGKILL)
        with contextlib.suppress(OSError, NotBegun):
            await self.end()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _code(self, report: Report) -> int:
        if report.error:
            raise OSError(report.error, os.strerror(report.error), self._program)
        if report.failure:
            raise NotBegun(report.failure)
        return report.code


class _Children:
    """Those of this process: supervisors, and if it adopts them, what is left of runs that ended their supervisors."""

    def __init__(self) -> None:
        self.supervisors: set[int] = set()
        # Supervisors whose numbers are not known yet.
        self.starting = 0
        self.adopts = False

    async def end_orphans(self) -> None:
        while self.adopts and (self.starting or self._kill_orphans()):
            await asyncio.sleep(_ROUND_SECONDS)

    def _kill_orphans(self) -> bool:
        """Whether there were any."""
        orphans = [process for process in children(os.getpid()) if process not in self.supervisors]
        for orphan in orphans:
            for process in (orphan, *descendants(orphan)):
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, os.WNOHANG)
        return bool(orphans)


_children = _Children()


async def supervise(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], grace: float, walls: Walls | None
) -> Supervised:
    """Starts the program in a session of its own. What its run leaves has `grace` seconds to end when it is stopped."""
    order = Order(argv, environment, grace, walls).descriptor()
    reading, writing = os.pipe()
    try:
        _children.starting += 1
        try:
            process = await asyncio.create_subprocess_exec(
                *_PYTHON,
                *map(str, (os.getpid(), order, writing)),
                cwd=cwd,
                env=environment,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
                pass_fds=(order, writing),
            )
            _children.supervisors.add(process.pid)
        finally:
            _children.starting -= 1
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(order)
        os.close(writing)
    return Supervised(argv[0], process, asyncio.create_task(_read(reading)), grace)


def adopt_orphans() -> None:
    """What has lost its supervisor becomes a child of this process, and is ended: it must have no other children."""
    kernel.adopt_descendants()
    _children.adopts = True


async def _read(descriptor: int) -> bytes:
    """All that is written to a pipe, until nobody can write to it any more."""
    reader = asyncio.StreamReader()
    file = open(descriptor, "rb", buffering=0)  # noqa: ASYNC230, SIM115 (a pipe; the transport closes it)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    try:
        return await reader.read()
    finally:
        transport.close()


async def _exit_code(process: Process) -> int:
    """At once, since it has ended. `process.wait()` waits for the pipes too, which somebody else may hold."""
    while process.returncode is None:
        await asyncio.sleep(0.001)
    return process.returncode
