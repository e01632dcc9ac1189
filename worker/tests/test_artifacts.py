"""What a run leaves is stored before its outcome is told, and never at the price of the outcome."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import BUCKET, Operator
from harness.worker_process import WorkerProcess

from codeforge_worker import Context, artifacts, backend
from codeforge_worker.artifacts import Spool
from codeforge_worker.testing import run_backend


async def _fetched(operator: Operator, artifact: dict[str, Any]) -> bytes:
    """As any client does; nats-py compares the checksum, here the event's is compared too."""
    bucket = await operator.js.object_store(BUCKET)
    data = (await bucket.get(artifact["object"])).data or b""
    assert artifact["size"] == len(data)
    assert artifact["digest"] == "sha-256:" + hashlib.sha256(data).hexdigest()
    return data


async def _result(operator: Operator, uid: str, ended: str = "completed") -> dict[str, Any]:
    last = (await operator.until(uid))[-1].body
    assert last["event"] == ended, last
    return last["result"]


async def _run(operator: Operator, start_worker: StartWorker, script: str, ended: str = "completed") -> dict[str, Any]:
    await start_worker("sh", "-c", script)
    return await _result(operator, await operator.submit(), ended)


def _names(result: dict[str, Any]) -> list[str]:
    return [artifact["name"] for artifact in result.get("artifacts", [])]


async def test_files_in_the_folder_are_stored(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "printf one > $CODEFORGE_ARTIFACTS/a.txt; printf two > $CODEFORGE_ARTIFACTS/b.txt")
    uid = await operator.submit()
    result = await _result(operator, uid)
    assert [artifact["object"] for artifact in result["artifacts"]] == [f"{uid}/1-1/a.txt", f"{uid}/1-1/b.txt"]
    assert [await _fetched(operator, artifact) for artifact in result["artifacts"]] == [b"one", b"two"]
    assert "artifacts_problem" not in result


async def test_a_run_that_leaves_nothing_tells_of_nothing(operator: Operator, start_worker: StartWorker) -> None:
    result = await _run(operator, start_worker, "echo short")
    assert not {"artifacts", "artifacts_problem"} & set(result)


async def test_a_failed_run_keeps_its_files(operator: Operator, start_worker: StartWorker) -> None:
    result = await _run(operator, start_worker, "echo why > $CODEFORGE_ARTIFACTS/trace; exit 1", "failed")
    assert _names(result) == ["trace"]


async def test_a_run_out_of_time_keeps_its_files(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "echo why > $CODEFORGE_ARTIFACTS/trace; sleep 60")
    uid = await operator.submit(run_timeout_seconds=5)
    assert _names(await _result(operator, uid, "failed")) == ["trace"]


async def test_output_that_is_cut_is_kept_whole(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "seq 1 5000")
    uid = await operator.submit()
    last = (await operator.until(uid))[-1].body
    (artifact,) = last["result"]["artifacts"]
    assert artifact["name"] == "output.log"
    whole = await _fetched(operator, artifact)
    assert whole.decode().split() == [str(number) for number in range(1, 5001)]
    assert len(last["output"].encode()) <= 4096
    assert whole.decode().rstrip().endswith(last["output"])


def test_a_flood_of_output_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "OUTPUT_BYTES", 100)
    spool = Spool(tmp_path)
    for _ in range(50):
        spool.add("0123456789")
    spool.file.seek(0)
    assert spool.file.read() == b"0123456789\n" * 9 + b"(the rest is not kept: 64 MiB are)\n"


async def test_no_link_is_followed(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    script = (
        f"cd $CODEFORGE_ARTIFACTS; ln -s {tmp_path}/secret link; mkdir folder; mkfifo pipe; echo x > -x; echo y > y"
    )
    result = await _run(operator, start_worker, script)
    assert _names(result) == ["y"]
    for told in (
        "link was not kept: it is a link",
        "folder was not kept: it is no file",
        "pipe was not kept: it is no file",
        "-x was not kept: a name has",
    ):
        assert told in result["artifacts_problem"]


@pytest.mark.parametrize("swapped", ["$CODEFORGE_ARTIFACTS", "$HOME"])
async def test_a_folder_that_is_a_link_is_not_followed(
    operator: Operator, start_worker: StartWorker, tmp_path: Path, swapped: str
) -> None:
    secrets = tmp_path / "secrets"
    (secrets / "artifacts").mkdir(parents=True)
    for folder in (secrets, secrets / "artifacts"):
        (folder / "secret").write_text("secret")
    result = await _run(operator, start_worker, f"rm -rf {swapped}; ln -s {secrets} {swapped}")
    assert "artifacts" not in result


async def test_more_files_than_are_kept(operator: Operator, start_worker: StartWorker) -> None:
    script = "cd $CODEFORGE_ARTIFACTS; for i in $(seq 10 29); do echo $i > f$i; done; seq 1 5000"
    result = await _run(operator, start_worker, script)
    assert len(result["artifacts"]) == 18
    assert "f29 was not kept: at most 17 files are stored" in result["artifacts_problem"]


async def test_a_full_bucket_costs_no_outcome(operator: Operator, start_worker: StartWorker) -> None:
    await operator.js.delete_stream(f"OBJ_{BUCKET}")
    await operator.add_files(max_bytes=1 << 20)
    worker = await start_worker("sh", "-c", "cd $CODEFORGE_ARTIFACTS; head -c 3000000 /dev/zero > a; echo b > b")
    result = await _result(operator, await operator.submit())
    assert "a was not kept: bucket files_team_pool is full: raise files.sizePerPool" in result["artifacts_problem"]
    assert "artifacts: a was not kept" in worker.log()


async def test_a_missing_bucket_costs_no_outcome(operator: Operator, start_worker: StartWorker) -> None:
    await operator.js.delete_stream(f"OBJ_{BUCKET}")
    result = await _run(operator, start_worker, "echo a > $CODEFORGE_ARTIFACTS/a")
    assert "the pool has no bucket files_team_pool" in result["artifacts_problem"]


def _with_git(repository: GitServer, **push: str) -> dict[str, Any]:
    return {"workspace": {"git": {"url": repository.url} | ({"push": push} if push else {})}}


async def _git_run(
    operator: Operator, start_worker: StartWorker, code: GitServer, script: str, ended: str
) -> tuple[WorkerProcess, dict[str, Any]]:
    worker = await start_worker("sh", "-c", script)
    return worker, await _result(operator, await operator.submit(**_with_git(code)), ended)


@pytest.mark.parametrize(("code_of_exit", "ended"), [(0, "completed"), (1, "failed")])
async def test_changes_are_kept_as_a_patch(
    operator: Operator, start_worker: StartWorker, code: GitServer, tmp_path: Path, code_of_exit: int, ended: str
) -> None:
    long = "x" * 20_000
    script = (
        f"echo 'ANSWER = 42 # {long}' > answer.py; printf '\\0\\377binary' > picture; git add -A; "
        f"git -c user.name=a -c user.email=a@b commit -qm work; exit {code_of_exit}"
    )
    _, result = await _git_run(operator, start_worker, code, script, ended)
    assert _names(result) == ["changes.patch", "diffstat.txt"]
    patch, diffstat = [await _fetched(operator, artifact) for artifact in result["artifacts"]]
    assert b"2 files changed" in diffstat
    clone = tmp_path / "applied"
    git(tmp_path, "clone", "--quiet", str(code.bare), str(clone))
    (tmp_path / "patch").write_bytes(patch)
    git(clone, "apply", str(tmp_path / "patch"))
    assert (clone / "answer.py").read_text() == f"ANSWER = 42 # {long}\n"
    assert (clone / "picture").read_bytes() == b"\0\377binary"


async def test_a_patch_is_not_written_through_a_link(
    operator: Operator, start_worker: StartWorker, code: GitServer, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    script = (
        f"ln -s {kept} ../changes.patch; echo 'ANSWER = 42' > answer.py; git add -A; "
        "git -c user.name=a -c user.email=a@b commit -qm work"
    )
    _, result = await _git_run(operator, start_worker, code, script, "completed")
    assert _names(result) == ["changes.patch", "diffstat.txt"]
    assert kept.read_text() == "as it was"


async def test_a_repository_without_changes_leaves_no_patch(
    operator: Operator, start_worker: StartWorker, code: GitServer
) -> None:
    _, result = await _git_run(operator, start_worker, code, "true", "completed")
    assert "artifacts" not in result


@backend("keeps")
async def keeps(context: Context) -> None:
    """Keeps the path that the prompt names, and others around it."""
    workspace = context.workspace
    os.mkfifo(workspace / "pipe")
    (workspace / "folder").mkdir()
    (workspace / "folder" / "a.txt").write_text("a")
    (workspace / "link").symlink_to("folder/a.txt")
    (workspace / "linked").symlink_to("folder")
    await asyncio.to_thread(context.artifact, workspace / "folder" / "a.txt")
    context.artifact(workspace / context.task.prompt)


@pytest.mark.parametrize("name", ["pipe", "folder", "link", "linked/a.txt", "folder/../linked/a.txt"])
def test_a_function_keeps_regular_files_alone(name: str) -> None:
    ran = run_backend(keeps, prompt=name)
    assert ran.failure and ran.failure.type == "ValueError", ran
    assert f"/{os.path.normpath(name)} is " in ran.failure.message and "cannot be kept" in ran.failure.message
    assert ran.artifacts == {"a.txt": b"a"}


def test_a_file_that_is_not_there_is_named() -> None:
    ran = run_backend(keeps, prompt="nothing.txt")
    assert ran.failure and ran.failure.type == "FileNotFoundError" and "/nothing.txt" in ran.failure.message


def test_a_file_behind_a_link_outside_of_the_run_is_kept(tmp_path: Path) -> None:
    """Where no agent writes, a folder may be a link, such as /var/run."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.txt").write_text("b")
    (tmp_path / "linked").symlink_to("folder")
    ran = run_backend(keeps, prompt=str(tmp_path / "linked" / "b.txt"))
    assert ran.artifacts == {"a.txt": b"a", "b.txt": b"b"}, ran
