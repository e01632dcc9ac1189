"""The worker's main loop: take a slot, then a task; stop cleanly when told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.client import JetStreamContext

from .backends import Backend
from .broker import AWAY, PULL_SECONDS, Broker
from .delivery import Delivery
from .health import serve
from .metrics import Metrics
from .run import Stop
from .settings import Settings

log = logging.getLogger(__name__)


class ConnectionLost(Exception):
    """NATS closed the connection for good: the process ends, and Kubernetes starts a new one."""


class Service:
    def __init__(self, settings: Settings, backend: Backend) -> None:
        self._settings = settings
        self._backend = backend
        self._broker = Broker(settings)
        self._metrics = Metrics()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._draining = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._draining.set)
        http = await serve(self._settings.http_port, self._ready, self._metrics)
        try:
            connecting = asyncio.create_task(self._broker.connect())
            await self._first(connecting)
            if self._draining.is_set():
                connecting.cancel()
                return
            await self._pull()
            await self._drain()
        finally:
            await self._broker.close()
            await http.cleanup()

    def _ready(self) -> bool:
        # Readiness must not drop while a task runs: a worker that is not ready is removed first.
        return bool(self._running) or (self._broker.connected and not self._draining.is_set())

    async def _pull(self) -> None:
        log.info("taking tasks from %s, %d at once", self._settings.stream, self._settings.concurrency)
        subscription: JetStreamContext.PullSubscription | None = None
        bound = -1
        while not self._draining.is_set():
            if not await self._first(asyncio.create_task(self._slots.acquire())):
                break
            try:
                if not self._broker.connected:
                    raise TimeoutError
                if subscription is None or bound != self._broker.reconnects:
                    # What the old inbox still gets was asked for before the outage: let it be delivered anew.
                    subscription, bound = await self._rebind(subscription), self._broker.reconnects
                message = await self._fetch(subscription)
            except TimeoutError:
                self._slots.release()
                if not self._broker.connected:
                    await asyncio.sleep(0.2)
                continue
            except (NatsError, OSError) as error:
                self._slots.release()
                log.warning("no task could be asked for: %s", error)
                await asyncio.sleep(1)
                continue
            if message is None:
                self._slots.release()
                break
            self._start(message)
        if subscription:
            with contextlib.suppress(*AWAY):
                await subscription.unsubscribe()

    async def _rebind(self, old: JetStreamContext.PullSubscription | None) -> JetStreamContext.PullSubscription:
        if old:
            with contextlib.suppress(*AWAY):
                await old.unsubscribe()
        return await self._broker.bind()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> Msg | None:
        fetching = asyncio.create_task(subscription.fetch(1, timeout=PULL_SECONDS))
        if await self._first(fetching):
            return fetching.result()[0]
        # A pull that is under way may just have been answered: take what it brings, give the rest back.
        await subscription.unsubscribe()
        fetching.cancel()
        with contextlib.suppress(asyncio.CancelledError, *AWAY):
            for message in await fetching:
                await self._broker.acknowledge(message, b"-NAK")
        return None

    async def _first(
        self, task: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[list[Msg]] | asyncio.Task[bool]
    ) -> bool:
        """Waits for the task or for the order to drain; true when the task was first."""
        draining = asyncio.create_task(self._draining.wait())
        closed = asyncio.create_task(self._broker.closed.wait())
        done, _ = await asyncio.wait({task, draining, closed}, return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        closed.cancel()
        if closed in done:
            raise ConnectionLost("NATS closed the connection for good, see the lines above")
        return task in done

    def _start(self, message: Msg) -> None:
        delivery = Delivery(self._settings, self._broker, self._backend, self._metrics, message)
        task = asyncio.create_task(delivery.handle())
        self._running[task] = delivery
        self._metrics.running.set(len(self._running))
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._metrics.running.set(len(self._running))
        self._slots.release()
        if not task.cancelled() and task.exception():
            log.error("a delivery failed and will be delivered again", exc_info=task.exception())

    async def _drain(self) -> None:
        if not self._running:
            return
        grace = self._settings.grace_seconds
        log.info("told to stop: %d tasks may finish within %.0f s", len(self._running), grace)
        _, unfinished = await asyncio.wait(set(self._running), timeout=grace)
        for task in unfinished:
            self._running[task].stop(Stop.SHUTDOWN, "", "the worker had to stop")
        if unfinished:
            log.info("giving %d tasks back", len(unfinished))
            await asyncio.wait(unfinished)
