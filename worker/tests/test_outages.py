"""NATS is away, for everybody or for one worker: who holds the task afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ACK_WAIT, StartWorker, count, until, written
from harness.operator import BUCKET, STREAM, Operator, kinds
from harness.patience import PATIENCE
from harness.proxy import TcpProxy
from nats.js.api import StreamConfig
from test_ending import SLOW_TO_LISTEN


@pytest.mark.parametrize("mode", ["AtLeastOnce", "AtMostOnce"])
@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_a_healthy_holder_keeps_its_run_over_an_outage_longer_than_ack_wait(
    operator: Operator,
    start_worker: StartWorker,
    proxy: TcpProxy,
    marker: Callable[[str], Path],
    how: str,
    mode: str,
) -> None:
    script = f"echo ran >> {marker('runs')}; {until(marker('go'))}"
    await start_worker("sh", "-c", script, NATS_URL=proxy.url)
    uid = await operator.submit(delivery_mode=mode)
    await operator.until(uid, "running")
    other = await start_worker("sh", "-c", script, name="worker-2", NATS_URL=proxy.url)
    if how == "cut":
        await proxy.cut()
    else:
        proxy.freeze()
    await asyncio.sleep(2 * ACK_WAIT)
    await proxy.resume()
    # It gets the message, asks, and leaves it.
    await other.logged(f"task {uid} is held by worker-1: dropped")
    marker("go").touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["worker"] == "worker-1"
    await operator.queue_is_empty()
    assert kinds(await operator.events(uid)) == ["running", "completed"] and count(marker("runs")) == 1


async def test_a_stale_holder_stops_its_agent_and_sends_nothing(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path]
) -> None:
    """Frozen longer than ack wait and the silence that is believed, it comes back while another runs the task."""
    alive, go = marker("alive"), marker("go")
    stale = await start_worker("sh", "-c", f"while :; do echo x >> {alive}; sleep 0.1; done", NATS_URL=proxy.url)
    uid = await operator.submit()
    await written(alive)
    proxy.freeze()
    frozen_at = count(alive)
    await start_worker("sh", "-c", f"while ! [ -e {go} ]; do sleep 0.1; done", name="worker-2")
    async with asyncio.timeout(PATIENCE):
        while len(await operator.events(uid)) < 2:
            await asyncio.sleep(0.05)
    assert count(alive) > frozen_at + 10, "the frozen worker's agent was to run on meanwhile"
    await proxy.resume()
    await stale.logged("is not ours any more: worker-2 wrote running")
    size = alive.stat().st_size
    await asyncio.sleep(2 * ACK_WAIT)
    assert alive.stat().st_size == size, "its agent runs on"
    # Neither acknowledged nor given back: it is still the other's, who has not been sent it again.
    info = await operator.js.consumer_info(STREAM, "workers")
    assert (info.num_ack_pending, info.num_pending, info.delivered.consumer_seq) == (1, 0, 2)  # type: ignore[union-attr]
    assert kinds(await operator.events(uid)) == ["running", "running"]
    go.touch()
    events = await operator.until(uid)
    assert [(event.body["event"], event.body["worker"], event.body["delivery"]) for event in events] == [
        ("running", "worker-1", 1), ("running", "worker-2", 2), ("completed", "worker-2", 2),
    ]  # fmt: skip
    await operator.queue_is_empty()


async def test_a_stale_holders_report_is_refused(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path]
) -> None:
    """Its run ends while it is frozen; by the time its report arrives another has begun."""
    begun, go = marker("begun"), marker("go")
    stale = await start_worker("sh", "-c", f"echo > {begun}; sleep 1; echo too late", NATS_URL=proxy.url)
    uid = await operator.submit()
    await written(begun)
    proxy.freeze()
    await start_worker("sh", "-c", f"while ! [ -e {go} ]; do sleep 0.1; done; echo in time", name="worker-2")
    async with asyncio.timeout(PATIENCE):
        while len(await operator.events(uid)) < 2:
            await asyncio.sleep(0.05)
    await proxy.resume()
    await stale.logged("is not ours any more: worker-2 wrote running")
    assert (await operator.js.stream_info(STREAM)).state.messages == 1, "the stale worker acknowledged the message"
    go.touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "running", "completed"] and events[-1].body["output"] == "in time"
    await operator.queue_is_empty()


async def test_a_worker_whose_server_was_silent_while_it_began_hears_again(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy
) -> None:
    impatient = f"{SLOW_TO_LISTEN}\nimport codeforge_worker.broker as broker; broker.REQUEST_SECONDS = 1"
    await start_worker("true", change=impatient, NATS_URL=proxy.url)
    uid = await operator.submit()
    await operator.until_taken()
    proxy.freeze()
    await asyncio.sleep(4)
    await proxy.resume()
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    assert (await operator.until(await operator.submit()))[-1].body["event"] == "completed"


async def test_a_run_is_kept_by_its_own_stream_alone(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Results, lines, files and settings are away for longer than the ack wait."""
    runs, go = marker("runs"), marker("go")
    script = f"echo ran >> {runs}; while [ ! -e {go} ]; do echo line; sleep 0.1; done; echo a >> $CODEFORGE_ARTIFACTS/a"
    await start_worker("sh", "-c", script)
    uid = await operator.submit()
    await written(runs)
    await operator.until(uid, "running")
    # It would get the message, were it handed out again.
    await start_worker("sh", "-c", script, name="worker-2")
    for stream in ("EVENTS", "LOGS", "KV_config", f"OBJ_{BUCKET}"):
        await operator.js.delete_stream(stream)
    await asyncio.sleep(4 * ACK_WAIT)
    consumer = await operator.js.consumer_info(STREAM, "workers")
    assert consumer.delivered and (consumer.delivered.consumer_seq, consumer.num_redelivered) == (1, 0)
    go.touch()
    await asyncio.sleep(2 * ACK_WAIT)
    await operator.js.add_stream(StreamConfig(name="EVENTS", subjects=["events.*.*.*"], allow_direct=True))
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["delivery"]) == ("completed", 1) and count(runs) == 1
    assert "the pool has no bucket" in last["result"]["artifacts_problem"]
    await operator.queue_is_empty()
    consumer = await operator.js.consumer_info(STREAM, "workers")
    assert consumer.delivered and consumer.delivered.consumer_seq == 1


async def test_a_holder_whose_stream_is_gone_still_sees_that_its_run_was_ended(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """A pool is deleted: no heartbeat is answered any more, and the agent must stop all the same."""
    alive = marker("alive")
    await start_worker("sh", "-c", f"while :; do echo x >> {alive}; sleep 0.1; done")
    uid = await operator.submit()
    await written(alive)
    await operator.js.delete_stream(STREAM)
    await asyncio.sleep(2 * ACK_WAIT)
    assert count(alive) > 5
    await operator.write_event(uid, "failed", delivery=1, worker="")
    async with asyncio.timeout(PATIENCE):
        before = -1
        while before != count(alive):
            before = count(alive)
            await asyncio.sleep(0.5)
    assert kinds(await operator.events(uid)) == ["running", "failed"]
