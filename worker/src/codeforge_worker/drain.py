"""Pauses the pulls, so that an idle worker can be removed without losing a task."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import msgspec
from nats.aio.msg import Msg

from .broker import AWAY, Broker
from .in_hand import InHand
from .one_task import OneTask
from .pulling import Pulling
from .worker_control import Answer, BadRequest, Refusal, parse_request

log = logging.getLogger(__name__)


class Drain:
    def __init__(
        self,
        worker: str,
        lacks: tuple[str, ...],
        in_hand: InHand,
        pulling: Pulling,
        one_task: OneTask,
        stopping: Callable[[], bool],
    ) -> None:
        """`lacks` says what agents can reach. `stopping`: the worker was told to stop, for good."""
        self._worker = worker
        self._lacks = lacks
        self._in_hand = in_hand
        self._pulling = pulling
        self._one_task = one_task
        self._stopping = stopping
        self._lease: asyncio.TimerHandle | None = None

    @property
    def draining(self) -> bool:
        return self._lease is not None or self._stopping() or self._one_task.begun

    async def serve(self, broker: Broker) -> None:
        """The client delivers one request at a time: the next request waits for a drain in progress."""
        await broker.serve(broker.subjects.worker(self._worker), self._on_request)
        await broker.flush()

    async def _on_request(self, ask: Msg) -> None:
        answer = await self._answer(ask.data)
        with contextlib.suppress(*AWAY):
            await ask.respond(msgspec.json.encode(answer))

    async def _answer(self, body: bytes) -> Answer | Refusal:
        try:
            request = parse_request(body)
        except BadRequest as error:
            return Refusal(self._worker, str(error))
        match request.action:
            case "drain":
                if not self._in_hand.busy:
                    await self._drain(request.lease_seconds, even_busy=False)
            case "finish":
                await self._drain(request.lease_seconds, even_busy=True)
            case "resume":
                self._resume("asked to")
            case "leave":
                self._in_hand.hurry(request.grace_seconds)
            case "look":
                pass
        if self._stopping():
            # A message that arrives while the worker stops is given back: until then the worker holds it.
            await self._pulling.stop()
        idle = not self._in_hand.busy and self._pulling.empty
        idle_seconds = round(self._in_hand.idle_seconds, 3) if idle else 0.0
        spent = idle and self._one_task.begun
        return Answer(self._worker, idle, self.draining, idle_seconds, self._lacks, spent)

    async def _drain(self, seconds: int, *, even_busy: bool) -> None:
        if self._stopping():
            return
        if self._lease is None:
            sure = await self._pulling.stop()
            if self._stopping():
                return
            if not sure or (self._in_hand.busy and not even_busy):
                self._pulling.start()
                return
            log.info("drained: no tasks are taken for %d s", seconds)
        self._hold(seconds)

    def _hold(self, seconds: int) -> None:
        if self._lease:
            self._lease.cancel()
        self._lease = asyncio.get_running_loop().call_later(seconds, self._resume, "the lease is over")

    def _resume(self, why: str) -> None:
        if self._lease is None:
            return
        self._lease.cancel()
        self._lease = None
        if not self._stopping():
            log.info("taking tasks again: %s", why)
            self._pulling.start()
