"""The worker's use of NATS: one lasting connection, reads from the leader, confirmed acknowledgements."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import PubAck
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from . import plain, wire
from .connection import AWAY, REQUEST_SECONDS, Answer, Connection, Served
from .inbox import Inbox
from .refusals import Refused
from .settings import Settings
from .subjects import Subjects

log = logging.getLogger(__name__)

WRONG_LAST_SEQUENCE = 10071
# A dead letter's body, and what is beside it.
BURIED_BYTES = 1_000_000
_BESIDE_BURIED_BYTES = 8192
# How long a replica of a stream may lag.
_BEHIND_SECONDS = 5.0
_NO_MESSAGE = "404"
# A sequence that no subject ever has as its last.
_IMPOSSIBLE = 1 << 63
# How long the worker retries an acknowledgement that the consumer does not confirm.
UNANSWERED_SECONDS = 10.0


class WrongSequence(Exception):
    """Another write on the subject came first; `last` is the subject's last sequence, 0 for none."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the last sequence is {last}")
        self.last = last


@dataclass(frozen=True)
class _Stored:
    sequence: int
    body: bytes
    headers: Mapping[str, str]


class Broker:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.subjects = Subjects(settings.namespace, settings.pool)
        self.connection = Connection(settings, self.subjects.inbox)
        self.refusals = self.connection.refusals

    @property
    def max_payload(self) -> int:
        """The server's limit for a message, body and headers together, in bytes."""
        return self.connection.client.max_payload

    @property
    def connected(self) -> bool:
        return self.connection.connected

    @property
    def reconnects(self) -> int:
        return self.connection.reconnects

    def jetstream(self) -> JetStreamContext:
        return self.connection.client.jetstream(timeout=REQUEST_SECONDS)  # pyright: ignore[reportUnknownMemberType]

    async def inbox(self, take: Callable[[Msg], None], wake: Callable[[], None]) -> Inbox:
        source = f"$JS.API.CONSUMER.MSG.NEXT.{self._settings.stream}.{self._settings.consumer}"
        inbox = Inbox(self.connection, source, take, wake)
        await inbox.open()
        return inbox

    async def last_event(self, task_id: str, dispatch_id: str) -> wire.Seen | None:
        """The last event, or the leader's reliable "none". Repeats until it is answered."""
        while True:
            sequence = await self.last_sequence(task_id)
            if not sequence:
                return None
            found = await self._direct("EVENTS", self.subjects.events(task_id))
            # A replica of the stream may lag behind its leader.
            if found is not None and found.sequence >= sequence:
                return wire.read_event(found.sequence, found.body, found.headers.get(wire.PROOF, ""), dispatch_id)
            await asyncio.sleep(0.1)

    async def last_sequence(self, task_id: str) -> int:
        """The last event's sequence at the leader, 0 for none: the answer to an impossible write."""
        with self.refusals.tries("to tell the last event") as tries:
            while True:
                try:
                    await self.append(task_id, b"", {}, _IMPOSSIBLE)
                    await asyncio.sleep(0.5)
                except WrongSequence as error:
                    return error.last
                except AWAY as error:
                    log.debug("the last event's sequence is not known yet: %s", error)
                    await tries.pause(error)

    async def settings_of_pool(self, least: int) -> bytes | None:
        """The pool's settings; None when there are none. Repeats until it is answered.

        `least` is the announced revision: for a short time an older one counts as a lagging replica.
        """
        patient_until = time.monotonic() + (_BEHIND_SECONDS if least else 0)
        while True:
            stored = await self._direct("KV_config", self.subjects.settings)
            if (stored and stored.sequence >= least) or time.monotonic() >= patient_until:
                return stored.body if stored else None
            await asyncio.sleep(0.1)

    async def _direct(self, stream: str, subject: str) -> _Stored | None:
        """The last message on a subject, from any replica of the stream; None for no message or no stream."""
        with self.refusals.tries(f"to read {stream}") as tries:
            while True:
                try:
                    answer = await self.request(f"$JS.API.DIRECT.GET.{stream}.{subject}", b"")
                except NoRespondersError:
                    return None
                except AWAY as error:
                    log.debug("%s cannot be read: %s", stream, error)
                    await tries.pause(error)
                    continue
                headers = answer.headers or {}
                if "Nats-Sequence" in headers:
                    return _Stored(int(headers["Nats-Sequence"]), answer.data, headers)
                if headers.get("Status") == _NO_MESSAGE:
                    return None
                await tries.pause(Refused(headers.get("Description", "no reason is given")))

    async def append(self, task_id: str, body: bytes, headers: dict[str, str], expected: int) -> int:
        """Writes an event if the subject's last sequence is the expected one."""
        try:
            ack = await self._publish(
                self.subjects.events(task_id), body, {**headers, "Nats-Expected-Last-Subject-Sequence": str(expected)}
            )
        except APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                raise WrongSequence(_last_sequence(error)) from error
            raise
        return ack.seq

    async def bury(self, message: Msg, reason: str, detail: str, task_id: str) -> None:
        """Stores a dead letter and waits for the confirmation."""
        headers = {
            "Codeforge-Reason": reason,
            "Codeforge-Detail": plain.line_of(detail)[:512],
            "Codeforge-Origin-Subject": message.subject,
            "Codeforge-Origin-Stream": self._settings.stream,
            "Codeforge-Origin-Sequence": str(message.metadata.sequence.stream),
            "Nats-Msg-Id": wire.dead_letter_id(
                self._settings.stream, message.metadata.sequence.stream, _stored(message), message.data
            ),
        }
        if task_id:
            headers["Codeforge-Task-Id"] = task_id
        body = message.data
        most = min(BURIED_BYTES, max(0, self.max_payload - _BESIDE_BURIED_BYTES))
        if len(body) > most:
            # With our headers the message would exceed the server's limit, and the server would close the connection.
            headers["Codeforge-Truncated"] = str(len(body))
            body = body[:most]
        with self.refusals.tries("a dead letter") as tries:
            while True:
                try:
                    await self._publish(self.subjects.dead_letters, body, headers)
                    return
                except AWAY as error:
                    log.debug("tried again: %s", error)
                    await tries.pause(error)

    async def _publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> PubAck:
        """Stores a message in the stream that has the subject."""
        try:
            return await self.jetstream().publish(subject, body, headers=dict(headers))
        except TimeoutError as error:
            if forbidden := self.forbidden(subject):
                raise forbidden from error
            raise

    async def acknowledge(self, message: Msg, verb: bytes = b"+ACK") -> None:
        """Acknowledges and waits for the confirmation, unless the consumer no longer exists.

        Giving up is safe: a message that is redelivered meets the event that was written.
        """
        unanswered = 0.0
        while unanswered < UNANSWERED_SECONDS:
            asked = time.monotonic()
            try:
                await self.request(message.reply, verb)
                return
            except NoRespondersError:
                break
            except AWAY as error:
                log.debug("acknowledged again: %s", error)
            await asyncio.sleep(0.5)
            if self.connected:
                unanswered += time.monotonic() - asked
        log.warning("the consumer of %s is gone: %s was not acknowledged", self._settings.stream, message.subject)

    async def request(self, subject: str, body: bytes, timeout: float = REQUEST_SECONDS) -> Msg:
        if not self.connected:
            raise TimeoutError("not connected")
        try:
            return await self.connection.client.request(subject, body, timeout=timeout)
        except TimeoutError as error:
            if forbidden := self.forbidden(subject):
                raise forbidden from error
            raise

    def forbidden(self, subject: str) -> Refused | None:
        """Why what was published on the subject had no answer, if its user may not publish there."""
        return self.connection.forbidden(subject)

    async def serve(self, subject: str, answer: Answer) -> Served:
        return await self.connection.serve(subject, answer)

    async def flush(self) -> None:
        """Waits until the server has read what was sent."""
        while True:
            try:
                await self.connection.client.flush(timeout=int(REQUEST_SECONDS))
                return
            except AWAY as error:
                log.debug("flushed again: %s", error)
            # nats-py stops reading when a ping that it has given up is answered late: a new connection does not have
            # it.
            await self.connection.client.force_reconnect()
            await asyncio.sleep(0.5)

    async def publish(self, subject: str, body: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Publishes over core NATS without confirmation; answers go to `reply`."""
        await self.connection.client.publish(subject, body, reply, headers)


def _stored(message: Msg) -> int:
    """Nanoseconds since 1970 when the message was stored, by its reply subject in either form."""
    tokens = message.reply.split(".")
    return int(tokens[7] if len(tokens) == 9 else tokens[9])


def _last_sequence(error: APIError) -> int:
    """The sequence in the server's refusal of the expected one."""
    told = re.search(r"\d+$", error.description or "")
    if told is None:
        raise error
    return int(told.group())
