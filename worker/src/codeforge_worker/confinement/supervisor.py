"""Runs a program within walls, and returns when that program and all of its descendants are gone.

The nursery forks it. It reads its order from one descriptor, and sends its number and then its report on another, which
is a socket. It passes SIGTERM, and the end of the nursery, on to every descendant, and SIGKILL after the grace. When
the first process ends by itself, all others get SIGKILL at once.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
import warnings

from . import kernel, landlock
from .confined import confine
from .descriptors import send
from .order import Order, Report, Walls, read_order
from .processes import descendants

# execvpe imports it, when its file may not be readable any more.
_ = warnings
_ROUND_SECONDS = 0.005
_FOR_EVER = float(1 << 30)
# Shells say so of what cannot be executed. It is seen by nobody: the report says more.
_NOT_BEGUN = 126
_EVENTS = (signal.SIGTERM, signal.SIGCHLD)


def main(parent: int, order: int, report: int) -> None:
    """The process that forked this one, and the descriptors of the order and of the report."""
    # Start nothing that the worker could not end: this fails if the worker reads nothing any more.
    _tell_number(report)
    try:
        told = _supervise(read_order(order), parent, report)
    except Exception as error:
        told = Report(failure=f"{type(error).__name__}: {error}")
    told.send(report)
    # Nothing is left to be tidied up.
    os._exit(0)


def _tell_number(report: int) -> None:
    own = kernel.descriptor_of(os.getpid())
    with socket.socket(fileno=os.dup(report)) as told:
        send(told, b"%d" % os.getpid(), [] if own is None else [own])
    if own is not None:
        os.close(own)


def _supervise(order: Order, parent: int, report: int) -> Report:
    # Before any start: otherwise a process could lose its parent unnoticed.
    signal.pthread_sigmask(signal.SIG_BLOCK, _EVENTS)
    kernel.adopt_descendants()
    kernel.hide_memory()
    kernel.end_with_parent(signal.SIGTERM)
    is_alone = _set_apart(order.walls)
    try:
        os.chdir(order.cwd)
    except OSError as error:
        return Report(error=error.errno or errno.EIO)
    first = os.fork()
    if first == 0:
        _become(order, report)
    _let_go_of_streams()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    return Report(_Family(first, is_alone, order.grace).end())


def _set_apart(walls: Walls | None) -> bool:
    """Limits signals of this process to its descendants; false where the kernel cannot."""
    if walls is None or walls.abi < landlock.SCOPES_ABI:
        return False
    landlock.Ruleset(walls.abi, only_signals=True).enforce()
    return True


def _become(order: Order, report: int) -> None:
    try:
        # With a group of its own: a program that signals its group does not mean this process.
        os.setsid()
        if order.walls:
            try:
                confine(order.walls)
            except OSError as error:
                Report(failure=f"the kernel refused a wall: {error}").send(report)
                return
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _EVENTS)
        # Not this process's own environment, to which Python may have added a locale.
        os.execvpe(order.argv[0], order.argv, order.environment)  # noqa: S606
    except OSError as error:
        Report(error=error.errno or errno.EIO).send(report)
    except ValueError as error:
        Report(failure=f"its arguments cannot be passed on: {error}").send(report)
    finally:
        os._exit(_NOT_BEGUN)


def _let_go_of_streams() -> None:
    """The streams belong to the run: a reader must see when the run has closed them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.close(nothing)


class _Family:
    """The first process and all descendants. A process that has lost its parent becomes a child of this one."""

    def __init__(self, first: int, is_alone: bool, grace: float) -> None:
        self._first = first
        self._is_alone = is_alone
        self._grace = grace
        self._status = 0
        # When SIGKILL is due; None until the end was requested.
        self._deadline: float | None = None

    def end(self) -> int:
        """Returns when none is left: the exit code of the first, or negative the signal that ended it."""
        while self._collect():
            if self._is_due():
                self._send(signal.SIGKILL)
            event = signal.sigtimedwait(_EVENTS, self._patience())
            if event and event.si_signo == signal.SIGTERM and self._deadline is None:
                self._deadline = time.monotonic() + self._grace
                self._send(signal.SIGTERM)
        return os.waitstatus_to_exitcode(self._status)

    def _collect(self) -> bool:
        """Collects all ended children; false when none is left."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if process == 0:
                return True
            if process == self._first:
                self._status = status
                # After the order to end, the others have their grace too.
                self._deadline = self._deadline or time.monotonic()

    def _is_due(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _patience(self) -> float:
        if self._deadline is None:
            return _FOR_EVER
        return max(_ROUND_SECONDS, self._deadline - time.monotonic())

    def _send(self, number: signal.Signals) -> None:
        # Atomically, so that none forks in between. Without the signal scope it would hit the worker too.
        for process in (-1,) if self._is_alone else descendants(os.getpid()):
            try:
                os.kill(process, number)
            except OSError:
                continue
