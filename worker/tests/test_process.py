"""What becomes of the processes that an agent has started, without an agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from conftest import exists
from harness.agents import are_gone, slow_command

from codeforge_worker.logs import Stream
from codeforge_worker.process import run


def _ignore(_text: str, _stream: Stream) -> None:
    pass


async def _run(directory: Path, script: str) -> int:
    environment = {"PATH": os.environ["PATH"]}
    return await run(["sh", "-c", script], cwd=directory, environment=environment, on_line=_ignore, strays=True)


async def test_a_stray_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    assert (
        await _run(tmp_path, f"setsid sh -c '{slow_command(pids)}' & while ! [ -e {pids} ]; do sleep 0.05; done") == 0
    )
    assert are_gone(pids)


async def test_a_stray_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    asked, ready = tmp_path / "asked", tmp_path / "ready"
    script = f"trap 'touch {asked}; exit' TERM; touch {ready}; while :; do sleep 0.05; done"
    running = asyncio.create_task(_run(tmp_path, f'setsid sh -c "{script}" & wait'))
    await exists(ready)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert asked.exists()


async def test_what_others_have_started_runs_on(tmp_path: Path) -> None:
    """Also where it was started by the same program in the same environment."""
    pids, end = tmp_path / "pids", tmp_path / "end"
    other = asyncio.create_task(_run(tmp_path, f"echo $$ >{pids}; while ! [ -e {end} ]; do sleep 0.05; done; exit 7"))
    await exists(pids)
    assert await _run(tmp_path, "setsid sleep 300 & exit 3") == 3
    assert not are_gone(pids)
    end.touch()
    assert await other == 7
