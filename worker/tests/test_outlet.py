"""A pod's log that nobody takes: who writes it is not kept waiting, and what is lost is counted."""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Iterator

import pytest
from harness.patience import PATIENCE

from codeforge_worker.outlet import Outlet


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def _until(reading: int, what: bytes) -> bytes:
    read, patient_until = b"", time.monotonic() + PATIENCE
    while what not in read and time.monotonic() < patient_until:
        if select.select([reading], [], [], 0.1)[0]:
            read += os.read(reading, 65536)
    return read


def test_lines_are_written_in_order(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1])
    for number in range(1000):
        outlet.write(f"line {number}\n")
    assert _until(pipe[0], b"line 999\n").decode().splitlines() == [f"line {number}" for number in range(1000)]


def test_a_full_pipe_keeps_nobody_waiting_and_the_loss_is_counted(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1], most=200_000)
    begun = time.monotonic()
    for number in range(100_000):
        outlet.write(f"line {number}\n")
    outlet.finish(0.1)
    assert time.monotonic() - begun < PATIENCE
    read = _until(pipe[0], b"are missing here").decode()
    outlet.write("afterwards\n")
    read += _until(pipe[0], b"afterwards").decode()
    *lines, told, last = read.splitlines()
    assert lines == [f"line {number}" for number in range(len(lines))] and last == "afterwards"
    assert told.startswith(f"({100_000 - len(lines)} lines are missing here: nothing took them for ")


def test_a_pipe_that_was_closed_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outlet = Outlet(writing)
    for _ in range(3):
        outlet.write("line\n")
        outlet.finish()
    os.close(writing)


def test_a_line_of_the_worker_is_not_waited_for(pipe: tuple[int, int]) -> None:
    """It is logged on the event loop, where heartbeats are due."""
    outlet = Outlet(pipe[1])
    # More than the pipe holds: nothing that follows is written before somebody reads.
    outlet.write("x" * 500_000 + "\n")
    handler = logging.StreamHandler(outlet)
    begun = time.monotonic()
    for number in range(20):
        handler.handle(logging.LogRecord("worker", logging.INFO, "", 0, f"line {number}", None, None))
    assert time.monotonic() - begun < 0.5
    assert b"line 19" in _until(pipe[0], b"line 19")
