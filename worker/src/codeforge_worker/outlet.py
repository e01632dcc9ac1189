"""Writes the pod's log from a thread of its own, so that an unread pipe blocks no run and no heartbeat."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque

BYTES = 1 << 20
# Time limit for the remaining lines at the end of the process.
_LAST_SECONDS = 1.0
_PORTION = 65536


class Outlet:
    """Writes lines to a descriptor. Lines beyond the buffer are dropped, and a line reports their number.

    It has no `flush`: logging would call that after each line, on the event loop, and wait for the thread.
    """

    def __init__(self, descriptor: int, most: int = BYTES) -> None:
        self._descriptor = descriptor
        self._most = most
        # Each with the number of lines that it stands for if it is dropped.
        self._texts: deque[tuple[bytes, int]] = deque()
        self._size = 0
        self._lost = 0
        self._lost_since = 0.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> None:
        line = text.encode("utf-8", "replace")
        with self._changed:
            self._tell_lost()
            if self._lost or self._size + len(line) > self._most:
                self._lose(1)
                return
            self._queue(line, 1)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name=f"outlet {self._descriptor}", daemon=True)
                self._thread.start()
                atexit.register(self.finish)

    def finish(self, seconds: float = _LAST_SECONDS) -> None:
        """Waits until all is written, but not for a blocked pipe."""
        with self._changed:
            self._changed.wait_for(lambda: not self._size, seconds)

    def _queue(self, text: bytes, lines: int) -> None:
        self._texts.append((text, lines))
        self._size += len(text)
        self._changed.notify_all()

    def _lose(self, lines: int) -> None:
        self._lost_since = self._lost_since if self._lost else time.monotonic()
        self._lost += lines

    def _tell_lost(self) -> None:
        if self._lost and self._size <= self._most // 2:
            seconds = time.monotonic() - self._lost_since
            told = f"({self._lost} lines are missing here: nothing took them for {seconds:.1f} s)\n"
            self._queue(told.encode(), self._lost)
            self._lost = 0

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._texts)
                text, lines = self._portion()
            try:
                self._write_all(text)
            except OSError:
                # The pipe is closed or a disk is full: neither ends a run. The next line reports it.
                with self._changed:
                    self._size -= len(text)
                    self._lose(lines)
                    self._changed.notify_all()
            else:
                with self._changed:
                    self._size -= len(text)
                    self._tell_lost()
                    self._changed.notify_all()

    def _portion(self) -> tuple[bytes, int]:
        taken: list[bytes] = []
        size = lost = 0
        while self._texts and size < _PORTION:
            text, lines = self._texts.popleft()
            taken.append(text)
            size += len(text)
            lost += lines
        return b"".join(taken), lost

    def _write_all(self, portion: bytes) -> None:
        rest = memoryview(portion)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


STDOUT = Outlet(1)
STDERR = Outlet(2)
