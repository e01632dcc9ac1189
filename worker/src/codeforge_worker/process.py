"""A program that is run to its end: its lines as they come, and an end that takes all of its descendants along."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import plain
from .confinement.order import Walls
from .confinement.supervised import supervise
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
    walls: Walls | None = None,
    record_bytes: int = 0,
    on_bytes: Callable[[bytes], None] | None = None,
) -> int:
    """Runs to the end and returns the exit code; no process that it has started is left then, whatever that did.

    Cancelled: every process of it gets SIGTERM, and what is left after ten seconds SIGKILL. When the first one ends by
    itself, the others get SIGKILL at once. Without `walls` it may do what the worker may. Lines are plain, and come in
    parts of at most `LINE_BYTES`; with `record_bytes` those of stdout come as they are, in parts of that size.
    `on_bytes` takes stdout as it comes, instead of its lines. `OSError` when the program could not be started.
    """
    starting = asyncio.create_task(
        supervise(argv, cwd=cwd, environment=environment, grace=STOP_SECONDS, walls=walls),
    )
    try:
        program = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Half started is started: nobody else would end it, and it may have begun something that needs its grace.
        await (await starting).stop()
        raise
    feeding = asyncio.create_task(_feed(program.stdin, stdin))
    reading = [
        asyncio.create_task(
            _pass_on(program.stdout, on_bytes) if on_bytes else _read(program.stdout, "stdout", on_line, record_bytes)
        ),
        asyncio.create_task(_read(program.stderr, "stderr", on_line)),
    ]
    try:
        code = await program.end()
        # Another run may have been handed the pipes, and hold them open: what comes after the end is not waited for.
        await asyncio.wait(reading, timeout=1)
        return code
    except asyncio.CancelledError:
        await program.stop()
        raise
    finally:
        for task in (feeding, *reading):
            task.cancel()


async def _feed(writer: asyncio.StreamWriter, text: str) -> None:
    with contextlib.suppress(ConnectionError):
        # A name of a file may have any bytes.
        writer.write(text.encode("utf-8", "surrogateescape"))
        await writer.drain()
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, on_bytes: Callable[[bytes], None]) -> None:
    while chunk := await reader.read(_CHUNK):
        on_bytes(chunk)


async def _read(
    reader: asyncio.StreamReader, stream: Stream, on_line: Callable[[str, Stream], None], record_bytes: int = 0
) -> None:
    lines = plain.Records(record_bytes) if record_bytes else plain.Lines(LINE_BYTES)
    while chunk := await reader.read(_CHUNK):
        for line in lines.take(chunk):
            on_line(line, stream)
    for line in lines.end():
        on_line(line, stream)
