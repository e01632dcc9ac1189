"""Runs that fail, are cancelled, or take too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from conftest import StartWorker
from harness.operator import Operator, kinds


async def test_exit_code(operator: Operator, start_worker: StartWorker) -> None:
    uid = await operator.submit()
    await start_worker("sh", "-c", "echo some output; echo no such file >&2; exit 3")
    events = await operator.until(uid)
    assert kinds(events) == ["running", "failed"]
    last = events[-1].body
    assert last["failure"] == {
        "type": "CommandFailed",
        "message": "sh exited with code 3; its last line: no such file",
        "retryable": False,
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
    uid = await operator.submit(run_timeout_seconds=1)
    await start_worker("sh", "-c", "echo begun; sleep 30")
    last = (await operator.until(uid, seconds=5))[-1].body
    assert (last["event"], last["failure"]["type"], last["output"]) == ("failed", "RunTimeout", "begun")
    await operator.queue_is_empty()


async def test_cancel(operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]) -> None:
    alive = marker("alive")
    # The grandchild lives as long as the marker grows.
    await start_worker("sh", "-c", f"(while :; do echo x >> {alive}; sleep 0.1; done) & sleep 30")
    uid = await operator.submit()
    await operator.until(uid, "running")
    answer = await operator.ask(f"control.{uid}", b'{"action":"cancel","reason":"not needed any more"}')
    assert answer == {"worker": "worker-1", "accepted": True}
    last = (await operator.until(uid, seconds=5))[-1].body
    assert (last["event"], last["status"]) == ("cancelled", "cancelled")
    assert last["failure"] == {"type": "Cancelled", "message": "not needed any more", "retryable": False}
    await operator.queue_is_empty()
    size = alive.stat().st_size
    await asyncio.sleep(0.5)
    assert alive.stat().st_size == size, "a grandchild outlived the cancelled run"


async def test_an_unknown_order_is_not_accepted(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "sleep 1")
    uid = await operator.submit()
    await operator.until(uid, "running")
    for order in (b'{"action":"dance"}', b"", b'{"action":["cancel"]}'):
        assert (await operator.ask(f"control.{uid}", order))["accepted"] is False
    assert kinds(await operator.until(uid)) == ["running", "completed"]


async def test_a_program_that_ignores_sigterm_is_killed(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.ask(f"control.{uid}", b'{"action":"cancel"}')
    # SIGKILL comes ten seconds after SIGTERM.
    assert (await operator.until(uid, seconds=14))[-1].body["event"] == "cancelled"
