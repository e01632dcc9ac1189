"""A child process in a group of its own: its lines as they come, and an end that takes the whole group along."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .logs import LINE_BYTES, Stream

STOP_SECONDS = 10.0
_CHUNK = 65536


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str, Stream], None],
    stdin: str = "",
) -> int:
    """Runs to the end and returns the exit code.

    Cancelled: the whole group gets SIGTERM, and what is left of it after ten seconds SIGKILL. When the first process
    ends by itself, the rest gets SIGKILL at once.
    """
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Half started is started: nobody else would end it.
        await _end_group((await starting).pid, 0)
        raise
    assert process.stdin and process.stdout and process.stderr  # noqa: S101 (pipes were asked for)
    feeding = asyncio.create_task(_feed(process.stdin, stdin))
    reading = [
        asyncio.create_task(_read(process.stdout, "stdout", on_line)),
        asyncio.create_task(_read(process.stderr, "stderr", on_line)),
    ]
    grace = STOP_SECONDS
    try:
        code = await _exit_code(process)
        grace = 0
        # A grandchild may hold the pipes open for ever: what it prints after the end is not waited for.
        await asyncio.wait(reading, timeout=1)
        return code
    finally:
        await _end_group(process.pid, grace)
        await _exit_code(process)
        for task in (feeding, *reading):
            task.cancel()


async def _exit_code(process: asyncio.subprocess.Process) -> int:
    """As `process.wait()`, which would wait for every grandchild that has inherited the pipes."""
    while process.returncode is None:
        await asyncio.sleep(0.02)
    return process.returncode


async def _feed(writer: asyncio.StreamWriter, text: str) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(text.encode())
        await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader, stream: Stream, on_line: Callable[[str, Stream], None]) -> None:
    rest = b""
    while chunk := await reader.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _emit(line, stream, on_line)
        while len(rest) >= LINE_BYTES:
            _emit(rest[:LINE_BYTES], stream, on_line)
            rest = rest[LINE_BYTES:]
    if rest:
        _emit(rest, stream, on_line)


def _emit(line: bytes, stream: Stream, on_line: Callable[[str, Stream], None]) -> None:
    text = line.rstrip(b"\r")
    for start in range(0, max(1, len(text)), LINE_BYTES):
        on_line(text[start : start + LINE_BYTES].decode("utf-8", "replace"), stream)


async def _end_group(group: int, grace: float) -> None:
    end = time.monotonic() + grace
    if grace and _signal(group, signal.SIGTERM):
        while time.monotonic() < end and _alive(group):
            await asyncio.sleep(0.05)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _alive(group: int) -> bool:
    """Whether a process of the group lives. One that has ended may stay listed, until its parent asks for it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # After the name, which may hold anything: state, parent, group.
                state, _, of = (entry / "stat").read_text().rpartition(") ")[2].split()[:3]
                if int(of) == group and state != "Z":
                    return True
    return False
