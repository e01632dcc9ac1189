"""What SIGTERM does, and what a restart of NATS does not."""

from __future__ import annotations

import asyncio
import signal

from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import STREAM, Operator, kinds


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
