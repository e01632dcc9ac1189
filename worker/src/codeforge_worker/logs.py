"""The agent's lines: to the pod's stdout, and over core NATS to whoever listens. Never slows the agent down."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from typing import Literal, Protocol

import msgspec

from . import plain, wire
from .broker import AWAY, Broker

Stream = Literal["stdout", "stderr"]
LINE_BYTES = 8192
BUFFERED_LINES = 10_000


class Lines(Protocol):
    """The lines of one run, as the run itself sees them."""

    last_line: str

    def line(self, text: str, stream: Stream = "stdout") -> None: ...

    def output(self) -> str: ...


class RunLog:
    def __init__(self, broker: Broker, task: wire.Task, delivery: int) -> None:
        self._broker = broker
        self._task = task
        self._delivery = delivery
        self._lines: deque[bytes] = deque()
        self._sequence = 0
        self._dropped = 0
        self._more = asyncio.Event()
        self._sender = asyncio.create_task(self._send())
        self._output: deque[str] = deque(maxlen=400)
        self.last_line = ""

    def line(self, text: str, stream: Stream = "stdout") -> None:
        for line in plain.lines_of(text, LINE_BYTES):
            self._take(line, stream)

    def _take(self, text: str, stream: Stream) -> None:
        print(f"[{self._task.task_id}] {text}", file=sys.stdout, flush=True)
        self.last_line = text.strip() or self.last_line
        if stream == "stdout":
            self._output.append(text)
        if len(self._lines) >= BUFFERED_LINES:
            # Its number is used up: whoever reads sees the gap.
            self._sequence += 1
            self._dropped += 1
            return
        self._count_dropped()
        self._queue(text, stream)

    def _count_dropped(self) -> None:
        if self._dropped:
            count, self._dropped = self._dropped, 0
            self._queue(f"({count} lines were dropped: NATS was away)", "stderr")

    def output(self) -> str:
        """The end of what the agent printed."""
        return wire.tail("\n".join(self._output))

    def _queue(self, text: str, stream: Stream) -> None:
        self._sequence += 1
        self._lines.append(
            msgspec.json.encode(
                {
                    "task_id": self._task.task_id,
                    "line": text,
                    "stream": stream,
                    "attempt": self._task.attempt,
                    "delivery": self._delivery,
                    "seq": self._sequence,
                    "time": wire.now(),
                }
            )
        )
        self._more.set()

    async def _send(self) -> None:
        subject = self._broker.subjects.lines(self._task.task_id)
        while True:
            await self._more.wait()
            while self._lines:
                if not self._broker.connected:
                    await asyncio.sleep(0.5)
                    continue
                try:
                    await self._broker.publish(subject, self._lines[0])
                    self._lines.popleft()
                except AWAY:
                    await asyncio.sleep(0.5)
            self._more.clear()

    async def close(self) -> None:
        """Sends what is left, for five seconds at most."""
        self._count_dropped()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while self._lines:
                    await asyncio.sleep(0.01)
        self.stop()

    def stop(self) -> None:
        self._sender.cancel()
