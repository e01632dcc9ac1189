"""A large file passes the worker by: git reads it, and the worker itself holds nothing of it."""

from __future__ import annotations

from pathlib import Path

from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import Operator
from harness.patience import PATIENCE

MEGABYTES = 150
LINE = "a" * 99 + "\n"
# In the place of an agent whose edits the worker looks for.
AGENT = """#!/bin/sh
while [ "$1" != --output ]; do shift; done
cd ../repository && tr a b <large.txt >changed && mv changed large.txt
echo '{"info": {"exit_status": "Submitted"}, "messages": []}' >"$2"
"""


def _peak(process: int) -> int:
    """The most memory that it has had, in MiB."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) >> 10


async def test_a_large_file_that_was_changed_is_not_held(
    operator: Operator, start_worker: StartWorker, repository: GitServer, tmp_path: Path
) -> None:
    clone = tmp_path / "add-large"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    (clone / "large.txt").write_text(LINE * (MEGABYTES * 10_000))
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add a large file")
    git(clone, "push", "--quiet", "origin", "main")
    agent = tmp_path / "mini"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    settings = {"CODEFORGE_BACKEND": "mini-swe-agent", "CODEFORGE_MINI_SWE_AGENT": str(agent), "CODEFORGE_MODEL": "m"}
    worker = await start_worker(**settings)
    before = _peak(worker.pid)
    task = {"git": {"url": repository.url, "push": {"branch": "b"}}}
    uid = await operator.submit(workspace=task, run_timeout_seconds=300)
    last = (await operator.until(uid, seconds=8 * PATIENCE))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == ["large.txt"]
    assert git(repository.bare, "cat-file", "-s", "b:large.txt") == str(MEGABYTES * 1_000_000)
    assert repository.commit("b:large.txt") != repository.commit("main:large.txt")
    assert "changes.patch is without large.txt" in last["result"]["artifacts_problem"]
    # It grows by nothing; by four times the file where it reads what git says of a changed file.
    assert _peak(worker.pid) - before < MEGABYTES / 4, f"{before} MiB, then {_peak(worker.pid)} MiB"
