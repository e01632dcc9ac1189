"""Ports of the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket


def free_port() -> int:
    """Below the range that outgoing connections take theirs from: nobody gets it between now and its use."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port


async def listening(port: int, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
