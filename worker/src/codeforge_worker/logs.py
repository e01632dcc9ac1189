"""The agent's lines: to the pod's log, and to NATS, which slows down writers that can wait."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from . import log_format, plain, wire
from .broker import AWAY, Broker
from .fitting import BESIDE_BYTES, first_of
from .line_sender import LineSender
from .lines import LINE_BYTES, Stream
from .outlet import STDOUT

# Time limits before a run's outcome is reported; the second one while the worker has to stop.
FLUSH_SECONDS, STOPPING_SECONDS = 60.0, 5.0
_OUTPUT_LINES = 400

log = logging.getLogger(__name__)


class Lines(Protocol):
    """The lines of one run, for the run itself."""

    last_line: str

    def line(self, text: str, stream: Stream = "stdout") -> None: ...

    async def room(self) -> None:
        """Waits until NATS has taken enough lines; for callers that can wait."""
        ...

    def output(self) -> str: ...


class RunLog:
    def __init__(
        self, broker: Broker, task: wire.Task, delivery: int, count_lost: Callable[[int], None] = lambda _: None
    ) -> None:
        """`count_lost` gets the number of lines that will never be stored."""
        self._broker = broker
        self._count_lost = count_lost
        self._task = task
        self._delivery = delivery
        self._subject = broker.subjects.lines(task.task_id)
        self._sender = LineSender(broker, self._subject, self._fitted)
        self._sequence = 0
        # Since it was last told.
        self._dropped = self._dropped_bytes = 0
        self._away_seconds = 0.0
        self._refusal = ""
        self._output: deque[str] = deque(maxlen=_OUTPUT_LINES)
        self.last_line = ""

    def line(self, text: str, stream: Stream = "stdout") -> None:
        for line in plain.lines_of(text, self._line_bytes):
            self._take(line, stream)

    @property
    def _line_bytes(self) -> int:
        """In JSON a line may have twice the bytes. After a reconnect another server may have a lower limit."""
        return min(LINE_BYTES, max(4, (self._broker.max_payload - BESIDE_BYTES) // 2))

    def _fitted(self, body: bytes) -> bytes:
        """The line cut to the current server's limit: it may have been made for another one."""
        if len(body) <= self._broker.max_payload - BESIDE_BYTES:
            return body
        line = msgspec.json.decode(body, type=dict[str, Any])
        return msgspec.json.encode(line | {"line": first_of(line["line"], self._line_bytes)})

    async def room(self) -> None:
        await self._sender.room()

    def _take(self, text: str, stream: Stream) -> None:
        STDOUT.write(log_format.line(self._task, text, stream))
        self.last_line = text.strip() or self.last_line
        if stream == "stdout":
            self._output.append(text)
        if self._sender.is_full or (self._dropped and not self._sender.has_room):
            # The line's number is used, so a reader sees the gap.
            self._sequence += 1
            self._dropped += 1
            self._count_lost(1)
            self._dropped_bytes += len(text.encode())
            self._away_seconds = max(self._away_seconds, self._sender.away_seconds)
            self._refusal = self._sender.refusal or self._refusal
            return
        self._tell_dropped()
        self._put(text, stream)

    def _tell_dropped(self) -> None:
        if not self._dropped:
            return
        why = "they came faster than NATS takes them"
        if self._refusal:
            why = f"NATS refused them: {self._refusal}"
        elif self._away_seconds:
            why = f"NATS was away for {self._away_seconds:.0f} s"
        self._put(f"({self._dropped} lines, {self._dropped_bytes} bytes were dropped: {why})", "stderr")
        self._dropped = self._dropped_bytes = 0
        self._away_seconds = 0.0
        self._refusal = ""

    def output(self) -> str:
        """The end of what the agent printed."""
        return wire.tail("\n".join(self._output))

    def _put(self, text: str, stream: Stream) -> None:
        self._sequence += 1
        self._sender.put(self._sequence, self._encoded(text, stream))

    def _encoded(self, text: str, stream: Stream) -> bytes:
        return msgspec.json.encode(
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

    async def flush(self, seconds: float) -> None:
        """Waits until NATS has the remaining lines, for a limited time, and not for a NATS that is silent."""
        self._tell_dropped()
        await self._sender.flush(seconds)

    async def close(self) -> None:
        """Logs how many lines NATS has not taken."""
        await self._sender.flush(STOPPING_SECONDS)
        lines, size, refusal = self._sender.unsent, self._sender.size, self._sender.refusal
        self.stop()
        if not lines:
            return
        self._count_lost(lines)
        why = f"NATS refused them: {refusal}" if refusal else "NATS took them too slowly"
        sentence = f"({lines} lines, {size} bytes were not stored: the run has ended, and {why})"
        log.warning("task %s: %s", self._task.task_id, sentence)
        self._sequence += 1
        with contextlib.suppress(*AWAY):
            await self._broker.publish(self._subject, self._encoded(sentence, "stderr"))

    def stop(self) -> None:
        self._sender.stop()
