"""A crash at each step between a message and its dead letter: never lost, and never there twice."""

from __future__ import annotations

import asyncio

import pytest
from conftest import StartWorker
from harness.operator import STREAM, SUBJECT, Operator, kinds
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from nats.js.api import RawStreamMsg, StreamConfig

# Stops for ever at the step after the dead letter.
NO_EVENT = """
import asyncio
from codeforge_worker.events import RunEvents
RunEvents.ended = lambda self, outcome: asyncio.sleep(3600)
"""
NO_ACKNOWLEDGEMENT = """
import asyncio
from codeforge_worker.broker import Broker
Broker.acknowledge = lambda self, message, verb=b"": asyncio.sleep(3600)
"""


async def _crash_after_its_dead_letter(operator: Operator, worker: WorkerProcess) -> RawStreamMsg:
    async with asyncio.timeout(PATIENCE):
        while not await operator.dead_letters():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    await worker.kill()
    (letter,) = await operator.dead_letters()
    return letter


@pytest.mark.parametrize("change", [NO_EVENT, NO_ACKNOWLEDGEMENT], ids=["before the event", "before the ack"])
async def test_exhausted_a_crash_after_the_dead_letter_makes_no_second_one(
    operator: Operator, start_worker: StartWorker, change: str
) -> None:
    uid = await operator.submit("my prompt", max_deliveries=2)
    await operator.write_event(uid, "running", delivery=2, worker="lost")
    letter = await _crash_after_its_dead_letter(operator, await start_worker("false", change=change))
    await start_worker("false", name="worker-2")
    events = await operator.until(uid)
    await operator.queue_is_empty()
    assert kinds(events) == ["running", "failed"] == kinds(await operator.events(uid))
    last = events[-1].body
    # Two runs were begun, and no third one.
    assert (last["failure"]["type"], last["failure"]["retryable"], last["delivery"]) == (
        "MaxDeliveriesExceeded", False, 2,
    )  # fmt: skip
    assert await operator.dead_letters() == [letter] and b"my prompt" in (letter.data or b"")


async def test_unparsable_a_crash_between_dead_letter_and_term_makes_no_second_one(
    operator: Operator, start_worker: StartWorker
) -> None:
    await operator.js.publish(SUBJECT, b"not JSON")
    letter = await _crash_after_its_dead_letter(operator, await start_worker("cat", change=NO_ACKNOWLEDGEMENT))
    assert (await operator.js.stream_info(STREAM)).state.messages == 1
    await start_worker("cat", name="worker-2")
    await operator.queue_is_empty()
    assert await operator.dead_letters() == [letter]


async def test_unparsable_is_not_given_up_before_its_dead_letter_is_stored(
    operator: Operator, start_worker: StartWorker
) -> None:
    await operator.js.delete_stream("DEADLETTERS")
    await operator.js.publish(SUBJECT, b"not JSON")
    await start_worker("cat")
    await asyncio.sleep(2)
    assert (await operator.js.stream_info(STREAM)).state.messages == 1
    await operator.js.add_stream(StreamConfig(name="DEADLETTERS", subjects=["deadletters.*.*"], allow_direct=True))
    await operator.queue_is_empty()
    (letter,) = await operator.dead_letters()
    assert letter.data == b"not JSON"


async def test_a_stream_made_anew_has_dead_letters_of_its_own(operator: Operator, start_worker: StartWorker) -> None:
    """Its first message has the sequence of the old one's."""
    await start_worker("cat")
    for body in (b"not JSON", b"nor this"):
        await operator.js.publish(SUBJECT, body)
        await operator.queue_is_empty()
        await operator.js.delete_stream(STREAM)
        await operator.add_queue(1.5)
    assert [letter.data for letter in await operator.dead_letters()] == [b"not JSON", b"nor this"]


async def test_a_message_as_large_as_the_server_takes_is_buried_without_its_end(
    operator: Operator, start_worker: StartWorker
) -> None:
    """With our headers the server would refuse it and end the connection, and with it every other run."""
    await operator.js.publish(SUBJECT, b"x" * 1_048_000)
    await start_worker("cat")
    await operator.queue_is_empty()
    (letter,) = await operator.dead_letters()
    assert len(letter.data or b"") == 1_000_000
    assert (letter.headers or {})["Codeforge-Truncated"] == "1048000"
