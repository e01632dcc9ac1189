"""The worker's connection to NATS, which outlives any client that provides it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from .nats_client import PING_SECONDS, PINGS, NatsClient, is_about_the_login
from .nats_credentials import NatsCredentials
from .nats_login import NatsLogin
from .nats_servers import shown
from .refusals import MOST_SECONDS, Refusals, Refused
from .settings import Settings

log = logging.getLogger(__name__)

AWAY = (NatsError, TimeoutError, OSError)
REQUEST_SECONDS = 5.0
_RECONNECT_SECONDS = 1.0
_FORBIDDEN = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)
# How often to check whether the client has given up.
_WATCH_SECONDS = 1.0
# How long an unusable client may take to end.
_END_SECONDS = 2.0

Answer = Callable[[Msg], Awaitable[None]]


class Served:
    """A subject that is answered over any current client."""

    def __init__(self, subject: str, answer: Answer, end: Callable[[Served], None]) -> None:
        self._subject = subject
        self._answer = answer
        self._end = end
        self._subscription: Subscription | None = None
        self.client: NatsClient | None = None

    async def open(self, client: NatsClient) -> None:
        self._subscription = await client.subscribe(  # pyright: ignore[reportUnknownMemberType]
            self._subject, cb=self._answer
        )
        self.client = client

    async def unsubscribe(self) -> None:
        self._end(self)
        if self._subscription and self.client and not self.client.is_closed:
            await self._subscription.unsubscribe()


class Connection:
    def __init__(self, settings: Settings, inbox: str) -> None:
        """`inbox` is the prefix of the subjects for answers."""
        self._settings = settings
        self._inbox = inbox
        self._client = NatsClient()
        # The same as above, except during a replacement.
        self._newest = self._client
        self._clients = 0
        self._reconnects = 0
        secret = f"Secret {settings.pool}-workers"
        self._login: NatsCredentials | NatsLogin | None = None
        if settings.nats_credentials:
            self._login = NatsCredentials(settings.nats_credentials, secret)
        elif settings.nats_login:
            self._login = NatsLogin(settings.nats_login, secret)
        # NATS has refused the credential that was used last.
        self._refused = False
        self.refusals = Refusals()
        # Subjects that this connection may not publish to, as the server spells them.
        self._forbidden: set[str] = set()
        # The last error that was logged.
        self._said = ""
        self._served: dict[Served, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        # Held by a pull until it has ended, so that the connection is not replaced under it.
        self.pull = asyncio.Lock()
        # Called after a lost connection is restored.
        self.on_return: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Connects, however long it takes, and stays connected until it is closed."""
        self._client = await self._connect()
        self._tasks.append(asyncio.create_task(self._watch()))
        if isinstance(self._login, NatsCredentials):
            self._tasks.append(asyncio.create_task(self._renew(self._login)))

    @property
    def client(self) -> NatsClient:
        """The current client."""
        return self._client

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    @property
    def reconnects(self) -> int:
        return self._reconnects

    @property
    def made(self) -> tuple[int, int]:
        """A value that changes with each connection."""
        return self._clients, self._client.stats["reconnects"]

    @property
    def problem(self) -> str:
        """A sentence when the credential keeps the worker from NATS, or NATS refuses a request; otherwise empty."""
        if self.connected:
            return self.refusals.sentence
        if self._login:
            return self._login.problem(refused=self._refused)
        return "NATS does not take the worker's user and password" if self._refused else ""

    def forbidden(self, subject: str) -> Refused | None:
        """Why a request had no answer: the server reports it separately."""
        if subject.lower() not in self._forbidden:
            return None
        return Refused(f"the worker's user may not publish to {subject}: see the permissions of its user in NATS")

    async def serve(self, subject: str, answer: Answer) -> Served:
        """If there is no client at the moment, the next one serves the subject."""
        served = Served(subject, answer, lambda one: self._served.pop(one, None))
        self._served[served] = None
        if not self._client.has_ended:
            await served.open(self._client)
        return served

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        # A client that was never connected cannot be closed.
        if self._client.is_connected or self._client.is_reconnecting:
            await self._client.close()

    async def _connect(self) -> NatsClient:
        settings = self._settings
        options: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": _RECONNECT_SECONDS,
            "ping_interval": PING_SECONDS,
            "max_outstanding_pings": PINGS,
            # Without a limit the client would wait for unsent data of a lost connection for ever.
            "flush_timeout": REQUEST_SECONDS,
            "inbox_prefix": self._inbox,
            "name": settings.pod_name,
            "reconnected_cb": self._on_reconnected,
            "error_cb": self._on_error,
        }
        if self._login:
            options |= self._login.options
        elif settings.nats_user:
            options |= {"user": settings.nats_user, "password": settings.nats_password}
        while True:
            client = self._newest = NatsClient()
            try:
                await client.connect(  # pyright: ignore[reportUnknownMemberType]
                    list(settings.nats_servers), allow_reconnect=True, **options
                )
                self._refused = False
                client.options["reconnect_time_wait"] = _RECONNECT_SECONDS
                return client
            except AWAY as error:
                log.warning("NATS at %s does not answer yet: %s", shown(settings.nats_servers), error)
                await asyncio.sleep(1)

    async def _on_reconnected(self) -> None:
        self._reconnects += 1
        self._refused, self._said = False, ""
        self._forbidden.clear()
        self._newest.options["reconnect_time_wait"] = _RECONNECT_SECONDS
        self._client.lose_requests()
        log.info("NATS is back")
        self.refusals.try_again()
        self.on_return()

    async def _on_error(self, error: Exception) -> None:
        if found := _FORBIDDEN.search(str(error)):
            self._forbidden.add(found[1].lower())
        if is_about_the_login(str(error)):
            self._refused = True
            # Read again before each try: a refused credential stays refused until a person replaces it.
            wait: float = self._newest.options["reconnect_time_wait"]
            self._newest.options["reconnect_time_wait"] = min(MOST_SECONDS, wait * 2)
        said = ("" if self.connected else self.problem) or str(error)
        log.log(logging.WARNING if said != self._said else logging.DEBUG, "NATS: %s", said)
        self._said = said

    async def _watch(self) -> None:
        """Runs need no connection to continue: a client that has ended is replaced under them."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._client.has_ended:
                log.warning("the client of NATS has ended, a new one takes its place: %s", self._client.last_error)
            elif not (self._refused and self._login and self._login.renewed):
                continue
            with contextlib.suppress(*AWAY):
                await self._replace()

    async def _replace(self) -> None:
        old, client = self._client, await self._connect()
        try:
            while waiting := [served for served in self._served if served.client is not client]:
                for served in waiting:
                    await served.open(client)
                # Wait until the server has read the subscriptions before the connection is used.
                await client.flush(int(REQUEST_SECONDS))
        except BaseException:
            await _end(client)
            raise
        self._client = client
        self._clients += 1
        await self._on_reconnected()
        await _end(old)

    async def _renew(self, credentials: NatsCredentials) -> None:
        """Reconnects when the file has changed, before the server ends the connection with the old credential."""
        while True:
            await asyncio.sleep(self._settings.nats_credentials_seconds)
            if not credentials.renewed:
                continue
            async with self.pull:
                # A connection that was lost, or is not restored yet, will use the file's current content anyway.
                if self.connected and credentials.renewed:
                    log.info("the NATS credential was renewed: connecting anew")
                    await self._client.force_reconnect()


async def _end(client: NatsClient) -> None:
    """Ends an unusable client, in any state."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_END_SECONDS):
            await client.close()
