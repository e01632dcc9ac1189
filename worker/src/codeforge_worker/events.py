"""The events of one run: cumulative, fenced by the subject's sequence, signed."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal

from . import plain, wire
from .broker import AWAY, Broker, WrongSequence
from .checkpoint import Checkpoint
from .fitting import fitted
from .outcome import Outcome
from .refusals import Tries
from .spending import Spent, Usage, add

log = logging.getLogger(__name__)


class Stale(Exception):
    """Another worker, or the operator, wrote `last`: the run belongs to this worker no more. Send nothing."""

    def __init__(self, why: str, last: wire.Seen | None = None) -> None:
        super().__init__(why)
        self.last = last


class RunEvents:
    def __init__(
        self,
        broker: Broker,
        task: wire.Task,
        worker: str,
        origin: wire.Origin,
        delivery: int,
        spent: Spent,
        expected: int,
        checkpoint: Checkpoint,
        earlier: tuple[wire.Earlier, ...],
    ) -> None:
        self._broker = broker
        self._task = task
        self._worker = worker
        self._origin = origin
        self._delivery = delivery
        self.spent = spent
        self._expected = expected
        self.checkpoint = checkpoint
        self._earlier = earlier
        self._start = wire.now()
        self._writing = asyncio.Lock()
        self._written: set[str] = set()
        self._settled = False
        self.used = Usage()
        # The latest report of the run's progress.
        self.said = ""

    @property
    def attempt(self) -> int:
        return self._task.attempt

    @property
    def delivery(self) -> int:
        return self._delivery

    async def running(self) -> None:
        await self._write("running", Outcome())

    async def progress(self) -> None:
        await self._write("progress", Outcome())

    async def released(self) -> None:
        await self._write("released", Outcome())

    async def ended(self, outcome: Outcome) -> None:
        await self._write(outcome.kind, outcome)

    async def check(self) -> None:
        """Raises `Stale` if the last event is another writer's."""
        async with self._writing:
            # A lower sequence is another writer's too: the stream was lost and recreated.
            if await self._broker.last_sequence(self._task.task_id) in (0, self._expected):
                return
            last = await self._broker.last_event(self._task.task_id, self._task.dispatch_id)
            if last is not None and last.sequence != self._expected:
                self._step_over(last)

    def _step_over(self, last: wire.Seen) -> None:
        """An event without a proof counts only by its sequence. Any other than our own ends this run."""
        if last.event_id in self._written:
            log.warning("task %s: the last event is not the one that was expected, but ours", self._task.task_id)
        elif last.proven or last.attempt > self._task.attempt:
            raise Stale(f"{last.worker or 'the operator'} wrote {last.event or 'an event'}", last)
        else:
            log.warning("task %s: an event without a valid proof is passed over", self._task.task_id)
        self._expected = last.sequence

    async def _write(self, kind: wire.Kind, outcome: Outcome) -> None:
        async with self._writing:
            if self._settled:
                # A late heartbeat: no event follows the terminal one.
                return
            event = self._event(kind, outcome)
            # Counts as ours from now on: a cancelled write may have been stored.
            self._written.add(event.event_id)
            await self._append(event)
            self._settled = kind == "released" or kind in wire.TERMINAL

    async def _append(self, event: wire.Event) -> None:
        headers = {wire.PROTOCOL: "1", "Nats-Msg-Id": event.event_id}
        with self._broker.refusals.tries(f"event {event.event} of task {self._task.task_id}") as tries:
            await self._append_until_stored(event, headers, tries)

    async def _append_until_stored(self, event: wire.Event, headers: dict[str, str], tries: Tries) -> None:
        aged_out = False
        while True:
            # After a reconnect another server may have a lower limit.
            body = fitted(event, self._broker.max_payload)
            if self._task.dispatch_id:
                headers[wire.PROOF] = wire.prove(self._task.dispatch_id, body)
            try:
                self._expected = await self._broker.append(self._task.task_id, body, headers, self._expected)
                return
            except WrongSequence:
                last = await self._broker.last_event(self._task.task_id, self._task.dispatch_id)
                if last is not None and last.event_id == event.event_id:
                    # It was written before; only its acknowledgement was lost.
                    self._expected = last.sequence
                    return
                if last is not None:
                    self._step_over(last)
                    continue
                if aged_out:
                    raise Stale("the task's results changed while they were read") from None
                aged_out = True
                self._expected = 0
            except AWAY as error:
                log.debug("task %s: %s event not written yet: %s", self._task.task_id, event.event, error)
                await tries.pause(error)

    def _event(self, kind: wire.Kind, outcome: Outcome) -> wire.Event:
        terminal = kind in wire.TERMINAL
        usage = add(self.spent, self.used)
        event = wire.Event(
            task_id=self._task.task_id,
            project_id=self._task.project_id,
            status=wire.status_of(kind),
            event=kind,
            event_id=wire.new_event_id(),
            attempt=self._task.attempt,
            delivery=self._delivery,
            stream=self._origin.stream,
            sequence=self._origin.sequence,
            worker=self._worker,
            time=wire.now(),
            start_time=self._start,
            completion_time=wire.now() if terminal else wire.msgspec.UNSET,
            output=wire.tail(outcome.output),
            files=tuple(map(plain.name_of, outcome.files[: wire.FILES])),
            error=outcome.failure.message if outcome.failure else "",
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost_usd=Decimal(usage.cost_usd),
            usage=usage,
            progress=plain.of(self.said)[: wire.MESSAGE_CHARACTERS] or wire.msgspec.UNSET,
            checkpoint=self.checkpoint.last or wire.msgspec.UNSET,
            result=outcome.result() if terminal else wire.msgspec.UNSET,
            failure=outcome.failure or wire.msgspec.UNSET,
            earlier=self._earlier or wire.msgspec.UNSET,
        )
        return event
