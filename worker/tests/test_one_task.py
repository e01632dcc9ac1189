"""A worker for one task begins one run, and no other for as long as its pod is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, until, written
from harness.operator import STREAM, SUBJECT, Operator, kinds, state
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess

ONE_TASK = {"CODEFORGE_WORKER_PER_TASK": "true"}


async def _spent(operator: Operator, worker: str = "worker-1") -> dict[str, Any]:
    """Its answer as soon as it is spent."""
    answer: dict[str, Any] = {}
    async with asyncio.timeout(PATIENCE):
        while not answer.get("spent"):
            answer = await operator.look(worker)
    return answer


async def _waits(operator: Operator, task: str) -> None:
    """Long enough for a pull, if there is one: the task stays in the queue."""
    await asyncio.sleep(1.5)
    assert not await operator.events(task), "a second task was taken"
    info = await operator.js.consumer_info(STREAM, "workers")
    assert (info.num_ack_pending, info.num_waiting) == (0, 0)


async def test_it_takes_one_of_two_tasks_and_another_worker_takes_the_other(
    operator: Operator, start_worker: StartWorker
) -> None:
    tasks = [await operator.submit(), await operator.submit()]
    worker = await start_worker("true", **ONE_TASK)
    first = await operator.until(tasks[0])
    answer = await _spent(operator)
    assert (state(answer), answer["openWalls"]) == ("idle, drained", [])
    await _waits(operator, tasks[1])
    assert "codeforge_worker_drained 1.0" in (await worker.get("/metrics"))[1]
    await worker.answers("/readyz", 503)
    await start_worker("true", name="worker-2", **ONE_TASK)
    second = await operator.until(tasks[1])
    assert [kinds(events) for events in (first, second)] == [["running", "completed"]] * 2
    assert [events[-1].body["worker"] for events in (first, second)] == ["worker-1", "worker-2"]
    await _spent(operator, "worker-2")
    await operator.queue_is_empty()


async def test_while_its_task_runs_it_is_ready_takes_no_more_and_is_not_spent(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    worker = await start_worker("sh", "-c", until(marker("go")), **ONE_TASK)
    assert state(await operator.look()) == "idle, pulling"
    await operator.until(await operator.submit(), "running")
    later = await operator.submit()
    for answer in (await operator.look(), await operator.drain(), await operator.resume()):
        assert (state(answer), answer["spent"]) == ("busy, drained", False)
    assert (await worker.get("/readyz"))[0] == 200
    marker("go").touch()
    await _spent(operator)
    await _waits(operator, later)


async def test_nothing_that_is_asked_of_a_spent_worker_makes_it_take_another(
    operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("false", **ONE_TASK)
    assert kinds(await operator.until(await operator.submit())) == ["running", "failed"]
    await _spent(operator)
    later = await operator.submit()
    for answer in (await operator.drain(lease=1), await operator.finish(lease=1), await operator.resume()):
        assert (state(answer), answer["spent"]) == ("idle, drained", True)
    await operator.drain(lease=1)
    await _waits(operator, later)


async def test_a_message_that_is_not_run_spends_nobody(operator: Operator, start_worker: StartWorker) -> None:
    settled = await operator.submit()
    await operator.write_event(settled, "completed")
    await operator.js.publish(f"{SUBJECT}.unreadable", b"no task")
    await start_worker("true", **ONE_TASK)
    await operator.queue_is_empty()
    answer = await operator.until_idle()
    assert (state(answer), answer["spent"]) == ("idle, pulling", False)
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    await _spent(operator)


async def test_a_run_that_another_holder_took_over_was_its_one(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    await start_worker("sh", "-c", f"echo > {marker('begun')}; sleep 600", **ONE_TASK)
    uid = await operator.submit()
    await written(marker("begun"))
    await operator.write_event(uid, "failed", worker="")
    assert state(await _spent(operator)) == "idle, drained"


async def test_a_container_that_starts_again_in_its_pod_knows_that_a_run_was_begun(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    script = f"echo >> {marker('begun')}; if [ $CODEFORGE_POD_NAME = worker-1 ]; then sleep 600; fi"
    worker = await start_worker("sh", "-c", script, **ONE_TASK)
    uid = await operator.submit()
    await written(marker("begun"))
    await worker.kill()
    await worker.start()
    await worker.logged("this pod has had its one task")
    await _spent(operator)
    await start_worker("sh", "-c", script, name="worker-2", **ONE_TASK)
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["worker"], last["delivery"]) == ("completed", "worker-2", 2)


async def test_a_container_that_starts_again_before_its_run_takes_one(
    operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("true", **ONE_TASK)
    await worker.kill()
    await worker.start()
    await worker.ready()
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (ONE_TASK | {"CODEFORGE_CONCURRENCY": "2"}, "CODEFORGE_WORKER_PER_TASK needs CODEFORGE_CONCURRENCY 1, not 2"),
        ({"CODEFORGE_WORKER_PER_TASK": "yes"}, "CODEFORGE_WORKER_PER_TASK is 'yes': it is true or false"),
    ],
)
async def test_it_does_not_start_with_settings_that_it_cannot_keep(
    operator: Operator, tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    worker = WorkerProcess(tmp_path, "nats://127.0.0.1:1", "worker-1", ["true"], settings)
    await worker.start()
    assert await worker.end(PATIENCE) == 64
    assert sentence in worker.log()
