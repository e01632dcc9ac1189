"""What becomes of a run whose worker is lost, by the task's delivery mode. With a repository: test_git_deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from conftest import ACK_WAIT, StartWorker, count, written
from harness.nats_server import NatsServer
from harness.operator import STREAM, Event, Operator, kinds
from harness.patience import PATIENCE


async def _nothing_more() -> None: ...


async def _killed_in_its_run(
    operator: Operator,
    start_worker: StartWorker,
    runs: Path,
    mode: str,
    before: Callable[[], Awaitable[None]] = _nothing_more,
) -> str:
    worker = await start_worker("sh", "-c", f"echo ran >> {runs}; exec sleep 20")
    uid = await operator.submit(delivery_mode=mode)
    await written(runs)
    await before()
    await worker.kill()
    return uid


def _may_have_run(events: list[Event], *before: str) -> None:
    assert kinds(events) == [*before, "failed"]
    last = events[-1].body
    # The run that was begun is the one that is counted.
    assert (last["failure"]["type"], last["failure"]["retryable"], last["delivery"]) == ("MayHaveRun", False, 1)


async def test_at_most_once_a_killed_workers_run_may_have_run(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    uid = await _killed_in_its_run(operator, start_worker, runs, "AtMostOnce")
    await start_worker("sh", "-c", f"echo ran >> {runs}", name="worker-2")
    events = await operator.until(uid)
    _may_have_run(events, "running")
    assert "worker-1 had begun it and is gone" in events[-1].body["error"]
    await operator.queue_is_empty()
    assert count(runs) == 1 and not await operator.dead_letters()


async def test_at_most_once_a_delivery_count_that_fell_back_changes_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    uid = await _killed_in_its_run(operator, start_worker, runs, "AtMostOnce")
    # A consumer that is made anew delivers what was under way as delivery 1.
    await operator.js.delete_consumer(STREAM, "workers")
    await operator.add_consumer(ACK_WAIT)
    await start_worker("sh", "-c", f"echo ran >> {runs}", name="worker-2")
    _may_have_run(await operator.until(uid), "running")
    await operator.queue_is_empty()
    assert count(runs) == 1


async def test_at_most_once_the_server_is_killed_right_after_the_delivery(
    server: NatsServer, operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Within about 0.1 s it has not written its count, and delivers the message again as the first time."""
    runs = marker("runs")
    count_on_disk = server.deliveries(STREAM, "workers")
    await written(count_on_disk)
    before = count_on_disk.read_bytes()
    uid = await _killed_in_its_run(operator, start_worker, runs, "AtMostOnce", server.kill)
    count_on_disk.write_bytes(before)
    await server.start()
    assert await operator.delivered_after_restart() == 0
    await start_worker("sh", "-c", f"echo ran >> {runs}", name="worker-2")
    _may_have_run(await operator.until(uid), "running")
    await operator.queue_is_empty()
    assert count(runs) == 1


async def test_at_most_once_an_event_without_a_proof_over_the_running_one_hides_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    uid = await _killed_in_its_run(operator, start_worker, runs, "AtMostOnce")
    await operator.write_event(uid, "released", proven=False)
    await start_worker("sh", "-c", f"echo ran >> {runs}", name="worker-2")
    _may_have_run(await operator.until(uid), "running", "released")
    await operator.queue_is_empty()
    assert count(runs) == 1


async def test_at_most_once_a_worker_lost_before_its_first_event_has_run_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    uid = await operator.submit(delivery_mode="AtMostOnce")
    lost = await operator.js.pull_subscribe_bind(consumer="workers", stream=STREAM)
    (message,) = await lost.fetch(1, timeout=PATIENCE)
    assert message.metadata.num_delivered == 1
    await lost.unsubscribe()
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["delivery"] == 1
    assert count(marker("runs")) == 1


@pytest.mark.parametrize("mode", ["AtLeastOnce", "ResetThenRetry"])
async def test_other_modes_run_a_killed_workers_task_again(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], mode: str
) -> None:
    runs = marker("runs")
    uid = await _killed_in_its_run(operator, start_worker, runs, mode)
    await start_worker("sh", "-c", f"echo ran >> {runs}", name="worker-2")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "running", "completed"] and events[-1].body["delivery"] == 2
    await operator.queue_is_empty()
    assert count(runs) == 2
