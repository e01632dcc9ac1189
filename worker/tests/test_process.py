"""What becomes of the processes that an agent has started, without an agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from conftest import written
from harness.agents import are_gone, slow_command
from harness.patience import PATIENCE

from codeforge_worker.confinement import landlock
from codeforge_worker.confinement.order import Walls
from codeforge_worker.lines import Stream
from codeforge_worker.process import run


def _ignore(_text: str, _stream: Stream) -> None:
    pass


async def _run(directory: Path, script: str, walls: Walls | None = None) -> int:
    environment = {"PATH": os.environ["PATH"]}
    async with asyncio.timeout(PATIENCE):
        return await run(["sh", "-c", script], cwd=directory, environment=environment, on_line=_ignore, walls=walls)


def _walls(write: Path) -> Walls:
    """Those of this kernel around a folder."""
    return Walls(
        read=["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"], write=[str(write)], devices=["/dev/null"], ports=[],
        open_network=False, abi=landlock.abi(), filter=True,
    )  # fmt: skip


# Leaves its session, its group and its parent, clears its environment, is deaf to SIGTERM, and starts others.
_DAEMON = """
import ctypes, os, signal, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
if len(sys.argv) > 1:
    os.execve("/proc/self/exe", ["python3", "-c", os.environ["DAEMON"]], {"PIDS": os.environ["PIDS"]})
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for name in "ab":
    if os.fork() == 0: os.setsid(); break
with open(os.environ["PIDS"], "a") as pids: pids.write(f"{os.getpid()} ")
time.sleep(300)
"""


@pytest.mark.parametrize("within_walls", [True, False])
async def test_a_daemon_ends_with_its_run(tmp_path: Path, within_walls: bool) -> None:
    pids = tmp_path / "pids"
    script = (
        f"export PIDS={pids} DAEMON='{_DAEMON}'; python3 -c \"$DAEMON\" again;"
        f" while [ $(wc -w <{pids} || echo 0) -lt 3 ]; do sleep 0.05; done; exit 5"
    )
    assert await _run(tmp_path, script, _walls(tmp_path) if within_walls else None) == 5
    assert len(pids.read_text().split()) == 3 and are_gone(pids)


async def test_a_run_that_forks_for_ever_ends(tmp_path: Path) -> None:
    """Each of its processes is gone before a list of them is complete."""
    alive = tmp_path / "alive"
    script = f"f() {{ echo >>{alive}; (f &) ; }}; f & while ! [ -e {alive} ]; do :; done; exit 0"
    for walls in (_walls(tmp_path), None):
        assert await _run(tmp_path, script, walls) == 0
        size = alive.stat().st_size
        await asyncio.sleep(0.2)
        assert alive.stat().st_size == size


@pytest.mark.parametrize(
    ("script", "code"), [("exit 126", 126), ("kill -11 $$", -11), ("kill -9 $$", -9), ("exit 0", 0)]
)
async def test_how_the_program_ended_is_passed_on(tmp_path: Path, script: str, code: int) -> None:
    assert [await _run(tmp_path, script, walls) for walls in (None, _walls(tmp_path))] == [code, code]


async def test_files_are_moved_within_walls(tmp_path: Path) -> None:
    """From folder to folder: git-lfs does, and what moves by rename alone fails where the kernel refuses it."""
    script = (
        'mkdir a b && echo x >a/file && python3 -c \'import os; os.rename("a/file", "b/file")\' && ln b/file a/file'
    )
    assert await _run(tmp_path, script, _walls(tmp_path)) == 0


@pytest.mark.parametrize("within_walls", [True, False])
async def test_a_program_that_cannot_be_executed(tmp_path: Path, within_walls: bool) -> None:
    (tmp_path / "plain").touch()
    for program, error in (("no-such-program", FileNotFoundError), ("./plain", PermissionError)):
        with pytest.raises(error, match=program):
            await run(
                [program], cwd=tmp_path, environment={"PATH": os.environ["PATH"]}, on_line=_ignore,
                walls=_walls(tmp_path) if within_walls else None,
            )  # fmt: skip


async def test_a_run_learns_nothing_of_the_worker(tmp_path: Path) -> None:
    """It has no descriptor but its streams, and no variable but its own."""
    lines: list[str] = []
    await run(
        ["sh", "-c", "ls /proc/self/fd | wc -l; env"], cwd=tmp_path, environment={"PATH": os.environ["PATH"], "A": "b"},
        on_line=lambda text, _: lines.append(text), walls=_walls(tmp_path),
    )  # fmt: skip
    # The fourth is that of ls.
    assert lines[0] == "4" and {line.partition("=")[0] for line in lines[1:]} == {"PATH", "A", "PWD"}


async def _printed(directory: Path, script: str) -> list[tuple[str, Stream]]:
    lines: list[tuple[str, Stream]] = []
    async with asyncio.timeout(PATIENCE):
        await run(
            ["sh", "-c", script], cwd=directory, environment={"PATH": os.environ["PATH"]},
            on_line=lambda text, stream: lines.append((text, stream)),
        )  # fmt: skip
    return lines


async def test_lines_of_a_program_are_plain(tmp_path: Path) -> None:
    script = r"printf '\033[31mred\033[0m \000\n 1%%\r99%%\n'; printf 'cut \033]0;title' >&2"
    assert sorted(await _printed(tmp_path, script)) == [("99%", "stdout"), ("cut ", "stderr"), ("red �", "stdout")]


async def test_a_character_that_comes_in_two_halves_is_one(tmp_path: Path) -> None:
    script = r"printf '\346\227'; sleep 0.3; printf '\245\n'"
    assert await _printed(tmp_path, script) == [("日", "stdout")]


async def test_a_program_waits_for_room_and_all_it_printed_is_read_after_its_end(tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    script = f"seq 1 100000; echo >{printed}"
    lines: list[str] = []
    has_room = asyncio.Event()

    async def room() -> None:
        await has_room.wait()

    async with asyncio.timeout(PATIENCE):
        running = asyncio.create_task(
            run(
                ["sh", "-c", script], cwd=tmp_path, environment={"PATH": os.environ["PATH"]},
                on_line=lambda text, _: lines.append(text), room=room,
            )
        )  # fmt: skip
        while not lines:
            await asyncio.sleep(0.02)
        # More than its pipe and the reader hold.
        await asyncio.sleep(0.3)
        assert lines == ["1"] and not printed.exists()
        has_room.set()
        assert await running == 0
    assert lines == [str(number) for number in range(1, 100_001)]


async def test_a_program_that_has_ended_is_read_as_slowly_as_there_is_room(tmp_path: Path) -> None:
    lines: list[str] = []

    async def room() -> None:
        if len(lines) % 1000 == 0:
            await asyncio.sleep(1.2)

    async with asyncio.timeout(PATIENCE):
        await run(
            ["sh", "-c", "seq 1 3000"], cwd=tmp_path, environment={"PATH": os.environ["PATH"]},
            on_line=lambda text, _: lines.append(text), room=room,
        )  # fmt: skip
    assert lines == [str(number) for number in range(1, 3001)]


async def test_a_stray_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    assert (
        await _run(tmp_path, f"setsid sh -c '{slow_command(pids)}' & while ! [ -e {pids} ]; do sleep 0.05; done") == 0
    )
    assert are_gone(pids)


async def test_a_stray_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    asked, ready = tmp_path / "asked", tmp_path / "ready"
    script = f"trap 'touch {asked}; exit' TERM; echo > {ready}; while :; do sleep 0.05; done"
    running = asyncio.create_task(_run(tmp_path, f'setsid sh -c "{script}" & wait'))
    await written(ready)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert asked.exists()


async def test_what_others_have_started_runs_on(tmp_path: Path) -> None:
    """Also where it was started by the same program in the same environment."""
    pids, end = tmp_path / "pids", tmp_path / "end"
    other = asyncio.create_task(_run(tmp_path, f"echo $$ >{pids}; while ! [ -e {end} ]; do sleep 0.05; done; exit 7"))
    await written(pids)
    assert await _run(tmp_path, "setsid sleep 300 & exit 3") == 3
    assert not are_gone(pids)
    end.touch()
    assert await other == 7
