"""Messages that can never be run are kept as dead letters, word for word, and leave the queue."""

from __future__ import annotations

import json

import pytest
from conftest import StartWorker
from harness.operator import STREAM, SUBJECT, Operator

_UUID = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21"


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"not JSON", "Unparsable", "not a task as JSON"),
        (b"", "Unparsable", "not a task as JSON"),
        (b'{"task_id":"\xff","prompt":"p"}', "Unparsable", "not a task as JSON"),
        (b'{"task_id":"a"}', "Unparsable", "prompt"),
        (b'{"task_id":"a","prompt":" \\n"}', "Unparsable", "not blank"),
        (b'{"task_id":"a","prompt":"p","attempt":0}', "Unparsable", "attempt"),
        (b'{"task_id":"a","prompt":"p","run_timeout_seconds":0}', "Unparsable", "run_timeout_seconds"),
        (b'{"task_id":"a","prompt":"p","delivery_mode":"ExactlyOnce"}', "Unparsable", "ExactlyOnce"),
        (b'{"task_id":"a.b","prompt":"p"}', "InvalidTaskId", "1 to 64"),
        (json.dumps({"task_id": "a" * 65, "prompt": "p"}).encode(), "InvalidTaskId", "1 to 64"),
        (json.dumps({"task_id": _UUID, "prompt": "p"}).encode(), "InvalidTaskId", "reserved"),
        # Signed, but not by an installation's message.
        (json.dumps({"task_id": _UUID, "prompt": "p", "dispatch_id": "0" * 64}).encode(), "InvalidTaskId", "reserved"),
    ],
)
async def test_dead_lettered(
    operator: Operator, start_worker: StartWorker, body: bytes, reason: str, detail: str
) -> None:
    await operator.js.publish(SUBJECT, body)
    await start_worker("cat")
    await operator.queue_is_empty()
    (letter,) = await operator.dead_letters()
    assert (letter.data or b"") == body
    headers = letter.headers or {}
    assert headers["Codeforge-Reason"] == reason
    assert detail in headers["Codeforge-Detail"]
    assert headers["Codeforge-Origin-Subject"] == SUBJECT
    assert (headers["Codeforge-Origin-Stream"], headers["Codeforge-Origin-Sequence"]) == (STREAM, "1")


async def test_the_next_task_runs_all_the_same(operator: Operator, start_worker: StartWorker) -> None:
    await operator.js.publish(SUBJECT, b"not JSON")
    uid = await operator.submit("good")
    await start_worker("cat")
    assert (await operator.until(uid))[-1].body["output"] == "good"
