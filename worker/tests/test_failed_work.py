"""`push.on_failure`: what a failed run has done is pushed to a branch of its own, and is never taken for a success."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count, written
from harness.asking_agent import PROGRAM, calls
from harness.git_server import GitServer
from harness.llm_server import LlmServer
from harness.operator import CONTROL, SUBJECT, Operator, kinds

from codeforge_worker import wire
from codeforge_worker.failed_work import failure_in, not_pushed, trailers_of

BRANCH = "codeforge/t"
FAILED = f"{BRANCH}-failed-1"
AS_AGENT = "git -c user.name=A -c user.email=a@localhost"


def _workspace(repository: GitServer) -> dict[str, Any]:
    return {"git": {"url": repository.url, "push": {"branch": BRANCH, "on_failure": "Push"}}}


def _trailers(repository: GitServer, branch: str) -> list[str]:
    return repository.show("%(trailers:only,unfold)", branch).splitlines()


def _is_kept(last: dict[str, Any], repository: GitServer, uid: str, type: str, branch: str = FAILED) -> None:
    """The end names the branch, which has the work and says whose failure it is; the push branch has nothing."""
    assert (last["event"] != "completed", last["failure"]["type"]) == (True, type), last
    assert last["result"]["git"] == {
        "base_commit": repository.commit("main"), "branch": branch, "commit": repository.commit(branch), "pushed": True,
    }  # fmt: skip
    assert last["files"] == ["file.txt", "new.txt"] and repository.content(branch, "new.txt") == "new"
    retryable = f"Codeforge-Retryable: {json.dumps(last['failure']['retryable'])}"
    assert {f"Codeforge-Task: {uid}", f"Codeforge-Failure: {type}", retryable} <= set(_trailers(repository, branch))
    assert BRANCH not in repository.branches()
    assert "changes.patch" in [artifact["name"] for artifact in last["result"]["artifacts"]]


@pytest.mark.parametrize(
    ("end", "type"), [("failure", "CommandFailed"), ("time-out", "RunTimeout"), ("cancel", "Cancelled")]
)
async def test_the_work_of_a_failed_run_is_on_a_branch_of_its_own(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    end: str,
    type: str,
) -> None:
    worked = marker("worked")
    rest = "exit 1" if end == "failure" else "sleep 60"
    await start_worker("sh", "-c", f"echo work >file.txt; echo new >new.txt; echo >{worked}; {rest}")
    seconds = 10 if end == "time-out" else 600
    uid = await operator.submit(workspace=_workspace(repository), run_timeout_seconds=seconds)
    await written(worked)
    if end == "cancel":
        await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    _is_kept((await operator.until(uid))[-1].body, repository, uid, type)


async def test_the_work_of_a_run_over_its_budget_is_on_that_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, llm: LlmServer
) -> None:
    await start_worker(*PROGRAM, OPENAI_API_BASE=llm.url, OPENAI_API_KEY="k")
    work = calls(2, "sleep 60")
    uid = await operator.submit(work, budget={"max_tokens": 120}, workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "BudgetExceeded" and last["result"]["git"]["branch"] == FAILED
    assert "answer-0" in last["files"]
    assert BRANCH not in repository.branches() and "Codeforge-Failure: BudgetExceeded" in _trailers(repository, FAILED)


async def test_the_work_of_a_run_that_is_not_begun_again_is_on_that_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    worked = marker("worked")
    script = f"echo work >file.txt; echo new >new.txt; echo >{worked}; sleep 60"
    worker = await start_worker("sh", "-c", script, CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode="AtMostOnce")
    await written(worked)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    _is_kept((await operator.events(uid))[-1].body, repository, uid, "MayHaveRun")


async def test_a_run_that_is_given_back_pushes_nothing(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    worked = marker("worked")
    worker = await start_worker(
        "sh", "-c", f"echo work >file.txt; echo >{worked}; sleep 60", CODEFORGE_GRACE_SECONDS="0"
    )
    uid = await operator.submit(workspace=_workspace(repository))
    await written(worked)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert kinds(await operator.events(uid)) == ["running", "released"] and repository.branches() == ["main"]


@pytest.mark.parametrize("script", ["exit 1", "echo two >file.txt; exit 1", f"{AS_AGENT} checkout -q -b x; exit 1"])
async def test_a_failed_run_without_a_change_makes_no_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, script: str
) -> None:
    await start_worker("sh", "-c", script)
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["failure"]["message"].startswith("sh exited with code 1") and "git" not in last["result"], last
    assert "not pushed" not in last["failure"]["message"] and repository.branches() == ["main"]


async def test_what_a_failed_agent_has_committed_is_pushed_as_its_own(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    forged = "Codeforge-Attempt: 7"
    commit = f"git add -A; {AS_AGENT} commit -qm 'Mine\n\n{forged}'"
    await start_worker("sh", "-c", f"echo work >file.txt; echo new >new.txt; {commit}; exit 1")
    uid = await operator.submit(workspace=_workspace(repository))
    _is_kept((await operator.until(uid))[-1].body, repository, uid, "CommandFailed")
    assert repository.show("%an %s", FAILED) == "A Mine" and forged not in _trailers(repository, FAILED)


async def test_a_branch_that_is_somebody_elses_is_left_alone(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    theirs = repository.push(FAILED, "another-task", 1)
    await start_worker("sh", "-c", "echo work >file.txt; exit 1")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    message = last["failure"]["message"]
    assert (last["event"], last["failure"]["type"]) == ("failed", "CommandFailed") and last["failure"]["retryable"]
    assert message.startswith("sh exited with code 1") and f"branch {FAILED} is taken: delete it" in message
    assert repository.commit(FAILED) == theirs and "git" not in last["result"]
    assert "changes.patch" in [artifact["name"] for artifact in last["result"]["artifacts"]]


async def test_a_push_that_is_refused_changes_no_outcome(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    repository.hook("pre-receive", "echo 'error: RULE7: changes go by a merge request only'; exit 1\n")
    await start_worker("sh", "-c", "echo work >file.txt; exit 1")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert (last["event"], last["failure"]["type"]) == ("failed", "CommandFailed") and last["failure"]["retryable"]
    assert "RULE7" in last["failure"]["message"] and repository.branches() == ["main"]
    assert "changes.patch" in [artifact["name"] for artifact in last["result"]["artifacts"]]


async def test_a_success_that_a_rule_keeps_off_its_branch_is_kept_as_a_failure(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    repository.hook("update", f'[ "$1" = refs/heads/{BRANCH} ] || exit 0; echo "error: RULE7"; exit 1\n')
    await start_worker("sh", "-c", "echo work >file.txt; echo new >new.txt")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    _is_kept(last, repository, uid, "GitPushFailed")
    assert "RULE7" in last["failure"]["message"]


async def test_a_server_that_hangs_holds_up_no_worker_that_has_to_stop(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    taken = repository.after_each_push()
    worker = await start_worker("sh", "-c", "echo work >file.txt; exit 1", CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit(workspace=_workspace(repository))
    await written(taken)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    repository.let_pushes_end()
    last = (await operator.events(uid))[-1].body
    assert (last["event"], last["failure"]["type"]) == ("failed", "CommandFailed")
    assert "not pushed: it was given up" in last["failure"]["message"]


async def test_a_retry_begins_at_the_ref_and_succeeds_on_the_push_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    script = "grep -qx two file.txt || exit 2; echo work >file.txt; read prompt; [ $prompt = again ] && exit 0; exit 1"
    await start_worker("sh", "-c", script)
    uid = await operator.submit("first\n", workspace=_workspace(repository))
    await operator.until(uid)
    failed = repository.commit(FAILED)
    await operator.submit("again\n", uid=uid, attempt=2, workspace=_workspace(repository))
    last = (await operator.until(uid, "completed"))[-1].body
    assert last["result"]["git"]["branch"] == BRANCH and repository.commit(FAILED) == failed
    assert repository.commit(f"{BRANCH}^") == repository.commit("main")
    assert not [line for line in _trailers(repository, BRANCH) if "Failure" in line or "Retryable" in line]


@pytest.mark.parametrize("mode", ["AtLeastOnce", "AtMostOnce", "ResetThenRetry"])
async def test_a_failure_that_was_pushed_before_the_crash_is_reported_and_not_paid_again(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], mode: str
) -> None:
    """Killed after the server has taken the commit, and before the event."""
    runs, taken = marker("runs"), repository.after_each_push()
    script = f"echo ran >>{runs}; echo work >file.txt; echo new >new.txt; exit 1"
    worker = await start_worker("sh", "-c", script)
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode=mode, max_deliveries=1)
    await written(taken)
    await worker.kill()
    repository.let_pushes_end()
    await start_worker("sh", "-c", f"echo ran >>{runs}; echo again >file.txt", name="worker-2")
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "CommandFailed" and last["failure"]["retryable"], last
    assert last["result"]["git"]["commit"] == repository.commit(FAILED) and last["files"] == ["file.txt", "new.txt"]
    assert count(runs) == 1 and repository.branches() == [FAILED, "main"]


async def test_from_outside_the_same_id_again_replaces_the_failure_before(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    runs = marker("runs")
    body = json.dumps({"task_id": "nightly", "prompt": "p", "workspace": _workspace(repository)}).encode()
    await start_worker("sh", "-c", f"echo ran >>{runs}; wc -l <{runs} >file.txt; exit 1")
    for number in (1, 2):
        await operator.js.publish(SUBJECT, body)
        await operator.queue_is_empty()
        last = (await operator.until("nightly"))[-1].body
        assert (last["event"], last["sequence"], count(runs)) == ("failed", number, number), last["error"]
        assert last["result"]["git"]["commit"] == repository.commit(FAILED)
        assert repository.content(FAILED, "file.txt") == str(number)


async def test_by_default_a_failed_run_leaves_its_patch_alone(
    operator: Operator, start_worker: StartWorker, repository: GitServer, llm: LlmServer
) -> None:
    await start_worker(*PROGRAM, OPENAI_API_BASE=llm.url, OPENAI_API_KEY="k")
    workspace = {"git": {"url": repository.url, "push": {"branch": BRANCH}}}
    uid = await operator.submit(calls(2, "ask", "sleep 60"), budget={"max_tokens": 120}, workspace=workspace)
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "BudgetExceeded" and repository.branches() == ["main"]
    assert "changes.patch" in [artifact["name"] for artifact in last["result"]["artifacts"]]


@pytest.mark.parametrize("retryable", [True, False])
@pytest.mark.parametrize("type", ["CommandFailed", "Flaky"])
def test_a_commit_says_whether_another_attempt_may_end_better(type: str, retryable: bool) -> None:
    found = failure_in(["Codeforge-Task: t", *trailers_of(wire.Failure(type, "m", retryable))], "told")
    assert found == wire.Failure(type, "told", retryable)
    assert failure_in([f"Codeforge-Failure: {type}"], "told") == wire.Failure(type, "told", type == "CommandFailed")
    assert failure_in(["Codeforge-Task: t"], "told") is None


def test_what_became_of_the_work_is_told_however_long_the_failure_is() -> None:
    told = not_pushed(wire.Failure("CommandFailed", "x" * 2000, True, 7), "y" * 2000)
    assert len(told.message) == wire.MESSAGE_CHARACTERS and "; what was done was not pushed: yyy" in told.message
    assert (told.type, told.retryable, told.retry_after_seconds) == ("CommandFailed", True, 7)
