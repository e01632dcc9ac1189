"""Runs that fail, are cancelled, or take too long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import StartWorker, written
from harness.operator import CONTROL, Operator, kinds


async def test_exit_code(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit()
    await start_worker("sh", "-c", "echo some output; echo no such file >&2; exit 3")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "failed"]
    last = events[-1].body
    assert last["failure"] == {
        "type": "CommandFailed",
        "message": "sh exited with code 3; its last line: no such file",
        "retryable": True,
    }
    assert last["error"] == last["failure"]["message"] and last["output"] == "some output"
    await operator.queue_is_empty()


async def test_a_program_that_is_not_there(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit()
    await start_worker("/no/such/program")
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "CommandFailed" and "/no/such/program cannot be started" in failure["message"]


async def test_a_program_killed_by_a_signal(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit()
    await start_worker("sh", "-c", "kill -9 $$")
    assert "was killed by signal 9" in (await operator.until(uid))[-1].body["error"]


async def test_unknown_config(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit(config={"colour": "red"})
    await start_worker("cat")
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "InvalidConfig" and "colour" in failure["message"]


async def test_run_timeout(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit(run_timeout_seconds=5)
    await start_worker("sh", "-c", "echo begun; sleep 30")
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["failure"]["type"], last["output"]) == ("failed", "RunTimeout", "begun")
    await operator.queue_is_empty()


async def test_cancel(operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]) -> None:
    alive = marker("alive")
    # The grandchild lives as long as the marker grows.
    await start_worker("sh", "-c", f"(while :; do echo x >> {alive}; sleep 0.1; done) & sleep 30")
    uid = await operator.submit()
    await written(alive)
    answer = await operator.ask(CONTROL + uid, b'{"action":"cancel","reason":"not needed any more"}')
    assert answer == {"worker": "worker-1", "accepted": True}
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["status"]) == ("cancelled", "cancelled")
    assert last["failure"] == {"type": "Cancelled", "message": "not needed any more", "retryable": False}
    await operator.queue_is_empty()
    size = alive.stat().st_size
    await asyncio.sleep(0.5)
    assert alive.stat().st_size == size, "a grandchild outlived the cancelled run"


@pytest.mark.parametrize(
    ("order", "event", "failure"),
    [
        ({"type": "Suspended", "reason": "spec.suspend"}, "cancelled", ("Suspended", "spec.suspend", False)),
        ({"type": "TaskDeleted"}, "cancelled", ("TaskDeleted", "it was asked for", False)),
        ({"type": "RunTimeout", "reason": "too long"}, "failed", ("RunTimeout", "too long", True)),
        ({"type": "PoolDeleted", "reason": "gone"}, "failed", ("PoolDeleted", "gone", False)),
    ],
)
async def test_who_stops_a_run_tells_why(
    operator: Operator,
    start_worker: StartWorker,
    marker: Callable[[str], Path],
    order: dict[str, str],
    event: str,
    failure: tuple[str, str, bool],
) -> None:
    said = marker("said")
    await start_worker("sh", "-c", f"echo half of it; echo > {said}; sleep 30")
    uid = await operator.submit(spent={"tokens_in": 7, "tokens_out": 3, "cost_usd": "0.5"})
    await written(said)
    assert (await operator.ask(CONTROL + uid, json.dumps({"action": "cancel"} | order).encode()))["accepted"]
    last = (await operator.until(uid))[-1].body
    assert last["event"] == last["status"] == event
    assert tuple(last["failure"].values()) == failure and last["error"] == failure[1]
    # It is all that will ever be known of the run.
    assert last["output"] == "half of it" and last["usage"]["cost_usd"] == "0.5"
    await operator.queue_is_empty()


async def test_an_unknown_order_is_not_accepted(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "sleep 1")
    uid = await operator.submit()
    await operator.until(uid, "running")
    late = b'{"action":"cancel","attempt":2}'
    for order in (
        late,
        b'{"action":"dance"}',
        b"",
        b'{"action":["cancel"]}',
        b'{"action":"cancel","type":"not a type"}',
    ):
        assert (await operator.ask(CONTROL + uid, order))["accepted"] is False
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def test_a_grandchild_has_its_grace_too(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    """The first process ends at once, what it started needs a second to put things in order."""
    begun, tidied = marker("begun"), marker("tidied")
    tidy = f"trap 'sleep 1; echo > {tidied}; exit' TERM; echo > {begun}; while :; do sleep 0.1; done"
    await start_worker("sh", "-c", f'sh -c "{tidy}" & exec sleep 30')
    uid = await operator.submit()
    await written(begun)
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    assert (await operator.until(uid))[-1].body["event"] == "cancelled"
    assert tidied.exists()


async def test_a_program_that_ignores_sigterm_is_killed(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    alive = marker("alive")
    stubborn = f"trap '' TERM; while :; do echo x >> {alive}; sleep 0.1; done"
    # Grandchild and first process alike.
    await start_worker("sh", "-c", f"({stubborn}) & {stubborn}")
    uid = await operator.submit()
    await written(alive)
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    # SIGKILL comes ten seconds after SIGTERM.
    assert (await operator.until(uid))[-1].body["event"] == "cancelled"
    size = alive.stat().st_size
    await asyncio.sleep(0.5)
    assert alive.stat().st_size == size
