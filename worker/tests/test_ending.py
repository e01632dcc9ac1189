"""How a run ends, and what happens when somebody else has ended it, or the streams are lost under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ACK_WAIT, StartWorker, count, written
from harness.operator import CONTROL, HOLDER, STREAM, Operator, kinds
from harness.patience import PATIENCE
from nats.js.api import StreamConfig

# The gap between a worker's first look and its subscriptions, made wide.
SLOW_TO_LISTEN = """
import asyncio
from codeforge_worker.broker import Broker
serve = Broker.serve
async def late(self, subject, answer):
    await asyncio.sleep(1)
    return await serve(self, subject, answer)
Broker.serve = late
"""


@pytest.mark.parametrize(("event", "attempt"), [("cancelled", 1), ("failed", 1), ("running", 2)])
async def test_ended_by_the_operator_between_fetch_and_subscription(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], event: str, attempt: int
) -> None:
    uid = await operator.submit()
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}", change=SLOW_TO_LISTEN)
    await operator.until_taken()
    await operator.write_event(uid, event, attempt=attempt)
    await operator.queue_is_empty()
    assert kinds(await operator.events(uid)) == [event] and not count(marker("runs"))
    # Acknowledged by the worker that had it, not by one that was sent it again.
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 1


async def test_another_worker_was_faster_between_fetch_and_first_event(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Its message is the other's: neither acknowledged nor given back."""
    uid = await operator.submit()
    worker = await start_worker("sh", "-c", f"echo ran >> {marker('runs')}", change=SLOW_TO_LISTEN)
    await operator.until_taken()
    await operator.write_event(uid, "running", worker="another")
    await worker.logged(f"task {uid} is not ours: another wrote running")
    await worker.kill()
    info = await operator.js.consumer_info(STREAM, "workers")
    assert (info.num_ack_pending, info.num_redelivered) == (1, 0) and not count(marker("runs"))


@pytest.mark.parametrize("noticed", [True, False])
async def test_the_tasks_stream_is_lost_under_a_running_task(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], noticed: bool
) -> None:
    begun, go = marker("begun"), marker("go")
    worker = await start_worker("sh", "-c", f"echo > {begun}; while ! [ -e {go} ]; do sleep 0.1; done; echo finished")
    uid = await operator.submit()
    await written(begun)
    await operator.js.delete_stream(STREAM)
    if noticed:
        async with asyncio.timeout(PATIENCE):
            while "the run goes on without its message" not in worker.log():
                await asyncio.sleep(0.02)
    await operator.add_queue(ACK_WAIT)
    go.touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["output"] == "finished"
    # And the worker takes tasks from the new stream.
    assert (await operator.until(await operator.submit()))[-1].body["event"] == "completed"


async def test_in_a_stream_that_was_made_anew_a_run_takes_nobodys_message_along(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """The new stream counts from 1 again: the old acknowledgement would be another message's."""
    runs, go = marker("runs"), marker("go")
    script = f"echo ran >> {runs}; while ! [ -e {go}-$CODEFORGE_TITLE ]; do sleep 0.1; done"
    worker = await start_worker("sh", "-c", script)
    old = await operator.submit(title="old")
    await written(runs)
    await operator.js.delete_stream(STREAM)
    async with asyncio.timeout(PATIENCE):
        while "the run goes on without its message" not in worker.log():
            await asyncio.sleep(0.02)
    await operator.add_queue(ACK_WAIT)
    await start_worker("sh", "-c", script, name="worker-2")
    new = await operator.submit(title="new")
    assert (await operator.until(new, "running"))[-1].body["sequence"] == 1
    marker("go-old").touch()
    assert kinds(await operator.until(old)) == ["running", "completed"]
    await asyncio.sleep(1)
    assert (await operator.js.stream_info(STREAM)).state.messages == 1, "the message of another run is gone"
    marker("go-new").touch()
    await operator.until(new)
    await operator.queue_is_empty()


@pytest.mark.parametrize("how", ["aged out", "lost"])
async def test_the_results_are_gone_under_a_running_task(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], how: str
) -> None:
    runs = marker("runs")
    # Other events stand before its own: a stream that is made anew counts from 1 again.
    await operator.write_event("another-task", "completed")
    await start_worker("sh", "-c", f"echo ran >> {runs}; sleep 4; echo finished")
    uid = await operator.submit()
    await written(runs)
    if how == "aged out":
        await operator.js.purge_stream("EVENTS")
    else:
        await operator.js.delete_stream("EVENTS")
        await asyncio.sleep(1)
        await operator.js.add_stream(StreamConfig(name="EVENTS", subjects=["events.*.*.*"], allow_direct=True))
    events = await operator.until(uid)
    assert kinds(events) == ["completed"] and events[-1].body["output"] == "finished"
    await operator.queue_is_empty()
    assert count(runs) == 1


async def test_until_its_last_event_is_stored_a_worker_answers_for_its_run(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    begun, go = marker("begun"), marker("go")
    await start_worker("sh", "-c", f"echo > {begun}; while ! [ -e {go} ]; do sleep 0.1; done; echo finished")
    uid = await operator.submit()
    await written(begun)
    await operator.js.delete_stream("EVENTS")
    go.touch()
    await asyncio.sleep(2)
    assert await operator.ask(HOLDER + uid) == {"worker": "worker-1", "attempt": 1, "delivery": 1}
    assert await operator.ask(CONTROL + uid, b'{"action":"cancel"}') == {"worker": "worker-1", "accepted": True}
    await operator.js.add_stream(StreamConfig(name="EVENTS", subjects=["events.*.*.*"], allow_direct=True))
    # It had ended before it was asked.
    assert kinds(await operator.until(uid)) == ["completed"]
    await operator.queue_is_empty()
    await operator.nobody_answers(HOLDER + uid)


async def test_a_long_run_tells_of_its_progress(operator: Operator, start_worker: StartWorker) -> None:
    hour = "import codeforge_worker.delivery as delivery; delivery.PROGRESS_SECONDS = 1"
    await start_worker("sh", "-c", "sleep 4; echo finished", change=hour)
    uid = await operator.submit(spent={"tokens_in": 7, "tokens_out": 3, "cost_usd": "0.5"})
    events = await operator.until(uid)
    assert kinds(events)[:3] == ["running", "progress", "progress"] and kinds(events)[-1] == "completed"
    for event in events:
        # Cumulative: whoever reads only this one misses nothing.
        assert event.body["usage"]["cost_usd"] == "0.5"
        assert event.body["start_time"] == events[0].body["start_time"]
