"""A connection that is lost without a word: a node or an address is gone, and nobody closes anything."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import StartWorker, count, until, written
from harness.operator import HOLDER, Operator, kinds
from harness.patience import PATIENCE
from harness.proxy import TcpProxy
from nats.errors import Error as NatsError

# What is promised, and what a busy machine adds to it.
NOTICED_SECONDS = 15 + 2
# Longer than that: the message is not handed out again meanwhile.
ACK_WAIT = 60
QUIET = "true"
# More than all buffers on the way hold: the worker has something to write that it cannot.
LOUD = "head -c 20000000 /dev/zero | tr '\\0' x"


@pytest.mark.parametrize("agent", [QUIET, LOUD], ids=["quiet", "loud"])
async def test_a_busy_worker_hears_again_in_time_and_its_run_goes_on(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path], agent: str
) -> None:
    await operator.add_consumer(ACK_WAIT)
    runs, lost, go = marker("runs"), marker("lost"), marker("go")
    script = f"echo >> {runs}; {until(lost)}; {agent}; {until(go)}"
    await start_worker("sh", "-c", script, NATS_URL=proxy.url, CODEFORGE_ACK_WAIT_SECONDS=str(ACK_WAIT))
    uid = await operator.submit()
    await operator.until(uid, "running")
    await written(runs)
    assert await _holder(operator, uid) == "worker-1"
    proxy.strand()
    lost.touch()
    began = time.monotonic()
    assert await _holder(operator, uid) == "worker-1"
    took = time.monotonic() - began
    assert 5 < took < NOTICED_SECONDS, f"it was deaf for {took:.1f} s"
    go.touch()
    assert kinds(await operator.until(uid)) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()


async def test_an_idle_worker_takes_a_task_in_time(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    await start_worker("sh", "-c", f"echo >> {runs}", NATS_URL=proxy.url)
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    proxy.strand()
    began = time.monotonic()
    uid = await operator.submit()
    events = await operator.until(uid)
    assert time.monotonic() - began < NOTICED_SECONDS
    assert kinds(events) == ["running", "completed"] and events[-1].body["delivery"] == 1 and count(runs) == 2
    await operator.queue_is_empty()


@pytest.mark.root  # A worker shows its descriptors to nobody else.
async def test_a_server_that_accepts_and_says_nothing_leaves_no_connection_open(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path]
) -> None:
    go = marker("go")
    worker = await start_worker("sh", "-c", until(go), NATS_URL=proxy.url)
    uid = await operator.submit()
    await operator.until(uid, "running")
    before = len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))
    proxy.freeze()
    await proxy.cut()
    await proxy.start()
    async with asyncio.timeout(PATIENCE):
        while proxy.accepted < 4:
            await asyncio.sleep(0.1)
    assert len(list(Path(f"/proc/{worker.pid}/fd").iterdir())) <= before + 1
    await proxy.resume()
    go.touch()
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def _holder(operator: Operator, uid: str) -> str:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(NatsError):
                return (await operator.ask(HOLDER + uid, seconds=0.5))["worker"]
