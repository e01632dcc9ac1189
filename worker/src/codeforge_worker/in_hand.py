"""The messages that this worker has pulled and not ended."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace

from nats.aio.msg import Msg

from .backends import Backend
from .broker import Broker
from .delivery import Delivery
from .metrics import Metrics
from .one_task import OneTask
from .pool_config import PoolConfig
from .run import Stop
from .settings import Settings
from .tracing.switch import Tracing

log = logging.getLogger(__name__)

# How long work that has outlived its run may occupy a slot before the worker gives up on it.
STUCK_SECONDS = 60.0


class InHand:
    def __init__(
        self,
        settings: Settings,
        pool_config: PoolConfig,
        broker: Broker,
        backend: Backend,
        metrics: Metrics,
        tracing: Tracing,
        one_task: OneTask,
        ended: Callable[[], None],
        stuck: Callable[[], None],
    ) -> None:
        """`ended` is called when a slot is free, `stuck` when only a new process frees a slot."""
        self._settings = settings
        self._pool_config = pool_config
        self._broker = broker
        self._backend = backend
        self._metrics = metrics
        self._tracing = tracing
        self._one_task = one_task
        self._ended = ended
        self._stuck = stuck
        self._leaving = asyncio.Event()
        # Monotonic time; applies once the worker has to stop.
        self._give_back_at = math.inf
        self._hurried = asyncio.Event()
        # Not a delivery: the message is only given back.
        self._tasks: dict[asyncio.Task[None], Delivery | None] = {}
        self._idle_since = time.monotonic()

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    @property
    def room(self) -> bool:
        return len(self._tasks) < self._settings.concurrency and not self._one_task.begun

    @property
    def idle_seconds(self) -> float:
        """Since the last message ended, or since the start; 0 while there is one."""
        return 0.0 if self._tasks else time.monotonic() - self._idle_since

    def begin(self, message: Msg) -> None:
        settings = replace(self._settings, pool_config=self._pool_config.values)
        delivery = Delivery(
            settings, self._broker, self._backend, self._metrics, self._tracing, self._one_task.begin, message
        )
        self._hold(asyncio.create_task(self._handle(delivery)), delivery)

    def give_back(self, message: Msg) -> None:
        self._hold(asyncio.create_task(self._broker.acknowledge(message, b"-NAK")), None)

    async def finish(self, grace_seconds: float) -> None:
        """Waits for all of them; those that take longer than the grace period are released."""
        # What has outlived its run ends with the process.
        self._leaving.set()
        if not self._tasks:
            return
        self._give_back_at = min(self._give_back_at, time.monotonic() + grace_seconds)
        unfinished = set(self._tasks)
        log.info("told to stop: %d tasks may finish within %.0f s", len(unfinished), grace_seconds)
        self._leave()
        while unfinished and (left := self._give_back_at - time.monotonic()) > 0:
            hurried = asyncio.create_task(self._hurried.wait())
            done, _ = await asyncio.wait({*unfinished, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            self._hurried.clear()
            unfinished -= done
        for task in unfinished:
            if delivery := self._tasks[task]:
                delivery.stop(Stop.SHUTDOWN, "", "the worker had to stop")
        if unfinished:
            log.info("giving %d tasks back", len(unfinished))
            await asyncio.wait(unfinished)

    def hurry(self, grace_seconds: float) -> None:
        """The pod has less time than its template says: unfinished runs are released after this time."""
        self._give_back_at = min(self._give_back_at, time.monotonic() + grace_seconds)
        self._hurried.set()
        if self._leaving.is_set():
            self._leave()

    def _leave(self) -> None:
        for delivery in filter(None, self._tasks.values()):
            delivery.leave(max(0.0, self._give_back_at - time.monotonic()))

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await delivery.handle()
        finally:
            await delivery.clear()
            await self._outlive(delivery)

    async def _outlive(self, delivery: Delivery) -> None:
        """Occupies the slot: a thread that cannot be ended still uses the worker's CPU, memory and folder."""
        gone = asyncio.create_task(delivery.gone())
        leaving = asyncio.create_task(self._leaving.wait())
        done, _ = await asyncio.wait({gone, leaving}, timeout=STUCK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self._stuck()
            await asyncio.wait({gone, leaving}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        leaving.cancel()

    def _hold(self, task: asyncio.Task[None], delivery: Delivery | None) -> None:
        self._tasks[task] = delivery
        self._metrics.running.set(len(self._tasks))
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._metrics.running.set(len(self._tasks))
        self._idle_since = time.monotonic()
        self._ended()
        if not task.cancelled() and task.exception():
            log.error("a delivery failed and will be delivered again", exc_info=task.exception())
