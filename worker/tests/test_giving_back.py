"""A worker that has to stop gives its tasks back, and no such run is counted."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from conftest import StartWorker, count, written
from harness.operator import STREAM, Operator, kinds
from harness.patience import PATIENCE
from test_ending import SLOW_TO_LISTEN


async def test_node_drains_in_a_row(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    uid = await operator.submit(max_deliveries=1)
    for number in range(1, 4):
        worker = await start_worker(
            "sh", "-c", f"echo ran >> {runs}; exec sleep 20", name=f"worker-{number}", CODEFORGE_GRACE_SECONDS="0"
        )
        async with asyncio.timeout(PATIENCE):
            while count(runs) < number:
                await asyncio.sleep(0.02)
        worker.signal(signal.SIGTERM)
        assert await worker.end() == 0
    await start_worker("true", name="worker-4")
    events = await operator.until(uid)
    assert kinds(events) == [*(["running", "released"] * 3), "running", "completed"]
    assert {event.body["delivery"] for event in events} == {1}
    # JetStream's own count has grown all the while.
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 4
    await operator.queue_is_empty()
    assert not await operator.dead_letters()


async def test_at_most_once_is_not_given_back(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    alive = marker("alive")
    script = f"echo begun; while :; do echo x >> {alive}; sleep 0.1; done"
    worker = await start_worker("sh", "-c", script, CODEFORGE_GRACE_SECONDS="0.5")
    uid = await operator.submit(delivery_mode="AtMostOnce")
    await written(alive)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    events = await operator.events(uid)
    assert kinds(events) == ["running", "failed"]
    last = events[-1].body
    assert (last["failure"]["type"], last["failure"]["retryable"]) == ("MayHaveRun", False)
    assert last["output"] == "begun" and "the worker had to stop" in last["error"]
    await operator.queue_is_empty()
    size = alive.stat().st_size
    await start_worker("sh", "-c", script, name="worker-2")
    await asyncio.sleep(1)
    assert alive.stat().st_size == size and kinds(await operator.events(uid)) == ["running", "failed"]


async def test_what_was_not_begun_is_given_back_without_an_event(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit(delivery_mode="AtMostOnce")
    worker = await start_worker("true", change=SLOW_TO_LISTEN, CODEFORGE_GRACE_SECONDS="0")
    await operator.until_taken()
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert not await operator.events(uid)
    await start_worker("true", name="worker-2")
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    await operator.queue_is_empty()
