"""Submodules of a task's repository: only where asked, and by the rules of the task's own URL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import Operator

from codeforge_worker.git import GitError
from codeforge_worker.submodules import resolved


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


async def test_only_a_submodules_content_changed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", "echo more > lib/new")
    uid = await operator.submit(workspace=_workspace(repository, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and "commit" not in last["result"]["git"], last["error"]
    assert "lib: files that were changed inside of the submodule" in last["result"]["artifacts_problem"]


async def test_a_submodule_that_is_as_it_was_is_not_spoken_of(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", "cat lib/file.txt; git status; echo x >y")
    uid = await operator.submit(workspace=_workspace(repository, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["files"] == ["y"], last["error"]
    assert "artifacts_problem" not in last["result"]


# git looks into a submodule that .gitmodules does not let it ignore, with the filters of that repository.
HOSTILE = """
set -e
plant=$PWD/plant.sh
echo no >z; echo '*.secret' >.gitignore; echo a >a.secret; git add --force a.secret
cat >"$plant" <<'EOF'
#!/bin/sh
echo ran >RUN/z
for file in named index begun within; do
  rm -rf RUN/../working-tree/$file; ln -s VICTIM RUN/../working-tree/$file
done
cat
EOF
sed -i "s,RUN,$PWD,g; s,VICTIM,$VICTIM,g" "$plant"; chmod +x "$plant"
printf '[submodule "lib"]\n\tpath = lib\n\turl = %s\n\tignore = none\n' "$URL" >.gitmodules
git -C lib config filter.plant.clean "$plant"
info=$(git -C lib rev-parse --absolute-git-dir)/info; mkdir -p "$info"
echo '* filter=plant' >"$info/attributes"
echo abc >lib/file.txt
"""


async def test_a_program_that_git_starts_in_a_submodule_makes_the_worker_write_nowhere_else(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    _with_submodules(repository, tmp_path, _module(repository.url))
    await start_worker("sh", "-c", HOSTILE, VICTIM=str(victim), URL=repository.url)
    uid = await operator.submit(workspace=_workspace(repository, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert git(repository.bare, "show", "b:z") == "ran" and "a.secret" in last["files"], "the attack was not made"
    assert victim.read_text() == "untouched"


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
