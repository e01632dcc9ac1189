"""What a task's life looks like from outside when nothing goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.operator import STREAM, SUBJECT, Operator, dispatch_id, kinds
from harness.patience import PATIENCE


async def test_runs_the_command_and_reports(operator: Operator, start_worker: StartWorker) -> None:
    lines: list[dict[str, Any]] = []
    uid = await operator.submit(
        "what is asked", model="m-1", spent={"tokens_in": 5, "tokens_out": 2, "cost_usd": "0.1"}
    )

    async def keep(message: Any) -> None:
        lines.append(json.loads(message.data))

    await operator.nats.subscribe(f"results.{uid}.log", cb=keep)
    worker = await start_worker(
        "sh", "-c", 'echo "prompt: $(cat)"; echo "$CODEFORGE_TASK_ID $CODEFORGE_ATTEMPT $CODEFORGE_MODEL"; echo oh >&2'
    )
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"]
    for event in events:
        assert event.headers["Codeforge-Proof"] == proof(dispatch_id(uid), event.raw)
        assert event.headers["Codeforge-Protocol"] == "1"
        assert event.headers["Nats-Msg-Id"] == event.body["event_id"]
    first, last = events[0].body, events[1].body
    assert (first["status"], first["delivery"], first["worker"], first["stream"]) == ("running", 1, "worker-1", STREAM)
    assert first["sequence"] == 1
    assert "completion_time" not in first and "failure" not in first and "result" not in first
    assert last["output"] == f"prompt: what is asked\n{uid} 1 m-1"
    assert last["status"] == "completed" and last["error"] == "" and last["start_time"] == first["start_time"]
    assert last["usage"] == {"tokens_in": 5, "tokens_out": 2, "cost_usd": "0.1", "unmetered_calls": 0}
    assert last["cost_usd"] == 0.10
    await operator.queue_is_empty()
    async with asyncio.timeout(PATIENCE):
        while len(lines) < 3:
            await asyncio.sleep(0.02)
    assert [(line["stream"], line["line"]) for line in lines if line["stream"] == "stderr"] == [("stderr", "oh")]
    assert sorted(line["seq"] for line in lines) == [1, 2, 3]
    assert {(line["task_id"], line["attempt"], line["delivery"]) for line in lines} == {(uid, 1, 1)}
    assert f"[{uid}] prompt: what is asked" in worker.log()
    await operator.until_idle()
    assert not list(worker.workspace.iterdir()), "the workspace outlived its run"
    status, metrics = await worker.get("/metrics")
    assert status == 200 and 'codeforge_worker_tasks_total{outcome="completed"} 1.0' in metrics


async def test_one_slot_takes_one_task_after_the_other(operator: Operator, start_worker: StartWorker) -> None:
    uids = [await operator.submit(f"task {number}") for number in range(5)]
    await start_worker("sh", "-c", "cat")
    for number, uid in enumerate(uids):
        assert (await operator.until(uid))[-1].body["output"] == f"task {number}"
    await operator.queue_is_empty()


async def test_two_slots_run_at_once(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    begun = marker("begun")
    uids = [await operator.submit() for _ in range(2)]
    # Each ends only beside the other.
    script = f'echo >> {begun}; until [ "$(wc -l < {begun})" = 2 ]; do sleep 0.05; done'
    await start_worker("sh", "-c", script, CODEFORGE_CONCURRENCY="2")
    assert [kinds(await operator.until(uid)) for uid in uids] == [["running", "completed"]] * 2


async def test_a_long_run_is_kept_by_heartbeats(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "sleep 4")
    await start_worker("sh", "-c", "sleep 4", name="worker-2")
    uid = await operator.submit()
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    await operator.queue_is_empty()


async def test_a_plain_message_of_another_producer(operator: Operator, start_worker: StartWorker) -> None:
    body = b'{"task_id":"from-outside","prompt":"hi","config":null,"unknown":[1]}'
    for _ in range(2):
        # Its run is known by the message: the same id again is another run.
        await operator.js.publish(SUBJECT, body)
    await start_worker("cat")
    await operator.queue_is_empty()
    events = await operator.until("from-outside")
    assert kinds(events) == ["running", "completed"] * 2
    assert [event.body["sequence"] for event in events] == [1, 1, 2, 2]
    assert all("Codeforge-Proof" not in event.headers for event in events)


@pytest.mark.parametrize(
    ("script", "output"),
    [
        # A grandchild that keeps the pipes open does not keep the run.
        ("sleep 30 & echo done", "done"),
        (r"printf 'bad \377 byte\r\n'", "bad \ufffd byte"),
        # A long line is cut in pieces of 8 KiB, and the output is its end.
        ("head -c 20000 /dev/zero | tr '\\0' x", "x" * 479 + "\n" + "x" * 3616),
        # What only the worker may know.
        ('echo "[$NATS_URL$NATS_PASSWORD$CODEFORGE_GIT_CREDENTIALS]"', "[]"),
    ],
)
async def test_output(operator: Operator, start_worker: StartWorker, script: str, output: str) -> None:
    await start_worker("sh", "-c", script)
    uid = await operator.submit()
    assert (await operator.until(uid))[-1].body["output"] == output


def proof(dispatch: str, body: bytes) -> str:
    return hmac.new(dispatch.encode(), body, hashlib.sha256).hexdigest()
