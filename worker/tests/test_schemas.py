"""schemas/ and this worker agree: it reads the golden messages, and what it writes fits the schemas."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import StartWorker
from harness.git_server import GitServer
from harness.operator import CONTROL, KEY, WORKER, Operator
from harness.patience import PATIENCE
from jsonschema import Draft202012Validator

from codeforge_worker import wire, worker_control
from codeforge_worker.outcome import Outcome, failure

SCHEMAS = Path(__file__).parents[2] / "schemas"
GOLDEN = SCHEMAS / "golden"
EVENTS = [
    path
    for kind in ("event", "failed", "cancelled")
    for path in sorted(GOLDEN.glob(f"{kind}-*.json"))
    if not path.name.endswith(".headers.json")
]
REQUESTS = sorted(GOLDEN.glob("worker-request-*.json"))
ANSWERS = sorted(GOLDEN.glob("worker-answer-*.json"))


def _read(name: str | Path) -> Any:
    return json.loads((GOLDEN / name).read_text())


def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("task-message", "task-message.json"),
        ("task-message", "task-message-plain.json"),
        ("task-message", "task-message-at-most-once.json"),
        ("task-message", "task-message-checkpoint.json"),
        ("task-message", "task-message-session.json"),
        ("task-message", "task-message-push-on-failure.json"),
        ("log-line", "log-line.json"),
        *(("event", path.name) for path in EVENTS),
        *(("worker-request", path.name) for path in REQUESTS),
        *(("worker-answer", path.name) for path in ANSWERS),
    ],
)
def test_golden_messages_fit(schema: str, file: str) -> None:
    _validator(schema).validate(_read(file))


@pytest.mark.parametrize("vector", _read("proofs.json"), ids=lambda vector: f"attempt {vector['attempt']}")
def test_proofs(vector: dict[str, Any]) -> None:
    text = f"{vector['uid']}\n{vector['attempt']}".encode("ascii")
    dispatch_id = hmac.new(bytes.fromhex(vector["key_hex"]), text, hashlib.sha256).hexdigest()
    assert dispatch_id == vector["dispatch_id"]
    assert wire.prove(dispatch_id, vector["body"].encode()) == vector["proof"]


@pytest.mark.parametrize("vector", _read("dead-letters.json"), ids=lambda vector: vector["body"] or "empty")
def test_message_ids_of_dead_letters(vector: dict[str, Any]) -> None:
    body = vector["body"].encode()
    assert wire.dead_letter_id(vector["stream"], vector["sequence"], vector["stored"], body) == vector["message_id"]


@pytest.mark.parametrize(
    ("file", "mode"),
    [
        ("task-message.json", "AtLeastOnce"),
        ("task-message-at-most-once.json", "AtMostOnce"),
        ("task-message-checkpoint.json", "AtLeastOnce"),
        ("task-message-session.json", "AtLeastOnce"),
    ],
)
def test_reads_a_task_message(file: str, mode: str) -> None:
    body = (GOLDEN / file).read_bytes()
    task = wire.parse_task(body, _read("task-message.headers.json"), "team", "aider")
    # The dataclass holds every field but those that a worker has no use for.
    unused = {"workspace_path", "heartbeat_seconds"}
    written = json.loads(wire.msgspec.json.encode(task))
    told = {name: value for name, value in json.loads(body).items() if name not in unused}
    assert written == {"delivery_mode": "AtLeastOnce", "budget": None, "checkpoint": "", "session": None} | told
    assert task.delivery_mode == mode
    text = f"{task.task_id}\n{task.attempt}".encode()
    assert task.dispatch_id == hmac.new(KEY, text, hashlib.sha256).hexdigest()


def test_reads_a_plain_message() -> None:
    task = wire.parse_task((GOLDEN / "task-message-plain.json").read_bytes(), {}, "team", "aider")
    assert (task.attempt, task.run_timeout_seconds, task.max_deliveries, task.workspace) == (1, 1800, 3, None)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_reads_and_proves_events(path: Path) -> None:
    headers = json.loads(path.with_suffix(".headers.json").read_text())
    dispatch_id = _read("task-message.json")["dispatch_id"]
    body = path.read_bytes().removesuffix(b"\n")
    seen = wire.read_event(41, body, headers["Codeforge-Proof"], dispatch_id)
    event = json.loads(body)
    assert seen.proven and (seen.event, seen.event_id) == (event["event"], headers["Nats-Msg-Id"])
    assert not wire.read_event(41, body + b" ", headers["Codeforge-Proof"], dispatch_id).proven


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_writes_events_alike(path: Path) -> None:
    event = wire.msgspec.json.decode(path.read_bytes(), type=wire.Event)
    assert json.loads(wire.encode(event)) == json.loads(path.read_bytes())


@pytest.mark.parametrize("path", [path for path in EVENTS if "failure" in _read(path)], ids=lambda path: path.stem)
def test_a_failures_kind_and_whether_it_may_be_retried(path: Path) -> None:
    told = _read(path)
    failed = failure(told["failure"]["type"], told["failure"]["message"])
    # Only who fails can say how long to wait.
    assert wire.msgspec.to_builtins(failed) | told["failure"] == told["failure"]
    assert Outcome.failed(failed).kind == told["event"]


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_reads_a_request_to_a_worker(path: Path) -> None:
    told = _read(path)
    request = worker_control.parse_request(path.read_bytes())
    assert (request.action, request.lease_seconds) == (told["action"], told.get("leaseSeconds", 0))
    assert request.grace_seconds == told.get("graceSeconds", 0)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_answers_alike(path: Path) -> None:
    shape = worker_control.Refusal if "error" in _read(path) else worker_control.Answer
    answer = wire.msgspec.json.decode(path.read_bytes(), type=shape)
    assert json.loads(wire.msgspec.json.encode(answer)) == _read(path)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("worker-request", {"action": "drain"}),
        ("worker-request", {"action": "finish"}),
        ("worker-request", {"action": "drain", "leaseSeconds": 601}),
        ("worker-request", {"action": "stop"}),
        ("worker-answer", {"worker": "w", "idle": True, "draining": True}),
        ("worker-answer", {"worker": "w", "idle": True, "draining": True, "idleSeconds": 1, "error": "no"}),
    ],
)
def test_what_the_schemas_refuse(schema: str, message: dict[str, Any]) -> None:
    assert not _validator(schema).is_valid(message)


@pytest.mark.parametrize(
    ("script", "end"), [("echo a; echo b >&2; echo c > d", "completed"), ("exit 1", "failed"), ("sleep 9", "cancelled")]
)
async def test_what_a_worker_writes_fits(
    operator: Operator, start_worker: StartWorker, tmp_path: Path, script: str, end: str
) -> None:
    repository = GitServer(tmp_path)
    await repository.start()
    lines: list[bytes] = []

    async def keep(message: Any) -> None:
        lines.append(message.data)

    await operator.nats.subscribe("results.*.log", cb=keep)
    await start_worker("sh", "-c", script)
    uid = await operator.submit(workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    await operator.until(uid, "running", end)
    if end == "cancelled":
        await operator.ask(CONTROL + uid, b'{"action":"cancel","reason":"enough"}')
    events = await operator.until(uid)
    said = 2 if end == "completed" else 0
    async with asyncio.timeout(PATIENCE):
        while len(lines) < said:
            await asyncio.sleep(0.02)
    await repository.stop()
    assert events[-1].body["event"] == end
    known = _validator("event")
    fields = cast(dict[str, Any], known.schema)["properties"]
    for event in events:
        known.validate(event.body)
        assert set(event.body) <= set(fields), "a field that the schema does not know"
    assert len(lines) == said
    for line in lines:
        _validator("log-line").validate(json.loads(line))


async def test_what_a_worker_answers_fits(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("true")
    known = _validator("worker-answer")
    shapes = cast(dict[str, Any], known.schema)["oneOf"]
    refusal = await operator.ask(WORKER + "worker-1", b"?")
    for answer, shape in ((await operator.look(), 0), (await operator.drain(), 0), (refusal, 1)):
        known.validate(answer)
        assert set(answer) == set(shapes[shape]["properties"])
