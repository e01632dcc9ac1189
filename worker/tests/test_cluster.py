"""Three servers, each stream on all of them: a worker sees the same from each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import ACK_WAIT
from harness.jwt_server import Cluster
from harness.operator import Operator, dispatch_id, kinds
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from nats.errors import Error as NatsError
from test_startup import GOOD

from codeforge_worker.broker import Broker
from codeforge_worker.settings import Settings


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path)
    await cluster.start()
    yield cluster
    await cluster.kill()


@pytest.fixture
async def operator(cluster: Cluster) -> AsyncIterator[Operator]:
    first = cluster.servers[0]
    operator = Operator(first.url, first.operator_login, replicas=3)
    await operator.start(ACK_WAIT)
    yield operator
    await operator.close()


async def test_the_last_event_is_the_leaders_whichever_server_is_asked(cluster: Cluster, operator: Operator) -> None:
    uid = "4c1d0000-0000-0000-0000-000000000000"
    brokers: list[Broker] = []
    for server in cluster.servers:
        environment = GOOD | server.worker_settings | {"NATS_URL": server.url}
        brokers.append(Broker(Settings.from_environment(environment, ())))
        await brokers[-1].connection.open()
    for broker in brokers:
        assert await broker.last_sequence(uid) == 0 and await broker.last_event(uid, dispatch_id(uid)) is None
    for number in range(20):
        written = await operator.write_event(uid, f"event {number}")
        for broker in brokers:
            assert await broker.last_sequence(uid) == written
            last = await broker.last_event(uid, dispatch_id(uid))
            assert last is not None and (last.sequence, last.event, last.proven) == (written, f"event {number}", True)
        if number % 5 == 0:
            await _another_leader(operator)
    assert len(await operator.events(uid)) == 20, "asking for the last sequence has stored something"
    for broker in brokers:
        await broker.connection.close()


async def _another_leader(operator: Operator) -> None:
    before = await _leader(operator)
    await operator.nats.request("$JS.API.STREAM.LEADER.STEPDOWN.EVENTS", b"", timeout=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while await _leader(operator) in ("", before):
            await asyncio.sleep(0.05)


async def _leader(operator: Operator) -> str:
    """Empty while there is none."""
    try:
        answer = await operator.nats.request("$JS.API.STREAM.INFO.EVENTS", b"", timeout=1)
    except NatsError:
        return ""
    return json.loads(answer.data).get("cluster", {}).get("leader", "")


async def test_a_worker_runs_tasks_from_each_server(cluster: Cluster, operator: Operator, tmp_path: Path) -> None:
    for number, server in enumerate(cluster.servers):
        worker = WorkerProcess(tmp_path, server.url, f"worker-{number}", ["cat"], server.worker_settings)
        await worker.start()
        try:
            await worker.ready()
            events = await operator.until(await operator.submit(f"task {number}"))
            assert kinds(events) == ["running", "completed"] and events[-1].body["output"] == f"task {number}"
            await operator.queue_is_empty()
            worker.terminate()
            assert await worker.end() == 0
        finally:
            await worker.kill()
