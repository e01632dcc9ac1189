"""A run that needs more memory or disk than there is says so, and is not begun again by itself."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import Operator

from codeforge_worker.git import GitError
from codeforge_worker.outcome import RunError, failure
from codeforge_worker.session_archive import pack, unpack
from codeforge_worker.shortage import Memory, Watch, fullness, fullness_by, is_full, memory_of_this_process

MIB = 1 << 20
GREEDY = "x = bytearray(512 << 20); print(len(x))"


class ControlGroup:
    """A real one, of whichever version the machine has for memory."""

    def __init__(self, name: str) -> None:
        groups = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
        if "memory" in groups:
            self._folder = Path("/sys/fs/cgroup/memory") / groups["memory"].lstrip("/") / name
            self._limit = "memory.limit_in_bytes"
        else:
            root = Path("/sys/fs/cgroup")
            (root / "cgroup.subtree_control").write_text("+memory")
            self._folder = root / name
            self._limit = "memory.max"
        self._folder.mkdir()

    def take(self, pid: int, limit: int) -> None:
        (self._folder / self._limit).write_text(str(limit))
        (self._folder / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                self._folder.rmdir()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    """Request it before start_worker: it is removed when its workers are gone."""
    made = ControlGroup(f"codeforge-test-{os.getpid()}-{time.monotonic_ns()}")
    yield made
    made.remove()


@pytest.mark.root
async def test_a_program_that_the_kernel_kills_for_its_memory_is_named_with_the_limit(
    group: ControlGroup, operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker(sys.executable, "-c", GREEDY)
    group.take(worker.pid, 256 * MIB)
    uid = await operator.submit()
    failed = (await operator.until(uid)).pop().body["failure"]
    assert failed["type"] == "OutOfMemory"
    assert not failed["retryable"]
    assert "its limit of 256 MiB" in failed["message"]
    assert "resources.limits.memory" in failed["message"]


@pytest.mark.root
async def test_so_is_one_whose_child_is_killed(
    group: ControlGroup, operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("sh", "-c", f"{sys.executable} -c '{GREEDY}' || exit 3")
    group.take(worker.pid, 256 * MIB)
    uid = await operator.submit()
    failed = (await operator.until(uid)).pop().body["failure"]
    assert failed["type"] == "OutOfMemory"
    assert "exited with code 3" in failed["message"]


@pytest.mark.root
async def test_a_run_that_gets_over_it_has_completed(
    group: ControlGroup, operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("sh", "-c", f"{sys.executable} -c '{GREEDY}' || echo smaller steps")
    group.take(worker.pid, 256 * MIB)
    uid = await operator.submit()
    assert (await operator.until(uid)).pop().body["event"] == "completed"


@pytest.mark.root
async def test_a_later_run_is_not_blamed_for_an_earlier_one(
    group: ControlGroup, operator: Operator, start_worker: StartWorker
) -> None:
    script = f'read -r what; [ "$what" = small ] || {sys.executable} -c "{GREEDY}"; exit 4'
    worker = await start_worker("sh", "-c", script)
    group.take(worker.pid, 256 * MIB)
    await operator.until(await operator.submit("large\n"))
    failed = (await operator.until(await operator.submit("small\n"))).pop().body["failure"]
    assert failed["type"] == "CommandFailed"


def _memory(folder: Path, kills: int, limit: str) -> Memory:
    (folder / "events").write_text(f"low 0\nhigh 0\nmax 12\noom 1\noom_kill {kills}\n")
    (folder / "limit").write_text(limit)
    return Memory(folder / "events", folder / "limit")


def test_of_several_runs_in_one_container_none_is_accused(tmp_path: Path) -> None:
    watch = Watch(_memory(tmp_path, 0, f"{64 * MIB}\n"), tmp_path, alone=False)
    _memory(tmp_path, 2, f"{64 * MIB}\n")
    told = watch.explained(failure("CommandFailed", "it exited with code 1"))
    assert told.type == "CommandFailed" and told.retryable
    assert "meanwhile the kernel has killed 2 processes" in told.message


@pytest.mark.parametrize("type", ["BudgetExceeded", "InvalidConfig"])
def test_what_has_another_reason_keeps_it(tmp_path: Path, type: str) -> None:
    watch = Watch(_memory(tmp_path, 0, "max\n"), tmp_path, alone=True)
    _memory(tmp_path, 1, "max\n")
    assert watch.explained(failure(type, "why")).type == type


@pytest.mark.parametrize(
    ("limit", "words"),
    [("max\n", "its node has"), ("9223372036854771712\n", "its node has"), (f"{512 * MIB}\n", "its limit of 512 MiB")],
)
def test_a_limit_is_told_in_words(tmp_path: Path, limit: str, words: str) -> None:
    assert _memory(tmp_path, 0, limit).limit_in_words() == words


def test_where_the_kernel_counts_nothing_nothing_is_said(tmp_path: Path) -> None:
    watch = Watch(Memory(tmp_path / "none", tmp_path / "none"), tmp_path, alone=True)
    failed = failure("CommandFailed", "it exited with code 137")
    assert watch.explained(failed) == failed


@pytest.mark.parametrize(
    ("own", "seen", "events"),
    [
        ("0::/\n", ".", "memory.events"),
        ("0::/kubepods/pod1\n", ".", "memory.events"),
        ("0::/app\n", "app", "memory.events"),
        ("9:cpu:/x\n4:memory:/kubepods/pod1\n0::/\n", "memory", "memory.oom_control"),
        ("4:memory:/app\n0::/\n", "memory/app", "memory.oom_control"),
    ],
)
def test_the_control_group_is_found_as_the_container_sees_it(tmp_path: Path, own: str, seen: str, events: str) -> None:
    groups = tmp_path / "cgroup"
    (groups / seen).mkdir(parents=True)
    (tmp_path / "own").write_text(own)
    assert memory_of_this_process(groups, tmp_path / "own").events == groups / seen / events


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=200", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.root
async def test_a_run_that_fills_its_volume_says_so(
    small_volume: Path, operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("sh", "-c", "head -c 32000000 /dev/zero > large", CODEFORGE_WORKSPACE=str(small_volume))
    uid = await operator.submit()
    failed = (await operator.until(uid)).pop().body["failure"]
    assert failed["type"] == "OutOfDisk"
    assert not failed["retryable"]
    assert "all of its 8 MiB are used" in failed["message"]


@pytest.mark.root
async def test_a_volume_that_is_full_before_the_run_is_told_too(
    small_volume: Path, operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("true", CODEFORGE_WORKSPACE=str(small_volume))
    inodes = os.statvfs(small_volume).f_favail
    for number in range(inodes):
        (small_volume / f"file-{number}").touch()
    uid = await operator.submit()
    failed = (await operator.until(uid)).pop().body["failure"]
    assert failed["type"] == "OutOfDisk"
    assert "all of its files are used" in failed["message"]


@pytest.mark.root
async def test_a_repository_that_does_not_fit_says_so(
    small_volume: Path, operator: Operator, start_worker: StartWorker, code: GitServer, tmp_path: Path
) -> None:
    _commit_noise(code, tmp_path)
    await start_worker("true", CODEFORGE_WORKSPACE=str(small_volume))
    failed = (await operator.until(await operator.submit(workspace={"git": {"url": code.url}})))[-1].body["failure"]
    assert failed["type"] == "OutOfDisk" and not failed["retryable"]
    assert "give volume workspace in spec.template" in failed["message"]


@pytest.mark.root
async def test_work_that_does_not_fit_is_no_success_without_it(
    small_volume: Path, operator: Operator, start_worker: StartWorker, code: GitServer
) -> None:
    """The file is there, and git has no room for its copy."""
    await start_worker("sh", "-c", "echo 1 > small; head -c 5000000 /dev/urandom > large",
                       CODEFORGE_WORKSPACE=str(small_volume))  # fmt: skip
    workspace = {"git": {"url": code.url, "push": {"branch": "b"}}}
    last = (await operator.until(await operator.submit(workspace=workspace)))[-1].body
    assert last["event"] == "failed" and last["failure"]["type"] == "OutOfDisk", last["failure"]
    assert "give volume workspace in spec.template" in last["failure"]["message"]


@pytest.mark.root
async def test_a_conversation_that_does_not_fit_is_not_lost(small_volume: Path, tmp_path: Path) -> None:
    before, archive = tmp_path / "session", tmp_path / "session.tar.gz"
    before.mkdir()
    (before / "said").write_bytes(os.urandom(3 * MIB))
    pack(before, archive)
    archive = Path(shutil.copy(archive, small_volume))
    (small_volume / "session").mkdir()
    with pytest.raises(OSError, match="No space left"):
        unpack(archive, small_volume / "session")


@pytest.mark.root
async def test_artifacts_are_kept_although_the_workspace_is_full(
    small_volume: Path, operator: Operator, start_worker: StartWorker
) -> None:
    script = "echo kept > $CODEFORGE_ARTIFACTS/report; seq 1000; head -c 32000000 /dev/zero > large 2>/dev/null; "
    script += "seq 200000 209999; true"
    await start_worker("sh", "-c", script, CODEFORGE_WORKSPACE=str(small_volume))
    result = (await operator.until(await operator.submit()))[-1].body["result"]
    assert "report" in [artifact["name"] for artifact in result["artifacts"]]
    assert "output.log is not whole: the volume of the workspace is full" in result["artifacts_problem"]


def _commit_noise(code: GitServer, tmp_path: Path) -> None:
    clone = tmp_path / "add-noise"
    git(tmp_path, "clone", "--quiet", str(code.bare), str(clone))
    (clone / "noise").write_bytes(os.urandom(12 * MIB))
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add noise")
    git(clone, "push", "--quiet", "origin", "main")


def test_a_volume_with_room_is_not_full(tmp_path: Path) -> None:
    assert fullness(tmp_path) == ""
    assert fullness(tmp_path / "none") == ""


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_only_a_full_volume_is_one(number: int, full: bool) -> None:
    assert is_full(OSError(number, "said by the kernel")) is full


def test_git_says_so_too_but_not_of_the_servers_volume(tmp_path: Path) -> None:
    full = "fatal: write error: No space left on device"
    wrapped = RunError("GitCloneFailed", "it cannot be cloned")
    wrapped.__cause__ = GitError("git fetch", [full])
    assert is_full(GitError("git fetch", ["Cloning", full])) and is_full(wrapped)
    # There may be room again: git removes what it could not finish.
    assert "had no room left: give volume workspace" in fullness_by(wrapped, tmp_path)
    assert not is_full(GitError("git push", [f"remote: {full}"]))
