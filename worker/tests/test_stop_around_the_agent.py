"""A run that is stopped before its agent begins, or after its agent has ended: nothing is paid for twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count, written
from harness.git_server import GitServer
from harness.operator import CONTROL, Operator, kinds
from test_ending import SLOW_TO_LISTEN

BRANCH = "codeforge/t"


def _workspace(repository: GitServer) -> dict[str, Any]:
    return {"git": {"url": repository.url, "push": {"branch": BRANCH}}}


def _is_done(last: dict[str, Any], repository: GitServer) -> None:
    assert (last["event"], last.get("failure")) == ("completed", None), last
    git = last["result"]["git"]
    assert (git["commit"], git["pushed"]) == (repository.commit(BRANCH), True)


@pytest.mark.parametrize("type", ["Cancelled", "Suspended", "TaskDeleted", "BudgetExceeded"])
async def test_a_stop_during_the_push_does_not_deny_what_is_on_the_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, type: str
) -> None:
    taken = repository.after_each_push()
    await start_worker("sh", "-c", "echo edited >file.txt")
    uid = await operator.submit(workspace=_workspace(repository))
    await written(taken)
    answer = await operator.ask(CONTROL + uid, f'{{"action":"cancel","type":"{type}"}}'.encode())
    assert answer["accepted"]
    repository.let_pushes_end()
    _is_done((await operator.until(uid))[-1].body, repository)


async def test_a_push_that_hangs_while_the_worker_has_to_stop_is_reported_if_it_is_on_the_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    taken = repository.after_each_push()
    worker = await start_worker("sh", "-c", "echo edited >file.txt", CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit(workspace=_workspace(repository))
    await written(taken)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    repository.let_pushes_end()
    events = await operator.events(uid)
    assert kinds(events) == ["running", "completed"]
    _is_done(events[-1].body, repository)


async def test_a_run_whose_time_ends_during_the_push_has_succeeded(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    taken = repository.after_each_push()
    await start_worker("sh", "-c", "echo edited >file.txt")
    uid = await operator.submit(workspace=_workspace(repository), run_timeout_seconds=8)
    await written(taken)
    await asyncio.sleep(8)
    repository.let_pushes_end()
    _is_done((await operator.until(uid))[-1].body, repository)


async def test_a_push_that_fails_after_the_stop_leaves_the_stop_as_the_outcome(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    asked, go = marker("asked"), marker("go")
    repository.hook("pre-receive", f"echo >{asked}\nwhile ! [ -e {go} ]; do sleep 0.1; done\nexit 1\n")
    await start_worker("sh", "-c", "echo edited >file.txt")
    uid = await operator.submit(workspace=_workspace(repository))
    await written(asked)
    await operator.ask(CONTROL + uid, b'{"action":"cancel","type":"Suspended"}')
    go.touch()
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["failure"]["type"]) == ("cancelled", "Suspended")
    assert BRANCH not in repository.branches()


@pytest.mark.parametrize(("grace", "runs"), [("3", 0), ("90", 1)])
async def test_a_worker_that_has_to_stop_begins_no_agent_that_it_would_cut(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    grace: str,
    runs: int,
) -> None:
    ran = marker("ran")
    worker = await start_worker("sh", "-c", f"echo ran >>{ran}", CODEFORGE_GRACE_SECONDS=grace)
    repository.pause()
    uid = await operator.submit(workspace={"git": {"url": repository.url}}, run_timeout_seconds=60)
    await operator.until(uid, "running")
    worker.signal(signal.SIGTERM)
    await worker.logged("told to stop")
    repository.resume()
    assert await worker.end() == 0
    assert count(ran) == runs
    assert kinds(await operator.events(uid)) == ["running", "completed" if runs else "released"]


async def test_at_most_once_that_was_not_begun_is_given_back_too(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    ran = marker("ran")
    uid = await operator.submit(delivery_mode="AtMostOnce", run_timeout_seconds=60)
    worker = await start_worker("sh", "-c", f"echo ran >>{ran}", change=SLOW_TO_LISTEN, CODEFORGE_GRACE_SECONDS="20")
    await operator.until_taken()
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert not await operator.events(uid) and not count(ran)


async def test_whoever_lost_the_task_to_another_stops_its_push(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    taken = repository.after_each_push()
    worker = await start_worker("sh", "-c", "echo edited >file.txt", CODEFORGE_ACK_WAIT_SECONDS="3")
    uid = await operator.submit(workspace=_workspace(repository))
    await written(taken)
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    await operator.write_event(uid, "released")
    await worker.logged("is not ours any more")
    repository.let_pushes_end()
    assert kinds(await operator.events(uid)) == ["running", "released"]
