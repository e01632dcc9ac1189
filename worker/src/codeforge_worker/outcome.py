"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass

from . import plain, wire

# Failures that another attempt may avoid. A refused credential is not among them: see `refused`.
_RETRYABLE = frozenset(
    {
        "AgentFailed",
        "CommandFailed",
        "GitCloneFailed",
        "GitPushFailed",
        "InternalError",
        "NoChanges",
        "RunTimeout",
    }
)
# Intended ends; every other one is a failure.
_CANCELLATIONS = frozenset({"Cancelled", "Suspended", "TaskDeleted"})


def failure(type: str, message: str, *, refused: bool = False) -> wire.Failure:
    """`type` is an UpperCamel constant, the message says what to do."""
    return wire.Failure(type, plain.of(message)[: wire.MESSAGE_CHARACTERS], type in _RETRYABLE and not refused)


class RunError(Exception):
    """A run that failed."""

    def __init__(self, type: str, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.failure = failure(type, message, refused=refused)


@dataclass(frozen=True)
class Outcome:
    kind: wire.Kind = "completed"
    summary: str = ""
    output: str = ""
    files: tuple[str, ...] = ()
    git: wire.GitResult | None = None
    failure: wire.Failure | None = None
    session: wire.SessionObject | None = None
    artifacts: tuple[wire.Artifact, ...] = ()
    # What was not kept, and what to do.
    artifacts_problem: str = ""

    def result(self) -> wire.Result:
        return wire.Result(
            summary=plain.of(self.summary)[: wire.MESSAGE_CHARACTERS],
            files_total=len(self.files),
            git=self.git,
            session=self.session,
            artifacts=self.artifacts,
            artifacts_problem=plain.of(self.artifacts_problem)[: wire.MESSAGE_CHARACTERS],
        )

    @classmethod
    def failed(cls, failure: wire.Failure, output: str = "") -> Outcome:
        kind: wire.Kind = "cancelled" if failure.type in _CANCELLATIONS else "failed"
        return cls(kind=kind, failure=failure, output=output)
