"""What SIGTERM does, and what a restart of NATS does not."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import StartWorker, count, until
from harness.nats_server import NatsServer
from harness.operator import STREAM, Operator, kinds, state
from harness.patience import PATIENCE


async def test_an_idle_worker_ends_at_once(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("true")
    await asyncio.sleep(0.3)
    worker.signal(signal.SIGTERM)
    assert await worker.end(seconds=2) == 0
    assert (await operator.js.consumer_info(STREAM, "workers")).num_waiting == 0


async def test_an_idle_worker_ends_while_nats_is_away(
    server: NatsServer, operator: Operator, start_worker: StartWorker
) -> None:
    """Nobody else would end it before its grace period is over: what uninstalls NATS would wait for it."""
    worker = await start_worker("true")
    await asyncio.sleep(0.3)
    await server.kill()
    await asyncio.sleep(2)
    worker.signal(signal.SIGTERM)
    assert await worker.end(seconds=10) == 0
    await server.start()


async def test_a_running_task_may_finish(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("sh", "-c", "sleep 2; echo finished")
    uid = await operator.submit()
    await operator.until(uid, "running")
    worker.signal(signal.SIGTERM)
    await asyncio.sleep(0.2)
    later = await operator.submit()
    # Else the pod would be taken out first.
    assert (await worker.get("/readyz"))[0] == 200
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "completed"]
    assert not await operator.events(later), "a draining worker took a task"


async def test_a_worker_that_gives_back_does_not_wait_for_its_run(
    operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("sleep", "600", CODEFORGE_GRACE_SECONDS="1830", CODEFORGE_ON_EVICTION="GiveBack")
    uid = await operator.submit()
    await operator.until(uid, "running")
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "released"]


@pytest.mark.parametrize("first", ["the word", "the signal"])
async def test_a_worker_that_is_told_of_a_shorter_grace_gives_back_in_time(
    operator: Operator, start_worker: StartWorker, first: str
) -> None:
    worker = await start_worker("sleep", "600", CODEFORGE_GRACE_SECONDS="1830")
    uid = await operator.submit()
    await operator.until(uid, "running")
    if first == "the word":
        assert state(await operator.leave()) == "busy, pulling"
        worker.signal(signal.SIGTERM)
    else:
        worker.signal(signal.SIGTERM)
        await worker.logged("told to stop")
        await operator.leave(grace=900)
        await operator.leave()
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "released"]


async def test_a_shorter_grace_alone_stops_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    await start_worker("sh", "-c", until(go))
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.leave()
    go.touch()
    assert (await operator.until(uid)).pop().body["event"] == "completed"


async def test_nodes_that_go_within_seconds_are_no_lost_workers(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Each is gone long before the pod's grace is over: a worker that waited for it would be lost three times."""
    ran = marker("ran")
    uid = await operator.submit(max_deliveries=3, run_timeout_seconds=1800)
    for number in (1, 2, 3):
        worker = await start_worker(
            "sh",
            "-c",
            f"echo ran >> {ran}; exec sleep 600",
            name=f"worker-{number}",
            CODEFORGE_GRACE_SECONDS="1830",
            CODEFORGE_ON_EVICTION="GiveBack",
        )
        async with asyncio.timeout(PATIENCE):
            while count(ran) < number:
                await asyncio.sleep(0.05)
        worker.signal(signal.SIGTERM)
        await worker.end()
    await start_worker("echo", "finished", name="worker-4")
    ended = (await operator.until(uid)).pop().body
    assert ended["event"] == "completed"
    assert ended["delivery"] == 1


async def test_a_task_that_takes_too_long_is_given_back(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("sh", "-c", "sleep 20", CODEFORGE_GRACE_SECONDS="0.5")
    uid = await operator.submit()
    await operator.until(uid, "running")
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    events = await operator.events(uid)
    assert kinds(events) == ["running", "released"] and events[-1].body["status"] == "queued"
    await start_worker("echo", "finished", name="worker-2")
    events = await operator.until(uid, seconds=3)
    assert kinds(events) == ["running", "released", "running", "completed"]
    # A run that was given back does not count.
    assert events[-1].body["delivery"] == 1
    await operator.queue_is_empty()


async def test_nats_restarts_in_the_middle(server: NatsServer, operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("sh", "-c", "sleep 3; echo finished")
    uid = await operator.submit()
    await operator.until(uid, "running")
    await server.kill()
    await asyncio.sleep(1)
    await server.start()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["output"] == "finished"
    await operator.queue_is_empty()
    # And it takes the next one.
    assert (await operator.until(await operator.submit()))[-1].body["event"] == "completed"
    assert (await worker.get("/readyz"))[0] == 200


async def test_the_end_comes_while_nats_is_away(
    server: NatsServer, operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("sh", "-c", "sleep 1; echo finished")
    uid = await operator.submit()
    await operator.until(uid, "running")
    await server.kill()
    await asyncio.sleep(2.5)
    status, _ = await worker.get("/livez")
    assert status == 200
    await server.start()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"]
    await operator.queue_is_empty()


async def test_not_ready_while_nats_is_away(server: NatsServer, operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("cat")
    await server.kill()
    await asyncio.sleep(0.5)
    assert (await worker.get("/readyz"))[0] == 503
    await server.start()
    assert (await operator.until(await operator.submit("late")))[-1].body["output"] == "late"
