"""Task messages and events as they travel; schemas/ holds their golden copies, shared with the operator."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from . import plain
from .spending import AtLeastOne, Budget, Spent

PROTOCOL = "Codeforge-Protocol"
PROOF = "Codeforge-Proof"
INSTALLATION = "Codeforge-Installation"
OUTPUT_BYTES = 4096
MESSAGE_CHARACTERS = 1024
FILES = 50

Kind = Literal["running", "progress", "released", "completed", "failed", "cancelled"]
DeliveryMode = Literal["AtLeastOnce", "AtMostOnce", "ResetThenRetry"]
OnFailure = Literal["Artifact", "Push"]
TERMINAL: frozenset[Kind] = frozenset({"completed", "failed", "cancelled"})
_STATUS: dict[Kind, str] = {
    "running": "running",
    "progress": "running",
    "released": "queued",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Unreadable(Exception):
    """A message that can never be run; `reason` is the dead letter's."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Push(msgspec.Struct, frozen=True, omit_defaults=True):
    branch: str
    # Where the work of a failed run is kept beside its patch, which is an artifact always.
    on_failure: OnFailure = "Artifact"


class Git(msgspec.Struct, frozen=True, omit_defaults=True):
    url: str
    ref: str = ""
    push: Push | None = None
    # Commits of history, 1 for none but the one that is checked out.
    depth: AtLeastOne = 1
    submodules: bool = False
    lfs: bool = False


class Workspace(msgspec.Struct, frozen=True):
    git: Git | None = None


class SessionObject(msgspec.Struct, frozen=True):
    """A conversation in the pool's bucket."""

    object: str
    digest: str
    size: int


class Session(msgspec.Struct, frozen=True):
    """`history` is absent if the conversation starts with this task."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    history: SessionObject | None = None


class Task(msgspec.Struct, frozen=True):
    """A task message. An outside producer sends task_id and prompt; the rest has defaults."""

    task_id: str
    prompt: str
    # The pool that runs it. An outside producer may leave both out.
    namespace: str = ""
    pool: str = ""
    project_id: str = ""
    title: str = ""
    backend: str = ""
    # Go writes an empty map as null.
    config: dict[str, str] | None = None
    dispatch_id: str = ""
    attempt: AtLeastOne = 1
    model: str = ""
    run_timeout_seconds: AtLeastOne = 1800
    max_deliveries: AtLeastOne = 3
    delivery_mode: DeliveryMode = "AtLeastOnce"
    spent: Spent = Spent()
    budget: Budget | None = None
    workspace: Workspace | None = None
    # The sequence of the task's last event when this message was published; 0 for none.
    last_event: int = 0
    # What an earlier attempt saved last: the text of a JSON object; empty for nothing.
    checkpoint: str = ""
    session: Session | None = None


def parse_task(body: bytes, headers: Mapping[str, str], namespace: str, pool: str) -> Task:
    """The task in a message for this pool, or `Unreadable` with the reason for its dead letter."""
    try:
        task = msgspec.json.decode(body, type=Task)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable("Unparsable", f"the message is not a task as JSON: {error}") from error
    if not _TASK_ID.fullmatch(task.task_id):
        raise Unreadable("InvalidTaskId", "task_id must be 1 to 64 letters, digits, '_' or '-'")
    signed = bool(task.dispatch_id) and INSTALLATION in headers
    if _UUID.fullmatch(task.task_id) and not signed:
        raise Unreadable("InvalidTaskId", "a UUID as task_id is reserved for AgentTasks: use another id")
    named = (task.namespace, task.pool)
    if named != (namespace, pool) and (signed or any(named)):
        # A queue's message could be sent to another queue, which would run it with that pool's secrets.
        its = f"pool {task.pool or 'none'} in namespace {task.namespace or 'none'}"
        detail = f"the message is for {its}, not for {namespace}/{pool}: publish it on the subject of its own pool"
        raise Unreadable("WrongPool", detail)
    # Blank as in the schema of AgentTask: what it accepts must run here.
    if not task.prompt.strip(" \t\n\f\r"):
        raise Unreadable("Unparsable", "a task needs a prompt that is not blank")
    return task


class Origin(msgspec.Struct, frozen=True):
    """A task message's position, which identifies a run whose id another message may have."""

    stream: str
    sequence: int


class GitResult(msgspec.Struct, frozen=True, omit_defaults=True):
    base_commit: str
    branch: str = ""
    commit: str = ""
    pushed: bool = False


class Artifact(msgspec.Struct, frozen=True):
    """A file in the pool's bucket, where it is called `object`."""

    name: str
    size: int
    digest: str
    object: str


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    summary: str = ""
    files_total: int = 0
    git: GitResult | None = None
    artifacts: tuple[Artifact, ...] = ()
    artifacts_problem: str = ""
    session: SessionObject | None = None


class Failure(msgspec.Struct, frozen=True):
    type: str
    message: str
    retryable: bool
    # Until the next attempt starts, instead of the task's backoff.
    retry_after_seconds: int | msgspec.UnsetType = msgspec.UNSET


class Earlier(msgspec.Struct, frozen=True, omit_defaults=True):
    """The progress of another outside message with the same task_id."""

    stream: str
    sequence: int
    event: str
    delivery: int = 0
    worker: str = ""
    usage: Spent = Spent()
    # Only of a run that has not ended.
    checkpoint: str = ""


class Event(msgspec.Struct, frozen=True, omit_defaults=False):
    task_id: str
    project_id: str
    status: str
    event: Kind
    event_id: str
    attempt: int
    delivery: int
    stream: str
    sequence: int
    worker: str
    time: str
    start_time: str
    completion_time: str | msgspec.UnsetType = msgspec.UNSET
    output: str = ""
    files: tuple[str, ...] = ()
    error: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    usage: Spent = Spent()
    progress: str | msgspec.UnsetType = msgspec.UNSET
    checkpoint: str | msgspec.UnsetType = msgspec.UNSET
    result: Result | msgspec.UnsetType = msgspec.UNSET
    failure: Failure | msgspec.UnsetType = msgspec.UNSET
    earlier: tuple[Earlier, ...] | msgspec.UnsetType = msgspec.UNSET

    @property
    def terminal(self) -> bool:
        return self.event in TERMINAL


class Seen(msgspec.Struct, frozen=True):
    """A task's last event, as far as it can be read."""

    sequence: int
    event: str = ""
    event_id: str = ""
    attempt: int = 0
    delivery: int = 0
    stream: str = ""
    task_sequence: int = 0
    worker: str = ""
    usage: Spent = Spent()
    checkpoint: str = ""
    earlier: tuple[Earlier, ...] = ()
    proven: bool = False

    @property
    def terminal(self) -> bool:
        return self.event in TERMINAL

    @property
    def settled(self) -> bool:
        """Whether no worker holds the task after this event."""
        return self.terminal or self.event == "released"


class _SeenBody(msgspec.Struct):
    event: str = ""
    event_id: str = ""
    attempt: int = 0
    delivery: int = 0
    stream: str = ""
    sequence: int = 0
    worker: str = ""
    usage: Spent = Spent()
    checkpoint: str = ""
    earlier: tuple[Earlier, ...] = ()


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(event: Event) -> bytes:
    return _encoder.encode(event)


def read_event(sequence: int, body: bytes, proof: str, dispatch_id: str) -> Seen:
    """An event that is unreadable or has no valid proof still counts by its sequence."""
    try:
        read = msgspec.json.decode(body, type=_SeenBody)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Seen(sequence=sequence)
    return Seen(
        sequence=sequence,
        event=read.event,
        event_id=read.event_id,
        attempt=read.attempt,
        delivery=read.delivery,
        stream=read.stream,
        task_sequence=read.sequence,
        worker=read.worker,
        usage=read.usage,
        checkpoint=read.checkpoint,
        earlier=read.earlier,
        proven=not dispatch_id or hmac.compare_digest(prove(dispatch_id, body), proof),
    )


def prove(dispatch_id: str, body: bytes) -> str:
    return hmac.new(dispatch_id.encode(), body, hashlib.sha256).hexdigest()


def dead_letter_id(stream: str, sequence: int, stored: int, body: bytes) -> str:
    """The same for worker and operator. Ids span all pools; without the message the id is unknown.

    `stored` is when the server stored the message, in nanoseconds since 1970.
    """
    return hashlib.sha256(f"{stream}\n{sequence}\n{stored}\n".encode() + body).hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_event_id() -> str:
    return str(uuid.uuid4())


def status_of(kind: Kind) -> str:
    """CodeForge's own name of an event."""
    return _STATUS[kind]


def tail(text: str, limit: int = OUTPUT_BYTES) -> str:
    """The end of a text, plain, within a number of UTF-8 bytes; no character is cut."""
    text = plain.of(text)
    raw = text.encode()
    return raw[-limit:].decode("utf-8", "ignore") if len(raw) > limit else text
