"""Requests to a worker on its control subject, and its answers; schemas/ has the golden copies."""

from __future__ import annotations

from typing import Literal

import msgspec

LEASE_SECONDS = (1, 600)
GRACE_SECONDS = (0, 1 << 31)
Action = Literal["look", "drain", "finish", "resume", "leave"]
_ACTIONS = ("look", "drain", "finish", "resume", "leave")
# An unknown action is repeated in the answer, so its length is limited.
_SHOWN = 64


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """`lease_seconds`, of drain and finish: how long the worker takes no task unless it is asked again.

    `grace_seconds`, of leave: how long runs may continue once the worker has to stop.
    """

    action: Action
    lease_seconds: int = 0
    grace_seconds: int = 0


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """A worker may be removed only if it is both `idle` and `draining`.

    `open_walls` says what the worker's agents can reach, a sentence each. `spent`: its one task has ended.
    """

    worker: str
    idle: bool
    draining: bool
    idle_seconds: float
    open_walls: tuple[str, ...] = ()
    spent: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """The request has changed nothing."""

    worker: str
    error: str


class BadRequest(Exception):
    """Its text is the refusal's sentence."""


class _Body(msgspec.Struct, rename="camel"):
    action: str
    lease_seconds: int | None = None
    grace_seconds: int | None = None


def parse_request(body: bytes) -> Request:
    try:
        read = msgspec.json.decode(body, type=_Body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"the request cannot be read: {error}") from error
    if read.action not in _ACTIONS:
        raise BadRequest(f"there is no action {read.action[:_SHOWN]!r}: it is look, drain, finish, resume or leave")
    if read.action == "leave":
        return Request(
            read.action, grace_seconds=_seconds(read.action, "graceSeconds", read.grace_seconds, GRACE_SECONDS)
        )
    if read.action in ("drain", "finish"):
        return Request(read.action, _seconds(read.action, "leaseSeconds", read.lease_seconds, LEASE_SECONDS))
    return Request(read.action)


def _seconds(action: str, name: str, given: int | None, bounds: tuple[int, int]) -> int:
    least, most = bounds
    if given is None:
        raise BadRequest(f"{action} needs {name}, {least} to {most}")
    if not least <= given <= most:
        raise BadRequest(f"{name} must be {least} to {most}, not {given}")
    return given
