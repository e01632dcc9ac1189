"""NATS as the worker uses it: one connection for ever, reads from the leader, confirmed acknowledgements."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from . import wire
from .inbox import Inbox
from .settings import Settings

log = logging.getLogger(__name__)

AWAY = (NatsError, TimeoutError, OSError)
REQUEST_SECONDS = 5.0
WRONG_LAST_SEQUENCE = 10071
# A dead letter's body; the server takes 1 MiB with headers.
BURIED_BYTES = 1_000_000
NO_MESSAGE_FOUND = 10037
NO_STREAM = 10059
# How long an acknowledgement is sent to a consumer that does not answer.
UNANSWERED_SECONDS = 10.0


class WrongSequence(Exception):
    """Somebody else wrote on the subject meanwhile."""


class Broker:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nats = Client()
        self._reconnects = 0
        self.closed = asyncio.Event()
        # Called when a connection that was lost is there again.
        self.on_return: Callable[[], None] = lambda: None

    async def connect(self) -> None:
        """Connects, however long it takes; afterwards the client reconnects by itself."""

        async def on_closed() -> None:
            self.closed.set()

        async def on_reconnected() -> None:
            self._reconnects += 1
            log.info("NATS is back")
            self.on_return()

        async def on_error(error: Exception) -> None:
            log.warning("NATS: %s", error)

        options: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 1,
            "inbox_prefix": "_INBOX_worker",
            "name": self._settings.pod_name,
            "closed_cb": on_closed,
            "reconnected_cb": on_reconnected,
            "error_cb": on_error,
        }
        if self._settings.nats_user:
            options |= {"user": self._settings.nats_user, "password": self._settings.nats_password}
        while True:
            try:
                self._nats = await nats.connect(  # pyright: ignore[reportUnknownMemberType]
                    self._settings.nats_url, allow_reconnect=True, **options
                )
                self.closed.clear()
                return
            except AWAY as error:
                log.warning("NATS at %s does not answer yet: %s", self._settings.nats_url, error)
                await asyncio.sleep(1)

    @property
    def connected(self) -> bool:
        return self._nats.is_connected

    @property
    def reconnects(self) -> int:
        return self._reconnects

    def jetstream(self) -> JetStreamContext:
        return self._nats.jetstream(timeout=REQUEST_SECONDS)  # pyright: ignore[reportUnknownMemberType]

    async def inbox(self, take: Callable[[Msg], None], wake: Callable[[], None]) -> Inbox:
        source = f"$JS.API.CONSUMER.MSG.NEXT.{self._settings.stream}.{self._settings.consumer}"
        inbox = Inbox(self._nats, source, take, wake)
        await inbox.open()
        return inbox

    async def last_event(self, task_id: str, dispatch_id: str) -> wire.Seen | None:
        """The last event from the leader, whose "none" may be believed; asks until it is answered."""
        return await self._event({"last_by_subj": f"results.{task_id}"}, dispatch_id)

    async def events_before(self, task_id: str, dispatch_id: str, sequence: int) -> list[wire.Seen]:
        """The events before the one with that sequence, in their order."""
        events: list[wire.Seen] = []
        after = 1
        while after < sequence:
            event = await self._event({"seq": after, "next_by_subj": f"results.{task_id}"}, dispatch_id)
            if event is None or event.sequence >= sequence:
                break
            events.append(event)
            after = event.sequence + 1
        return events

    async def _event(self, which: dict[str, str | int], dispatch_id: str) -> wire.Seen | None:
        message = await self._read("RESULTS", which)
        if message is None:
            return None
        headers = _headers(message.get("hdrs", ""))
        return wire.read_event(
            message["seq"],
            base64.b64decode(message.get("data", "")),
            headers.get(wire.PROOF.lower(), ""),
            dispatch_id,
        )

    async def last(self, stream: str, subject: str) -> bytes | None:
        """The last message's body; None also when there is no such stream. Asks until it is answered."""
        message = await self._read(stream, {"last_by_subj": subject})
        return base64.b64decode(message.get("data", "")) if message else None

    async def _read(self, stream: str, which: dict[str, str | int]) -> dict[str, Any] | None:
        """From the leader."""
        query = msgspec.json.encode(which)
        while True:
            try:
                answer = await self.request(f"$JS.API.STREAM.MSG.GET.{stream}", query)
                read = cast(dict[str, Any], msgspec.json.decode(answer.data))
                if "message" in read:
                    return read["message"]
                code = read.get("error", {}).get("err_code")
                if code == NO_MESSAGE_FOUND or (code == NO_STREAM and stream != "RESULTS"):
                    return None
                log.warning("%s cannot be read: %s", stream, read.get("error"))
            except AWAY as error:
                log.debug("%s cannot be read: %s", stream, error)
            await asyncio.sleep(0.5)

    async def append(self, task_id: str, body: bytes, headers: dict[str, str], expected: int) -> int:
        """Writes an event if the subject's last sequence is the expected one."""
        try:
            ack = await self.jetstream().publish(
                f"results.{task_id}",
                body,
                headers={**headers, "Nats-Expected-Last-Subject-Sequence": str(expected)},
            )
        except APIError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                raise WrongSequence from error
            raise
        return ack.seq

    async def bury(self, message: Msg, reason: str, detail: str, task_id: str) -> None:
        """Stores a dead letter, and returns only when it is stored."""
        headers = {
            "Codeforge-Reason": reason,
            "Codeforge-Detail": detail.replace("\n", " ")[:512],
            "Codeforge-Origin-Subject": message.subject,
            "Codeforge-Origin-Stream": self._settings.stream,
            "Codeforge-Origin-Sequence": str(message.metadata.sequence.stream),
            # The same for each copy, also of the operator's, and another's when the stream was made anew.
            "Nats-Msg-Id": f"{self._settings.stream}-{message.metadata.sequence.stream}-{_stored(message)}",
        }
        if task_id:
            headers["Codeforge-Task-Id"] = task_id
        body = message.data
        if len(body) > BURIED_BYTES:
            # With our headers it would be over the server's limit, which closes the connection.
            headers["Codeforge-Truncated"] = str(len(body))
            body = body[:BURIED_BYTES]
        subject = f"deadletters.{self._settings.namespace}.{self._settings.pool}"
        await self.until_done(lambda: self.jetstream().publish(subject, body, headers=dict(headers)))

    async def until_done(self, call: Callable[[], Awaitable[Any]]) -> None:
        while True:
            try:
                await call()
                return
            except AWAY as error:
                log.debug("tried again: %s", error)
                await asyncio.sleep(0.5)

    async def acknowledge(self, message: Msg, verb: bytes = b"+ACK") -> None:
        """Acknowledges and waits for the server's word, but not for one that has no such consumer any more.

        Giving up is safe: a message that stands after all comes again, and meets the event that was written.
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
        return await self._nats.request(subject, body, timeout=timeout)

    async def serve(self, subject: str, answer: Callable[[Msg], Awaitable[None]]) -> Subscription:
        return await self._nats.subscribe(subject, cb=answer)  # pyright: ignore[reportUnknownMemberType]

    async def flush(self) -> None:
        """Waits until the server has read what was sent."""
        while True:
            try:
                await self._nats.flush(timeout=int(REQUEST_SECONDS))
                return
            except AWAY as error:
                log.debug("flushed again: %s", error)
            # nats-py goes deaf when a ping that it has given up is answered after all: a new connection has none.
            await self._nats.force_reconnect()
            await asyncio.sleep(0.5)

    async def publish(self, subject: str, body: bytes) -> None:
        """Fire and forget, over core NATS."""
        await self._nats.publish(subject, body)

    async def close(self) -> None:
        # A client that was never connected cannot be closed.
        if self._nats.is_connected or self._nats.is_reconnecting:
            await self._nats.close()


def _stored(message: Msg) -> int:
    """Nanoseconds since 1970 when the message was stored, by its reply subject in either form."""
    tokens = message.reply.split(".")
    return int(tokens[7] if len(tokens) == 9 else tokens[9])


def _headers(encoded: str) -> dict[str, str]:
    lines = base64.b64decode(encoded).decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
