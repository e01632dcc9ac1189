"""Sends a run's lines to NATS: in order, several at once, each until it is stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from nats.aio.msg import Msg
from nats.js.errors import APIError

from .broker import AWAY, Broker
from .refusals import Refused, is_refusal

# Limit of lines that are not stored yet; from then on callers that can wait do.
BUFFER_BYTES = 4 << 20
# Beyond it, while NATS takes lines, for callers that cannot wait: a function on the event loop, an agent's record.
OVERSHOOT_BYTES = 16 << 20
# Lines in flight. A server holds 10,000 messages of all clients that its stream has not stored yet.
IN_FLIGHT, IN_FLIGHT_BYTES = 512, 1 << 20
# Lines without an acknowledgement are sent again after this time.
UNANSWERED_SECONDS = 3.0
# After this time NATS counts as away: no caller waits, and lines beyond the buffer are dropped.
STALLED_SECONDS = 10.0
# At a run's end: how long to wait for a NATS that takes nothing.
SILENT_SECONDS = 5.0
_LOOK_SECONDS = 0.2
# Cost of a line beside its bytes.
_EACH = 100

log = logging.getLogger(__name__)


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    """Of JetStream to a published message."""

    error: _Error | None = None


@dataclass(frozen=True)
class _Line:
    sequence: int
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body) + _EACH


class LineSender:
    def __init__(self, broker: Broker, subject: str, fitted: Callable[[bytes], bytes]) -> None:
        """`fitted` cuts a line to the current server's limit."""
        self._broker = broker
        self._subject = subject
        self._fitted = fitted
        # Ids are shared by the whole stream, so ours must not be predictable.
        self._id = uuid.uuid4().hex[:16]
        self._inbox = f"{broker.subjects.inbox}.{uuid.uuid4().hex}"
        self._waiting: deque[_Line] = deque()
        self._in_flight: dict[int, _Line] = {}
        self._in_flight_bytes = 0
        self.size = 0
        self._reconnects: int = broker.reconnects
        self._again = False
        # The last refusal, and the lines in flight that were refused and not stored since.
        self._refusal: Exception | None = None
        self._refused: set[int] = set()
        self._tries = broker.refusals.tries("lines of output")
        # When NATS last took a line, or had none to take.
        self._took = time.monotonic()
        self._asked = self._took
        self._closed = False
        self._more = asyncio.Event()
        self._progress = asyncio.Event()
        self._sending = asyncio.create_task(self._send())

    @property
    def unsent(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    @property
    def away_seconds(self) -> float:
        """How long NATS has taken no line although there were some; 0 while that is short."""
        silent = time.monotonic() - self._took
        return silent if self.unsent and silent >= STALLED_SECONDS else 0.0

    @property
    def refusal(self) -> str:
        """NATS's words while it refuses lines; otherwise empty."""
        return str(self._refusal or "")

    @property
    def is_full(self) -> bool:
        return self.size >= BUFFER_BYTES + (0 if self.away_seconds else OVERSHOOT_BYTES)

    @property
    def has_room(self) -> bool:
        return self.size <= BUFFER_BYTES // 2

    def put(self, sequence: int, body: bytes) -> None:
        if not self.unsent:
            self._took = time.monotonic()
        line = _Line(sequence, body)
        self._waiting.append(line)
        self.size += line.size
        self._more.set()

    async def room(self) -> None:
        """Waits while the buffer is full, but not for a NATS that is away."""
        if self.size < BUFFER_BYTES:
            return
        while not self.has_room and not self.away_seconds and not self._closed:
            await self._change()

    async def flush(self, seconds: float) -> None:
        """Waits until all lines are stored, for a limited time, and not for a NATS that is silent."""
        if self.refusal:
            # Once more: the pause may be longer than the time that is left, and the refusal may be over.
            self._took = time.monotonic()
            self._broker.refusals.try_again()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.unsent and time.monotonic() - self._took < SILENT_SECONDS:
                    await self._change()

    def stop(self) -> None:
        self._closed = True
        self._sending.cancel()
        self._tries.over()

    async def _change(self) -> None:
        """Returns when a line was stored, or some time has passed."""
        self._progress.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._progress.wait()

    async def _send(self) -> None:
        await self._more.wait()
        answers = None
        try:
            while True:
                try:
                    answers = answers or await self._broker.serve(f"{self._inbox}.*", self._answered)
                    await self._next()
                except AWAY as error:
                    log.debug("lines are sent again: %s", error)
                    self._again = True
        finally:
            if answers:
                with contextlib.suppress(*AWAY):
                    await answers.unsubscribe()

    async def _next(self) -> None:
        """Sends what may be in flight, and waits for answers, or for lines if no answer is due."""
        self._more.clear()
        if self._again or not self._broker.connected:
            await self._pause()
            self._again = True
        if not self._broker.connected:
            self._accept(set(self._refused))
            return
        if self._again or self._broker.reconnects != self._reconnects:
            self._again, self._reconnects = False, self._broker.reconnects
            self._asked = time.monotonic()
            for line in list(self._in_flight.values()):
                await self._publish(line)
        while self._waiting and len(self._in_flight) < IN_FLIGHT and self._in_flight_bytes < IN_FLIGHT_BYTES:
            if not self._in_flight:
                self._asked = time.monotonic()
            line = self._waiting.popleft()
            self._in_flight[line.sequence] = line
            self._in_flight_bytes += line.size
            await self._publish(line)
        patience = self._asked + UNANSWERED_SECONDS - time.monotonic() if self._in_flight else None
        try:
            async with asyncio.timeout(patience):
                await self._more.wait()
        except TimeoutError:
            # To a user without the permission NATS says so separately.
            if forbidden := self._broker.forbidden(self._subject):
                self._refuse(forbidden, set(self._in_flight))
            self._again = True

    async def _pause(self) -> None:
        """Before lines are sent again: ever longer for what NATS refuses, unless there is a new connection."""
        if isinstance(self._refusal, Refused) and self._broker.connected:
            await self._tries.pause(self._refusal)
        else:
            await asyncio.sleep(_LOOK_SECONDS)

    def _refuse(self, error: Exception, lines: set[int]) -> None:
        self._refusal = error
        self._refused |= lines
        if not isinstance(error, Refused):
            self._tries.over()

    def _accept(self, lines: set[int]) -> None:
        """They are stored, or it is not known any more whether NATS refuses them."""
        self._refused -= lines
        if self._refusal and not self._refused:
            self._refusal = None
            self._tries.over()

    async def _publish(self, line: _Line) -> None:
        headers = {"Nats-Msg-Id": f"{self._id}-{line.sequence}"}
        await self._broker.publish(self._subject, self._fitted(line.body), f"{self._inbox}.{line.sequence}", headers)

    async def _answered(self, answer: Msg) -> None:
        self._more.set()
        number = int(answer.subject.rpartition(".")[2])
        if error := _refusal_in(answer):
            log.debug("a line was refused: %s", error)
            if number in self._in_flight:
                self._refuse(error, {number})
                self._again = True
            return
        self._accept({number})
        line = self._in_flight.pop(number, None)
        if line is None:
            return
        self._in_flight_bytes -= line.size
        self.size -= line.size
        self._took = self._asked = time.monotonic()
        self._progress.set()


def _refusal_in(answer: Msg) -> Exception | None:
    """`Refused` for what will be refused again; None for a line that was stored."""
    if status := (answer.headers or {}).get("Status"):
        return Refused(f"{status} there is no stream LOGS")
    error = msgspec.json.decode(answer.data, type=_Answer).error
    if error is None:
        return None
    told = APIError(error.code, error.description, error.err_code)
    return Refused(f"{error.code} {error.description}") if is_refusal(told) else told
