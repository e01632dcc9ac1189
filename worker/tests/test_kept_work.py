"""What an agent has done is kept: however its run ended, and whatever it has made of its repository."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, written
from harness.git_server import GitServer, git
from harness.operator import BUCKET, CONTROL, Operator, kinds
from harness.patience import PATIENCE

from codeforge_worker.git import GitRepository

AS_AGENT = "git -c user.name=A -c user.email=a@localhost"
BRANCH = "codeforge/t"
WITHIN = f"git init -q app && (cd app && echo code >main.py && git add -A && {AS_AGENT} commit -qm init)"
REPOSITORIES_WITHIN = {
    "with a commit": WITHIN,
    "that was committed as a link": f"{WITHIN}; git add app; {AS_AGENT} commit -qm link",
    "without a commit": "git init -q app && echo code >app/main.py",
    "that holds another": "git init -q app && echo code >app/main.py && git init -q app/in",
    "whose gitfile leads nowhere": "mkdir app; echo 'gitdir: /nowhere' >app/.git; echo code >app/main.py",
    "that is a worktree": "git worktree add -q --detach app && cd app && git mv file.txt main.py && echo code >main.py",
    "that is a clone": "git clone -q . app && cd app && git mv file.txt main.py && echo code >main.py",
    "that is an empty folder": "mkdir -p app/.git; echo code >app/main.py",
}
# A filter ends the command that has a lock, and a pack that it had begun for a large file.
KILLED = (
    "head -c 2000000 /dev/urandom >big; echo 'new.txt filter=kill' >.git/info/attributes; "
    "git -c core.bigFileThreshold=1m -c filter.kill.clean='kill -KILL $PPID' add -A; "
    "test -e .git/index.lock && ls .git/objects/pack/tmp_pack_* && rm big"
)
BROKEN = {
    "locks": "touch .git/index.lock .git/HEAD.lock .git/config.lock .git/shallow.lock",
    "locks of branches": f"git checkout -q -b {BRANCH}; {AS_AGENT} commit -qam mine; "
    f"touch .git/packed-refs.lock .git/refs/heads/{BRANCH}.lock .git/refs/heads/main.lock",
    "a git add that was killed": KILLED,
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


async def _patch(operator: Operator, artifacts: list[dict[str, Any]]) -> bytes:
    (patch,) = [artifact for artifact in artifacts if artifact["name"] == "changes.patch"]
    return (await (await operator.js.object_store(BUCKET)).get(patch["object"])).data or b""


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
    (tmp_path / "patch").write_bytes(await _patch(operator, last["result"]["artifacts"]))
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


@pytest.mark.parametrize("mode", ["AtLeastOnce", "AtMostOnce"])
async def test_the_files_of_a_run_whose_worker_has_to_stop_are_a_patch(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], mode: str
) -> None:
    worked = marker("worked")
    script = f"echo work >file.txt; echo new >new.txt; echo >{worked}; sleep 60"
    worker = await start_worker("sh", "-c", script, CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit(workspace=_workspace(repository), delivery_mode=mode)
    await written(worked)
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    events = await operator.events(uid)
    if mode == "AtMostOnce":
        assert b"+work" in await _patch(operator, events[-1].body["result"]["artifacts"])
        return
    assert kinds(events) == ["running", "released"]
    told = [line for line in worker.log().splitlines() if "given back: changes.patch is kept as " in line]
    name = told[0].rpartition(" ")[2]
    kept = (await (await operator.js.object_store(BUCKET)).get(name)).data or b""
    assert b"+work" in kept and b"+new" in kept
    await start_worker("sh", "-c", "echo again >file.txt", name="worker-2")
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and b"+again" in await _patch(operator, last["result"]["artifacts"])


@pytest.mark.parametrize(
    "name",
    [
        "größe.txt",
        "日本語/ä b.txt",
        'a"b.txt',
        "a\\tb.txt",
        "x\\y.txt",
        "-n",
        "a\tb",
        "\udcff.txt",
        "a\nb",
        "\x1b[31m\u2028",
    ],
)
async def test_a_file_is_named_as_it_is(
    operator: Operator, start_worker: StartWorker, repository: GitServer, name: str
) -> None:
    script = "import os, pathlib, sys; n = pathlib.Path(sys.argv[1]); n.parent.mkdir(exist_ok=True); n.write_text('x')"
    await start_worker("python3", "-c", script, name)
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == [_shown(name)]
    assert b"diff --git" in await _patch(operator, last["result"]["artifacts"])


def _shown(name: str) -> str:
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return shown.replace("\n", "\\x0a").replace("\x1b", "\\x1b").replace("\u2028", "\\u2028")


@pytest.mark.parametrize("name", ["größe", 'a"b', "in\tit"])
async def test_a_submodule_of_the_start_stays_a_link_whatever_its_name_is(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path, name: str
) -> None:
    clone = tmp_path / "seeding"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{repository.commit('v1')},{name}")
    git(clone, "commit", "--quiet", "--message", "A submodule")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    inside = f"git init -q . && echo code >main.py && git add -A && {AS_AGENT} commit -qm init"
    await start_worker("sh", "-c", f'echo work >file.txt; mkdir -p "$1" && cd "$1" && {inside}', "sh", name)
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["event"] == "completed", last["error"]
    listed = git(repository.bare, "ls-tree", "-z", BRANCH).split("\0")
    assert [entry[:6] for entry in listed if entry.endswith(f"\t{name}")] == ["160000"]


async def test_more_ignored_files_than_a_command_line_takes_are_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    many, length = 11_000, 200
    script = f"import pathlib; [pathlib.Path(f'{{n:0{length}}}.log').touch() for n in range({many})]"
    assert many * length > os.sysconf("SC_ARG_MAX")
    await start_worker("sh", "-c", f"echo '*.log' >.gitignore; python3 -c \"{script}\"; git add -f .")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository)), seconds=4 * PATIENCE))[
        -1
    ].body
    assert last["event"] == "completed", last["error"]
    assert last["result"]["files_total"] == many + 1


@pytest.mark.parametrize("closed", ["chmod 000 new.txt", "chmod 000 in", "chmod 500 in/app", "chmod 000 in/new.txt in"])
async def test_what_an_agent_has_closed_is_kept(
    operator: Operator, start_worker: StartWorker, repository: GitServer, closed: str
) -> None:
    within = "mkdir in; echo new >in/new.txt; git init -q in/app; echo code >in/app/main.py"
    await start_worker("sh", "-c", f"echo new >new.txt; {within}; {closed}")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == ["in/app/main.py", "in/new.txt", "new.txt"], last


async def test_a_patch_is_without_what_is_too_large_for_it(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    large = "head -c 40000000 /dev/zero >large.bin"
    await start_worker("sh", "-c", f"echo work >file.txt; {large}; exit 1")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    problem = last["result"]["artifacts_problem"]
    assert "without large.bin (40000000 bytes)" in problem and "at most 32 MiB" in problem
    patch = await _patch(operator, last["result"]["artifacts"])
    assert b"+work" in patch and b"large.bin" not in patch


async def test_an_agent_that_committed_without_a_name_has_its_files_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    people = "author <> 0 +0000\\ncommitter <> 0 +0000"
    commit = f"printf 'tree %s\\nparent %s\\n{people}\\n\\nmine\\n' $(git write-tree) $(git rev-parse HEAD)"
    script = f"echo work >file.txt; git add -A; git reset -q --soft $({commit} | git hash-object -t commit -w --stdin)"
    await start_worker("sh", "-c", script)
    last = (await operator.until(await operator.submit(workspace=_workspace(repository))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert repository.content(BRANCH, "file.txt") == "work"


async def test_a_fingerprint_holds_no_content(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path, {"PATH": os.environ["PATH"]})
    await repository.ensure()
    prints = [await repository.fingerprint()]
    for content in ("a\n" * 1_000_000, "b\n" * 1_000_000, "b\n"):
        (tmp_path / "größe.txt").write_text(content)
        prints.append(await repository.fingerprint())
        # A clock may be coarse.
        await asyncio.sleep(0.05)
    assert len(set(prints)) == len(prints) and max(map(len, prints)) < 1000
