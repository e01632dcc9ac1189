"""A nats-py client that only the worker closes for good, and that notices a silent connection."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any
from urllib.parse import ParseResult

from nats.aio.client import DEFAULT_BUFFER_SIZE, Client, Srv
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.errors import Error as NatsError

# A silent server is given up after 9 to 12 s: three unanswered pings, and the time until the next one.
PING_SECONDS = 3
PINGS = 3
# Without a limit the client would wait for unsent data of a lost connection for ever.
_CLOSE_SECONDS = 1.0
_LOGIN = re.compile(
    r"(nats: )?'((user|account) authentication (expired|revoked)|credentials revoked|authorization violation)",
    re.IGNORECASE,
)
_NOT_FATAL = ("permissions violation", "stale connection")


def is_about_the_login(error: str) -> bool:
    """Whether the server has refused a credential, or does not accept it any more."""
    return bool(_LOGIN.match(error))


class _Transport(TcpTransport):
    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        # nats-py forgets a connection on which the server did not answer, and leaves it open.
        self._abort()
        await super().connect(uri, buffer_size, connect_timeout)

    async def wait_closed(self) -> None:
        if self._io_writer is None:
            return
        closing = asyncio.ensure_future(super().wait_closed())
        await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
        self._abort()
        await closing

    def _abort(self) -> None:
        if self._io_writer is not None:
            self._io_writer.transport.abort()


class NatsClient(Client):
    @property
    def has_ended(self) -> bool:
        """Whether it is neither connected nor reconnecting: after an error that nats-py does not know."""
        if self.is_connected:
            return False
        return self.is_closed or self._reconnection_task is None or self._reconnection_task.done()

    async def request(self, *arguments: Any, **options: Any) -> Msg:
        """`asyncio.wait_for` of Python 3.11 loses a cancellation that coincides with the answer.

        The heartbeat of an ended run then continued, and kept the message alive that next had its number.
        """
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            return await super().request(*arguments, **options)
        finally:
            if task and task.cancelling() > before:
                raise asyncio.CancelledError

    def lose_requests(self) -> None:
        """Cancels requests on a lost connection, which may never be answered: their callers repeat them."""
        waiting: list[asyncio.Future[Any]] = [*self._resp_map.values()]  # pyright: ignore[reportUnknownMemberType]
        for future in waiting:
            if not future.done():
                future.set_exception(TimeoutError("the connection was lost"))

    async def _connect_to_server(self, s: Srv) -> None:
        if s.uri.scheme in ("ws", "wss"):
            await super()._connect_to_server(s)
            return
        s.last_attempt = time.monotonic()
        if not isinstance(self._transport, _Transport):
            self._transport = _Transport()
        await self._transport.connect(s.uri, DEFAULT_BUFFER_SIZE, self.options["connect_timeout"])

    async def _process_connect_init(self) -> None:
        # Tasks of a connection that was lost before it was complete: they would read and ping on the next one.
        tasks: list[asyncio.Task[Any] | None] = [self._reading_task, self._ping_interval_task, self._flusher_task]  # pyright: ignore[reportUnknownMemberType]
        for task in filter(None, tasks):
            task.cancel()
        await super()._process_connect_init()

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        # nats-py 2.16 writes a PING before its unsent data: flush() and drain() would return too early.
        if future is not None:
            await asyncio.shield(self._flush_pending(force_flush=True))
        await super()._send_ping(future)  # pyright: ignore[reportUnknownMemberType]

    async def _process_err(self, err_msg: str) -> None:
        """nats-py closes for good after most errors. For the runs in progress each is an outage like any other."""
        if any(sign in err_msg.lower() for sign in _NOT_FATAL):
            await super()._process_err(err_msg)
            return
        error = NatsError(f"nats: {err_msg}")
        await self._process_op_err(error)
        await self._error_cb(error)
