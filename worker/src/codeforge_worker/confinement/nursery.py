"""A Python that has already started and forks a supervisor for each program.

Its socket delivers descriptors and their kinds: those of a supervisor's order and report, and the program's three
streams. It reads none of them and has no part in the rest. It ends with the worker.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket

from . import kernel
from .descriptors import receive
from .order import Report
from .supervisor import main as supervise

STREAMS = 3
DESCRIPTORS = 2 + STREAMS


def main(parent: str, asked: str) -> None:
    """The worker's number, and the descriptor of the socket."""
    kernel.hide_memory()
    # Asked for as they end, so that their time is counted.
    signal.signal(signal.SIGCHLD, _collect)
    with socket.socket(fileno=int(asked)) as asking:
        asking.set_inheritable(False)
        nursery = _Nursery(asking, int(parent))
        while nursery.serves():
            pass


class _Nursery:
    def __init__(self, asking: socket.socket, parent: int) -> None:
        self._asking = asking
        self._number = os.getpid()
        self._parent = parent
        self._events = select.poll()
        self._events.register(asking, select.POLLIN)
        # Another process may hold the worker's end of the socket: one that the worker has forked.
        self._worker = kernel.descriptor_of(parent)
        if self._worker is not None:
            self._events.register(self._worker, select.POLLIN)

    def serves(self) -> bool:
        """Forks for one order; false when no process is left that could send one."""
        ready = [descriptor for descriptor, _ in self._events.poll()]
        if self._worker in ready or os.getppid() != self._parent:
            return False
        told, descriptors = receive(self._asking, 1, DESCRIPTORS)
        if not told:
            return False
        order, report, *streams = descriptors
        try:
            forked = os.fork()
        except OSError as error:
            Report(error=error.errno or errno.EAGAIN).send(report)
        else:
            if forked == 0:
                self._become(order, report, streams)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _become(self, order: int, report: int, streams: list[int]) -> None:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            self._asking.close()
            if self._worker is not None:
                os.close(self._worker)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            supervise(self._number, order, report)
        finally:
            os._exit(1)


def _collect(_number: int, _frame: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return
