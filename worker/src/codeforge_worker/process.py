"""A child process in a group of its own: its lines as they come, and an end that takes the whole group along."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .logs import LINE_BYTES, Stream

STOP_SECONDS = 10.0
_MARK = "CODEFORGE_PROCESS"
_ROUNDS = 50
_CHUNK = 65536


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str, Stream], None],
    stdin: str = "",
    strays: bool = False,
    line_bytes: int = LINE_BYTES,
) -> int:
    """Runs to the end and returns the exit code.

    Cancelled: the whole group gets SIGTERM, and what is left of it after ten seconds SIGKILL. When the first process
    ends by itself, the rest gets SIGKILL at once. With `strays` this goes also for processes that have left the group,
    as long as they kept the environment that they were started with. A line of more than `line_bytes` comes in parts.
    """
    marked = {_MARK: uuid.uuid4().hex} if strays else {}
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env={**environment, **marked},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Half started is started: nobody else would end it, and it may have begun something that needs its grace.
        await _end(_Group((await starting).pid, marked.get(_MARK, "")), STOP_SECONDS)
        raise
    assert process.stdin and process.stdout and process.stderr  # noqa: S101 (pipes were asked for)
    feeding = asyncio.create_task(_feed(process.stdin, stdin))
    reading = [
        asyncio.create_task(_read(process.stdout, "stdout", on_line, line_bytes)),
        asyncio.create_task(_read(process.stderr, "stderr", on_line, line_bytes)),
    ]
    grace = STOP_SECONDS
    try:
        code = await _exit_code(process)
        grace = 0
        # A grandchild may hold the pipes open for ever: what it prints after the end is not waited for.
        await asyncio.wait(reading, timeout=1)
        return code
    finally:
        await _end(_Group(process.pid, marked.get(_MARK, "")), grace)
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


async def _read(
    reader: asyncio.StreamReader, stream: Stream, on_line: Callable[[str, Stream], None], line_bytes: int
) -> None:
    rest = b""
    while chunk := await reader.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _emit(line, stream, on_line, line_bytes)
        while len(rest) >= line_bytes:
            _emit(rest[:line_bytes], stream, on_line, line_bytes)
            rest = rest[line_bytes:]
    if rest:
        _emit(rest, stream, on_line, line_bytes)


def _emit(line: bytes, stream: Stream, on_line: Callable[[str, Stream], None], line_bytes: int) -> None:
    text = line.rstrip(b"\r")
    for start in range(0, max(1, len(text)), line_bytes):
        on_line(text[start : start + line_bytes].decode("utf-8", "replace"), stream)


@dataclass(frozen=True)
class _Group:
    """A process group, and the processes outside of it that bear its mark; with no mark there are none."""

    number: int
    mark: str

    def signal(self, number: signal.Signals) -> bool:
        """Whether there was anybody to hear it."""
        heard = _heard(os.killpg, self.number, number)
        for stray in self._strays():
            heard = _heard(os.kill, stray, number) or heard
        return heard

    def alive(self) -> bool:
        return any(group == self.number for _, group in _living()) or self.has_strays()

    def has_strays(self) -> bool:
        return any(self._strays())

    def _strays(self) -> Iterator[int]:
        wanted = f"{_MARK}={self.mark}".encode()
        for process, group in _living() if self.mark else ():
            with contextlib.suppress(OSError):
                if group != self.number and wanted in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                    yield process


async def _end(group: _Group, grace: float) -> None:
    end = time.monotonic() + grace
    if grace and group.signal(signal.SIGTERM):
        while time.monotonic() < end and group.alive():
            await asyncio.sleep(0.05)
    for _ in range(_ROUNDS):
        group.signal(signal.SIGKILL)
        # A stray may have started another one between the look and the signal.
        if not group.has_strays():
            return
        await asyncio.sleep(0.02)


def _heard(send: Callable[[int, int], None], target: int, number: signal.Signals) -> bool:
    try:
        send(target, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _living() -> Iterator[tuple[int, int]]:
    """Each process that lives, with its group. One that has ended may stay listed, until its parent asks for it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # After the name, which may hold anything: state, parent, group.
                state, _, group = (entry / "stat").read_text().rpartition(") ")[2].split()[:3]
                if state != "Z":
                    yield int(entry.name), int(group)
