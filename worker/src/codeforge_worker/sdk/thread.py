"""A thread of its own for a plain function: it blocks neither the loop nor the executor that name look-ups share."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(name: str, call: Callable[[], T]) -> asyncio.Future[T]:
    """The future of what the call returns; it must not raise. A daemon: the end of the worker does not wait for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        returned = call()
        # Closed when the worker has ended meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(future.set_result, returned)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future
