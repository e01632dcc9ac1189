"""What becomes of a run when its function returns or raises."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .. import plain, wire
from ..outcome import Outcome, RunError
from .errors import Fatal, Retry, may_be_type
from .result import Result

_UNNAMED = "AgentFailed"


@dataclass(frozen=True)
class Ended:
    """A function's end as a value: a future may not hold every exception, and a loop ends on some of them."""

    returned: Any = None
    raised: BaseException | None = None


class FunctionFailed(RunError):
    """A failure whose writer decides whether it may be tried again."""

    def __init__(self, type: str, message: str, *, retryable: bool, delay: int | None = None) -> None:
        super().__init__(type, message)
        after = wire.msgspec.UNSET if delay is None else delay
        self.failure = wire.Failure(type, plain.of(message)[: wire.MESSAGE_CHARACTERS], retryable, after)


def ended(call: Callable[[], Any]) -> Ended:
    try:
        return Ended(returned=call())
    except BaseException as error:
        return Ended(raised=error)


async def ended_async(call: Callable[[], Awaitable[Any]]) -> Ended:
    try:
        return Ended(returned=await call())
    except BaseException as error:
        return Ended(raised=error)


def outcome(name: str, end: Ended, logged: str, log: Callable[[str], None]) -> Outcome:
    """The outcome of backend `name`; raises `FunctionFailed`. `logged` is the output where none is returned."""
    if end.raised is not None:
        raise _failure(name, end.raised, log)
    match end.returned:
        case Result():
            return _completed(end.returned, logged)
        case str():
            return _completed(Result(output=end.returned), logged)
        case None:
            return _completed(Result(), logged)
        case other:
            shown = type(other).__name__
            raise FunctionFailed(
                "InvalidResult",
                f"backend {name} returned a value of type {shown}: return a Result, a str or None",
                retryable=False,
            )


def _completed(result: Result, logged: str) -> Outcome:
    output = plain.of(result.output) or logged
    first = next((line.strip() for line in output.splitlines() if line.strip()), "")
    return Outcome(summary=" ".join(plain.of(result.summary).split()) or first, output=output)


def _failure(name: str, error: BaseException, log: Callable[[str], None]) -> RunError:
    match error:
        case Retry():
            return FunctionFailed(error.type, error.message, retryable=True, delay=error.delay)
        case Fatal():
            return FunctionFailed(error.type, error.message, retryable=False)
        case RunError():
            return error
        case _:
            for line in _traceback(error):
                log(line)
            # By its name a pool's retry.nonRetryable can tell one exception from another.
            type_name = type(error).__name__
            failure_type = type_name if may_be_type(type_name) else _UNNAMED
            said = str(error)
            message = f"backend {name} raised {type_name}" + (f": {said}" if said else "; see the log")
            return FunctionFailed(failure_type, message, retryable=True)


def _traceback(error: BaseException) -> list[str]:
    """Without the frames of the worker, which begin each of them."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_globals.get("__package__") == __package__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).splitlines()
