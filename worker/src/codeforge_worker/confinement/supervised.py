"""The worker's side of a supervisor: has one forked for each program, and ensures that none of its run is left."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import kernel
from .descriptors import receive
from .nursery_of_worker import NurseryOfWorker
from .order import Order, Report, Walls, read_report
from .processes import children, descendants

# For the supervisor, beyond the grace of what it supervises.
_MORE_SECONDS = 5.0
# For the nursery, on a machine that is busy: it takes milliseconds.
_FORK_SECONDS = 60.0
_ROUND_SECONDS = 0.01
# Of what a supervisor sends at once.
_MESSAGE_BYTES = 1 << 16


class NotBegun(Exception):
    """The program was not executed: a wall could not be set up, or its supervisor failed."""


class Supervisor:
    """A live or ended supervisor, by its pidfd, or by its number where a sandbox has no pidfds."""

    def __init__(self, number: int, descriptor: int | None) -> None:
        self._number = number
        self._descriptor = descriptor

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is None:
                os.kill(self._number, number)
            else:
                signal.pidfd_send_signal(self._descriptor, number)

    async def gone(self) -> None:
        if self._descriptor is None:
            while _lives(self._number):
                await asyncio.sleep(_ROUND_SECONDS)
            return
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._descriptor)

    def forget(self) -> None:
        """Not while a caller waits for it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._number = 0


class Supervised:
    """A program under its supervisor, which holds no end of the streams."""

    def __init__(self, program: str, told: _Told, streams: _Streams, grace: float) -> None:
        self._program = program
        self._told = told
        self._streams = streams
        self._grace = grace
        self.stdin, self.stdout, self.stderr = streams.stdin, streams.stdout, streams.stderr

    async def end(self) -> int:
        """Waits until nothing of the run is left. The exit code; `OSError` if the program could not be executed."""
        # Shielded: a cancelled caller waits again after it has requested the end.
        report = await asyncio.shield(self._told.end)
        # Not before the supervisor is gone: the kernel first closes its socket and then reparents its children.
        if report is None or report.failure:
            await _children.end_orphans()
        return self._code(report)

    async def stop(self) -> None:
        """Asks all processes of the run to end, kills the rest, and waits for them."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            self._signal(number)
        done, _ = await asyncio.wait({self._told.end}, timeout=self._grace + _MORE_SECONDS)
        if not done:
            # Its run has kept it from its work.
            self._signal(signal.SIGKILL)
        with contextlib.suppress(OSError, NotBegun):
            await self.end()

    def close(self) -> None:
        """Its streams; another run may hold their other ends."""
        self._streams.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._told.supervisor and not self._told.end.done():
            self._told.supervisor.send(number)

    def _code(self, report: Report | None) -> int:
        if report is None:
            return -signal.SIGKILL
        if report.error:
            raise OSError(report.error, os.strerror(report.error), self._program)
        if report.failure:
            raise NotBegun(report.failure)
        return report.code


class _Told:
    """A supervisor's messages: its number, which comes first; a report; and the end."""

    def __init__(self, heard: socket.socket) -> None:
        heard.setblocking(False)
        self._heard = heard
        self.supervisor: Supervisor | None = None
        self.begun = asyncio.Event()
        self.end = asyncio.create_task(self._hear())

    async def _hear(self) -> Report | None:
        """The first report; None if the supervisor ended before it. Returns when the supervisor is gone."""
        report = None
        try:
            while told := await self._next():
                report = report or read_report(told)
        finally:
            self._heard.close()
            self.begun.set()
        if self.supervisor:
            await self.supervisor.gone()
            self.supervisor.forget()
        return report

    async def _next(self) -> bytes:
        """The next report; empty at the end, when no process can send any more."""
        loop = asyncio.get_running_loop()
        while True:
            ready = loop.create_future()
            loop.add_reader(self._heard, _settle, ready)
            try:
                await ready
            finally:
                loop.remove_reader(self._heard)
            message, descriptors = receive(self._heard, _MESSAGE_BYTES, 1)
            if not message.isdigit():
                return message
            self.supervisor = Supervisor(int(message), next(iter(descriptors), None))
            self.begun.set()


class _Children:
    """Those of this process: the nursery, and if it adopts them, what is left of runs that ended their supervisors."""

    def __init__(self) -> None:
        self.nursery = NurseryOfWorker()
        self.adopts = False

    async def end_orphans(self) -> None:
        while self.adopts and self._kill_orphans():
            await asyncio.sleep(_ROUND_SECONDS)

    def _kill_orphans(self) -> bool:
        """Returns whether there were any."""
        orphans = [process for process in children(os.getpid()) if process != self.nursery.number]
        for orphan in orphans:
            for process in (orphan, *descendants(orphan)):
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, os.WNOHANG)
        return bool(orphans)


_children = _Children()


class _Streams:
    """The worker's ends of a program's streams, and until `theirs` are closed the program's."""

    def __init__(self) -> None:
        pipes: list[tuple[int, int]] = []
        try:
            for _ in range(3):
                pipes.append(os.pipe())
        except OSError:
            for descriptor in (end for pipe in pipes for end in pipe):
                os.close(descriptor)
            raise
        # stdin is read by the program, the others are written by it.
        self.theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        self._ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        self._transports: list[asyncio.BaseTransport] = []
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.stdin: asyncio.StreamWriter

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for reader, descriptor in zip((self.stdout, self.stderr), self._ours[1:], strict=True):
            transport, _ = await loop.connect_read_pipe(
                lambda reader=reader: asyncio.StreamReaderProtocol(reader),
                os.fdopen(descriptor, "rb", buffering=0),
            )
            self._transports.append(transport)
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
            os.fdopen(self._ours[0], "wb", buffering=0),
        )
        self._transports.append(transport)
        self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


async def supervise(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], grace: float, walls: Walls | None
) -> Supervised:
    """Starts the program in a session of its own. When stopped, the rest of its run gets `grace` seconds to end."""
    order = Order(argv, str(cwd), environment, grace, walls)
    # Once more where the nursery was ended before it had read the order: nothing of that was begun.
    for _ in range(2):
        streams = _Streams()
        told = _forked(order, streams.theirs)
        await streams.open()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FORK_SECONDS):
                await told.begun.wait()
        if told.supervisor or (told.end.done() and told.end.result()):
            return Supervised(argv[0], told, streams, grace)
        streams.close()
        told.end.cancel()
        _children.nursery.end()
    raise OSError(errno.EAGAIN, "no process was forked for it: see what the worker's container may use", argv[0])


def _forked(order: Order, streams: Sequence[int]) -> _Told:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptor = order.descriptor()
    try:
        _children.nursery.fork(descriptor, theirs.fileno(), streams)
    except BaseException:
        ours.close()
        raise
    finally:
        os.close(descriptor)
        theirs.close()
        for stream in streams:
            os.close(stream)
    return _Told(ours)


def adopt_orphans() -> None:
    """Adopts and ends processes that have lost their supervisor: this process must have no other children."""
    kernel.adopt_descendants()
    _children.adopts = True


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except OSError:
        return False
    return True
