"""A part of a run, and which one is under way."""

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
    """This one is told to nobody; one that is exported derives from it."""

    @property
    def traceparent(self) -> str:
        """What names it to others, as W3C writes it; empty when there is nothing to name."""
        return ""

    def environment(self) -> dict[str, str]:
        """Variables by which a program that is started in it continues the trace."""
        return {"TRACEPARENT": self.traceparent} if self.traceparent else {}

    def child(
        self, name: str, attributes: Mapping[str, Value] = NOTHING, *, kind: Kind = "internal", within: str = ""
    ) -> Span:
        """A part of it, begun now; `within` is the traceparent of a span of somebody else's in the same trace."""
        return self

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Adds attributes."""

    def fail(self, type: str, message: str) -> None:
        """Calls it an error; `type` is the failure's."""

    def end(self) -> None:
        """Only the first time counts."""


OFF = Span()
_current: ContextVar[Span] = ContextVar("span", default=OFF)


def current() -> Span:
    """The span that is under way here."""
    return _current.get()


@contextmanager
def under_way(span: Span) -> Generator[Span]:
    """It is the current one until the end of this, which is its own."""
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
    """A part of what is under way."""
    with under_way(current().child(name, attributes)) as span:
        yield span


def _told(error: BaseException) -> tuple[str, str]:
    if isinstance(error, RunError):
        return error.failure.type, error.failure.message
    if isinstance(error, asyncio.CancelledError):
        return "Stopped", "the run was stopped before its end"
    return type(error).__name__, str(error)
