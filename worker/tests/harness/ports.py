"""Ports of the loopback."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket

from .patience import PATIENCE

# Above the ports of the Java tests, and below the range that outgoing connections take theirs from.
_FIRST, _COUNT, _BLOCKS = 23_000, 500, 16


def _bound(port: int) -> socket.socket | None:
    taking = socket.socket()
    try:
        taking.bind(("", port))
    except OSError:
        taking.close()
        return None
    return taking


def _block() -> socket.socket:
    """Holds this process's block as long as it lives: whoever else tests on this machine takes another one."""
    for block in range(_BLOCKS):
        if held := _bound(_FIRST + block * _COUNT):
            return held
    raise RuntimeError(f"all blocks of ports from {_FIRST} are taken: end the other tests")


_held = _block()
_next = itertools.count(random.randrange(_COUNT))


def free_port() -> int:
    """Given once: nobody of the tests gets it between now and its use."""
    while True:
        port: int = _held.getsockname()[1] + next(_next) % _COUNT
        if free := _bound(port):
            free.close()
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
