"""What a run leaves in the workspace is removed: after its outcome was told, and after a crash."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import ACK_WAIT, StartWorker, until, written
from harness.operator import Operator, kinds
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess

from codeforge_worker.removal import remove
from codeforge_worker.run_folder import RunFolder, sweep

# As in a pod, where the worker has no capability.
PLAIN = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
SLOW = """
import time
import codeforge_worker.run_folder as run_folder
remove = run_folder.remove
def slowly(path):
    time.sleep(3)
    return remove(path)
run_folder.remove = slowly
"""


def _removed(path: Path) -> str:
    """What `remove` says of it, by a user who may no more than its owner."""
    program = "import sys; from pathlib import Path; from codeforge_worker.removal import remove; "
    program += "print(remove(Path(sys.argv[1])))"
    ran = subprocess.run(
        [*PLAIN, sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


def test_read_only_folders_are_removed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    module = run / "go" / "pkg" / "mod" / "m@v1"
    (module / "inner" / "nothing").mkdir(parents=True)
    (module / "inner" / "go.mod").write_text("module")
    (module / "inner" / "go.mod").chmod(0o444)
    for folder, mode in ((module / "inner" / "nothing", 0), (module / "inner", 0o555), (module, 0o111), (run, 0o500)):
        folder.chmod(mode)
    assert _removed(run) == "" and not run.exists()


def test_no_link_is_followed_and_no_pipe_is_opened(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    kept.chmod(0o555)
    run = tmp_path / "run"
    (run / "a").mkdir(parents=True)
    (run / "link").symlink_to(kept)
    (run / "a" / "link").symlink_to(kept)
    (run / "a" / "nowhere").symlink_to("nowhere")
    os.mkfifo(run / "a" / "pipe")
    assert remove(run) == "" and not run.exists()
    assert (kept / "file").read_text() == "kept" and kept.stat().st_mode & 0o777 == 0o555


def test_no_depth_is_too_much(tmp_path: Path) -> None:
    """Deeper than Python calls itself, and than the kernel takes a path."""
    run = tmp_path / "run"
    run.mkdir()
    program = "import os\nfor _ in range(1500):\n    os.mkdir('deeper')\n    os.chdir('deeper')"
    subprocess.run([sys.executable, "-c", program], cwd=run, check=True)
    assert remove(run) == "" and not run.exists()


def test_what_stays_is_told(tmp_path: Path) -> None:
    run = tmp_path / "mine" / "run"
    run.mkdir(parents=True)
    run.parent.chmod(0o555)
    assert _removed(run) == f"{run}: Permission denied"


def test_a_start_removes_what_nobody_holds_and_nothing_else(tmp_path: Path) -> None:
    live, dead = RunFolder(tmp_path, "live"), RunFolder(tmp_path, "dead")
    live.make("repository")
    dead.make("repository")
    assert dead._lock is not None  # pyright: ignore[reportPrivateUsage]
    os.close(dead._lock)  # pyright: ignore[reportPrivateUsage]
    (tmp_path / ".pod.spent").touch()
    (tmp_path / "users-0123abcd").mkdir()
    (tmp_path / "link-0123abcd.run").symlink_to(tmp_path / "users-0123abcd")
    sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {live.path.name, ".pod.spent", "users-0123abcd", "link-0123abcd.run"}
    assert (live.path / "repository").is_dir()
    live.remove()
    assert not live.path.exists()


async def test_the_outcome_is_told_before_the_files_are_removed(operator: Operator, start_worker: StartWorker) -> None:
    worker = await start_worker("true", change=SLOW)
    uid = await operator.submit()
    assert kinds(await operator.until(uid)) == ["running", "completed"]
    await operator.queue_is_empty()
    assert [path.name[: len(uid)] for path in worker.workspace.iterdir()] == [uid]
    assert (await operator.look())["idle"] is False
    await operator.until_idle()
    assert not list(worker.workspace.iterdir())


async def test_what_is_given_back_is_given_back_before_its_files_are_removed(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    begun = marker("begun")
    worker = await start_worker("sh", "-c", f"echo > {begun}; sleep 60", change=SLOW, CODEFORGE_GRACE_SECONDS="0")
    uid = await operator.submit()
    await written(begun)
    worker.terminate()
    await operator.until(uid, "released")
    assert list(worker.workspace.iterdir())
    assert await worker.end() == 0
    assert not list(worker.workspace.iterdir())


async def test_a_start_sweeps_what_a_crash_in_its_pod_left(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], tmp_path: Path
) -> None:
    go, shared = marker("go"), tmp_path / "shared"
    uid = await operator.submit()
    crashed, left = await _busy(start_worker, "worker-1", go, shared)
    await operator.until(uid, "running")
    await crashed.kill()
    go.touch()
    await start_worker("true", name="worker-1", CODEFORGE_WORKSPACE=str(shared))
    assert not left.exists()
    assert (await operator.until(uid, seconds=PATIENCE + ACK_WAIT))[-1].body["event"] == "completed"


async def test_the_run_of_another_worker_on_the_volume_goes_on(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path], tmp_path: Path
) -> None:
    go, shared = marker("go"), tmp_path / "shared"
    uid = await operator.submit()
    crashed, left = await _busy(start_worker, "worker-1", marker("never"), shared)
    await operator.until(uid, "running")
    other = await operator.submit()
    _, live = await _busy(start_worker, "worker-2", go, shared)
    await operator.until(other, "running")
    await crashed.kill()
    await start_worker("true", name="worker-3", CODEFORGE_WORKSPACE=str(shared))
    assert not left.exists()
    assert (live / "repository" / "file").exists()
    go.touch()
    last = (await operator.until(other))[-1].body
    assert (last["event"], last["delivery"]) == ("completed", 1)


async def _busy(start_worker: StartWorker, name: str, go: Path, shared: Path) -> tuple[WorkerProcess, Path]:
    """A worker and the folder of its run, which ends when the file is there."""
    before = set(shared.iterdir()) if shared.is_dir() else set[Path]()
    script = f"echo > file; mkdir -p $HOME/a; chmod 0555 $HOME/a; {until(go)}; cat file"
    worker = await start_worker("sh", "-c", script, name=name, CODEFORGE_WORKSPACE=str(shared))
    return worker, await _new(shared, before)


async def _new(folder: Path, before: set[Path]) -> Path:
    async with asyncio.timeout(PATIENCE):
        while not (found := set(folder.iterdir()) - before if folder.is_dir() else set[Path]()):
            await asyncio.sleep(0.02)
    return found.pop()
