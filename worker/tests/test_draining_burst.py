"""Workers that are drained, resumed and removed all the time lose nothing and repeat nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from conftest import StartWorker, count
from harness.operator import Operator, kinds, state
from harness.worker_process import WorkerProcess

TASKS = 80
WORKERS = 3
KILLS = 6


async def test_a_burst(operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]) -> None:
    """Who answers idle and drained is resumed, or killed on the spot, as a pod may be that has nothing in hand."""
    chance = random.Random(7)
    script = f"echo ran >> {marker('runs')}; sleep 0.2"
    workers: list[WorkerProcess] = []
    seen: list[str] = []
    killed = 0

    async def start(number: int) -> WorkerProcess:
        return await start_worker("sh", "-c", script, name=f"worker-{number}", CODEFORGE_CONCURRENCY="2")

    async def publish() -> list[str]:
        uids: list[str] = []
        for _ in range(TASKS):
            uids.append(await operator.submit())
            await asyncio.sleep(chance.uniform(0, 0.3))
        return uids

    workers = [await start(number) for number in range(WORKERS)]
    publishing = asyncio.create_task(publish())
    while not publishing.done():
        worker = chance.choice(workers)
        answer = state(await operator.drain(worker.name))
        seen.append(answer)
        if answer == "idle, drained":
            if killed < KILLS and chance.random() < 0.2:
                await worker.kill()
                workers[workers.index(worker)] = await start(WORKERS + killed)
                killed += 1
            else:
                await asyncio.sleep(chance.uniform(0, 0.02))
                await operator.resume(worker.name)
    for uid in await publishing:
        events = await operator.until(uid)
        assert kinds(events) == ["running", "completed"] and [event.body["delivery"] for event in events] == [1, 1]
    await operator.queue_is_empty()
    assert count(marker("runs")) == TASKS
    # Else the burst has shown nothing.
    assert killed and {"idle, drained", "busy, pulling"} <= set(seen)
