"""The first look at a task's results, before anything is run: the last event decides, never the delivery count."""

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


@dataclass(frozen=True)
class Begin:
    """To be run. `delivery` counts this run, `spent` is what the earlier ones used, `expected` the last sequence.

    `saved` is the earlier ones' checkpoint.
    """

    delivery: int
    spent: Spent
    expected: int
    saved: str


@dataclass(frozen=True)
class GiveUp:
    """To be ended without a run; `delivery` counts those that were begun."""

    delivery: int
    spent: Spent
    expected: int
    failure: wire.Failure
    saved: str


class Leave(Enum):
    """Not ours to run."""

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
        own = last if last is None or self.concerns(last) else await self._written_over(last)
        if own is None:
            # Results may be lost while the run is not. And of two plain messages with one id the second waits.
            may_be_held = self._redelivered if last is None else not (task.dispatch_id or last.settled)
            if may_be_held and await self._is_held():
                return Leave.DROP
            return Begin(1, task.spent, expected, task.checkpoint)
        if self.settles(own):
            return Leave.ACKNOWLEDGE
        if own.event == "released" and task.delivery_mode != "AtMostOnce":
            return Begin(max(1, own.delivery), own.usage, expected, own.checkpoint)
        if await self._is_held():
            # NATS was away and its holder is healthy: not our message, whatever the server thinks.
            log.info("task %s is held by %s: dropped", task.task_id, own.worker)
            return Leave.DROP
        if task.delivery_mode == "AtMostOnce":
            detail = f"{own.worker or 'its worker'} had begun it and is gone: look for what it has done before a rerun"
            return GiveUp(own.delivery, own.usage, expected, failure("MayHaveRun", detail), own.checkpoint)
        if own.delivery >= task.max_deliveries:
            detail = f"its worker was lost {own.delivery} times: see the workers' logs, or raise maxDeliveries"
            return GiveUp(own.delivery, own.usage, expected, failure("MaxDeliveriesExceeded", detail), own.checkpoint)
        return Begin(own.delivery + 1, own.usage, expected, own.checkpoint)

    def concerns(self, event: wire.Seen) -> bool:
        """Whether the event tells of this message's attempt, or that it is a past one."""
        if not self._task.dispatch_id:
            return (event.stream, event.task_sequence) == (self._origin.stream, self._origin.sequence)
        if event.attempt == self._task.attempt:
            return event.proven
        return event.attempt > self._task.attempt

    def settles(self, event: wire.Seen) -> bool:
        """Whether the message is done with after this event."""
        return self.concerns(event) and (event.terminal or event.attempt > self._task.attempt)

    async def _written_over(self, last: wire.Seen) -> wire.Seen | None:
        """What was told of this message before others wrote: without a proof, or of another message with this id."""
        if not self._task.dispatch_id and not self._redelivered and self._task.delivery_mode != "AtMostOnce":
            # An id that is used again and again has many events, and a new message none of its own.
            return None
        events = await self._broker.events_before(self._task.task_id, self._task.dispatch_id, last.sequence)
        return next((event for event in reversed(events) if self.concerns(event)), None)

    async def _is_held(self) -> bool:
        """Silence is believed when it has lasted while we were connected: a holder may reconnect later than we do."""
        since, reconnects = time.monotonic(), self._broker.reconnects
        while time.monotonic() - since < SILENCE_SECONDS:
            try:
                answer = await self._broker.request(f"holder.{self._task.task_id}", b"", timeout=HOLDER_SECONDS)
                holder = msgspec.json.decode(answer.data, type=_Holder)
                # Who still holds an earlier attempt does not know yet that it is over.
                if holder.attempt >= self._task.attempt:
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
