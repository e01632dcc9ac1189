"""Attributes of a run."""

from __future__ import annotations

from collections.abc import Mapping

from .. import wire
from ..outcome import Outcome
from ..run import Stop
from ..settings import Settings
from ..spending import Usage
from .span import Span, Value


def begun(settings: Settings, task: wire.Task, origin: wire.Origin, delivery: int) -> Mapping[str, Value]:
    told: dict[str, Value] = {
        "codeforge.task.id": task.task_id,
        "codeforge.namespace": settings.namespace,
        "codeforge.pool": settings.pool,
        "codeforge.backend": settings.backend,
        "codeforge.attempt": task.attempt,
        "codeforge.delivery": delivery,
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "run",
        "messaging.destination.name": origin.stream,
        "messaging.message.id": str(origin.sequence),
    }
    if task.model:
        told["gen_ai.request.model"] = task.model
    return told


def tell_end(span: Span, ended: Outcome | Stop, used: Usage) -> None:
    """The end of a run and its usage; money is a float here, for display only."""
    span.set(
        {
            "codeforge.outcome": ended.kind if isinstance(ended, Outcome) else ended.value,
            "gen_ai.usage.input_tokens": used.tokens_in,
            "gen_ai.usage.output_tokens": used.tokens_out,
            "codeforge.cost_usd": float(used.cost),
        }
    )
    if isinstance(ended, Outcome) and ended.failure and ended.kind == "failed":
        span.fail(ended.failure.type, ended.failure.message)
