"""What is left of a run when its supervisor or its worker is ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from conftest import StartWorker, until, written
from harness.agents import are_gone
from harness.operator import CONTROL, Operator, kinds
from harness.patience import PATIENCE

from codeforge_worker.confinement.nursery_of_worker import NurseryOfWorker
from codeforge_worker.confinement.supervised import Supervisor


async def test_a_run_that_ends_its_supervisor_ends(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    """Only without walls may it do so. The next run starts when none of it is left."""
    pids = tmp_path / "pids"
    deserters = f"for i in 1 2 3; do env -i setsid sh -c 'echo $$ >>{pids}; sleep 300 & wait' & done"
    kills = f"{deserters}; while [ $(wc -l <{pids} || echo 0) -lt 3 ]; do sleep 0.05; done; kill -9 $PPID; sleep 300"
    # What is seen of the first by the second: whether it lives yet.
    sees = f"for pid in $(cat {pids}); do kill -0 $pid 2>/dev/null && echo lives; done; echo seen"
    await start_worker("sh", "-c", f"if [ -e {pids} ]; then {sees}; else {kills}; fi", CODEFORGE_ISOLATION="Off")
    first, second = await operator.submit(), await operator.submit()
    last = (await operator.until(first))[-1].body
    assert last["failure"]["type"] == "CommandFailed" and "killed by signal 9" in last["failure"]["message"]
    assert are_gone(pids)
    assert (await operator.until(second))[-1].body["output"].strip() == "seen"


# Each round's supervisor is ended by its run. It is a process of its own: what it adopts, it ends.
_ROUNDS = """
import asyncio, os
from pathlib import Path
from codeforge_worker.confinement.processes import children
from codeforge_worker.confinement.supervised import adopt_orphans, supervise

async def main():
    adopt_orphans()
    kills = ["sh", "-c", "for i in 1 2 3; do setsid sleep 300 & done; kill -9 $PPID; sleep 300"]
    for round in range(60):
        run = await supervise(kills, cwd=Path.cwd(), environment=os.environ, grace=1, walls=None)
        assert await run.end() == -9
        # What has forked the supervisor.
        assert len(children(os.getpid())) == 1, f"round {round}"

asyncio.run(main())
"""


async def test_nothing_is_left_however_soon_the_end_of_a_supervisor_is_seen(tmp_path: Path) -> None:
    """Its pipe is closed before its children are somebody else's."""
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    rounds = await asyncio.create_subprocess_exec(sys.executable, "-c", _ROUNDS, cwd=tmp_path, env=environment)
    assert await rounds.wait() == 0


async def test_a_run_that_ends_what_forks_supervisors_ends_and_the_next_one_runs(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    """As its supervisor, which is asked to end it then."""
    pids = tmp_path / "pids"
    parent = "$(ps -o ppid= -p $PPID)"
    kills = f"if [ -e {pids} ]; then echo fine; else echo $$ >{pids}; kill -9 {parent}; exec sleep 300; fi"
    await start_worker("sh", "-c", kills, CODEFORGE_ISOLATION="Off")
    first, second = await operator.submit(), await operator.submit()
    last = (await operator.until(first))[-1].body
    assert last["failure"]["type"] == "CommandFailed" and "killed by signal 15" in last["failure"]["message"]
    assert are_gone(pids)
    assert (await operator.until(second))[-1].body["output"].strip() == "fine"


def test_what_forks_supervisors_is_not_ended_for_taking_no_more_orders() -> None:
    """Those that it has forked would end with it, and their runs."""
    nursery = NurseryOfWorker()
    reading, writing = os.pipe()

    def orders() -> None:
        for _ in range(100_000):
            nursery.fork(reading, writing, [reading, reading, reading])

    try:
        nursery.fork(reading, writing, [reading, reading, reading])
        first = nursery.number
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(OSError, match="takes none"):
            orders()
        assert nursery.number == first and Path(f"/proc/{first}").exists()
    finally:
        nursery.end()
        os.close(reading)
        os.close(writing)


async def test_the_end_of_a_supervisor_is_seen_where_a_sandbox_has_no_descriptor_of_it() -> None:
    ended = await asyncio.create_subprocess_exec("sleep", "300")
    supervisor = Supervisor(ended.pid, None)
    gone = asyncio.create_task(supervisor.gone())
    await asyncio.sleep(0.05)
    assert not gone.done()
    supervisor.send(signal.SIGKILL)
    await ended.wait()
    async with asyncio.timeout(PATIENCE):
        await gone


async def test_a_run_that_halts_its_supervisor_is_ended_all_the_same(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    halts = f"echo $$ >{pids}; kill -STOP $PPID; exec sleep 300"
    await start_worker("sh", "-c", halts, CODEFORGE_ISOLATION="Off")
    uid = await operator.submit()
    await written(pids)
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    assert kinds(await operator.until(uid)) == ["running", "cancelled"]
    assert are_gone(pids)


async def test_the_end_of_the_worker_ends_its_runs(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    pids, gone = tmp_path / "pids", tmp_path / "gone"
    worker = await start_worker(
        "sh", "-c", f"env -i setsid sh -c 'trap \"echo >{gone}; exit\" TERM; echo $$ >{pids}; {until(tmp_path / 'no')}'"
    )  # fmt: skip
    await operator.submit()
    await written(pids)
    await worker.kill()
    await written(gone)
