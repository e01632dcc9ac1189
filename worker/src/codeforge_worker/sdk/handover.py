"""Hands what a thread says to the event loop, in order, and slows down one that says more than can be sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

# The loop has this many calls waiting at most: with more it would be late for its heartbeats.
WAITING = 256


class Handover:
    """Made on the loop's thread; used from any."""

    def __init__(self, room: Callable[[], Awaitable[None]]) -> None:
        """`room` returns when what was said before has left enough of it."""
        self._wait_for_room = room
        self._waits: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._room = threading.BoundedSemaphore(WAITING)
        self._closed = False

    def call(self, what: Callable[[], None]) -> None:
        if threading.get_ident() == self._thread:
            self._do(what)
            return
        while not self._room.acquire(timeout=0.5):
            if self._closed:
                return
        try:
            self._loop.call_soon_threadsafe(self._let, what)
        except RuntimeError:
            # The worker has ended, this thread has not.
            self.close()
            self._room.release()

    def close(self) -> None:
        """What is still said goes nowhere: the run is over."""
        self._closed = True

    def _let(self, what: Callable[[], None]) -> None:
        self._do(what)
        wait = asyncio.ensure_future(self._release())
        self._waits.add(wait)
        wait.add_done_callback(self._waits.discard)

    async def _release(self) -> None:
        await self._wait_for_room()
        self._room.release()

    def _do(self, what: Callable[[], None]) -> None:
        if not self._closed:
            what()
