"""One pulled message, from the first read of its results to its acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import cast

import msgspec
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from . import log_format, wire
from .artifacts import Shelf
from .backends import Backend
from .broker import AWAY, REQUEST_SECONDS, Broker
from .checkpoint import Checkpoint, carried_on
from .control import parse_order
from .events import RunEvents, Stale
from .files import Files
from .first_look import Begin, FirstLook, GiveUp, Leave
from .logs import FLUSH_SECONDS, STOPPING_SECONDS, RunLog
from .metering import Meter
from .metrics import Metrics
from .outcome import Outcome
from .run import Run, Stop, Stopping
from .session import conversation_of
from .settings import Settings
from .tracing import facts
from .tracing.switch import Tracing

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 3000.0
# After an unconfirmed heartbeat.
AGAIN_SECONDS = 1.0
# Between two events about usage or progress: each is kept for days and costs a write to three disks.
TELLING_SECONDS = 2.0


class Delivery:
    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        backend: Backend,
        metrics: Metrics,
        tracing: Tracing,
        begin: Callable[[], None],
        message: Msg,
    ) -> None:
        """`begin` is called before the first instruction of a run, and not for a message that is not run."""
        self._settings = settings
        self._broker = broker
        self._backend = backend
        self._metrics = metrics
        self._tracing = tracing
        self._begin = begin
        self._message = message
        self._headers = cast(Mapping[str, str], message.headers or {})
        self._origin = wire.Origin(settings.stream, message.metadata.sequence.stream)
        self._events: RunEvents | None = None
        self._run: Run | None = None
        self._at_most_once = False
        # The stream was lost: in the new one this message's sequence belongs to another.
        self._gone = False
        self._stopping: Stopping | None = None
        # When the worker is gone, once it has to stop; monotonic time.
        self._leave_at = math.inf
        # The run has usage or progress that no event has yet.
        self._news = asyncio.Event()

    def stop(self, why: Stop, type: str, reason: str) -> None:
        stopping = Stopping(why, type, reason)
        self._stopping = self._stopping or stopping
        self._broker.refusals.try_again()
        if self._run:
            self._run.stop(stopping)

    def leave(self, grace_seconds: float) -> None:
        """The worker stops after the grace period: a run that may take longer is given back before its agent begins.

        With `AtMostOnce` it goes on: such a run cannot be given back.
        """
        self._leave_at = time.monotonic() + grace_seconds
        if self._run and not self._at_most_once and self._is_cut(self._run):
            self.stop(Stop.SHUTDOWN, "", "the worker had to stop")

    def _is_cut(self, run: Run) -> bool:
        return run.is_cut_within(self._leave_at - time.monotonic())

    async def handle(self) -> None:
        try:
            task = wire.parse_task(self._message.data, self._headers, self._settings.namespace, self._settings.pool)
        except wire.Unreadable as error:
            log.warning("message %d cannot be run: %s: %s", self._origin.sequence, error.reason, error.detail)
            self._metrics.ended("dead_lettered")
            await self._broker.bury(self._message, error.reason, error.detail, "")
            await self._acknowledge(b"+TERM " + error.reason.encode())
            return
        redelivered = self._message.metadata.num_delivered > 1
        look = FirstLook(self._broker, task, self._origin, redelivered=redelivered)
        # A task of its own: a slow read of the results must not delay a heartbeat.
        besides = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._follow())]
        try:
            decision = await look.decide()
            match decision:
                case Leave.ACKNOWLEDGE:
                    await self._acknowledge()
                case Leave.DROP:
                    pass
                case GiveUp():
                    await self._give_up(task, look, decision)
                case Begin():
                    await self._hold(task, look, self._events_of(task, decision))
        finally:
            for work in besides:
                work.cancel()

    def _events_of(self, task: wire.Task, decision: Begin | GiveUp) -> RunEvents:
        return RunEvents(
            self._broker,
            task,
            self._settings.pod_name,
            self._origin,
            decision.delivery,
            decision.spent,
            decision.expected,
            Checkpoint(carried_on(task, decision.saved)),
            decision.earlier,
        )

    def _run_of(self, task: wire.Task, events: RunEvents, run_log: RunLog) -> Run:
        def say(message: str) -> None:
            events.said = message
            self._news.set()

        meter = Meter(task.budget, events.spent, events.used)
        meter.on_call = events.checkpoint.on_save = self._news.set
        files = Files(self._broker, self._settings.namespace, self._settings.pool)
        conversation = conversation_of(files, task, events.delivery, self._broker.refusals)
        # Another message may have the same id from outside.
        message = "" if task.dispatch_id else f"{self._origin.sequence}-"
        shelf = Shelf(files, f"{task.task_id}/{message}{task.attempt}-{events.delivery}")
        return Run(
            self._settings,
            self._backend,
            task,
            self._origin,
            run_log,
            meter,
            events.delivery,
            say,
            events.checkpoint,
            shelf,
            conversation,
            self._metrics.egress,
        )

    async def clear(self) -> None:
        """Removes the run's remaining files, after its end was reported."""
        if self._run:
            await self._run.clear()

    async def gone(self) -> None:
        """Returns when nothing of the run is left, which may be long after its end."""
        if self._run:
            await self._run.gone()

    async def _give_up(self, task: wire.Task, look: FirstLook, decision: GiveUp) -> None:
        events = self._events_of(task, decision)
        run_log = RunLog(self._broker, task, events.delivery, self._metrics.lost_lines)
        self._run = self._run_of(task, events, run_log)
        ended = await self._run.earlier()
        run_log.stop()
        failure = decision.failure
        if ended is None and failure.type == "MaxDeliveriesExceeded":
            await self._broker.bury(self._message, failure.type, failure.message, task.task_id)
        try:
            await self._end(task, events, ended or Outcome.failed(failure))
        except Stale as error:
            await self._not_ours(task, look, error)

    async def _not_ours(self, task: wire.Task, look: FirstLook, stale: Stale) -> None:
        """Before this run has written an event. A message whose task has ended is acknowledged."""
        log.info("task %s is not ours: %s", task.task_id, stale)
        self._metrics.ended("stale")
        if stale.last and look.settles(stale.last):
            await self._acknowledge()

    async def _hold(self, task: wire.Task, look: FirstLook, events: RunEvents) -> None:
        log_format.about(task)
        run_log = RunLog(self._broker, task, events.delivery, self._metrics.lost_lines)
        run = self._run = self._run_of(task, events, run_log)
        self._at_most_once = task.delivery_mode == "AtMostOnce"

        async def on_holder(ask: Msg) -> None:
            holder = {"worker": self._settings.pod_name, "attempt": task.attempt, "delivery": events.delivery}
            await ask.respond(msgspec.json.encode(holder))

        # The server has read both subscriptions before `running`, which follows them on this connection.
        served = [
            await self._broker.serve(self._broker.subjects.control(task.task_id), self._on_control),
            await self._broker.serve(self._broker.subjects.holder(task.task_id), on_holder),
        ]
        self._events = events
        try:
            if (self._stopping and self._stopping.why is Stop.SHUTDOWN) or self._is_cut(run):
                # No run was started: there is nothing to release.
                await self._acknowledge(b"-NAK")
                return
            try:
                await events.running()
            except Stale as error:
                await self._not_ours(task, look, error)
                return
            self._begin()
            if self._stopping:
                run.stop(self._stopping)
            telling = asyncio.create_task(self._tell(events))
            try:
                with self._tracing.run(task, self._origin, events.delivery, self._headers) as span:
                    ended = await run.outcome()
                    facts.tell_end(span, ended, events.used)
                    stops = self._stopping and self._stopping.why is Stop.SHUTDOWN
                    await run_log.flush(STOPPING_SECONDS if stops else FLUSH_SECONDS)
                    await self._report(task, events, ended)
                    await run_log.close()
            finally:
                # Not earlier: an event whose write is cancelled may be stored, and would then look like another
                # worker's.
                telling.cancel()
        except Stale as error:
            log.warning("task %s is not ours any more: %s", task.task_id, error)
            self._metrics.ended("stale")
        finally:
            run_log.stop()
            for subscription in served:
                with contextlib.suppress(*AWAY):
                    await subscription.unsubscribe()

    async def _report(self, task: wire.Task, events: RunEvents, ended: Outcome | Stop) -> None:
        match ended:
            case Stop.STALE | Stop.CANCELLED:
                raise Stale(self._stopping.reason if self._stopping else "another holder took over")
            case Stop.SHUTDOWN:
                await events.released()
                await self._acknowledge(b"-NAK")
                self._metrics.ended("released")
            case Outcome():
                await self._end(task, events, ended)

    async def _end(self, task: wire.Task, events: RunEvents, outcome: Outcome) -> None:
        await events.ended(outcome)
        await self._acknowledge()
        self._metrics.ended(outcome.kind)
        log.info("task %s: %s", task.task_id, outcome.kind)

    async def _acknowledge(self, verb: bytes = b"+ACK") -> None:
        if not self._gone:
            await self._broker.acknowledge(self._message, verb)

    async def _keep_alive(self) -> None:
        """Sends heartbeats, whatever else of NATS is away."""
        interval = self._settings.ack_wait_seconds / 3
        pause, confirmed = interval, True
        while True:
            await asyncio.sleep(pause)
            before, confirmed = confirmed, await self._heartbeat(min(REQUEST_SECONDS, interval))
            if before and not confirmed:
                log.info("message %d: a sign of life is not confirmed", self._origin.sequence)
            pause = interval if confirmed else min(interval, AGAIN_SECONDS)

    async def _follow(self) -> None:
        """Checks whether another worker has taken over or ended the run: only the results show it."""
        told = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.ack_wait_seconds / 3)
            if self._events is None:
                continue
            try:
                await self._events.check()
                if time.monotonic() - told > PROGRESS_SECONDS:
                    await self._events.progress()
                    told = time.monotonic()
            except Stale as error:
                self.stop(Stop.STALE, "", str(error))
                return
            except AWAY as error:
                log.info("results not read: %s", error)

    async def _tell(self, events: RunEvents) -> None:
        """Soon after each call of the model: after a crash the next run counts on from the last event."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await events.progress()
            except Stale as error:
                self.stop(Stop.STALE, "", str(error))
                return
            await asyncio.sleep(TELLING_SECONDS)

    async def _heartbeat(self, seconds: float) -> bool:
        try:
            await self._broker.request(self._message.reply, b"+WPI", seconds)
        except NoRespondersError:
            if not self._gone:
                log.warning("the consumer of %s is gone: the run goes on without its message", self._settings.stream)
            self._gone = True
        except AWAY:
            return False
        return True

    async def _on_control(self, ask: Msg) -> None:
        order = parse_order(ask.data)
        if order and self._events and not order.concerns(self._events.attempt):
            order = None
        if ask.reply:
            await ask.respond(msgspec.json.encode({"worker": self._settings.pod_name, "accepted": order is not None}))
        if order:
            self.stop(Stop.CANCELLED, order.type, order.reason or "it was asked for")
