"""The operator's side: makes the streams, publishes tasks, reads events."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    PersistMode,
    RawStreamMsg,
    RePublish,
    RetentionPolicy,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from .patience import PATIENCE

KEY = bytes(range(32))
NAMESPACE, POOL = "team", "pool"
STREAM, SUBJECT = f"tasks_{NAMESPACE}_{POOL}", "tasks.agent.test"
# What a task's id follows, and a worker's pod.
EVENTS, LOGS, CONTROL, HOLDER = (f"{what}.{NAMESPACE}.{POOL}." for what in ("events", "logs", "control", "holder"))
WORKER = f"{CONTROL}worker."
BUCKET = f"files_{NAMESPACE}_{POOL}"
TERMINAL = {"completed", "failed", "cancelled"}
PASSWORD = {"user": "operator", "password": "operator-pw"}


@dataclass
class Event:
    sequence: int
    body: dict[str, Any]
    raw: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])


def dispatch_id(uid: str, attempt: int = 1) -> str:
    return hmac.new(KEY, f"{uid}\n{attempt}".encode(), hashlib.sha256).hexdigest()


class Operator:
    def __init__(self, url: str, login: Mapping[str, Any] = PASSWORD, replicas: int = 1) -> None:
        """`login` are options of `nats.connect`; `replicas` are copies of each stream."""
        self._url = url
        self._login = login
        self._replicas = replicas
        self.nats = Client()

    async def start(self, ack_wait: float) -> None:
        self.nats = await nats.connect(
            self._url, **self._login, max_reconnect_attempts=-1, reconnect_time_wait=0.1, connect_timeout=PATIENCE
        )
        self.js = self.nats.jetstream()
        await self.add_queue(ack_wait)
        for name, subject in (("EVENTS", "events.*.*.*"), ("DEADLETTERS", "deadletters.*.*")):
            await self._add_stream(name=name, subjects=[subject], allow_direct=True)
        lines = RePublish("logs.*.*.*", "results.{{wildcard(3)}}.log")
        # As the operator makes it: NATS takes this mode without copies alone.
        persist = PersistMode.ASYNC if self._replicas == 1 else None
        await self._add_stream(
            name="LOGS",
            subjects=["logs.*.*.*"],
            allow_direct=True,
            republish=lines,
            duplicate_window=10,
            persist_mode=persist,
        )

        await self._add_stream(name="KV_config", subjects=["$KV.config.>"], max_msgs_per_subject=1, allow_direct=True)

        await self.add_files()

    async def add_files(self, max_bytes: int = 64 << 20) -> None:
        """The pool's bucket, as the operator makes it."""
        await self._add_stream(
            name=f"OBJ_{BUCKET}",
            subjects=[f"$O.{BUCKET}.C.>", f"$O.{BUCKET}.M.>"],
            discard=DiscardPolicy.NEW,
            discard_new_per_subject=True,
            max_msgs_per_subject=1,
            max_bytes=max_bytes,
            allow_direct=True,
        )

    async def configure(self, values: dict[str, str], *, tell: bool = True) -> None:
        """Sets workerConfig of the pool as the operator does."""
        stored = await self.js.publish(f"$KV.config.{NAMESPACE}.{POOL}", json.dumps(values).encode())
        if tell:
            await self.nats.publish(f"control.{NAMESPACE}.{POOL}.pool", str(stored.seq).encode())

    async def add_queue(self, ack_wait: float) -> None:
        await self._add_stream(
            name=STREAM,
            subjects=[SUBJECT, f"{SUBJECT}.*"],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            allow_direct=True,
        )
        await self.add_consumer(ack_wait)

    async def add_consumer(self, ack_wait: float) -> None:
        await self.js.add_consumer(
            STREAM,
            ConsumerConfig(
                durable_name="workers",
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ack_wait,
                max_deliver=100,
                max_ack_pending=1000,
            ),
        )

    async def _add_stream(self, **settings: Any) -> None:
        await self.js.add_stream(StreamConfig(**settings, num_replicas=self._replicas))

    async def close(self) -> None:
        await self.nats.close()

    async def submit(self, prompt: str = "work", *, attempt: int = 1, uid: str = "", **fields: Any) -> str:
        """Publishes a task as the operator does; returns its uid."""
        before = await self.events(uid) if uid else []
        uid = uid or str(uuid.uuid4())
        body = {
            "task_id": uid, "namespace": NAMESPACE, "pool": POOL, "project_id": "",
            "title": "A title", "prompt": prompt, "backend": "command",
            "workspace_path": "", "config": {}, "heartbeat_seconds": 1, "dispatch_id": dispatch_id(uid, attempt),
            "attempt": attempt, "model": "", "run_timeout_seconds": 60, "max_deliveries": 3,
            "spent": {"tokens_in": 0, "tokens_out": 0, "cost_usd": "0"},
            "last_event": before[-1].sequence if before else 0,
        } | fields  # fmt: skip
        headers = {"Codeforge-Protocol": "1", "Codeforge-Installation": "test", "Nats-Msg-Id": f"{uid}-{attempt}"}
        await self.js.publish(f"{SUBJECT}.{uid}", json.dumps(body).encode(), headers=headers)
        return uid

    async def write_event(self, uid: str, event: str, attempt: int = 1, *, proven: bool = True, **more: Any) -> int:
        """Writes an event in a worker's, or the operator's, place."""
        body = json.dumps(
            {"task_id": uid, "event": event, "event_id": str(uuid.uuid4()), "attempt": attempt, "delivery": 1} | more
        ).encode()
        proof = hmac.new(dispatch_id(uid, attempt).encode(), body, hashlib.sha256).hexdigest()
        ack = await self.js.publish(EVENTS + uid, body, headers={"Codeforge-Proof": proof if proven else "0" * 64})
        return ack.seq

    async def events(self, task_id: str) -> list[Event]:
        return [
            Event(message.seq or 0, json.loads(message.data or b""), message.data or b"", dict(message.headers or {}))
            for message in await self.messages("EVENTS", EVENTS + task_id)
        ]

    async def messages(self, stream: str, subject: str) -> list[RawStreamMsg]:
        found: list[RawStreamMsg] = []
        while True:
            try:
                after = (found[-1].seq or 0) + 1 if found else 1
                found.append(await self.js.get_msg(stream, seq=after, subject=subject, next=True))
            except NotFoundError:
                return found

    async def until(self, task_id: str, *kinds: str, seconds: float = PATIENCE) -> list[Event]:
        """The task's events as soon as the last is one of the kinds (default: a terminal one)."""
        events: list[Event] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    events = await self.events(task_id)
                    if events and events[-1].body["event"] in (kinds or TERMINAL):
                        return events
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            seen = [event.body["event"] for event in events]
            raise AssertionError(f"{task_id}: no {kinds or 'end'} within {seconds} s, only {seen}") from error

    async def queue_is_empty(self, seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while (await self.js.stream_info(STREAM)).state.messages:
                await asyncio.sleep(0.05)

    async def delivered_after_restart(self, seconds: float = PATIENCE) -> int:
        """How many deliveries the server remembers, as soon as it answers."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(NatsError, TimeoutError):
                    delivered = (await self.js.consumer_info(STREAM, "workers")).delivered
                    return delivered.consumer_seq if delivered else 0
                await asyncio.sleep(0.05)

    async def until_taken(self, seconds: float = PATIENCE) -> None:
        """Until a worker has a message in hand, and has had time for its first look."""
        async with asyncio.timeout(seconds):
            while not (await self.js.consumer_info(STREAM, "workers")).num_ack_pending:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)

    async def dead_letters(self) -> list[RawStreamMsg]:
        return await self.messages("DEADLETTERS", f"deadletters.{NAMESPACE}.{POOL}")

    async def ask(self, subject: str, body: bytes = b"", seconds: float = PATIENCE) -> dict[str, Any]:
        """Asks a worker: it answers where its namespace's answers go."""
        answers = f"answers.{NAMESPACE}.{uuid.uuid4().hex}"
        heard = await self.nats.subscribe(answers, max_msgs=1)
        try:
            await self.nats.publish(subject, body, reply=answers)
            answer = await heard.next_msg(timeout=seconds)
        finally:
            with contextlib.suppress(NatsError):
                await heard.unsubscribe()
        if (answer.headers or {}).get("Status") == "503":
            raise NoRespondersError
        return json.loads(answer.data)

    async def nobody_answers(self, subject: str) -> None:
        """Until nobody listens any more: who stops listening may leave a last question unanswered."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(NoRespondersError):
                while True:
                    with contextlib.suppress(NatsTimeoutError):
                        await self.ask(subject, seconds=1)

    async def look(self, worker: str = "worker-1", seconds: float = PATIENCE) -> dict[str, Any]:
        return await self.ask(WORKER + worker, b'{"action":"look"}', seconds)

    async def until_idle(self, worker: str = "worker-1") -> dict[str, Any]:
        """Its answer once it has nothing in hand: it writes a task's end before it acknowledges the message."""
        async with asyncio.timeout(PATIENCE):
            while not (answer := await self.look(worker))["idle"]:
                await asyncio.sleep(0.05)
        return answer

    async def drain(self, worker: str = "worker-1", lease: int = 60, seconds: float = PATIENCE) -> dict[str, Any]:
        body = json.dumps({"action": "drain", "leaseSeconds": lease}).encode()
        return await self.ask(WORKER + worker, body, seconds)

    async def finish(self, worker: str = "worker-1", lease: int = 60) -> dict[str, Any]:
        body = json.dumps({"action": "finish", "leaseSeconds": lease}).encode()
        return await self.ask(WORKER + worker, body)

    async def leave(self, worker: str = "worker-1", grace: int = 0) -> dict[str, Any]:
        body = json.dumps({"action": "leave", "graceSeconds": grace}).encode()
        return await self.ask(WORKER + worker, body)

    async def resume(self, worker: str = "worker-1") -> dict[str, Any]:
        return await self.ask(WORKER + worker, b'{"action":"resume"}')


def state(answer: dict[str, Any]) -> str:
    """What a worker's answer says, but for the seconds."""
    return f"{'idle' if answer['idle'] else 'busy'}, {'drained' if answer['draining'] else 'pulling'}"


def kinds(events: list[Event]) -> list[str]:
    return [event.body["event"] for event in events]
