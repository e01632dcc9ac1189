"""A worker that is drained takes no tasks for a while; only an idle one can be."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, written
from harness.operator import STREAM, WORKER, Operator, kinds, state
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from nats.errors import NoRespondersError
from test_ending import SLOW_TO_LISTEN

# Reads nothing for a second before it gives up its subject: what the server sends meanwhile is on its way.
SLOW_TO_GIVE_UP = """
import time
from codeforge_worker.inbox import Inbox
close = Inbox.close
async def late(self):
    time.sleep(1)
    return await close(self)
Inbox.close = late
"""

LISTENS_LONG_BEFORE_IT_PULLS = """
import asyncio
from codeforge_worker.drain import Drain
serve = Drain.serve
async def early(self, broker):
    await serve(self, broker)
    await asyncio.sleep(2)
Drain.serve = early
"""

TELLS_OF_GIVING_UP = """
from codeforge_worker.inbox import Inbox
close = Inbox.close
async def told(self):
    print("gave up its subject", flush=True)
    return await close(self)
Inbox.close = told
"""


async def _takes_nothing(operator: Operator, task: str, seconds: float = 1, in_hand: int = 0) -> None:
    await asyncio.sleep(seconds)
    assert not await operator.events(task), "a drained worker took a task"
    assert (await operator.js.consumer_info(STREAM, "workers")).num_ack_pending == in_hand


async def _drained_by_its_metric(worker: WorkerProcess) -> bool:
    _, metrics = await worker.get("/metrics")
    return "codeforge_worker_drained 1.0" in metrics


async def test_an_idle_worker_is_drained_and_another_runs_the_next_task(
    operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("true")
    assert not await _drained_by_its_metric(worker)
    answer = await operator.drain()
    assert answer == {
        "worker": "worker-1",
        "idle": True,
        "draining": True,
        "idleSeconds": answer["idleSeconds"],
        "openWalls": [],
        "spent": False,
    }
    assert (await operator.js.consumer_info(STREAM, "workers")).num_waiting == 0
    assert await _drained_by_its_metric(worker) and (await worker.get("/readyz"))[0] == 200
    uid = await operator.submit()
    await _takes_nothing(operator, uid)
    await start_worker("true", name="worker-2")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["worker"] == "worker-2"
    assert state(await operator.look()) == "idle, drained"


async def test_a_resumed_worker_takes_what_came_meanwhile(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("true")
    await operator.drain()
    uid = await operator.submit()
    await _takes_nothing(operator, uid)
    assert (await operator.resume())["draining"] is False
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    assert not await _drained_by_its_metric(worker)
    await operator.until_idle()
    assert state(await operator.resume()) == "idle, pulling", "a second time it changes nothing"
    assert (await operator.until(await operator.submit()))[-1].body["event"] == "completed"


async def test_a_busy_worker_says_no_and_goes_on_pulling(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    script = f"while ! [ -e {go} ]; do sleep 0.05; done"
    worker = await start_worker("sh", "-c", script, change=TELLS_OF_GIVING_UP, CODEFORGE_CONCURRENCY="2")
    first = await operator.submit()
    await operator.until(first, "running")
    answer = await operator.drain()
    assert (state(answer), answer["idleSeconds"]) == ("busy, pulling", 0)
    second = await operator.submit()
    await operator.until(second, "running")
    assert state(await operator.drain()) == "busy, pulling"
    assert "gave up its subject" not in worker.log()
    go.touch()
    for uid in (first, second):
        assert kinds(await operator.until(uid)) == ["running", "completed"]
    await operator.until_idle()
    assert state(await operator.drain()) == "idle, drained"


async def test_a_busy_worker_ends_what_it_has_and_takes_no_more_when_it_is_to_finish(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    await start_worker("sh", "-c", f"while ! [ -e {go} ]; do sleep 0.05; done", CODEFORGE_CONCURRENCY="2")
    first = await operator.submit()
    await operator.until(first, "running")
    assert state(await operator.finish()) == "busy, drained"
    second = await operator.submit()
    await _takes_nothing(operator, second, in_hand=1)
    assert state(await operator.finish()) == "busy, drained"
    go.touch()
    assert kinds(await operator.until(first)) == ["running", "completed"]
    await _takes_nothing(operator, second)
    assert state(await operator.drain()) == "idle, drained"
    await operator.resume()
    assert kinds(await operator.until(second)) == ["running", "completed"]


async def test_a_message_on_its_way_is_run_and_the_worker_is_busy(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    script = f"while ! [ -e {go} ]; do sleep 0.05; done"
    await start_worker("sh", "-c", script, change=SLOW_TO_GIVE_UP, CODEFORGE_CONCURRENCY="2")
    draining = asyncio.create_task(operator.drain())
    await asyncio.sleep(0.3)
    first = await operator.submit()
    assert state(await draining) == "busy, pulling"
    second = await operator.submit()
    await operator.until(second, "running")
    go.touch()
    for uid in (first, second):
        events = await operator.until(uid)
        assert kinds(events) == ["running", "completed"] and events[-1].body["delivery"] == 1
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 2, "a message was delivered again"


async def test_a_message_on_its_way_when_the_worker_has_to_stop_is_given_back(
    operator: Operator, start_worker: StartWorker
) -> None:
    await operator.add_consumer(ack_wait=60)
    worker = await start_worker("sleep", "20", change=SLOW_TO_GIVE_UP)
    await asyncio.sleep(0.3)
    worker.signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    uid = await operator.submit()
    assert await worker.end() == 0
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 1 and not await operator.events(uid)
    await start_worker("true", name="worker-2")
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def test_the_next_request_waits_for_a_drain_that_is_under_way(
    operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("true", change=SLOW_TO_GIVE_UP)
    draining = asyncio.create_task(operator.drain())
    await asyncio.sleep(0.3)
    assert state(await operator.look()) == "idle, drained" == state(await draining)


async def test_when_the_lease_is_over_it_pulls_again(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("true")
    begun = time.monotonic()
    assert state(await operator.drain(lease=2)) == "idle, drained"
    uid = await operator.submit()
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    assert time.monotonic() - begun > 2
    assert state(await operator.until_idle()) == "idle, pulling"


async def test_another_drain_renews_the_lease(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("true")
    await operator.drain(lease=2)
    uid = await operator.submit()
    assert state(await operator.drain(lease=60)) == "idle, drained"
    await _takes_nothing(operator, uid, seconds=2.5)
    # The last one counts, also when it is shorter.
    assert state(await operator.drain(lease=1)) == "idle, drained"
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def test_a_drained_worker_that_has_to_stop_ends_at_once(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("true")
    await operator.drain()
    worker.signal(signal.SIGTERM)
    assert await worker.end(seconds=2) == 0


async def test_a_worker_that_has_to_stop_is_draining_whatever_it_is_asked(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    worker = await start_worker("sh", "-c", f"while ! [ -e {go} ]; do sleep 0.05; done", CODEFORGE_CONCURRENCY="2")
    uid = await operator.submit()
    await operator.until(uid, "running")
    worker.signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while not await _drained_by_its_metric(worker):
            await asyncio.sleep(0.05)
    for answer in (await operator.look(), await operator.drain(lease=1), await operator.resume()):
        assert state(answer) == "busy, drained"
    later = await operator.submit()
    await asyncio.sleep(1.5)
    assert not await operator.events(later), "a worker that has to stop took a task"
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 1, "a worker that has to stop pulled"
    go.touch()
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "completed"]


async def test_a_look_changes_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    await start_worker("sh", "-c", f"while ! [ -e {go} ]; do sleep 0.05; done")
    await asyncio.sleep(1)
    before = await operator.look()
    assert state(before) == "idle, pulling" and before["idleSeconds"] > 1
    uid = await operator.submit()
    await operator.until(uid, "running")
    during = await operator.look()
    assert (state(during), during["idleSeconds"]) == ("busy, pulling", 0)
    go.touch()
    await operator.until(uid)
    after = await operator.until_idle()
    assert state(after) == "idle, pulling" and after["idleSeconds"] < before["idleSeconds"]
    assert state(await operator.drain(lease=2)) == "idle, drained"
    # Nor does it renew a lease, which would never end here.
    async with asyncio.timeout(PATIENCE):
        while state(await operator.look()) != "idle, pulling":
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the request cannot be read: "),
        (b"\xff", "the request cannot be read: "),
        (b"{}", "the request cannot be read: Object missing required field `action`"),
        (b'{"action":"leave"}', "leave needs graceSeconds, 0 to 2147483648"),
        (b'{"action":"leave","graceSeconds":-1}', "graceSeconds must be 0 to 2147483648, not -1"),
        (b'{"action":"cancel"}', "there is no action 'cancel': it is look, drain, finish, resume or leave"),
        (b'{"action":"' + b"x" * 500_000 + b'"}', f"there is no action '{'x' * 64}'"),
        (b'{"action":"drain"}', "drain needs leaseSeconds, 1 to 600"),
        (b'{"action":"drain","leaseSeconds":0}', "leaseSeconds must be 1 to 600, not 0"),
        (b'{"action":"drain","leaseSeconds":601}', "leaseSeconds must be 1 to 600, not 601"),
        (b'{"action":"drain","leaseSeconds":"60"}', "the request cannot be read: "),
    ],
)
async def test_a_bad_request_is_answered_with_a_sentence(
    operator: Operator, start_worker: StartWorker, body: bytes, sentence: str
) -> None:
    await start_worker("true")
    answer = await operator.ask(WORKER + "worker-1", body)
    assert set(answer) == {"worker", "error"} and answer["worker"] == "worker-1"
    assert answer["error"].startswith(sentence) and len(answer["error"]) < 200
    assert state(await operator.look()) == "idle, pulling"


async def test_it_can_be_asked_before_it_takes_its_first_task(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Listening made slow: who pulled first would have the task in hand and be silent."""
    await operator.submit()
    await start_worker("sh", "-c", f"echo > {marker('begun')}; sleep 5", change=SLOW_TO_LISTEN)
    await operator.until_taken()
    assert state(await operator.look()) == "busy, pulling"
    await written(marker("begun"))


async def test_one_that_is_drained_before_its_first_pull_begins_none(
    operator: Operator, start_worker: StartWorker
) -> None:
    starting = asyncio.ensure_future(start_worker("true", change=LISTENS_LONG_BEFORE_IT_PULLS))
    answer: dict[str, Any] | None = None
    while answer is None:
        with contextlib.suppress(NoRespondersError):
            answer = await operator.drain(lease=5)
        await asyncio.sleep(0.1)
    assert state(answer) == "idle, drained"
    await starting
    uid = await operator.submit()
    await _takes_nothing(operator, uid)
    assert kinds(await operator.until(uid)) == ["running", "completed"]
