"""Submodules of a task's repository: only where asked, and by the rules of the task's own URL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import BUCKET, Operator

from codeforge_worker.git import GitError
from codeforge_worker.submodules import resolved

BRANCH = "codeforge/t"
AS_AGENT = "git -c user.name=A -c user.email=a@localhost"


def _workspace(server: GitServer, **more: Any) -> dict[str, Any]:
    return {"git": {"url": server.url, "submodules": True} | more}


def _with_submodules(server: GitServer, tmp_path: Path, modules: str, paths: tuple[str, ...] = ("lib",)) -> None:
    """Main gets this .gitmodules and a link to main's first commit at each of the paths."""
    clone = tmp_path / "with-submodules"
    git(tmp_path, "clone", "--quiet", str(server.bare), str(clone))
    (clone / ".gitmodules").write_text(modules)
    git(clone, "add", ".gitmodules")
    for path in paths:
        git(clone, "update-index", "--add", "--cacheinfo", f"160000,{server.commit('v1')},{path}")
    git(clone, "commit", "--quiet", "--message", "Add submodules")
    git(clone, "push", "--quiet", "origin", "HEAD:main")


def _module(url: str, path: str = "lib", name: str = "lib", more: str = "") -> str:
    return f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'


@pytest.mark.parametrize("url", ["%s", "../demo.git", "./"])
async def test_submodules_are_there_when_asked_for(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, url: str
) -> None:
    _with_submodules(repository, tmp_path, _module(url.replace("%s", repository.url), name="a name=with/all"))
    await start_worker("sh", "-c", "set -e; cat lib/file.txt; echo more > lib/new; echo x > y")
    uid = await operator.submit(workspace=_workspace(repository, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["output"] == "one", last["error"]
    # What is left in a submodule is none of the repository's changes.
    assert last["files"] == ["y"]
    uid = await operator.submit(workspace=_workspace(repository, submodules=False))
    assert (await operator.until(uid))[-1].body["event"] == "failed"


async def _ended(operator: Operator, server: GitServer, **more: Any) -> dict[str, Any]:
    """A run that pushes."""
    uid = await operator.submit(workspace=_workspace(server, push={"branch": BRANCH}, **more))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    return last


async def _patch(operator: Operator, last: dict[str, Any]) -> bytes:
    (patch,) = [artifact for artifact in last["result"]["artifacts"] if artifact["name"] == "changes.patch"]
    bucket = await operator.js.object_store(BUCKET)
    return (await bucket.get(patch["object"])).data or b""


def _applied(server: GitServer, tmp_path: Path, patch: bytes, *options: str) -> Path:
    """A clone with the patch."""
    clone = tmp_path / "applied"
    git(tmp_path, "clone", "--quiet", "--recurse-submodules", server.url, str(clone))
    (tmp_path / "patch").write_bytes(patch)
    git(clone, "apply", *options, str(tmp_path / "patch"))
    return clone


def _link(server: GitServer, ref: str = BRANCH, path: str = "lib") -> str:
    return git(server.bare, "ls-tree", ref, path)


async def test_only_a_submodules_content_changed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    worker = await start_worker(
        "sh", "-c", "echo edited > lib/file.txt; echo more > lib/new; printf '\\0\\377' > lib/b"
    )
    last = await _ended(operator, repository)
    assert "commit" not in last["result"]["git"] and BRANCH not in repository.branches()
    said = "left out: lib: files of the submodule, which no commit of this repository can hold: changes.patch has them"
    assert said in last["result"]["artifacts_problem"] and f"artifacts: {said}" in worker.log()
    clone = _applied(repository, tmp_path, await _patch(operator, last))
    assert (clone / "lib/file.txt").read_text() == "edited\n" and (clone / "lib/new").read_text() == "more\n"
    assert (clone / "lib/b").read_bytes() == b"\0\377"


@pytest.mark.parametrize("script", ["true", "touch lib/file.txt", "git -C lib status"])
async def test_a_submodule_that_is_as_it_was_is_not_spoken_of(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, script: str
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", f"{script}; echo x > y")
    last = await _ended(operator, repository)
    assert last["files"] == ["y"] and "artifacts_problem" not in last["result"]
    assert b"lib" not in await _patch(operator, last)


@pytest.mark.parametrize("then", ["true", f"git add lib; {AS_AGENT} commit -qm bump", "echo more > lib/more"])
@pytest.mark.parametrize("beside", ["true", "echo x > y"])
async def test_a_link_to_a_commit_that_nobody_else_has_is_not_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, then: str, beside: str
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    before = _link(repository, "main")
    script = f"{beside}; cd lib; echo new > new; git add new; {AS_AGENT} commit -qm inside; cd ..; {then}"
    await start_worker("sh", "-c", script)
    last = await _ended(operator, repository)
    problem = last["result"]["artifacts_problem"]
    assert "left out: lib: commit " in problem and f"the link stays at {repository.commit('v1')[:12]}" in problem
    if beside == "true":
        assert "commit" not in last["result"]["git"] and BRANCH not in repository.branches()
    else:
        assert last["result"]["git"]["pushed"] and last["files"] == ["y"] and _link(repository) == before
    clone = _applied(repository, tmp_path, await _patch(operator, last))
    assert (clone / "lib/new").read_text() == "new\n"
    assert (clone / "lib/more").exists() == ("more" in then)


@pytest.mark.parametrize(
    "bump",
    [
        "git checkout -q origin/main",
        "git fetch -q --depth 1 origin other && git checkout -q FETCH_HEAD",
        f"echo new > new; git add new; {AS_AGENT} commit -qm inside; git push -q origin HEAD:refs/heads/theirs",
    ],
    ids=["to a branch", "to what was fetched", "to what the agent has pushed"],
)
@pytest.mark.parametrize("more", [False, True], ids=["alone", "with changed files"])
async def test_a_link_to_a_commit_that_the_submodules_server_has_is_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, bump: str, more: bool
) -> None:
    repository.push("other", "", 1)
    _with_submodules(repository, tmp_path, _module(repository.url))
    told = tmp_path / "head"
    script = f"cd lib; {bump}; git rev-parse HEAD > {told}; " + ("echo more > more" if more else "true")
    await start_worker("sh", "-c", script, CODEFORGE_ISOLATION="Off")
    last = await _ended(operator, repository)
    assert last["files"] == ["lib"] and told.read_text().strip() in _link(repository)
    problem = last["result"].get("artifacts_problem", "")
    assert ("left out: lib: files of the submodule" in problem) == more and ("lib" in problem) == more
    assert (b"b/lib/more" in await _patch(operator, last)) == more


async def test_files_in_the_folder_of_a_submodule_that_is_not_checked_out_are_in_the_patch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", "echo x > y; echo code > lib/main.py")
    last = await _ended(operator, repository, submodules=False)
    assert "left out: lib: files of the submodule" in last["result"]["artifacts_problem"]
    assert last["files"] == ["y"] and b"+++ b/lib/main.py" in await _patch(operator, last)


async def test_what_is_changed_in_a_submodule_of_a_submodule_is_in_the_patch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    clone, middle = tmp_path / "with-submodules", repository.commit("main")
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{middle},lib")
    git(clone, "commit", "--quiet", "--message", "A submodule with one")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    await start_worker("sh", "-c", "echo more > lib/lib/new; echo edited > lib/file.txt")
    last = await _ended(operator, repository)
    problem = last["result"]["artifacts_problem"]
    assert "left out: lib: files" in problem and "left out: lib/lib: files" in problem
    made = _applied(repository, tmp_path, await _patch(operator, last))
    assert (made / "lib/lib/new").read_text() == "more\n" and (made / "lib/file.txt").read_text() == "edited\n"


async def test_the_work_of_a_failed_run_in_a_submodule_is_in_the_patch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", "echo x > y; echo more > lib/new; exit 1")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["event"] == "failed" and "left out: lib: files" in last["result"]["artifacts_problem"]
    patch = await _patch(operator, last)
    assert b"+++ b/lib/new" in patch and b"+++ b/y" in patch


@pytest.mark.parametrize(
    "lost",
    [
        "rm lib/.git",
        "rm -rf .git/modules",
        "echo '[' > .git/modules/lib/config",
        "rm lib/.git; mkdir lib/.git",
        "git -C lib checkout -q --orphan new",
    ],
)
async def test_the_files_of_a_submodule_whose_repository_is_broken_are_in_the_patch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, lost: str
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", f"echo x > y; echo more > lib/new; {lost}")
    last = await _ended(operator, repository)
    assert "left out: lib: files" in last["result"]["artifacts_problem"]
    assert b"+++ b/lib/new" in await _patch(operator, last)


@pytest.mark.parametrize(
    ("inside", "is_link"),
    [("true", True), ("echo more > new", False), (f"echo new > new; git add new; {AS_AGENT} commit -qm inside", False)],
    ids=["as its server has it", "with another file", "with a commit of the agent's"],
)
async def test_a_new_submodule_is_a_link_only_if_its_server_has_all_of_it(
    operator: Operator, start_worker: StartWorker, repository: GitServer, inside: str, is_link: bool
) -> None:
    script = f"git submodule --quiet add {repository.url} sub; cd sub; {inside}"
    await start_worker("sh", "-c", script, CODEFORGE_ISOLATION="Off")
    last = await _ended(operator, repository)
    assert ("sub/new" in last["files"]) != is_link and ("sub" in last["files"]) == is_link
    said = "left out: sub: the link to a new submodule"
    assert (said in last["result"].get("artifacts_problem", "")) != is_link


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc", "none that is cloned"),
        ("/etc", "none that is cloned"),
        ("ext::sh -c 'touch MARKER'", "none that is cloned"),
        ("--upload-pack=touch MARKER", "none that is cloned"),
        ("../../../../../../etc", "leads out of the server"),
    ],
)
async def test_a_submodule_may_not_name_what_a_task_may_not(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, url: str, words: str
) -> None:
    marker = tmp_path / "executed"
    _with_submodules(repository, tmp_path, _module(url.replace("MARKER", str(marker))))
    await start_worker("sh", "-c", f"touch {tmp_path}/ran")
    uid = await operator.submit(workspace=_workspace(repository))
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitCloneFailed" and words in failure["message"]
    assert not marker.exists() and not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "more"),
    [("../../hooks", ""), ("lib", "\tupdate = !touch MARKER\n"), ("lib", "\tupdate = merge\n\tignore = all\n")],
)
async def test_gitmodules_runs_nothing(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, name: str, more: str
) -> None:
    marker = tmp_path / "executed"
    more = more.replace("MARKER", str(marker))
    _with_submodules(repository, tmp_path, _module(repository.url, name=name, more=more))
    await start_worker("true")
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    # git itself refuses what would run, or lie elsewhere.
    assert (last["event"] == "completed") == ("merge" in more), last
    assert not marker.exists()


async def test_a_gitmodules_that_is_a_link_reads_no_file(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(_module(repository.url))
    clone = tmp_path / "linked"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    commit = repository.commit("v1")
    # git adds no such link itself; somebody else may.
    (clone / "target").write_text(str(secret))
    link = git(clone, "hash-object", "-w", "target")
    entries = f"120000 blob {link}\t.gitmodules\n160000 commit {commit}\tlib\n"
    made = subprocess.run(["git", "mktree"], cwd=clone, input=entries, check=True, capture_output=True, text=True)
    linked = git(clone, "commit-tree", "-m", "Link", "-p", "HEAD", made.stdout.strip())
    git(clone, "push", "--quiet", "origin", f"{linked}:refs/heads/main")
    await start_worker("true")
    uid = await operator.submit(workspace=_workspace(repository))
    assert (await operator.until(uid))[-1].body["failure"]["type"] == "GitCloneFailed"


async def test_a_repository_that_holds_itself_ends(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    paths = tuple(f"lib{number}" for number in range(101))
    modules = "".join(_module(repository.url, path, path) for path in paths)
    _with_submodules(repository, tmp_path, modules, paths)
    await start_worker("true")
    uid = await operator.submit(workspace=_workspace(repository))
    failure = (await operator.until(uid, seconds=60))[-1].body["failure"]
    assert "more than 100 submodules" in failure["message"]


async def test_a_submodule_is_opened_by_its_own_credential(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    guarded = GitServer(elsewhere)
    await guarded.start(password="s3cret")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("agent")
    (secret / "password").write_text("s3cret")
    # Every seed has the same two commits, but for the second in which they were made.
    _with_submodules(repository, tmp_path, _module(guarded.url), ())
    clone = tmp_path / "with-submodules"
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{guarded.commit('v1')},lib")
    git(clone, "commit", "--quiet", "--message", "Link")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    await start_worker("cat", "lib/file.txt")
    uid = await operator.submit(workspace=_workspace(repository))
    assert "could not read Username" in (await operator.until(uid))[-1].body["failure"]["message"]
    credentials = json.dumps([{"url": guarded.prefix, "path": str(secret)}])
    await start_worker("cat", "lib/file.txt", name="worker-2", CODEFORGE_GIT_CREDENTIALS=credentials)
    await operator.drain()
    uid = await operator.submit(workspace=_workspace(repository))
    last = (await operator.until(uid))[-1].body
    await guarded.stop()
    assert last["output"] == "one", last["error"]


@pytest.mark.parametrize(
    ("url", "submodule", "found"),
    [
        ("https://h/a/b.git", "../c.git", "https://h/a/c.git"),
        ("https://u:p@h:1/a/b.git/", "../../c", "https://u:p@h:1/c"),
        ("git@h:a/b.git", "../c.git", "git@h:a/c.git"),
        ("git@h:a/b.git", "https://other/c", "https://other/c"),
    ],
)
def test_relative_urls(url: str, submodule: str, found: str) -> None:
    assert resolved(url, submodule) == found


@pytest.mark.parametrize("url", ["https://h/a/b.git", "git@h:a/b.git"])
def test_relative_urls_stay_on_their_server(url: str) -> None:
    with pytest.raises(GitError):
        resolved(url, "../../../c")
