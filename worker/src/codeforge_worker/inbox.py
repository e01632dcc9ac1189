"""The inbox of the pool's consumer: one subject on one connection, and one pull at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from .connection import Connection

PULL_SECONDS = 5.0
CLOSE_SECONDS = 5.0
# No message in time, which is how most pulls of an idle worker end.
EXPIRED = "408"
_WORDS = {"503": "its stream or consumer is not there"}


class Inbox:
    """nats-py's own pull subscription drops messages that arrive while it is closed; this one delivers them."""

    def __init__(
        self, connection: Connection, source: str, take: Callable[[Msg], None], wake: Callable[[], None]
    ) -> None:
        """`source` is the subject for pulls; `wake` is called when one of them has ended."""
        self._connection = connection
        self._nats = connection.client
        self._source = source
        self._take = take
        self._wake = wake
        self._subject = self._nats.new_inbox()
        self._made = connection.made
        self._subscription: Subscription | None = None
        self._answered = False
        self._status = ""
        self._closed = False

    async def open(self) -> None:
        self._subscription = await self._nats.subscribe(  # pyright: ignore[reportUnknownMemberType]
            self._subject, cb=self._arrive
        )

    async def pull(self) -> None:
        """Requests one message. The next pull may start after its answer."""
        self._answered, self._status = False, ""
        query = msgspec.json.encode({"batch": 1, "expires": int(PULL_SECONDS * 1e9)})
        await self._nats.publish(self._source, query, reply=self._subject)

    async def _arrive(self, message: Msg) -> None:
        if self._closed:
            return
        self._answered = True
        # Only a message can be acknowledged: a task with a header Status is still a task.
        if message.reply:
            self._take(message)
        else:
            headers = message.headers or {}
            # nats-py takes the next header for the description where there is none.
            code = headers.get("Status", "")
            told = headers.get("Description", "").partition("\n")[0].strip() or _WORDS.get(code, "")
            self._status = f"{code} {told}".strip()
        self._wake()

    @property
    def answered(self) -> bool:
        """Whether the last pull has ended."""
        return self._answered

    @property
    def status(self) -> str:
        """How the last pull ended without a message: a code and its text; else empty."""
        return self._status

    @property
    def empty(self) -> bool:
        return self._subscription is None or not self._subscription.pending_msgs

    @property
    def current(self) -> bool:
        """Whether the connection is still the one that it was opened on."""
        return self._made == self._connection.made

    async def close(self) -> bool:
        """Unsubscribes and waits for the confirmation; true when it came: all messages sent before have been taken."""
        try:
            return await self._drain()
        except (NatsError, TimeoutError, OSError):
            # nats-py stops reading when a ping that it has given up is answered late: a new connection does not have
            # it.
            await self._nats.force_reconnect()
            return False
        finally:
            # A message that arrives anyway is redelivered after the ack wait.
            self._closed = True

    async def _drain(self) -> bool:
        if self._subscription is None:
            return True
        if not self._nats.is_connected:
            await self._subscription.unsubscribe()
            return False
        async with asyncio.timeout(CLOSE_SECONDS):
            await self._subscription.drain()
        # A confirmation on another connection says nothing about messages on this one.
        return self.current
