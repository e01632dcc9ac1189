"""What a function saves is found by the run that goes on after it, and by no other."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness import functions
from harness.operator import Event, Operator, kinds
from harness.worker_process import WorkerProcess

from codeforge_worker import Context, backend
from codeforge_worker.testing import run_backend

MODULE = str(Path(__file__).parent / "harness" / "functions.py")
ONE, TWO = '{"done":1}', '{"done":2}'


async def _start(start_worker: StartWorker, name: str = "worker-1", **settings: str) -> WorkerProcess:
    return await start_worker(name=name, CODEFORGE_BACKEND="saver", CODEFORGE_MODULE=MODULE, **settings)


def _saved(events: list[Event]) -> list[str | None]:
    return [event.body.get("checkpoint") for event in events]


async def _left_by_a_killed_worker(operator: Operator, start_worker: StartWorker, mode: str) -> list[Event]:
    worker = await _start(start_worker)
    uid = await operator.submit("wait", delivery_mode=mode)
    # A save is told at once.
    assert _saved(await operator.until(uid, "progress")) == [None, ONE]
    await worker.kill()
    await _start(start_worker, "worker-2")
    if mode == "ResetThenRetry":
        # It waits as the first did.
        events = await operator.events(uid)
        while (events[-1].body["worker"], events[-1].body["event"]) != ("worker-2", "progress"):
            await asyncio.sleep(0.1)
            events = await operator.events(uid)
        return events
    return await operator.until(uid)


async def test_a_run_after_a_crash_goes_on(operator: Operator, start_worker: StartWorker) -> None:
    events = await _left_by_a_killed_worker(operator, start_worker, "AtLeastOnce")
    assert events[-1].body["output"] == "run 2" and events[-1].body["delivery"] == 2
    # The second run tells what it was given from its first event on: another crash would forget nothing.
    assert _saved(events)[2] == ONE and _saved(events)[-1] == TWO
    await operator.queue_is_empty()


async def test_reset_discards_it(operator: Operator, start_worker: StartWorker) -> None:
    events = await _left_by_a_killed_worker(operator, start_worker, "ResetThenRetry")
    assert kinds(events)[:3] == ["running", "progress", "running"] and _saved(events)[2:] == [None, ONE]


async def test_at_most_once_leaves_it_to_nobody(operator: Operator, start_worker: StartWorker) -> None:
    events = await _left_by_a_killed_worker(operator, start_worker, "AtMostOnce")
    assert events[-1].body["failure"]["type"] == "MayHaveRun"


async def test_a_run_after_one_that_was_given_back_goes_on(operator: Operator, start_worker: StartWorker) -> None:
    worker = await _start(start_worker, CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit("wait")
    await operator.until(uid, "progress")
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert _saved(await operator.events(uid))[-1] == ONE
    await _start(start_worker, "worker-2")
    events = await operator.until(uid)
    assert kinds(events)[2] == "released" and events[-1].body["output"] == "run 2"


@pytest.mark.parametrize(("mode", "saved"), [("AtLeastOnce", TWO), ("ResetThenRetry", ONE), ("AtMostOnce", ONE)])
async def test_a_retry(operator: Operator, start_worker: StartWorker, mode: str, saved: str) -> None:
    await _start(start_worker)
    uid = await operator.submit("fail")
    first = await operator.until(uid)
    assert _saved(first)[-1] == ONE and first[-1].body["failure"]["retryable"]
    # As the operator hands it on.
    await operator.submit("fail", uid=uid, attempt=2, checkpoint=ONE, delivery_mode=mode)
    events = await operator.until(uid, "running", "progress", "failed")
    while events[-1].body["attempt"] < 2 or events[-1].body["event"] != "failed":
        events = await operator.until(uid, "running", "progress", "failed")
    assert _saved(events)[-1] == saved
    begun = next(event for event in events if event.body["attempt"] == 2)
    assert begun.body.get("checkpoint") == (ONE if mode == "AtLeastOnce" else None)


async def test_an_end_without_a_run_keeps_it(operator: Operator, start_worker: StartWorker) -> None:
    worker = await _start(start_worker)
    uid = await operator.submit("wait", max_deliveries=1)
    await operator.until(uid, "progress")
    await worker.kill()
    await _start(start_worker, "worker-2")
    last = (await operator.until(uid))[-1].body
    assert (last["failure"]["type"], last["checkpoint"]) == ("MaxDeliveriesExceeded", ONE)


def test_in_a_test_of_its_author() -> None:
    first = run_backend(functions.saver, "fail")
    assert first.status == "failed" and first.checkpoint == {"done": 1}
    assert run_backend(functions.saver, checkpoint=first.checkpoint).checkpoint == {"done": 2}

    @backend("idle")
    def idle(context: Context) -> None:
        given = context.checkpoint.earlier
        assert given is not None
        given["done"] = 7

    # What is not saved anew stays, and a copy is only a copy.
    assert run_backend(idle, checkpoint={"done": 1}).checkpoint == {"done": 1}
    assert run_backend(functions.teller).checkpoint is None


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"a": "x" * 16_376}, None),
        ({"a": "x" * 16_377}, ValueError),
        ({"a": "é" * 9000}, ValueError),
        ({"a": float("nan")}, ValueError),
        ({"a": "\udcff"}, ValueError),
        ({"a": object()}, TypeError),
        ([1], TypeError),
    ],
)
def test_what_can_be_saved(state: Any, error: type[Exception] | None) -> None:
    raised: list[type] = []

    @backend("once")
    def once(context: Context) -> None:
        try:
            context.checkpoint.save(state)
        except (TypeError, ValueError) as failure:
            raised.append(type(failure))

    ran = run_backend(once)
    assert ran.checkpoint == (None if error else state)
    assert [issubclass(kind, error or str) for kind in raised] == ([True] if error else [])


def test_from_many_threads_at_once() -> None:
    @backend("crowd")
    def crowd(context: Context) -> None:
        def save(number: int) -> None:
            for step in range(200):
                context.checkpoint.save({"thread": number, "step": step})

        threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        context.checkpoint.save({"last": True})

    assert run_backend(crowd).checkpoint == {"last": True}


def test_a_checkpoint_that_cannot_be_read_is_none() -> None:
    from codeforge_worker.sdk.checkpoint import Checkpoint

    for text in ("", "[1]", "{"):
        assert Checkpoint(text, lambda _: None).earlier is None
