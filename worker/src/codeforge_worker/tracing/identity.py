"""The ids of a task's trace, the same in worker and operator: schemas/golden/spans.json has examples."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .. import wire

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True)
class Parent:
    """A span of another process, from its traceparent."""

    trace_id: str
    span_id: str
    sampled: bool = True


def parse(traceparent: str) -> Parent | None:
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or traceparent.startswith("ff"):
        return None
    return Parent(found[1], found[2], bool(int(found[3], 16) & 1))


def trace_id(uid: str) -> str:
    return uid.replace("-", "").lower()


def span_id(trace: str, name: str) -> str:
    return hashlib.sha256(f"{trace}/{name}".encode()).hexdigest()[:16]


def parent_of(task: wire.Task, traceparent: str) -> Parent | None:
    """The sender of the task: from its header, otherwise from an AgentTask's uid; None for a trace of its own."""
    told = parse(traceparent)
    if told or not task.dispatch_id:
        return told
    trace = trace_id(task.task_id)
    return Parent(trace, span_id(trace, f"publish/{task.attempt}"))


def run_id(trace: str, task: wire.Task, origin: wire.Origin, delivery: int) -> str:
    """The id of the run's span. Outside messages may share a trace, a task's id and its attempt."""
    which = str(task.attempt) if task.dispatch_id else f"{origin.stream}/{origin.sequence}"
    return span_id(trace, f"run/{which}/{delivery}")
