"""The failures that a function can choose."""

from __future__ import annotations

import math
import re

from .. import wire

# The longest delay that a failure may ask for.
RETRY_SECONDS = 3600
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
# They say how somebody else ended the run, and are acted upon.
_RESERVED = frozenset(
    {
        "Cancelled",
        "MaxDeliveriesExceeded",
        "MayHaveRun",
        "PoolDeleted",
        "QueueTimeout",
        "RunTimeout",
        "Suspended",
        "TaskDeleted",
    }
)


def may_be_type(type: str) -> bool:
    return _TYPE.fullmatch(type) is not None and type not in _RESERVED


class _Chosen(Exception):
    def __init__(self, message: str, *, type: str = "AgentFailed") -> None:
        if not may_be_type(type):
            raise ValueError(
                f"type {type!r} cannot be a failure's: use 2 to 64 letters that begin with a capital, "
                f"and none of {', '.join(sorted(_RESERVED))}"
            )
        super().__init__(message)
        self.message = message[: wire.MESSAGE_CHARACTERS]
        self.type = type


class Retry(_Chosen):
    """The run failed, and another attempt may not: the task's `retry` says whether and when there is one.

    `message` (the first 1,024 characters) is for whoever reads the task's status; `type` can be named in
    `retry.nonRetryable`. `delay` is how many seconds later the next attempt begins at the earliest, 0 to 3,600, in
    place of the task's backoff; a fraction is rounded up.
    """

    def __init__(self, message: str, *, type: str = "AgentFailed", delay: float | None = None) -> None:
        super().__init__(message, type=type)
        if delay is not None and not 0 <= delay <= RETRY_SECONDS:
            raise ValueError(f"delay {delay!r} cannot be waited for: give seconds, 0 to {RETRY_SECONDS}")
        self.delay = None if delay is None else math.ceil(delay)


class CommandFailed(Retry):
    """A program of `context.run` ended with another exit code than 0; `code` is None when it could not be started."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message, type="CommandFailed")
        self.code = code


class Stopped(Exception):
    """The run was asked to stop, and its program with it: what the function does then counts no more."""


class Fatal(_Chosen):
    """The run failed, and so would every other attempt: there is none."""
