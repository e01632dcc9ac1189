"""The loop that takes tasks while slots are free, until it is stopped; it can be started again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from nats.aio.msg import Msg

from .broker import AWAY, Broker
from .inbox import EXPIRED, PULL_SECONDS, Inbox
from .refusals import Refused

log = logging.getLogger(__name__)

# After a pull's own end: a server that is silent for that long has lost it.
SILENCE_SECONDS = PULL_SECONDS + 1.0
PAUSE_SECONDS = 1.0


class Pulling:
    def __init__(self, broker: Broker, room: Callable[[], bool], take: Callable[[Msg], None]) -> None:
        """When `take` returns it holds the message, which until then counts as not arrived."""
        self._broker = broker
        self._room = room
        self._take = take
        self._changed = asyncio.Event()
        self._tries = broker.refusals.tries("a task of the pool", PAUSE_SECONDS)
        self._halted = False
        self._inbox: Inbox | None = None
        self._loop: asyncio.Task[bool] | None = None

    def start(self) -> None:
        if self._loop is None:
            self._halted = False
            self._loop = asyncio.create_task(self._run())

    async def stop(self) -> bool:
        """Stops pulling and takes messages on their way; true when the server has confirmed that these are all."""
        loop = self._loop
        if loop is None:
            return True
        self._halted = True
        self.wake()
        sure = await asyncio.shield(loop)
        if self._loop is loop:
            self._loop = None
        return sure

    def wake(self) -> None:
        """A condition has changed that the loop may wait for."""
        self._changed.set()

    @property
    def empty(self) -> bool:
        """Whether no message has arrived that is not taken yet."""
        return self._inbox is None or self._inbox.empty

    async def _run(self) -> bool:
        while not self._halted:
            try:
                if self._inbox and not self._inbox.current:
                    await self._close()
                elif self._broker.connected and self._room():
                    async with self._broker.connection.pull:
                        pause = await self._one()
                    if pause:
                        await self._change(pause)
                else:
                    await self._change(PAUSE_SECONDS)
            except Exception as error:
                # After any exception: the running tasks need this process.
                unknown = not isinstance(error, AWAY)
                log.warning("no task could be asked for: %s", str(error) or "no answer", exc_info=unknown)
                await self._close()
                await self._change(PAUSE_SECONDS)
        return await self._close()

    async def _one(self) -> float:
        """One pull, until it is answered or cancelled; the pause before the next one."""
        if self._inbox is None:
            self._inbox = await self._broker.inbox(self._take, self.wake)
        inbox = self._inbox
        await inbox.pull()
        async with asyncio.timeout(SILENCE_SECONDS):
            while inbox.current and not (inbox.answered or self._halted):
                await self._change()
        if inbox.status and not inbox.status.startswith(EXPIRED):
            return self._tries.seconds_after(Refused(inbox.status))
        if inbox.answered:
            self._tries.over()
        return 0.0

    async def _close(self) -> bool:
        if self._inbox is None:
            return True
        inbox, self._inbox = self._inbox, None
        try:
            return await inbox.close()
        except Exception:
            log.warning("the subject of the pulls could not be given up", exc_info=True)
            return False

    async def _change(self, seconds: float | None = None) -> None:
        if not self._halted:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        self._changed.clear()
