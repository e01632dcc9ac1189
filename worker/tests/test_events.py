"""Writing one run's events, when acknowledgements are lost and others write too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from harness.connected import connected
from harness.nats_server import NatsServer
from harness.operator import STREAM, Operator, dispatch_id, kinds

from codeforge_worker import wire
from codeforge_worker.broker import Broker
from codeforge_worker.checkpoint import Checkpoint
from codeforge_worker.events import RunEvents, Stale
from codeforge_worker.outcome import Outcome
from codeforge_worker.spending import Spent

UID = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21"


class LosingBroker(Broker):
    """Writes, and loses the answer as often as it is told to."""

    lose = 0
    hang = False

    async def append(self, task_id: str, body: bytes, headers: dict[str, str], expected: int) -> int:
        sequence = await super().append(task_id, body, headers, expected)
        if self.hang:
            await asyncio.sleep(60)
        if self.lose:
            self.lose -= 1
            raise TimeoutError
        return sequence


@pytest.fixture
async def broker(server: NatsServer, operator: Operator) -> AsyncIterator[LosingBroker]:
    async with connected(LosingBroker, server.url) as broker:
        yield broker


def _events(broker: Broker, expected: int = 0) -> RunEvents:
    task = wire.Task(task_id=UID, prompt="p", dispatch_id=dispatch_id(UID))
    return RunEvents(broker, task, "worker-1", wire.Origin(STREAM, 1), 1, Spent(), expected, Checkpoint(), ())


async def test_a_lost_acknowledgement_is_no_second_event(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    for write in (events.running, events.progress, lambda: events.ended(Outcome())):
        broker.lose = 1
        await write()
    assert kinds(await operator.events(UID)) == ["running", "progress", "completed"]


async def test_a_write_that_was_given_up_when_it_was_stored_is_still_ours(
    operator: Operator, broker: LosingBroker
) -> None:
    """As at the end of a run that has just told what it spent."""
    events = _events(broker)
    await events.running()
    broker.hang = True
    telling = asyncio.create_task(events.progress())
    await operator.until(UID, "progress")
    telling.cancel()
    await asyncio.wait({telling})
    broker.hang = False
    await events.ended(Outcome())
    assert kinds(await operator.events(UID)) == ["running", "progress", "completed"]


async def test_somebody_else_wrote(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    await events.running()
    await events.check()
    await operator.write_event(UID, "cancelled")
    with pytest.raises(Stale):
        await events.check()
    with pytest.raises(Stale):
        await events.ended(Outcome())
    assert kinds(await operator.events(UID)) == ["running", "cancelled"]


async def test_two_begin_at_once(operator: Operator, broker: LosingBroker) -> None:
    first, second = _events(broker), _events(broker)
    await first.running()
    with pytest.raises(Stale):
        await second.running()
    assert kinds(await operator.events(UID)) == ["running"]


async def test_the_events_aged_out(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    await events.running()
    await operator.js.purge_stream("EVENTS")
    await events.ended(Outcome())
    assert kinds(await operator.events(UID)) == ["completed"]


async def test_an_unproven_event_is_written_over(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    await events.running()
    await operator.write_event(UID, "completed", proven=False)
    await events.check()
    await operator.write_event(UID, "failed", proven=False)
    await events.ended(Outcome())
    assert kinds(await operator.events(UID)) == ["running", "completed", "failed", "completed"]


@pytest.mark.parametrize("last", ["released", "completed"])
async def test_nothing_follows_the_last_word(operator: Operator, broker: LosingBroker, last: str) -> None:
    """A heartbeat may come between the last event and its message's acknowledgement."""
    events = _events(broker)
    await events.running()
    await (events.released() if last == "released" else events.ended(Outcome()))
    await events.progress()
    assert kinds(await operator.events(UID)) == ["running", last]


async def test_the_server_lost_the_newest_of_its_own_events(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    await events.running()
    await events.progress()
    await operator.js.delete_msg("EVENTS", (await operator.events(UID))[-1].sequence)
    await events.check()
    await operator.write_event("another-task", "running")
    await events.progress()
    await operator.js.delete_msg("EVENTS", (await operator.events(UID))[-1].sequence)
    await events.ended(Outcome())
    assert kinds(await operator.events(UID)) == ["running", "completed"]


async def test_a_newer_attempt_ends_an_older_one(operator: Operator, broker: LosingBroker) -> None:
    events = _events(broker)
    await events.running()
    await operator.write_event(UID, "running", attempt=2)
    with pytest.raises(Stale):
        await events.progress()
