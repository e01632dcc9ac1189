"""Where the pool's consumer delivers to: one subject on one connection, and one pull at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

PULL_SECONDS = 5.0
CLOSE_SECONDS = 5.0
# Nothing came in time, which is what most pulls of an idle worker end with.
EXPIRED = "408"


class Inbox:
    """nats-py's own pull subscription drops what is on its way when it is given up; this one hands it out."""

    def __init__(self, nats: Client, source: str, wake: Callable[[], None]) -> None:
        """`source` is the subject that pulls are sent to; `wake` is called when something has arrived."""
        self._nats = nats
        self._source = source
        self._wake = wake
        self._subject = nats.new_inbox()
        self._connection = self._connections()
        self._subscription: Subscription | None = None
        self._messages: deque[Msg] = deque()
        self._pulls = 0
        self._status = ""

    async def open(self) -> None:
        self._subscription = await self._nats.subscribe(  # pyright: ignore[reportUnknownMemberType]
            f"{self._subject}.*", cb=self._arrive
        )

    async def pull(self) -> None:
        """Asks for one message; what an earlier pull ended with is not taken for this one's end."""
        self._pulls += 1
        self._status = ""
        query = msgspec.json.encode({"batch": 1, "expires": int(PULL_SECONDS * 1e9)})
        await self._nats.publish(self._source, query, reply=f"{self._subject}.{self._pulls}")

    async def _arrive(self, message: Msg) -> None:
        # Only a message can be acknowledged: a task that bears a header Status is a task.
        if message.reply:
            self._messages.append(message)
        elif message.subject == f"{self._subject}.{self._pulls}":
            headers = message.headers or {}
            self._status = f"{headers.get('Status', '')} {headers.get('Description', '')}".strip() or "no status"
        self._wake()

    def arrived(self) -> Iterator[Msg]:
        """Each message once."""
        while self._messages:
            yield self._messages.popleft()

    @property
    def empty(self) -> bool:
        return not self._messages and not (self._subscription and self._subscription.pending_msgs)

    @property
    def status(self) -> str:
        """How the last pull ended without a message: a code and its text; empty before."""
        return self._status

    @property
    def answered(self) -> bool:
        return bool(self._messages or self._status)

    @property
    def current(self) -> bool:
        """Whether the connection is still the one that it was opened on."""
        return self._connection == self._connections()

    async def close(self) -> bool:
        """Stops the server and waits for its word; true when it came: what was sent before has then arrived."""
        if self._subscription is None:
            return self.current
        # One that cannot be closed gets no new pull: what comes for its last one is delivered anew after the ack wait.
        with contextlib.suppress(NatsError, TimeoutError, OSError):
            if not self._nats.is_connected:
                await self._subscription.unsubscribe()
                return False
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._subscription.drain()
                # A word from another connection says nothing about this one's messages.
                return self.current
        return False

    def _connections(self) -> int:
        return self._nats.stats["reconnects"]
