"""Who runs a task, when more than one could: settled by its last event and by asking the holder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from conftest import StartWorker, count, until
from harness.operator import HOLDER, Operator, kinds
from nats.aio.msg import Msg


async def test_a_redelivered_message_with_a_terminal_event_is_only_acknowledged(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    uid = await operator.submit()
    await operator.write_event(uid, "completed")
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}")
    await operator.queue_is_empty()
    assert kinds(await operator.events(uid)) == ["completed"] and not count(marker("runs"))


async def test_a_newer_attempt_makes_a_message_stale(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    uid = await operator.submit()
    await operator.write_event(uid, "running", attempt=2)
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}")
    await operator.queue_is_empty()
    assert kinds(await operator.events(uid)) == ["running"] and not count(marker("runs"))


async def test_an_older_attempt_is_followed(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit(attempt=2)
    await operator.write_event(uid, "failed", attempt=1)
    await start_worker("true")
    events = await operator.until(uid, "completed")
    assert kinds(events) == ["failed", "running", "completed"]
    assert [(event.body["attempt"], event.body["delivery"]) for event in events[1:]] == [(2, 1)] * 2


async def test_a_forged_event_ends_nothing(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    uid = await operator.submit()
    await operator.write_event(uid, "completed", proven=False)
    await start_worker("sh", "-c", until(marker("go")))
    await operator.until(uid, "running")
    await operator.write_event(uid, "cancelled", proven=False)
    marker("go").touch()
    assert kinds(await operator.until(uid, "completed"))[1:] == ["running", "cancelled", "completed"]
    await operator.queue_is_empty()


async def test_the_holder_is_asked_and_left_alone(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """The message comes a second time while its holder is healthy: a second worker must not run it."""
    script = f"echo ran >> {marker('runs')}; {until(marker('go'))}"
    await start_worker("sh", "-c", script)
    uid = await operator.submit()
    await operator.until(uid, "running")
    holder = await operator.ask(HOLDER + uid)
    assert holder == {"worker": "worker-1", "attempt": 1, "delivery": 1}
    # The same message again, as a server would after an outage (same uid, same attempt).
    await operator.js.publish(f"tasks.agent.test.{uid}", await _payload(operator, uid), headers=_HEADERS)
    other = await start_worker("sh", "-c", script, name="worker-2")
    await other.logged("is held by worker-1: dropped")
    marker("go").touch()
    events = await operator.until(uid)
    await operator.queue_is_empty()
    assert kinds(events) == ["running", "completed"] == kinds(await operator.events(uid))
    assert count(marker("runs")) == 1


async def test_an_event_without_a_proof_over_the_running_one_takes_nothing_from_its_holder(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    script = f"echo ran >> {marker('runs')}; {until(marker('go'))}"
    await start_worker("sh", "-c", script)
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.write_event(uid, "released", proven=False)
    await operator.js.publish(f"tasks.agent.test.{uid}", await _payload(operator, uid), headers=_HEADERS)
    other = await start_worker("sh", "-c", script, name="worker-2")
    await other.logged("is held by worker-1: dropped")
    marker("go").touch()
    assert kinds(await operator.until(uid)) == ["running", "released", "completed"]
    await operator.queue_is_empty()
    assert count(marker("runs")) == 1


async def test_who_holds_an_earlier_attempt_is_no_holder(operator: Operator, start_worker: StartWorker) -> None:
    """It has not noticed yet that its attempt is over; the holder of this one is lost."""

    async def earlier(message: Msg) -> None:
        await message.respond(b'{"worker":"stale","attempt":1,"delivery":1}')

    uid = await operator.submit(attempt=2)
    await operator.write_event(uid, "running", attempt=2, worker="lost")
    await operator.nats.subscribe(HOLDER + uid, cb=earlier)
    await start_worker("true")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "running", "completed"] and events[-1].body["delivery"] == 2


async def test_another_holders_event_stops_the_run(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    late = marker("late")
    worker = await start_worker("sh", "-c", f"sleep 4; echo late > {late}")
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.write_event(uid, "running", worker="another", delivery=2)
    await worker.logged("not ours any more")
    assert kinds(await operator.events(uid)) == ["running", "running"]
    await asyncio.sleep(2)
    assert not late.exists()


async def test_killed_in_the_middle_another_finishes(operator: Operator, start_worker: StartWorker) -> None:
    script = 'if [ "$CODEFORGE_POD" = first ]; then sleep 5; fi; echo finished'
    first = await start_worker("sh", "-c", script, CODEFORGE_POD="first")
    uid = await operator.submit()
    await operator.until(uid, "running")
    await first.kill()
    await start_worker("sh", "-c", script, name="worker-2")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "running", "completed"]
    assert [(event.body["worker"], event.body["delivery"]) for event in events] == [
        ("worker-1", 1), ("worker-2", 2), ("worker-2", 2),
    ]  # fmt: skip
    await operator.queue_is_empty()


async def test_max_deliveries(operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]) -> None:
    uid = await operator.submit("my prompt", max_deliveries=3)
    await operator.write_event(uid, "running", delivery=3, worker="lost")
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}")
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["failure"]["type"]) == ("failed", "MaxDeliveriesExceeded")
    await operator.queue_is_empty()
    (letter,) = await operator.dead_letters()
    assert (letter.headers or {})["Codeforge-Reason"] == "MaxDeliveriesExceeded"
    assert (letter.headers or {})["Codeforge-Task-Id"] == uid and b"my prompt" in (letter.data or b"")
    assert not count(marker("runs"))


async def test_usage_of_earlier_deliveries_is_kept(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit()
    spent = {"tokens_in": 7, "tokens_out": 3, "cost_usd": "0.5", "unmetered_calls": 0}
    await operator.write_event(uid, "released", usage=spent)
    await start_worker("true")
    last = (await operator.until(uid, "completed"))[-1].body
    assert last["usage"] == spent and last["delivery"] == 1


_HEADERS = {"Codeforge-Installation": "test"}


async def _payload(operator: Operator, uid: str) -> bytes:
    return (await operator.js.get_last_msg("tasks_team_pool", f"tasks.agent.test.{uid}")).data or b""
