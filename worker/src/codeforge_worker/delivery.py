"""One message in hand, from the first look at its results to its acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import cast

import msgspec
from nats.aio.msg import Msg

from . import wire
from .backends import Backend
from .broker import AWAY, Broker
from .events import RunEvents, Stale
from .logs import RunLog
from .metrics import Metrics
from .outcome import Outcome
from .run import Run, Stop
from .settings import Settings

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 3000.0
HOLDER_SECONDS = 2.0
SILENCE_SECONDS = 4.0


class Delivery:
    def __init__(self, settings: Settings, broker: Broker, backend: Backend, metrics: Metrics, message: Msg) -> None:
        self._settings = settings
        self._broker = broker
        self._backend = backend
        self._metrics = metrics
        self._message = message
        self._sequence = message.metadata.sequence.stream
        self._run: Run | None = None
        self._stopping: tuple[Stop, str] | None = None

    def stop(self, why: Stop, reason: str) -> None:
        self._stopping = self._stopping or (why, reason)
        if self._run:
            self._run.stop(why, reason)

    async def handle(self) -> None:
        try:
            task = wire.parse_task(self._message.data, cast(Mapping[str, str], self._message.headers or {}))
        except wire.Unreadable as error:
            log.warning("message %d cannot be run: %s: %s", self._sequence, error.reason, error.detail)
            self._metrics.ended("dead_lettered")
            await self._broker.bury(self._message, error.reason, error.detail, "")
            await self._broker.acknowledge(self._message, b"+TERM " + error.reason.encode())
            return
        alive = asyncio.create_task(self._keep_alive(None))
        try:
            events = await self._first_look(task)
        finally:
            alive.cancel()
        if events is None:
            return
        if events.delivery > task.max_deliveries:
            await self._give_up(task, events)
            return
        await self._hold(task, events)

    async def _first_look(self, task: wire.Task) -> RunEvents | None:
        """Decides by the last event whether this delivery is to be run; None: it is settled already."""
        last = await self._broker.last_event(task.task_id, task.dispatch_id)
        expected = last.sequence if last else 0
        if last is None or not self._concerns(task, last):
            # Two plain messages may bear one id: the second waits until the first is done.
            if last and not task.dispatch_id and not last.settled and await self._is_held(task.task_id):
                return None
            redelivered = self._message.metadata.num_delivered > 1
            if last is None and redelivered and await self._is_held(task.task_id):
                # The results are lost, not the run.
                return None
            return self._events(task, 1, task.spent, expected)
        if last.attempt > task.attempt or last.terminal:
            await self._broker.acknowledge(self._message)
            return None
        if last.event == "released":
            return self._events(task, max(1, last.delivery), last.usage, expected)
        if await self._is_held(task.task_id):
            # NATS was away and its holder is healthy: not our message, whatever the server thinks.
            log.info("task %s is held by %s: dropped", task.task_id, last.worker)
            return None
        return self._events(task, last.delivery + 1, last.usage, expected)

    def _concerns(self, task: wire.Task, last: wire.Seen) -> bool:
        if not task.dispatch_id:
            return last.stream == self._settings.stream and last.task_sequence == self._sequence
        return last.attempt > task.attempt or (last.attempt == task.attempt and last.proven)

    async def _is_held(self, task_id: str) -> bool:
        """Silence is believed when it has lasted while we were connected: a holder may reconnect later than we do."""
        since, reconnects = time.monotonic(), self._broker.reconnects
        while time.monotonic() - since < SILENCE_SECONDS:
            try:
                await self._broker.request(f"holder.{task_id}", b"", timeout=HOLDER_SECONDS)
                return True
            except AWAY:
                if not self._broker.connected or reconnects != self._broker.reconnects:
                    since, reconnects = time.monotonic(), self._broker.reconnects
                await asyncio.sleep(0.3)
        return False

    def _events(self, task: wire.Task, delivery: int, spent: wire.Spent, expected: int) -> RunEvents:
        return RunEvents(
            self._broker,
            task,
            self._settings.pod_name,
            self._settings.stream,
            self._sequence,
            delivery,
            spent,
            expected,
        )

    async def _give_up(self, task: wire.Task, events: RunEvents) -> None:
        detail = f"its worker was lost {task.max_deliveries} times: see the workers' logs, or raise maxDeliveries"
        await self._broker.bury(self._message, "MaxDeliveriesExceeded", detail, task.task_id)
        with contextlib.suppress(Stale):
            await events.ended(Outcome.failed(wire.Failure("MaxDeliveriesExceeded", detail, False)))
            await self._broker.acknowledge(self._message)
        self._metrics.ended("failed")

    async def _hold(self, task: wire.Task, events: RunEvents) -> None:
        run_log = RunLog(self._broker, task, events.delivery)
        run = self._run = Run(self._settings, self._backend, task, run_log, events.used)

        async def on_holder(ask: Msg) -> None:
            holder = {"worker": self._settings.pod_name, "attempt": task.attempt, "delivery": events.delivery}
            await ask.respond(msgspec.json.encode(holder))

        served = [
            await self._broker.serve(f"control.{task.task_id}", self._on_control),
            await self._broker.serve(f"holder.{task.task_id}", on_holder),
        ]
        await self._broker.flush()
        alive = asyncio.create_task(self._keep_alive(events))
        try:
            await events.running()
            if self._stopping:
                run.stop(*self._stopping)
            ended = await run.outcome()
            await run_log.close()
            await self._report(task, events, ended)
        except Stale as error:
            log.warning("task %s is not ours any more: %s", task.task_id, error)
            self._metrics.ended("stale")
        finally:
            alive.cancel()
            run_log.stop()
            for subscription in served:
                with contextlib.suppress(*AWAY):
                    await subscription.unsubscribe()

    async def _report(self, task: wire.Task, events: RunEvents, ended: Outcome | Stop) -> None:
        match ended:
            case Stop.STALE | Stop.CANCELLED:
                raise Stale("another holder took over")
            case Stop.SHUTDOWN:
                await events.released()
                await self._broker.acknowledge(self._message, b"-NAK")
                self._metrics.ended("released")
            case Outcome():
                await events.ended(ended)
                await self._broker.acknowledge(self._message)
                self._metrics.ended(ended.kind)
                log.info("task %s: %s", task.task_id, ended.kind)

    async def _keep_alive(self, events: RunEvents | None) -> None:
        """Tells the server that we are at it, and sees whether somebody else is."""
        told = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.ack_wait_seconds / 3)
            try:
                await self._broker.request(self._message.reply, b"+WPI")
                if events is None:
                    continue
                await events.check()
                if time.monotonic() - told > PROGRESS_SECONDS:
                    await events.progress()
                    told = time.monotonic()
            except Stale as error:
                self.stop(Stop.STALE, str(error))
                return
            except AWAY as error:
                log.info("heartbeat not confirmed: %s", error)

    async def _on_control(self, ask: Msg) -> None:
        try:
            order = msgspec.json.decode(ask.data, type=dict[str, str])
        except msgspec.MsgspecError:
            order = {}
        accepted = order.get("action") == "cancel"
        await ask.respond(msgspec.json.encode({"worker": self._settings.pod_name, "accepted": accepted}))
        if accepted:
            self.stop(Stop.CANCELLED, order.get("reason", "") or "cancelled")
