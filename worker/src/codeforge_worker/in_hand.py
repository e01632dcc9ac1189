"""The messages that this worker has pulled and not ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from nats.aio.msg import Msg

from .backends import Backend
from .broker import Broker
from .delivery import Delivery
from .metrics import Metrics
from .pool_config import PoolConfig
from .run import Stop
from .settings import Settings

log = logging.getLogger(__name__)


class InHand:
    def __init__(
        self,
        settings: Settings,
        pool_config: PoolConfig,
        broker: Broker,
        backend: Backend,
        metrics: Metrics,
        ended: Callable[[], None],
    ) -> None:
        """`ended` is called whenever there is room for one more."""
        self._settings = settings
        self._pool_config = pool_config
        self._broker = broker
        self._backend = backend
        self._metrics = metrics
        self._ended = ended
        # No delivery: it is only given back.
        self._tasks: dict[asyncio.Task[None], Delivery | None] = {}
        self._idle_since = time.monotonic()

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    @property
    def room(self) -> bool:
        return len(self._tasks) < self._settings.concurrency

    @property
    def idle_seconds(self) -> float:
        """Since the last one ended, or since the start; 0 while there is one."""
        return 0.0 if self._tasks else time.monotonic() - self._idle_since

    def begin(self, message: Msg) -> None:
        settings = replace(self._settings, pool_config=self._pool_config.values)
        delivery = Delivery(settings, self._broker, self._backend, self._metrics, message)
        self._hold(asyncio.create_task(delivery.handle()), delivery)

    def give_back(self, message: Msg) -> None:
        self._hold(asyncio.create_task(self._broker.acknowledge(message, b"-NAK")), None)

    async def finish(self) -> None:
        """Waits for all of them; those that take longer than the grace period are given back."""
        if not self._tasks:
            return
        grace = self._settings.grace_seconds
        log.info("told to stop: %d tasks may finish within %.0f s", len(self._tasks), grace)
        _, unfinished = await asyncio.wait(set(self._tasks), timeout=grace)
        for task in unfinished:
            if delivery := self._tasks[task]:
                delivery.stop(Stop.SHUTDOWN, "", "the worker had to stop")
        if unfinished:
            log.info("giving %d tasks back", len(unfinished))
            await asyncio.wait(unfinished)

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
