"""A task's branch when it is delivered again, or tried again: continued, replaced, or already the outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count, written
from harness.git_server import GitServer, git
from harness.operator import SUBJECT, Operator, kinds
from harness.patience import PATIENCE

MODES = ["AtLeastOnce", "AtMostOnce", "ResetThenRetry"]
BRANCH = "codeforge/t"


def _workspace(repository: GitServer, *, ref: str = "", branch: str = BRANCH) -> dict[str, Any]:
    return {"git": {"url": repository.url, "ref": ref, "push": {"branch": branch}}}


@pytest.mark.parametrize("mode", MODES)
async def test_a_push_done_before_the_crash_is_reported_and_not_run_again(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    mode: str,
) -> None:
    """Killed after the server has taken the commit, and before the event."""
    runs = marker("runs")
    pushed = repository.after_each_push()
    worker = await start_worker("sh", "-c", f"echo ran >> {runs}; echo edited > file.txt")
    # The last delivery that is allowed: it is reported all the same.
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode=mode, max_deliveries=1)
    await written(pushed)
    await worker.kill()
    repository.let_pushes_end()
    await start_worker("sh", "-c", f"echo ran >> {runs}; echo again > file.txt", name="worker-2")
    events = await operator.until(uid)
    last = events[-1].body
    assert (kinds(events), last["delivery"], last.get("failure")) == (
        ["running", "completed"], 1, None,
    )  # fmt: skip
    assert last["result"]["git"] == {
        "base_commit": repository.commit("main"), "branch": BRANCH, "commit": repository.commit(BRANCH), "pushed": True,
    }  # fmt: skip
    assert last["files"] == ["file.txt"] and repository.content(BRANCH, "file.txt") == "edited"
    await operator.queue_is_empty()
    assert count(runs) == 1 and not await operator.dead_letters()


@pytest.mark.parametrize("mode", ["AtLeastOnce", "ResetThenRetry"])
async def test_a_push_done_before_the_crash_of_a_delivery_that_is_not_the_last(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], mode: str
) -> None:
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode=mode)
    commit = repository.push(BRANCH, uid, 1)
    await operator.write_event(uid, "running", worker="lost")
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}; echo again > file.txt")
    last = (await operator.until(uid, "completed"))[-1].body
    assert last["delivery"] == 2 and last["result"]["git"]["commit"] == commit == repository.commit(BRANCH)
    assert not count(marker("runs"))


DIFF = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b"
# Title, prompt, and the message of the agent's own commit.
SAID = {
    "a divider for a title": ("---", "work", ""),
    "no title, and a heading": ("", "# Heading\nDo it", ""),
    "no title, and a diff": ("", DIFF, ""),
    "a title like trailers": ("Fixes: #12", "work", ""),
    "indented lines at the end of the agent's message": ("A title", "work", "Fix\n\nSee:\n\n    code"),
    "git's cut line for a title": ("# ------------------------ >8 ------------------------", "work", ""),
    "a divider in the agent's message": ("A title", "work", f"Fix\n\n---\n\n{DIFF}"),
}


@pytest.mark.parametrize(("title", "prompt", "message"), SAID.values(), ids=SAID)
async def test_a_push_done_before_the_crash_is_found_again_whatever_was_said(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    title: str,
    prompt: str,
    message: str,
) -> None:
    runs = marker("runs")
    pushed = repository.after_each_push()
    commit = 'test -z "$MESSAGE" || git -c user.name=A -c user.email=a@localhost commit -qam "$MESSAGE"'
    script = f"echo ran >>{runs}; echo edited >file.txt; {commit}"
    worker = await start_worker("sh", "-c", script, MESSAGE=message)
    uid = await operator.submit(prompt, title=title, workspace=_workspace(repository))
    await written(pushed)
    await worker.kill()
    repository.let_pushes_end()
    await start_worker("sh", "-c", f"echo ran >>{runs}; echo again >file.txt", name="worker-2")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["result"]["git"]["commit"] == repository.commit(BRANCH) and last["files"] == ["file.txt"]
    assert count(runs) == 1 and repository.content(BRANCH, "file.txt") == "edited"


AGENTS_PUSH = (
    "git -c user.name=A -c user.email=a@localhost commit -qam mine --allow-empty; "
    f"git push -q origin HEAD:refs/heads/{BRANCH}"
)


@pytest.mark.parametrize("again", ["the same", "more", "nothing"])
@pytest.mark.parametrize(("mode", "attempt"), [("AtLeastOnce", 1), ("AtLeastOnce", 2), ("ResetThenRetry", 1)])
async def test_what_an_agent_had_pushed_before_the_crash_is_the_tasks_own(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    mode: str,
    attempt: int,
    again: str,
) -> None:
    """Killed between the agent's push and the worker's, or failed after it and tried again."""
    pushed = marker("pushed")
    end = "sleep 60" if attempt == 1 else "exit 1"
    worker = await start_worker(
        "sh", "-c", f"echo first >file.txt; {AGENTS_PUSH}; echo >{pushed}; {end}", CODEFORGE_ISOLATION="Off"
    )
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode=mode)
    await written(pushed)
    if attempt == 2:
        await operator.until(uid)
    await worker.kill()
    assert repository.show("%an %s", BRANCH) == "A mine"
    if attempt == 2:
        await operator.submit(uid=uid, attempt=2, workspace=_workspace(repository), delivery_mode=mode)
    script = {"the same": f"echo first >file.txt; {AGENTS_PUSH}", "more": "echo more >more.txt", "nothing": "true"}[
        again
    ]
    await start_worker("sh", "-c", f"{script}; exit 0", name="worker-2", CODEFORGE_ISOLATION="Off")
    last = (await operator.until(uid, "completed"))[-1].body
    result = last["result"]["git"]
    assert result["base_commit"] == repository.commit("main"), last
    if again == "nothing" and mode == "ResetThenRetry":
        assert not result.get("commit") and not last["files"]
        return
    assert result["commit"] == repository.commit(BRANCH) and result["pushed"]
    assert f"Codeforge-Task: {uid}" in repository.show("%(trailers:only,unfold)", BRANCH).split("\n")
    first = [] if again == "more" and mode == "ResetThenRetry" else ["file.txt"]
    assert last["files"] == [*first, *(["more.txt"] if again == "more" else [])]


async def test_what_somebody_has_put_above_an_agents_push_is_not_the_tasks(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    await start_worker("sh", "-c", f"echo first >file.txt; {AGENTS_PUSH}; exit 1", CODEFORGE_ISOLATION="Off")
    uid = await operator.submit(workspace=_workspace(repository))
    await operator.until(uid)
    clone = tmp_path / "theirs"
    git(tmp_path, "clone", "--quiet", "--branch", BRANCH, str(repository.bare), str(clone))
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Theirs")
    git(clone, "push", "--quiet", "origin", BRANCH)
    await operator.submit(uid=uid, attempt=2, workspace=_workspace(repository))
    async with asyncio.timeout(PATIENCE):
        while (last := (await operator.until(uid))[-1].body)["attempt"] != 2:
            await asyncio.sleep(0.05)
    assert last["failure"]["type"] == "GitPushFailed" and "taken" in last["failure"]["message"]
    assert repository.show("%s", BRANCH) == "Theirs"


async def test_at_most_once_without_a_push_the_branch_is_not_touched(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode="AtMostOnce")
    await operator.write_event(uid, "running", worker="lost")
    await start_worker("sh", "-c", f"echo ran >> {marker('runs')}; echo again > file.txt")
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "MayHaveRun"
    assert repository.branches() == ["main"] and not count(marker("runs"))


async def test_reset_then_retry_begins_at_the_ref_and_replaces_its_own_branch(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    uid = await operator.submit("new", attempt=2, workspace=_workspace(repository), delivery_mode="ResetThenRetry")
    earlier = repository.push(BRANCH, uid, 1)
    await start_worker("sh", "-c", "grep -qx two file.txt && cat > new.txt")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    head = repository.commit(BRANCH)
    assert last["result"]["git"]["commit"] == head != earlier and last["files"] == ["new.txt"]
    assert repository.commit(f"{head}^") == repository.commit("main"), "the earlier commit is still beneath"
    assert repository.content(head, "file.txt") == "two"


@pytest.mark.parametrize("own", [True, False])
async def test_reset_then_retry_respects_its_lease(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], own: bool
) -> None:
    """Somebody pushes to the branch while the agent works: theirs stays, with and without an earlier commit of ours."""
    begun, go = marker("begun"), marker("go")
    uid = await operator.submit(attempt=2, workspace=_workspace(repository), delivery_mode="ResetThenRetry")
    if own:
        repository.push(BRANCH, uid, 1)
    script = f"echo > {begun}; while ! [ -e {go} ]; do sleep 0.1; done; echo new > new.txt"
    await start_worker("sh", "-c", script)
    await written(begun)
    theirs = repository.push(BRANCH, "", 0)
    go.touch()
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitPushFailed" and not failure["retryable"], failure
    assert repository.commit(BRANCH) == theirs


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("another", ["", "another-task", "%s-longer"])
async def test_a_strangers_head_is_not_overwritten(
    operator: Operator, start_worker: StartWorker, repository: GitServer, mode: str, another: str
) -> None:
    uid = await operator.submit(attempt=2, workspace=_workspace(repository), delivery_mode=mode)
    # An id that begins like ours is a stranger's too.
    theirs = repository.push(BRANCH, another.replace("%s", uid), 2)
    await start_worker("sh", "-c", "echo ran; echo new > new.txt")
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "GitPushFailed" and not last["failure"]["retryable"], last
    assert BRANCH in last["failure"]["message"] and not last["output"], "the agent was paid for"
    assert repository.commit(BRANCH) == theirs


@pytest.mark.parametrize(("mode", "found"), [("AtLeastOnce", "earlier"), ("ResetThenRetry", "two")])
async def test_a_task_that_pushes_to_the_branch_it_starts_from(
    operator: Operator, start_worker: StartWorker, repository: GitServer, mode: str, found: str
) -> None:
    uid = await operator.submit(
        attempt=2, workspace=_workspace(repository, ref="work", branch="work"), delivery_mode=mode
    )
    base = repository.commit("main")
    repository.push("work", uid, 1)
    await start_worker("sh", "-c", f"grep -qx {found} file.txt && echo new > new.txt")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["result"]["git"]["base_commit"] == base and repository.content("work", "new.txt") == "new"
    assert repository.content("work", "file.txt") == found


async def test_from_outside_the_same_id_again_is_no_push_that_was_done(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    """Both messages say attempt 1: which one a commit is of, stream and sequence tell."""
    runs = marker("runs")
    body = json.dumps({"task_id": "nightly", "prompt": "p", "workspace": _workspace(repository)}).encode()
    await start_worker("sh", "-c", f"echo ran >> {runs}; wc -l < {runs} > file.txt")
    for number in (1, 2):
        await operator.js.publish(SUBJECT, body)
        await operator.queue_is_empty()
        last = (await operator.until("nightly"))[-1].body
        assert (last["event"], last["sequence"], count(runs)) == ("completed", number, number), last["error"]
        assert repository.content(BRANCH, "file.txt") == str(number)
