"""A part of a run, and the current one."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Literal

from ..outcome import RunError

Value = str | int | float | bool
Kind = Literal["internal", "client"]
NOTHING: Mapping[str, Value] = MappingProxyType({})


class Span:
    """This one is not exported; exported ones derive from it."""

    @property
    def traceparent(self) -> str:
        """Its W3C traceparent; empty if it has none."""
        return ""

    def environment(self) -> dict[str, str]:
        """Variables for a program that continues the trace."""
        return {"TRACEPARENT": self.traceparent} if self.traceparent else {}

    def child(
        self, name: str, attributes: Mapping[str, Value] = NOTHING, *, kind: Kind = "internal", within: str = ""
    ) -> Span:
        """A child that starts now; `within` is the traceparent of another process's span in the same trace."""
        return self

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Adds attributes."""

    def fail(self, type: str, message: str) -> None:
        """Marks it as an error; `type` is the failure's."""

    def end(self) -> None:
        """Only the first call counts."""


OFF = Span()
_current: ContextVar[Span] = ContextVar("span", default=OFF)


def current() -> Span:
    """The current span."""
    return _current.get()


@contextmanager
def under_way(span: Span) -> Generator[Span]:
    """Makes it the current span within the block, and ends it afterwards."""
    token = _current.set(span)
    try:
        yield span
    except BaseException as error:
        span.fail(*_told(error))
        raise
    finally:
        _current.reset(token)
        span.end()


@contextmanager
def part(name: str, attributes: Mapping[str, Value] = NOTHING) -> Generator[Span]:
    """A child of the current span."""
    with under_way(current().child(name, attributes)) as span:
        yield span


def _told(error: BaseException) -> tuple[str, str]:
    if isinstance(error, RunError):
        return error.failure.type, error.failure.message
    if isinstance(error, asyncio.CancelledError):
        return "Stopped", "the run was stopped before its end"
    return type(error).__name__, str(error)
