"""`print` and `logging` of a function, as lines of its run."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar
from io import TextIOBase
from typing import Any, TextIO, cast

from ..lines import LINE_BYTES, Stream


class Said:
    """What one run's function writes, line by line. Safe to use from any thread."""

    def __init__(self, say: Callable[[str, Stream], None]) -> None:
        self._say = say
        self._begun: dict[Stream, str] = {"stdout": "", "stderr": ""}
        self._writing = threading.Lock()

    def write(self, text: str, stream: Stream) -> None:
        with self._writing:
            *lines, rest = (self._begun[stream] + text).split("\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], ""
            self._begun[stream] = rest
        # Not under the lock: a thread waits here for the loop, which may be about to write as well.
        for line in lines:
            self._say(line, stream)

    def flush(self) -> None:
        """A last line without its end."""
        for stream in ("stdout", "stderr"):
            if self._begun[stream]:
                self.write("\n", stream)


_said: ContextVar[Said | None] = ContextVar("said", default=None)


@contextlib.contextmanager
def of_run(said: Said | None) -> Generator[None]:
    """Until the end of this, here and in what is begun here, all that is written is of that run; None for of none."""
    token = _said.set(said)
    try:
        yield
    finally:
        _said.reset(token)


def of_no_run(_: logging.LogRecord) -> bool:
    """A filter for a handler of the worker's own: what a function logs is in its run's lines."""
    return _said.get() is None


class _Routed(TextIOBase):
    """In place of a stream of this process, for as long as a function runs."""

    def __init__(self, own: TextIO, stream: Stream) -> None:
        self.own = own
        self._stream: Stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        said = _said.get()
        if said is None:
            return self.own.write(text)
        said.write(text, self._stream)
        return len(text)

    def flush(self) -> None:
        self.own.flush()


class _Records(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = _said.get()
        if said is not None:
            said.write(f"{self.format(record)}\n", "stderr")


class _Routing:
    """Begun by the first of the runs that are under way in this process, and ended by the last."""

    def __init__(self) -> None:
        self._runs = 0
        self._changing = threading.Lock()
        self._records = _Records(logging.INFO)
        self._records.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self._level = logging.NOTSET

    @contextlib.contextmanager
    def under_way(self) -> Generator[None]:
        with self._changing:
            self._runs += 1
            if self._runs == 1:
                self._begin()
        try:
            yield
        finally:
            with self._changing:
                self._runs -= 1
                if self._runs == 0:
                    self._end()

    def _begin(self) -> None:
        sys.stdout = cast(TextIO, _Routed(sys.stdout, "stdout"))
        sys.stderr = cast(TextIO, _Routed(sys.stderr, "stderr"))
        root = logging.getLogger()
        self._level = root.level
        # Python's own default passes warnings alone.
        root.setLevel(min(self._level or logging.INFO, logging.INFO))
        root.addHandler(self._records)

    def _end(self) -> None:
        root = logging.getLogger()
        root.removeHandler(self._records)
        root.setLevel(self._level)
        # Somebody may have put another one in its place meanwhile.
        if isinstance(sys.stdout, _Routed):
            sys.stdout = sys.stdout.own
        if isinstance(sys.stderr, _Routed):
            sys.stderr = sys.stderr.own


routing = _Routing()
