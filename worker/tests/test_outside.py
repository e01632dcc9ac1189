"""Plain messages of other producers: a run is known by stream and sequence, as ids may be used again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count
from harness.operator import STREAM, SUBJECT, Operator, kinds
from harness.patience import PATIENCE

ID = "from-outside"


async def _send(operator: Operator, prompt: str = "p", **fields: Any) -> int:
    body = json.dumps({"task_id": ID, "prompt": prompt} | fields).encode()
    return (await operator.js.publish(SUBJECT, body)).seq


async def _write_over(operator: Operator, sequence: int, event: str) -> None:
    """The end of the next message's run, which tells how far the one before had come."""
    earlier = [{"stream": STREAM, "sequence": sequence, "event": event, "delivery": 1}]
    await operator.write_event(ID, "completed", proven=False, stream=STREAM, sequence=sequence + 1, earlier=earlier)


def _ran(runs: Path) -> str:
    return f"cat >> {runs}; echo >> {runs}"


async def test_two_messages_with_one_id_are_served_once_each(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """And the second waits for the first, also when workers are free."""
    runs = marker("runs")
    first, second = await _send(operator, "first"), await _send(operator, "second")
    for name in ("worker-1", "worker-2"):
        await start_worker("sh", "-c", f"{_ran(runs)}; sleep 1", name=name)
    await operator.queue_is_empty()
    events = await operator.events(ID)
    assert kinds(events) == ["running", "completed", "running", "completed"]
    sequences = [event.body["sequence"] for event in events]
    assert sequences in ([first, first, second, second], [second, second, first, first])
    assert sorted(runs.read_text().split()) == ["first", "second"]


@pytest.mark.parametrize("mode", ["AtLeastOnce", "AtMostOnce"])
@pytest.mark.parametrize("event", ["completed", "failed", "running"])
async def test_an_earlier_messages_event_does_not_end_the_new_one(
    operator: Operator, start_worker: StartWorker, event: str, mode: str
) -> None:
    await operator.write_event(ID, event, proven=False, stream=STREAM, sequence=7, worker="lost")
    sequence = await _send(operator, "hello", delivery_mode=mode)
    await start_worker("cat")
    events = await operator.until(ID, "completed")
    await operator.queue_is_empty()
    events = await operator.events(ID)
    assert kinds(events) == [event, "running", "completed"]
    assert (events[-1].body["sequence"], events[-1].body["output"]) == (sequence, "hello")


async def test_its_own_terminal_event_ends_it_also_beneath_another_messages(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """Its worker was lost between the event and the acknowledgement, and the next message came first."""
    runs = marker("runs")
    sequence = await _send(operator)
    lost = await operator.js.pull_subscribe_bind(consumer="workers", stream=STREAM)
    await lost.fetch(1, timeout=PATIENCE)
    await operator.write_event(ID, "completed", proven=False, stream=STREAM, sequence=sequence)
    await _write_over(operator, sequence, "completed")
    await start_worker("sh", "-c", _ran(runs))
    await operator.queue_is_empty()
    assert kinds(await operator.events(ID)) == ["completed", "completed"] and not count(runs)


async def test_at_most_once_holds_for_a_message_from_outside(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    worker = await start_worker("sh", "-c", f"{_ran(runs)}; exec sleep 20")
    sequence = await _send(operator, delivery_mode="AtMostOnce")
    async with asyncio.timeout(PATIENCE):
        # The end of its worker ends the run at once: it must have written its line by then.
        while not count(runs):
            await asyncio.sleep(0.02)
    await worker.kill()
    # Another message's events in between hide nothing.
    await _write_over(operator, sequence, "running")
    await start_worker("sh", "-c", _ran(runs), name="worker-2")
    events = await operator.until(ID, "failed")
    assert events[-1].body["failure"]["type"] == "MayHaveRun" and events[-1].body["sequence"] == sequence
    await operator.queue_is_empty()
    await asyncio.sleep(0.2)
    assert count(runs) == 1


async def test_each_run_tells_how_far_other_messages_with_its_id_had_come(
    operator: Operator, start_worker: StartWorker
) -> None:
    """A worker reads the last event alone."""
    first, second, third = [await _send(operator, str(number)) for number in range(3)]
    await start_worker("true")
    await operator.queue_is_empty()
    last = (await operator.events(ID))[-1].body
    told = [(one["sequence"], one["event"]) for one in last["earlier"]]
    assert last["sequence"] == third and told == [(first, "completed"), (second, "completed")]


async def test_a_message_for_another_pool_is_not_run(operator: Operator, start_worker: StartWorker) -> None:
    """Whoever has a message of another pool's queue sent to this one's gets nothing of this pool."""
    await _send(operator, namespace="team", pool="another")
    await start_worker("cat")
    await operator.queue_is_empty()
    (letter,) = await operator.dead_letters()
    assert (letter.headers or {})["Codeforge-Reason"] == "WrongPool"
    assert "pool another in namespace team, not for team/pool:" in (letter.headers or {})["Codeforge-Detail"]
    assert not await operator.events(ID)
