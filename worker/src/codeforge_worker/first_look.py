"""Decides from the last event, never from the delivery count, what to do with a message before any run."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from enum import Enum

import msgspec

from . import wire
from .broker import AWAY, Broker
from .outcome import failure
from .spending import Spent

log = logging.getLogger(__name__)

HOLDER_SECONDS = 2.0
SILENCE_SECONDS = 4.0
# How many messages with one id an event remembers; forgotten ones run again if they are redelivered.
EARLIER = 20


@dataclass(frozen=True)
class Begin:
    """Run it. `delivery` counts this run, `spent` is the usage of earlier runs, `expected` the last sequence.

    `saved` is their checkpoint; `earlier` is what its events must report of other messages with its id.
    """

    delivery: int
    spent: Spent
    expected: int
    saved: str
    earlier: tuple[wire.Earlier, ...]


@dataclass(frozen=True)
class GiveUp:
    """End it without a run; `delivery` counts the runs that were started."""

    delivery: int
    spent: Spent
    expected: int
    failure: wire.Failure
    saved: str
    earlier: tuple[wire.Earlier, ...]


class Leave(Enum):
    """Do not run it: it belongs to another worker, or has ended."""

    ACKNOWLEDGE = "settled already"
    DROP = "held by another"


class FirstLook:
    def __init__(self, broker: Broker, task: wire.Task, origin: wire.Origin, *, redelivered: bool) -> None:
        self._broker = broker
        self._task = task
        self._origin = origin
        self._redelivered = redelivered

    async def decide(self) -> Begin | GiveUp | Leave:
        task = self._task
        last = await self._broker.last_event(task.task_id, task.dispatch_id)
        expected = last.sequence if last else 0
        earlier = self._earlier(last) if last else ()
        own = self._own(last) if last else None
        if own is None:
            if self._may_be_held(last) and await self._is_held():
                return Leave.DROP
            if self._hides(last) and task.delivery_mode == "AtMostOnce":
                detail = "an event without a proof hides whether it was begun: look for what it has done before a rerun"
                return GiveUp(1, task.spent, expected, failure("MayHaveRun", detail), task.checkpoint, earlier)
            return Begin(1, task.spent, expected, task.checkpoint, earlier)
        if self.settles(own):
            return Leave.ACKNOWLEDGE
        if own.event == "released" and task.delivery_mode != "AtMostOnce":
            return Begin(max(1, own.delivery), own.usage, expected, own.checkpoint, earlier)
        if await self._is_held():
            # NATS was away and the holder is healthy: the message is the holder's, although the server redelivered it.
            return Leave.DROP
        if task.delivery_mode == "AtMostOnce":
            detail = f"{own.worker or 'its worker'} had begun it and is gone: look for what it has done before a rerun"
            return GiveUp(own.delivery, own.usage, expected, failure("MayHaveRun", detail), own.checkpoint, earlier)
        if own.delivery >= task.max_deliveries:
            detail = f"its worker was lost {own.delivery} times: see the workers' logs, or raise maxDeliveries"
            why = failure("MaxDeliveriesExceeded", detail)
            return GiveUp(own.delivery, own.usage, expected, why, own.checkpoint, earlier)
        return Begin(own.delivery + 1, own.usage, expected, own.checkpoint, earlier)

    def _own(self, last: wire.Seen) -> wire.Seen | None:
        """The state of this message: from the last event, or from that event's list of other messages with its id."""
        if self.concerns(last):
            return last
        found = next((one for one in last.earlier if self._is_this(one)), None) if not self._task.dispatch_id else None
        return found and wire.Seen(
            sequence=last.sequence,
            event=found.event,
            attempt=self._task.attempt,
            delivery=found.delivery,
            stream=found.stream,
            task_sequence=found.sequence,
            worker=found.worker,
            usage=found.usage,
            checkpoint=found.checkpoint,
            proven=True,
        )

    def _earlier(self, last: wire.Seen) -> tuple[wire.Earlier, ...]:
        if self._task.dispatch_id:
            return ()
        terminal = last.terminal
        covered = wire.Earlier(
            last.stream, last.task_sequence, last.event, last.delivery, last.worker, last.usage,
            "" if terminal else last.checkpoint,
        )  # fmt: skip
        others = [one for one in (*last.earlier, covered) if not self._is_this(one)]
        return tuple(others[-EARLIER:])

    def _is_this(self, one: wire.Earlier) -> bool:
        return (one.stream, one.sequence) == (self._origin.stream, self._origin.sequence)

    def _may_be_held(self, last: wire.Seen | None) -> bool:
        """The results may be lost while the run is not, or hidden by an event without a proof.

        Of two outside messages with one id the second waits.
        """
        if last is None:
            return self._redelivered
        return self._hides(last) if self._task.dispatch_id else not last.settled

    def _hides(self, last: wire.Seen | None) -> bool:
        """Whether an event of this attempt may be hidden: the last one is unproven and newer than the message."""
        return last is not None and not last.proven and last.sequence > self._task.last_event

    def concerns(self, event: wire.Seen) -> bool:
        """Whether the event is about this message's attempt, or shows that the attempt is a past one."""
        if not self._task.dispatch_id:
            return (event.stream, event.task_sequence) == (self._origin.stream, self._origin.sequence)
        if event.attempt == self._task.attempt:
            return event.proven
        return event.attempt > self._task.attempt

    def settles(self, event: wire.Seen) -> bool:
        """Whether the message has ended with this event."""
        return self.concerns(event) and (event.terminal or event.attempt > self._task.attempt)

    async def _is_held(self) -> bool:
        """Silence counts only while this worker is connected: the holder may reconnect later."""
        since, reconnects = time.monotonic(), self._broker.reconnects
        while time.monotonic() - since < SILENCE_SECONDS:
            try:
                holder_subject = self._broker.subjects.holder(self._task.task_id)
                answer = await self._broker.request(holder_subject, b"", timeout=HOLDER_SECONDS)
                holder = msgspec.json.decode(answer.data, type=_Holder)
                # A holder of an earlier attempt does not know yet that the attempt is over.
                if holder.attempt >= self._task.attempt:
                    log.info("task %s is held by %s: dropped", self._task.task_id, holder.worker)
                    return True
            except msgspec.MsgspecError:
                log.warning("task %s: the answer of its holder cannot be read", self._task.task_id)
            except AWAY:
                if not self._broker.connected or reconnects != self._broker.reconnects:
                    since, reconnects = time.monotonic(), self._broker.reconnects
            await asyncio.sleep(0.3)
        return False


class _Holder(msgspec.Struct):
    attempt: int
    worker: str = "a worker without a name"
