"""Draining while NATS is away: a lease outlasts it, and a drain that it cuts off is none."""

from __future__ import annotations

import asyncio

import pytest
from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import Operator, kinds, state
from harness.patience import PATIENCE
from harness.proxy import TcpProxy
from harness.worker_process import WorkerProcess

# The step between a worker's halt and its giving up of its subject, made wide; and an early end of its patience.
LATE_TO_GIVE_UP = """
import asyncio
import codeforge_worker.inbox as inbox
inbox.CLOSE_SECONDS = 1
close = inbox.Inbox.close
async def late(self):
    await asyncio.sleep(0.5)
    return await close(self)
inbox.Inbox.close = late
"""


async def _back(operator: Operator, worker: WorkerProcess) -> str:
    """The worker's state as soon as it answers again."""
    await worker.ready()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return state(await operator.look(seconds=1))
            except Exception:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", ["restart", "cut"])
async def test_a_drained_worker_stays_drained_over_an_outage(
    server: NatsServer, operator: Operator, start_worker: StartWorker, proxy: TcpProxy, how: str
) -> None:
    worker = await start_worker("true", NATS_URL=proxy.url)
    assert state(await operator.drain()) == "idle, drained"
    if how == "restart":
        await server.kill()
        await asyncio.sleep(0.5)
        await server.start()
    else:
        await proxy.cut()
        await asyncio.sleep(0.5)
        await proxy.resume()
    assert await _back(operator, worker) == "idle, drained"
    uid = await operator.submit()
    await asyncio.sleep(1)
    assert not await operator.events(uid), "a drained worker took a task"
    await operator.resume()
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def test_a_lease_that_ends_during_an_outage_is_over(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy
) -> None:
    await start_worker("true", NATS_URL=proxy.url)
    assert state(await operator.drain(lease=1)) == "idle, drained"
    await proxy.cut()
    await asyncio.sleep(1.5)
    uid = await operator.submit()
    await proxy.resume()
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    assert state(await operator.until_idle()) == "idle, pulling"


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_a_drain_that_an_outage_cuts_off_is_none(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, how: str
) -> None:
    worker = await start_worker("true", change=LATE_TO_GIVE_UP, NATS_URL=proxy.url)
    await asyncio.sleep(0.3)
    draining = asyncio.create_task(operator.drain(seconds=6))
    await asyncio.sleep(0.2)
    if how == "cut":
        await proxy.cut()
    else:
        proxy.freeze()
    # Its pull may still be answered, which it hears of too late or never.
    uid = await operator.submit()
    await asyncio.sleep(2)
    await proxy.resume()
    assert await _back(operator, worker) in ("idle, pulling", "busy, pulling")
    answers = await asyncio.gather(draining, return_exceptions=True)
    assert all(isinstance(answer, BaseException) or not answer["draining"] for answer in answers)
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["delivery"] == 1
    await operator.queue_is_empty()
    async with asyncio.timeout(PATIENCE):
        # It lets go of a task a moment after it was acknowledged.
        while state(await operator.drain()) != "idle, drained":
            await asyncio.sleep(0.05)
