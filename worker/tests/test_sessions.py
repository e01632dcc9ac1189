"""A session over several tasks: its conversation lies in the pool's bucket, as NATS itself reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from conftest import StartWorker
from harness.operator import BUCKET, Operator

_SHA = hashlib.sha256(b"talk").hexdigest()
_STREAM = f"OBJ_{BUCKET}"
_SAY = ("sh", "-c", 'cat >>"$CODEFORGE_SESSION_DIR/said"; cat "$CODEFORGE_SESSION_DIR/said"')


async def _ended(operator: Operator, prompt: str, history: Any = None) -> dict[str, Any]:
    session = {"name": "talk"} | ({"history": history} if history else {})
    uid = await operator.submit(prompt, session=session)
    last = (await operator.until(uid, seconds=60))[-1].body
    await operator.queue_is_empty()
    return last


async def test_a_task_continues_what_the_one_before_it_left(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker(*_SAY)
    first = await _ended(operator, "one.")
    assert (first["event"], first["output"]) == ("completed", "one."), first["error"]
    left = first["result"]["session"]
    assert left["object"] == f"sessions/{_SHA}/{first['task_id']}-1-1"
    second = await _ended(operator, "two.", left)
    assert second["output"] == "one.two."
    assert second["result"]["session"] != left


async def test_any_client_of_nats_reads_the_object(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", 'head -c 1400000 /dev/urandom >"$CODEFORGE_SESSION_DIR/said"')
    left = (await _ended(operator, "x"))["result"]["session"]
    bucket = await operator.js.object_store(BUCKET)
    read = await bucket.get(left["object"])
    assert read.data is not None and len(read.data) == left["size"]
    assert left["digest"] == f"sha-256:{hashlib.sha256(read.data).hexdigest()}"
    after = await _ended(operator, "y", left)
    assert after["event"] == "completed", "what has several chunks is read back as well"


async def test_a_run_that_fails_leaves_no_object(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", 'echo bad >"$CODEFORGE_SESSION_DIR/said"; exit 1')
    last = await _ended(operator, "x")
    assert last["event"] == "failed" and "session" not in last["result"]
    assert (await operator.js.stream_info(_STREAM)).state.messages == 0


async def test_a_history_that_is_missing(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    await start_worker("touch", str(tmp_path / "begun"))
    gone = {"object": f"sessions/{_SHA}/gone-1-1", "digest": "sha-256:x", "size": 7}
    last = await _ended(operator, "x", gone)
    assert (last["event"], last["failure"]["type"], last["failure"]["retryable"]) == ("failed", "SessionLost", False)
    assert "gone-1-1" in last["error"] and "another session" in last["error"]
    assert not (tmp_path / "begun").exists()


async def test_a_history_that_is_damaged(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker(*_SAY)
    left = (await _ended(operator, "one."))["result"]["session"]
    for wrong in ({"digest": "sha-256:x"}, {"size": 1}):
        assert (await _ended(operator, "two.", left | wrong))["failure"]["type"] == "SessionLost"
    # Its only chunk.
    await operator.js.delete_msg(_STREAM, 1)
    assert (await _ended(operator, "two.", left))["failure"]["type"] == "SessionLost"


async def test_bytes_that_are_not_what_was_put(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker(*_SAY)
    left = (await _ended(operator, "one."))["result"]["session"]
    chunk = await operator.js.get_msg(_STREAM, seq=1)
    assert chunk.subject and chunk.data
    await operator.js.delete_msg(_STREAM, 1)
    await operator.js.publish(chunk.subject, bytes(len(chunk.data)))
    assert (await _ended(operator, "two.", left))["failure"]["type"] == "SessionLost"


async def test_a_conversation_that_is_too_large_costs_no_outcome(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", 'truncate -s 65M "$CODEFORGE_SESSION_DIR/said"; echo done')
    last = await _ended(operator, "x")
    assert (last["event"], last["output"]) == ("completed", "done") and "session" not in last["result"]
    assert "the session was not moved on" in last["result"]["summary"] and "64 MiB" in last["result"]["summary"]


async def test_a_bucket_that_is_full_costs_no_outcome(operator: Operator, start_worker: StartWorker) -> None:
    await operator.js.delete_stream(_STREAM)
    await operator.add_files(max_bytes=10_000)
    await start_worker("sh", "-c", 'head -c 1400000 /dev/urandom >"$CODEFORGE_SESSION_DIR/said"; echo done')
    last = await _ended(operator, "x")
    assert (last["event"], last["output"]) == ("completed", "done") and "session" not in last["result"]
    assert "is full" in last["result"]["summary"]


async def test_a_bucket_that_is_gone_costs_no_outcome(operator: Operator, start_worker: StartWorker) -> None:
    await operator.js.delete_stream(_STREAM)
    await start_worker(*_SAY)
    last = await _ended(operator, "one.")
    assert (last["event"], last["output"]) == ("completed", "one.")
    assert "no bucket files_team_pool" in last["result"]["summary"]
