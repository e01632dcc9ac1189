"""The worker's side of the nursery: created on first use, and again if it was ended."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from collections.abc import Sequence

from .descriptors import send
from .package import started

# The first one finds out that it was ended.
_TRIES = 2


class NurseryOfWorker:
    """Of this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asking: socket.socket | None = None

    @property
    def number(self) -> int:
        """That of its process; 0 while there is none."""
        return self._process.pid if self._process else 0

    def fork(self, order: int, report: int, streams: Sequence[int]) -> None:
        """A supervisor for one order: the descriptors are its own from now on, and may be closed here."""
        for _ in range(_TRIES):
            try:
                send(self._open(), b"\0", [order, report, *streams])
                return
            except ConnectionError:
                self.end()
            except BlockingIOError:
                # A new nursery would end the supervisors that this one has forked, and their runs.
                raise OSError(errno.EAGAIN, "the process that starts programs takes none: see what keeps it") from None
        raise OSError(errno.EPIPE, "the process that starts programs ends at once: see what kills it, or its memory")

    def end(self) -> None:
        """Ends a nursery that is no longer usable: the next order creates another."""
        if self._asking:
            self._asking.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._asking = self._process = None

    def _open(self) -> socket.socket:
        if self._asking and self._process and self._process.poll() is None:
            return self._asking
        self.end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Nothing of the worker's environment, and no folder that is removed.
            self._process = subprocess.Popen(
                [*started("nursery"), str(os.getpid()), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        # It reads at once; the event loop must not wait where something keeps it from that.
        ours.setblocking(False)
        self._asking = ours
        return ours
