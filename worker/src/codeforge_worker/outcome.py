"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from . import wire


class RunError(Exception):
    """A run that failed: `type` is an UpperCamel constant, the message says what to do."""

    def __init__(self, type: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.failure = wire.Failure(type, message[: wire.MESSAGE_CHARACTERS], retryable)


@dataclass
class Usage:
    """What a run has used so far; it counts however the run ends."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Outcome:
    kind: wire.Kind = "completed"
    summary: str = ""
    output: str = ""
    files: tuple[str, ...] = ()
    git: wire.GitResult | None = None
    failure: wire.Failure | None = None

    def result(self) -> wire.Result:
        return wire.Result(summary=self.summary[: wire.MESSAGE_CHARACTERS], files_total=len(self.files), git=self.git)

    @classmethod
    def failed(cls, failure: wire.Failure, output: str = "") -> Outcome:
        kind: wire.Kind = "cancelled" if failure.type == "Cancelled" else "failed"
        return cls(kind=kind, failure=failure, output=output)
