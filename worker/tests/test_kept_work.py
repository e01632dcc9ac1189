"""What an agent has done is kept: however its run ended, and whatever it has made of its repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, written
from harness.git_server import GitServer, git
from harness.operator import BUCKET, CONTROL, Operator

AS_AGENT = "git -c user.name=A -c user.email=a@localhost"
BRANCH = "codeforge/t"
WITHIN = f"git init -q app && (cd app && echo code >main.py && git add -A && {AS_AGENT} commit -qm init)"
REPOSITORIES_WITHIN = {
    "with a commit": WITHIN,
    "that was committed as a link": f"{WITHIN}; git add app; {AS_AGENT} commit -qm link",
    "without a commit": "git init -q app && echo code >app/main.py",
    "that holds another": "git init -q app && echo code >app/main.py && git init -q app/in",
    "whose gitfile leads nowhere": "mkdir app; echo 'gitdir: /nowhere' >app/.git; echo code >app/main.py",
}
BROKEN = {
    "locks": "touch .git/index.lock .git/HEAD.lock .git/config.lock .git/shallow.lock",
    "no repository": "rm -rf .git",
    "a broken index": "echo x >.git/index",
    "a broken configuration": "echo '[' >.git/config",
    "a HEAD that is none": "echo x >.git/HEAD",
    "no commit": "git checkout -q --orphan new",
    "a pipe for an index": "rm .git/index; mkfifo .git/index",
    "files that git is to pass over": "git update-index --assume-unchanged file.txt; echo '*' >.git/info/exclude",
}


def _workspace(repository: GitServer) -> dict[str, Any]:
    return {"git": {"url": repository.url, "push": {"branch": BRANCH}}}


@pytest.mark.parametrize("end", ["failure", "time-out", "cancel"])
async def test_the_files_of_a_run_that_did_not_succeed_are_a_patch(
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    marker: Callable[[str], Path],
    tmp_path: Path,
    end: str,
) -> None:
    worked = marker("worked")
    rest = "exit 1" if end == "failure" else "sleep 60"
    await start_worker("sh", "-c", f"echo work >file.txt; echo new >new.txt; {WITHIN}; echo >{worked}; {rest}")
    seconds = 10 if end == "time-out" else 600
    uid = await operator.submit(workspace=_workspace(repository), run_timeout_seconds=seconds)
    await written(worked)
    if end == "cancel":
        await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    last = (await operator.until(uid))[-1].body
    assert last["event"] != "completed" and repository.branches() == ["main"]
    clone = tmp_path / "applied"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    (patch,) = [artifact for artifact in last["result"]["artifacts"] if artifact["name"] == "changes.patch"]
    bucket = await operator.js.object_store(BUCKET)
    (tmp_path / "patch").write_bytes((await bucket.get(patch["object"])).data or b"")
    git(clone, "apply", str(tmp_path / "patch"))
    found = [(clone / name).read_text() for name in ("file.txt", "new.txt", "app/main.py")]
    assert found == ["work\n", "new\n", "code\n"]


@pytest.mark.parametrize("within", REPOSITORIES_WITHIN.values(), ids=REPOSITORIES_WITHIN)
async def test_the_files_of_a_repository_within_are_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, within: str
) -> None:
    await start_worker("sh", "-c", f"echo more >file.txt; {within}")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == ["app/main.py", "file.txt"]
    assert repository.content(BRANCH, "app/main.py") == "code"


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_an_agent_has_made_of_its_repository_costs_no_work(
    operator: Operator, start_worker: StartWorker, repository: GitServer, broken: str
) -> None:
    await start_worker("sh", "-c", f"echo work >file.txt; echo new >new.txt; {broken}")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == ["file.txt", "new.txt"] and repository.content(BRANCH, "file.txt") == "work"


async def test_a_file_that_is_ignored_and_was_added_is_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    await start_worker("sh", "-c", "echo '*.log' >.gitignore; echo 1 >kept.log; git add -f kept.log; echo 2 >other.log")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    assert last["files"] == [".gitignore", "kept.log"], last


async def test_a_file_that_git_does_not_take_is_left_out_by_name(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    await start_worker("sh", "-c", "echo work >file.txt; echo x >'git~1'; echo new >new.txt")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    assert last["files"] == ["file.txt", "new.txt"], last
    assert "git~1" in last["result"]["artifacts_problem"], json.dumps(last["result"])
