"""A task's repository: cloned, committed, pushed, found again; with a password and without."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count
from harness.git_server import GitServer, git
from harness.operator import Operator

EDIT = ("sh", "-c", "cat > file.txt; echo new > 'a new file'")


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[GitServer]:
    server = GitServer(tmp_path)
    await server.start(password="s3cret word")
    yield server
    await server.stop()


def _workspace(url: str, *, ref: str = "", branch: str = "") -> dict[str, Any]:
    return {"git": {"url": url, "ref": ref} | ({"push": {"branch": branch}} if branch else {})}


def _credentials(tmp_path: Path, prefix: str, password: str) -> str:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("agent")
    (secret / "password").write_text(password)
    return json.dumps([{"url": "http://elsewhere/", "path": "/none"}, {"url": prefix, "path": str(secret)}])


async def test_commits_and_pushes(operator: Operator, start_worker: StartWorker, repository: GitServer) -> None:
    base = repository.commit("main")
    uid = await operator.submit("edited", title="Edit it", workspace=_workspace(repository.url, branch="codeforge/t"))
    await start_worker(*EDIT)
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    commit = repository.commit("codeforge/t")
    assert last["result"]["git"] == {
        "base_commit": base, "branch": "codeforge/t", "commit": commit, "pushed": True,
    }  # fmt: skip
    assert last["files"] == ["a new file", "file.txt"] and last["result"]["files_total"] == 2
    assert repository.content(commit, "file.txt") == "edited"
    assert repository.commit(f"{commit}^") == base == repository.commit("main")
    assert repository.show("%s", commit) == "Edit it"
    trailers = repository.show("%(trailers:only,unfold)", commit).splitlines()
    assert trailers == [f"Codeforge-Task: {uid}", "Codeforge-Attempt: 1"]


async def test_a_push_takes_few_starts_of_git(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    """Each is a process, and most wait for the one before: they were most of a short task's time."""
    told, shim = tmp_path / "told", tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho >>{told}\nexec {shutil.which("git")} "$@"\n')
    shim.chmod(0o755)
    path = f"{shim.parent}:{os.environ['PATH']}"
    # Within walls the shim could not tell.
    await start_worker("sh", "-c", "echo changed >file.txt", PATH=path, CODEFORGE_ISOLATION="Off")
    uid = await operator.submit(workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    assert (await operator.until(uid))[-1].body["result"]["git"]["pushed"]
    assert count(told) <= 14


async def test_an_agent_that_spoils_its_objects_spoils_its_own(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    spoil = 'find .git/objects -type f | while read -r file; do chmod u+w "$file"; echo >"$file"; done'
    await start_worker("sh", "-c", f"{spoil}; echo changed >file.txt")
    uid = await operator.submit(workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert repository.content("b", "file.txt") == "changed"


async def test_without_push_nothing_leaves(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    uid = await operator.submit("edited", workspace=_workspace(repository.url))
    await start_worker(*EDIT)
    found = (await operator.until(uid))[-1].body["result"]["git"]
    assert found["base_commit"] == repository.commit("main") != found["commit"] and not found.get("pushed")
    assert repository.branches() == ["main"]


async def test_no_change_no_commit(operator: Operator, start_worker: StartWorker, repository: GitServer) -> None:
    uid = await operator.submit(workspace=_workspace(repository.url, branch="b"))
    await start_worker("true")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["result"]["git"] == {"base_commit": repository.commit("main")}
    assert repository.branches() == ["main"]


@pytest.mark.parametrize(("ref", "content"), [("v1", "one"), ("main", "two"), ("", "two"), ("%s", "one")])
async def test_refs(
    operator: Operator, start_worker: StartWorker, repository: GitServer, ref: str, content: str
) -> None:
    commit = repository.commit("v1")
    wanted = [commit, commit[:10]] if ref == "%s" else [ref]
    await start_worker("cat", "file.txt")
    for name in wanted:
        uid = await operator.submit(workspace=_workspace(repository.url, ref=name))
        last = (await operator.until(uid))[-1].body
        assert last["output"] == content, last["error"]


async def test_an_agents_own_commit_gets_the_trailers(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    uid = await operator.submit(workspace=_workspace(repository.url, branch="own"))
    commit = "git -c user.name=A -c user.email=a@localhost commit -qam mine"
    await start_worker("sh", "-c", f"echo x > file.txt; {commit}")
    assert (await operator.until(uid))[-1].body["event"] == "completed"
    assert repository.show("%s %an", "own") == "mine A"
    assert f"Codeforge-Task: {uid}" in repository.show("%(trailers:only)", "own")


@pytest.mark.parametrize("script", ["true", "echo more > more.txt"])
async def test_an_earlier_attempts_branch_is_continued(
    operator: Operator, start_worker: StartWorker, repository: GitServer, script: str
) -> None:
    uid = await operator.submit(attempt=2, workspace=_workspace(repository.url, branch="codeforge/t"))
    earlier = repository.push("codeforge/t", uid, 1)
    await start_worker("sh", "-c", f"grep -q earlier file.txt && {script}")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    head = repository.commit("codeforge/t")
    assert last["result"]["git"]["commit"] == head
    assert (head if script == "true" else repository.commit(f"{head}^")) == earlier


async def test_somebody_elses_branch_is_not_overwritten(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    theirs = repository.push("theirs", "another-task", 1)
    uid = await operator.submit("x", workspace=_workspace(repository.url, branch="theirs"))
    await start_worker(*EDIT)
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitPushFailed" and "branch theirs cannot be pushed" in failure["message"]
    assert repository.commit("theirs") == theirs


async def test_a_push_whose_answer_is_lost_counts(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    repository.hook("post-receive", "kill -9 $PPID\n")
    uid = await operator.submit("x", workspace=_workspace(repository.url, branch="codeforge/t"))
    await start_worker(*EDIT)
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["result"]["git"]["commit"] == repository.commit("codeforge/t")


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("%s", "no-such-branch"),
        ("%sno-such", ""),
        ("file:///etc", ""),
        ("ext::sh -c true", ""),
        ("/etc", ""),
        ("--upload-pack=true", ""),
        ("%s", "--upload-pack=true"),
    ],
)
async def test_clone_failure(
    operator: Operator, start_worker: StartWorker, repository: GitServer, url: str, ref: str
) -> None:
    uid = await operator.submit(workspace=_workspace(url.replace("%s", repository.url), ref=ref))
    await start_worker("true")
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitCloneFailed", failure


async def test_a_password_opens(
    operator: Operator, start_worker: StartWorker, guarded: GitServer, tmp_path: Path
) -> None:
    uid = await operator.submit("edited", workspace=_workspace(guarded.url, branch="b"))
    await start_worker(*EDIT, CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, guarded.prefix, "s3cret word"))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert guarded.content("b", "file.txt") == "edited"


async def test_no_password(operator: Operator, start_worker: StartWorker, guarded: GitServer) -> None:
    uid = await operator.submit(workspace=_workspace(guarded.url))
    await start_worker("true")
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "CredentialsMissing" and "git.credentials" in failure["message"]
    assert failure["retryable"] is False


async def test_a_wrong_password(
    operator: Operator, start_worker: StartWorker, guarded: GitServer, tmp_path: Path
) -> None:
    uid = await operator.submit(workspace=_workspace(guarded.url))
    await start_worker("true", CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, guarded.prefix, "wrong"))
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitCloneFailed" and "Authentication failed" in failure["message"]
    assert failure["retryable"] is False


async def test_what_the_repository_says_runs_nothing_and_its_links_are_not_followed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    """Hooks, filters and links come with a repository, or with what an agent left: only a setting could run them."""
    outside, executed = tmp_path / "outside", tmp_path / "executed"
    outside.mkdir()
    (outside / "secret").write_text("not for the repository")
    clone = tmp_path / "hostile"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    (clone / "link").symlink_to(outside)
    (clone / ".gitattributes").write_text("* filter=evil diff=evil merge=evil textconv=evil\n")
    (clone / ".gitconfig").write_text(f'[filter "evil"]\n\tclean = touch {executed}\n\tsmudge = touch {executed}\n')
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Hostile")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    hook = f"printf '#!/bin/sh\\ntouch {executed}\\n' | tee .git/hooks/pre-commit .git/hooks/pre-push > /dev/null"
    await start_worker("sh", "-c", f"echo x > new; {hook}; chmod +x .git/hooks/pre-*")
    uid = await operator.submit(workspace=_workspace(repository.url, branch="b"))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["files"] == ["new"], last["error"]
    assert not executed.exists() and repository.content("b", "link") == str(outside)


@pytest.mark.parametrize(("depth", "commits"), [(0, "1"), (2, "2")])
async def test_depth(
    operator: Operator, start_worker: StartWorker, repository: GitServer, depth: int, commits: str
) -> None:
    await start_worker("git", "rev-list", "--count", "HEAD")
    git_of = _workspace(repository.url)["git"] | ({"depth": depth} if depth else {})
    uid = await operator.submit(workspace={"git": git_of})
    last = (await operator.until(uid))[-1].body
    assert last["output"] == commits, last["error"]
