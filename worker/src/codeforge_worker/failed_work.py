"""Work of a failed run: on its own branch, with trailers that tell it apart from a success."""

from __future__ import annotations

from collections.abc import Sequence

from . import plain, wire
from .outcome import failure

# Timeouts for a push of failed work, in general and while the worker has to stop.
SECONDS = 30.0
STOPPING_SECONDS = 5.0
_FAILURE = "Codeforge-Failure: "
_RETRYABLE = "Codeforge-Retryable: "
# Limit of git's message about a push.
_CHARACTERS = 500


def branch_of(push: wire.Push, attempt: int) -> str:
    """Attempts rise over the whole life of a task, so no branch is used twice."""
    return f"{push.branch}-failed-{attempt}"


def trailers_of(failed: wire.Failure) -> list[str]:
    return [f"{_FAILURE}{failed.type}", f"{_RETRYABLE}{str(failed.retryable).lower()}"]


def failure_in(trailers: Sequence[str], message: str) -> wire.Failure | None:
    """The failure in the trailers of a commit; None if the commit is a success."""
    type = _value(trailers, _FAILURE)
    if not type:
        return None
    retryable = _value(trailers, _RETRYABLE)
    told = failure(type, message)
    return wire.Failure(type, told.message, retryable == "true") if retryable else told


def not_pushed(failed: wire.Failure, why: str) -> wire.Failure:
    """The same failure with a sentence on its work."""
    note = plain.of(f"; what was done was not pushed: {why}")[:_CHARACTERS]
    message = failed.message[: wire.MESSAGE_CHARACTERS - len(note)] + note
    return wire.Failure(failed.type, message, failed.retryable, failed.retry_after_seconds)


def _value(trailers: Sequence[str], name: str) -> str:
    return next((line[len(name) :] for line in trailers if line.startswith(name)), "")
