"""Requests that NATS refuses and will refuse again: repeated with growing pauses, logged once, and shown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import TracebackType

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js.errors import APIError, NoStreamResponseError

log = logging.getLogger(__name__)

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0
# JetStream has no room: on the server, for the account, or in the stream. `code` is 503 then, as for a fault.
_FULL = frozenset({10023, 10047, 10077})
_OWN_FAULT, _TOO_MANY = 500, 429


class Refused(NatsError):
    """A refusal; the message is the server's."""


def is_refusal(error: BaseException) -> bool:
    """A missing answer, too many requests, and the server's own errors pass by themselves; a full server does not."""
    if isinstance(error, APIError):
        code = error.code or 0
        return error.err_code in _FULL or (code < _OWN_FAULT and code != _TOO_MANY)
    return isinstance(error, (Refused, MaxPayloadError, NoStreamResponseError))


class Refusals:
    """The worker's current refusals."""

    def __init__(self) -> None:
        self._standing: dict[Tries, str] = {}
        self._again = asyncio.Event()

    @property
    def count(self) -> int:
        return len(self._standing)

    @property
    def sentence(self) -> str:
        """Empty while nothing is refused."""
        return "; ".join(sorted(set(self._standing.values())))

    def tries(self, what: str, first: float = FIRST_SECONDS) -> Tries:
        return Tries(self._standing, self._again, what, first)

    def try_again(self) -> None:
        """Ends the pauses: there is a new connection, whose server or user may differ, or no time is left."""
        self._again.set()
        self._again.clear()


class Tries:
    """One call, repeated until it is answered. Call `over` at its end, or use it as a context."""

    def __init__(self, standing: dict[Tries, str], again: asyncio.Event, what: str, first: float) -> None:
        self._standing = standing
        self._again = again
        self._what = what
        self._first = self._seconds = first

    def __enter__(self) -> Tries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over()

    async def pause(self, error: BaseException) -> None:
        """Before the next try; a new connection ends it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds_after(error)):
                await self._again.wait()

    def seconds_after(self, error: BaseException) -> float:
        """Constant, but growing for a refusal."""
        if not is_refusal(error):
            self.over()
            return self._first
        said = f"NATS refuses {self._what}: {error}"
        if self._standing.get(self) != said:
            log.warning("%s; it is tried again, ever later", said)
        self._standing[self] = said
        seconds, self._seconds = self._seconds, min(MOST_SECONDS, self._seconds * 2)
        return seconds

    def over(self) -> None:
        self._standing.pop(self, None)
        self._seconds = self._first
