"""Ports of the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import socket

from .patience import PATIENCE

# Above the ports of the Java tests, and below the range that outgoing connections take theirs from.
_FIRST, _OF_ONE_PROCESS, _PROCESSES = 23_000, 500, 16
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
_next = itertools.count(random.randrange(_OF_ONE_PROCESS))


def free_port() -> int:
    """Given once, by one process of the tests: nobody gets it between now and its use."""
    while True:
        port = _FIRST + _process * _OF_ONE_PROCESS + next(_next) % _OF_ONE_PROCESS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port


async def listening(port: int, seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
