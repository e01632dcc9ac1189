"""The worker's life cycle: connect, take tasks, and stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from nats.aio.msg import Msg

from .backends import Backend
from .broker import Broker
from .drain import Drain
from .health import serve
from .in_hand import InHand
from .metrics import Metrics
from .one_task import OneTask
from .pool_config import PoolConfig
from .pulling import Pulling
from .removal import empty, in_background
from .run_folder import sweep
from .settings import Settings
from .tracing.switch import tracing_of

log = logging.getLogger(__name__)


class Stuck(Exception):
    """A function that cannot be ended occupies a slot: only a new process frees it."""


class Service:
    def __init__(
        self,
        settings: Settings,
        backend: Backend,
        lacks: tuple[str, ...],
        lifetime: contextlib.AbstractAsyncContextManager[None],
    ) -> None:
        """`lacks` says what agents can reach, a sentence each. `lifetime` starts before the first task is taken."""
        self._lacks = lacks
        self._lifetime = lifetime
        self._begun = contextlib.AsyncExitStack()
        self._settings = settings
        self._stopping = asyncio.Event()
        self._is_stuck = False
        self._metrics = Metrics()
        self._tracing = tracing_of(settings)
        self._broker = Broker(settings)
        self._pulling = Pulling(self._broker, lambda: self._in_hand.room, self._take)
        self._config = PoolConfig(self._broker)
        self._one_task = OneTask(settings)
        self._in_hand = InHand(
            settings,
            self._config,
            self._broker,
            backend,
            self._metrics,
            self._tracing,
            self._one_task,
            self._pulling.wake,
            self._stuck,
        )
        self._drain = Drain(
            settings.pod_name, lacks, self._in_hand, self._pulling, self._one_task, self._stopping.is_set
        )
        self._broker.connection.on_return = self._returned
        self._metrics.open_walls.set(len(lacks))
        self._metrics.refusals.set_function(lambda: float(self._broker.refusals.count))
        self._metrics.drained.set_function(lambda: float(self._drain.draining))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        for sentence in self._lacks:
            log.warning("agents are not kept apart in full: %s", sentence)
        connection = self._broker.connection
        http = await serve(self._settings.http_port, self._ready, lambda: connection.problem, self._metrics)
        try:
            if not await self._is_open():
                return
            self._tell_what_is_taken()
            if not self._drain.draining:
                self._pulling.start()
            await self._stopping.wait()
            await self._pulling.stop()
            # A stuck function ends this process, not its pod: the other runs keep the whole grace.
            gives_back = self._settings.gives_back and not self._is_stuck
            await self._in_hand.finish(0 if gives_back else self._settings.grace_seconds)
        finally:
            await self._begun.aclose()
            await self._config.close()
            await connection.close()
            await self._tracing.close()
            await http.cleanup()
        if self._is_stuck:
            raise Stuck("a function outlived its run and held its slot: ended, so that a new worker takes its place")

    def _tell_what_is_taken(self) -> None:
        if self._one_task.begun:
            log.info("this pod has had its one task: it takes no other, and waits to be removed")
        elif self._settings.worker_per_task:
            log.info("taking one task from %s", self._settings.stream)
        else:
            log.info("taking tasks from %s, %d at once", self._settings.stream, self._settings.concurrency)

    def _sweep(self) -> None:
        """An earlier worker in this pod may have been killed during a run."""
        sweep(self._settings.workspace)
        for folder in self._settings.reach.temporary if self._settings.reach else ():
            if problem := empty(Path(folder)):
                log.warning("%s cannot be emptied: %s", folder, problem)

    async def _open(self) -> None:
        # Before anything is written: left-over files may fill the volume.
        await in_background(self._sweep)
        await self._begun.enter_async_context(self._lifetime)
        await self._broker.connection.open()
        # Before the first pull, so that a worker that may have a task always answers requests.
        await self._drain.serve(self._broker)
        await self._config.open()

    def _returned(self) -> None:
        self._config.look_again()
        self._pulling.wake()

    def _stuck(self) -> None:
        log.error("a function goes on long after its run has ended: no more tasks are taken, the others may finish")
        self._is_stuck = True
        self._stopping.set()

    def _ready(self) -> bool:
        # Readiness must not drop while a task runs: Kubernetes removes a worker that is not ready first.
        takes = not self._stopping.is_set() and not self._one_task.begun
        return self._in_hand.busy or (self._broker.connected and self._config.known and takes)

    def _take(self, message: Msg) -> None:
        if self._stopping.is_set() or self._one_task.begun:
            self._in_hand.give_back(message)
        else:
            self._in_hand.begin(message)

    async def _is_open(self) -> bool:
        """False if the worker had to stop before."""
        opening, stopping = asyncio.create_task(self._open()), asyncio.create_task(self._stopping.wait())
        done, pending = await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for other in pending:
            other.cancel()
        if opening in done:
            opening.result()
        return opening in done
