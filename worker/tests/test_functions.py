"""Backends that are functions, in a real worker."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from conftest import ACK_WAIT, StartWorker, count, written
from harness.operator import CONTROL, STREAM, Operator, kinds
from harness.worker_process import WorkerProcess

MODULE = str(Path(__file__).parent / "harness" / "functions.py")
# The grace of a run, and the time that what outlives it may hold a slot.
SHORT = """
from codeforge_worker.sdk import function_backend
function_backend.FunctionBackend.__init__.__kwdefaults__["grace_seconds"] = 0.5
"""
SHORT_SLOT = f"{SHORT}\nfrom codeforge_worker import in_hand; in_hand.STUCK_SECONDS = 0.5"
SLOW_PROGRESS = """
import asyncio
from codeforge_worker.broker import Broker
append = Broker.append
async def slow(self, task_id, body, headers, expected):
    written = await append(self, task_id, body, headers, expected)
    if b'"event":"progress"' in body:
        await asyncio.sleep(0.5)
    return written
Broker.append = slow
"""
StartFunction = Callable[..., Awaitable[WorkerProcess]]


@pytest.fixture
def start_function(start_worker: StartWorker, tmp_path: Path) -> StartFunction:
    async def start(name: str, *, change: str = "", worker: str = "worker-1", **settings: str) -> WorkerProcess:
        settings = {"CODEFORGE_BACKEND": name, "CODEFORGE_MODULE": MODULE, "MARKERS": str(tmp_path)} | settings
        return await start_worker(name=worker, change=change, **settings)

    return start


async def test_what_a_function_is_told_and_tells(operator: Operator, start_function: StartFunction) -> None:
    await start_function("teller", CODEFORGE_MODEL="m-1")
    uid = await operator.submit("what is asked")
    events = await operator.until(uid)
    last = events[-1].body
    assert (last["event"], last["output"]) == ("completed", "m-1: what is asked")
    assert last["result"]["summary"] == "told all"
    assert last["usage"] == {"tokens_in": 1201, "tokens_out": 80, "cost_usd": "0.25", "unmetered_calls": 0}
    # Cumulative: the last event tells also what was said before.
    assert last["progress"] == "step 0"
    await operator.queue_is_empty()


async def test_a_function_that_blocks_for_long_is_delivered_once(
    operator: Operator, start_function: StartFunction, tmp_path: Path
) -> None:
    await start_function("sleeper")
    await start_function("sleeper", worker="worker-2")
    uid = await operator.submit(str(3 * ACK_WAIT))
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    await operator.queue_is_empty()
    assert count(tmp_path / "begun") == 1
    # Not even handed out a second time, to a worker that would find it held.
    delivered = (await operator.js.consumer_info(STREAM, "workers")).delivered
    assert delivered and delivered.consumer_seq == 1


async def test_progress_is_told_while_it_runs(operator: Operator, start_function: StartFunction) -> None:
    await start_function("stepper")
    uid = await operator.submit()
    events = await operator.until(uid, "progress")
    assert "progress" not in events[0].body and events[-1].body["progress"] == "half of it"
    assert kinds(await operator.until(uid)) == ["running", "progress", "completed"]


async def test_an_end_while_progress_is_being_written(operator: Operator, start_function: StartFunction) -> None:
    """What is half written must not be given up: it would be taken for another holder's."""
    worker = await start_function("teller", change=SLOW_PROGRESS)
    uid = await operator.submit()
    assert kinds(await operator.until(uid)) == ["running", "progress", "completed"]
    assert "not ours any more" not in worker.log()


async def test_a_loop_of_progress_and_lines_floods_nothing(operator: Operator, start_function: StartFunction) -> None:
    await start_function("teller")
    begun = time.monotonic()
    uid = await operator.submit(config={"times": "5000"})
    events = await operator.until(uid)
    # The first word at once, then one in two seconds.
    assert len(events) <= 3 + (time.monotonic() - begun) / 2, kinds(events)
    assert events[-1].body["progress"] == "step 4999"
    await operator.queue_is_empty()


@pytest.mark.parametrize(
    ("how", "failure"),
    [
        ("retry", ("RateLimited", "the model is busy", True)),
        ("later", ("RateLimited", "the model is busy", True, 7)),
        ("fatal", ("AgentFailed", "there is no such branch", False)),
        ("raise", ("LookupError", "backend failing raised LookupError: no such thing", True)),
        ("exit", ("SystemExit", "backend failing raised SystemExit: 3", True)),
    ],
)
async def test_failures(
    operator: Operator, start_function: StartFunction, how: str, failure: tuple[object, ...]
) -> None:
    worker = await start_function("failing")
    uid = await operator.submit(config={"how": how})
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "failed" and tuple(last["failure"].values()) == failure
    assert (f"[{uid}] Traceback" in worker.log()) == (how in ("raise", "exit"))
    # The worker itself goes on.
    assert (await operator.until(await operator.submit(config={"how": "fatal"})))[-1].body["event"] == "failed"


@pytest.mark.parametrize("name", ["polite", "waiter"])
async def test_a_function_that_listens_is_cancelled_at_once(
    operator: Operator, start_function: StartFunction, tmp_path: Path, name: str
) -> None:
    await start_function(name)
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.until_taken()
    assert (await operator.ask(CONTROL + uid, b'{"action":"cancel"}'))["accepted"]
    assert kinds(await operator.until(uid)) == ["running", "cancelled"]
    assert (tmp_path / "tidied").exists()


async def test_a_function_that_does_not_listen_is_reported_and_keeps_its_slot(
    operator: Operator, start_function: StartFunction, tmp_path: Path
) -> None:
    worker = await start_function("sleeper", change=SHORT)
    uid = await operator.submit("10", run_timeout_seconds=1)
    await written(tmp_path / "begun")
    begun = time.monotonic()
    waiting = await operator.submit("0")
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "RunTimeout"
    assert not await operator.events(waiting), "the slot was given to another while the function went on"
    assert (await operator.look())["idle"] is False
    assert (await operator.until(waiting))[-1].body["event"] == "completed"
    assert time.monotonic() - begun > 7 and count(tmp_path / "ended") == 2
    await operator.queue_is_empty()
    await operator.until_idle()
    assert not list(worker.workspace.iterdir())


async def test_a_function_that_never_ends_ends_its_worker(operator: Operator, start_function: StartFunction) -> None:
    worker = await start_function("sleeper", change=SHORT_SLOT)
    uid = await operator.submit("60", run_timeout_seconds=1)
    assert await worker.end() == 1
    assert kinds(await operator.events(uid)) == ["running", "failed"]
    assert "a function outlived its run" in worker.log()


@pytest.mark.parametrize("name", ["sleeper", "offloader"])
async def test_a_worker_that_has_to_stop_waits_for_no_thread(
    operator: Operator, start_function: StartFunction, name: str
) -> None:
    worker = await start_function(name, change=SHORT, CODEFORGE_GRACE_SECONDS="0.5")
    uid = await operator.submit("60")
    await operator.until(uid, "running")
    await asyncio.sleep(0.3)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "released"]


async def test_an_async_function_that_blocks_is_named(operator: Operator, start_function: StartFunction) -> None:
    worker = await start_function("blocker")
    await operator.until(await operator.submit())
    assert re.search(r"backend blocker kept the event loop from running for [2-9]\.\d s", worker.log())


async def test_config_that_the_function_does_not_know(operator: Operator, start_function: StartFunction) -> None:
    await start_function("teller")
    failure = (await operator.until(await operator.submit(config={"colour": "red"})))[-1].body["failure"]
    assert (failure["type"], failure["retryable"]) == ("InvalidConfig", False)
    assert "does not know config colour; it knows: times" in failure["message"]
