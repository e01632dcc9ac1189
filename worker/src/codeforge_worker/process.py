"""Runs a program to its end: passes its lines on as they come, and ends all of its descendants."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from . import plain
from .confinement.order import Walls
from .confinement.supervised import supervise
from .lines import LINE_BYTES, Stream

STOP_SECONDS = 10.0
_CHUNK = 65536
_TURN = 256
# More than what the pipes and their readers hold.
_LEFT_BYTES = 1 << 20


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str, Stream], None],
    stdin: str = "",
    walls: Walls | None = None,
    record_bytes: int = 0,
    on_bytes: Callable[[bytes], None] | None = None,
    room: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Runs a program and returns its exit code; no process that it has started is left then.

    If cancelled, every process gets SIGTERM, and after ten seconds SIGKILL. If the first one ends by itself, the others
    get SIGKILL at once. Without `walls` it has all rights of the worker. Lines are plain, and come in parts of at most
    `LINE_BYTES`; with `record_bytes` those of stdout come unchanged, in parts of that size. `on_bytes` takes stdout as
    it comes instead of lines. After each line it waits for `room`, and so does the program once its pipe is full.
    `OSError` if the program could not be started.
    """
    starting = asyncio.create_task(
        supervise(argv, cwd=cwd, environment=environment, grace=STOP_SECONDS, walls=walls),
    )
    try:
        program = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # A start in progress counts as started: nothing else would end the program, which may need its grace.
        await (await starting).stop()
        raise
    feeding = asyncio.create_task(_feed(program.stdin, stdin))
    printed = _Printed(on_line, room)
    stdout = plain.Records(record_bytes) if record_bytes else plain.Lines(LINE_BYTES)
    reading = [
        asyncio.create_task(
            _pass_on(program.stdout, on_bytes) if on_bytes else printed.read(program.stdout, "stdout", stdout)
        ),
        asyncio.create_task(printed.read(program.stderr, "stderr", plain.Lines(LINE_BYTES))),
    ]
    try:
        code = await program.end()
        await printed.rest(reading)
        return code
    except asyncio.CancelledError:
        await program.stop()
        raise
    finally:
        for task in (feeding, *reading):
            task.cancel()
        program.close()


async def _feed(writer: asyncio.StreamWriter, text: str) -> None:
    with contextlib.suppress(ConnectionError):
        # A name of a file may have any bytes.
        writer.write(text.encode("utf-8", "surrogateescape"))
        await writer.drain()
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, on_bytes: Callable[[bytes], None]) -> None:
    while chunk := await reader.read(_CHUNK):
        on_bytes(chunk)


class _Printed:
    """A program's output, passed on line by line as fast as there is room."""

    def __init__(self, on_line: Callable[[str, Stream], None], room: Callable[[], Awaitable[None]] | None) -> None:
        self._on_line = on_line
        self._room = room
        self._waiting = 0
        self._bytes = self._lines = 0

    async def read(self, reader: asyncio.StreamReader, stream: Stream, lines: plain.Lines | plain.Records) -> None:
        while chunk := await reader.read(_CHUNK):
            self._bytes += len(chunk)
            for number, line in enumerate(lines.take(chunk)):
                self._on_line(line, stream)
                self._lines += 1
                if number % _TURN == _TURN - 1:
                    # So many short lines take a while, and heartbeats are due in between.
                    await asyncio.sleep(0)
                if self._room:
                    self._waiting += 1
                    await self._room()
                    self._waiting -= 1
        for line in lines.end():
            self._on_line(line, stream)

    async def rest(self, reading: Sequence[asyncio.Task[None]]) -> None:
        """What is left in the pipes. Another run may hold them open; its output is not waited for."""
        most = self._bytes + _LEFT_BYTES
        while self._bytes <= most:
            before = self._lines
            _, pending = await asyncio.wait(reading, timeout=1)
            if not pending or (self._lines == before and not self._waiting):
                return
