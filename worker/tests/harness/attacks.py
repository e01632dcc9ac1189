"""What a hostile worker tries with the credential of its pool, and whether it comes to anything.

A permission binds the subject of a request and not its reply subject: the server itself publishes the answer there. So
the answer to a request that is allowed is sent where a request is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError

from .flushing import flushed
from .jwt_server import JwtServer
from .nats_identity import MINE, NEIGHBOUR, Identities, Pool
from .operator import BUCKET, EVENTS, NAMESPACE, POOL, STREAM, SUBJECT, Operator
from .patience import PATIENCE

_PULL = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.workers"
_NOW = b'{"batch":1,"no_wait":true}'
_FIRSTS = ("control", "holder", "events", "logs", "deadletters", "answers", "agents", "results", "$KV", "$O")
NEIGHBOURS_QUEUE, NEIGHBOURS_SUBJECT = "tasks_other_neighbour", "tasks.other.neighbour"


@dataclass(frozen=True)
class Row:
    what: str
    succeeded: bool

    def __str__(self) -> str:
        return f"{'SUCCEEDED' if self.succeeded else 'refused  '}  {self.what}"


@dataclass(frozen=True)
class Target:
    """Where an answer is sent; `body` is what the receiver needs to read there to do anything."""

    what: str
    subject: str
    body: bytes = b"{}"


def targets(row: str) -> list[Target]:
    """Each is of this row alone, so that what comes of it is known by its name."""
    spy = {"name": f"spy_{row}", "deliver_subject": f"_INBOX.{NAMESPACE}.{POOL}.spy", "ack_policy": "none"}
    loot = {"name": f"loot_{row}", "mirror": {"name": NEIGHBOURS_QUEUE}, "storage": "memory"}
    spied = json.dumps({"stream_name": "EVENTS", "config": spy}).encode()
    return [
        Target("deletes a stream", f"$JS.API.STREAM.DELETE.deleted_{row}"),
        Target("purges a stream", f"$JS.API.STREAM.PURGE.purged_{row}"),
        Target("mirrors the neighbour's tasks", f"$JS.API.STREAM.CREATE.loot_{row}", json.dumps(loot).encode()),
        Target("has all events sent to itself", f"$JS.API.CONSUMER.CREATE.EVENTS.spy_{row}", spied),
        Target("is in the neighbour's queue", f"{NEIGHBOURS_SUBJECT}.{row}"),
        Target("is an order to the neighbour's run", f"control.other.neighbour.{row}"),
        Target("asks the neighbour's holder", f"holder.other.neighbour.{row}"),
        Target("is the neighbour's event", f"events.other.neighbour.{row}"),
        Target("is the neighbour's line", f"logs.other.neighbour.{row}"),
        Target("is the neighbour's dead letter", f"deadletters.other.{row}"),
        Target("is the neighbour's answer", f"_INBOX.other.neighbour.{row}"),
        Target("is the neighbour's file", f"$O.files_other_neighbour.M.{row}"),
        Target("is a pool's settings", f"$KV.config.other.{row}"),
        Target("asks for a run of the neighbour's", f"agents.run.other.{row}"),
        Target("is an answer to the operator", f"answers.other.{row}"),
        Target("is read as a result", f"results.{row}"),
    ]


_Way = Callable[[str, Target], Awaitable[str | None]]


class World:
    """A server or three, an operator, the neighbour's worker, and a hostile one."""

    def __init__(self, operator: Operator, hostile: Client, neighbour: Client, refusals: list[str]) -> None:
        self.operator = operator
        self.hostile = hostile
        self._neighbour = neighbour
        self._refusals = refusals
        self._heard: set[str] = set()

    async def prepare(self) -> None:
        async def hear(message: Msg) -> None:
            self._heard.add(message.subject)

        everybodys = [f"{first}.>" for first in (*_FIRSTS, NEIGHBOURS_SUBJECT)]
        for client, subjects in ((self.operator.nats, everybodys), (self._neighbour, NEIGHBOUR.subscribe)):
            for subject in subjects:
                await client.subscribe(subject, cb=hear)
            await flushed(client)
        await self._stream(NEIGHBOURS_QUEUE, f"{NEIGHBOURS_SUBJECT}.>")
        await self._stream("OBJ_files_other_neighbour", "$O.files_other_neighbour.>")
        await self._stored(f"$KV.config.{NAMESPACE}.{POOL}")

    async def _stream(self, name: str, *subjects: str) -> None:
        await self.operator.js.add_stream(
            StreamConfig(name=name, subjects=list(subjects), storage=StorageType.MEMORY, allow_direct=True)
        )

    async def answers_sent_elsewhere(self) -> list[Row]:
        """Each answered request of a worker, with each target as its reply subject."""
        tried: list[tuple[str, Target, str | None]] = []
        ways: list[tuple[str, _Way]] = [
            ("the answer to a pull of an empty queue", self._pull),
            ("the answer to an event", self._write),
            ("an event of its own, read", self._read),
            ("the answer to a dead letter", self._bury),
            ("the answer to a file", self._file),
            ("the pool's settings, read", self._settings),
            ("the answer to a sign of life", self._progress),
            ("a task of its own, pulled", self._pull_a_task),
        ]
        for number, (how, send) in enumerate(ways):
            row = f"w{number}"
            for victim in ("deleted", "purged"):
                await self._stream(f"{victim}_{row}", f"{victim}.{row}")
                await self._stored(f"{victim}.{row}")
            if send == self._progress:
                await self._hold_a_task()
            await self._until_answered(row, send)
            for target in targets(row):
                tried.append((how, target, await send(row, target)))
        await flushed(self.hostile)
        await asyncio.sleep(1)
        return [
            Row(f"{how} {target.what}: {target.subject}", await self._came(target, heard_as or target.subject))
            for how, target, heard_as in tried
        ]

    async def _stored(self, subject: str) -> None:
        """In a cluster it takes a moment until every server knows of a stream."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(NatsError):
                    await self.operator.js.publish(subject, b"precious")
                    return
                await asyncio.sleep(0.05)

    async def _until_answered(self, row: str, send: _Way) -> None:
        """That an answer comes where it may shows that one was sent where it may not."""
        inbox = self.hostile.new_inbox()
        heard = await self.hostile.subscribe(inbox)
        async with asyncio.timeout(PATIENCE):
            while True:
                # Each call of a closed client fails at once, and no timeout would come.
                assert not self.hostile.is_closed, f"NATS closed the connection: {self.hostile.last_error}"
                with contextlib.suppress(NatsError):
                    await send(row, Target("is its own", inbox))
                    await heard.next_msg(timeout=1)
                    break
                await asyncio.sleep(0.05)
        await heard.unsubscribe()

    async def _came(self, target: Target, heard_as: str) -> bool:
        name = target.subject.rpartition(".")[2]
        js = self.operator.js
        try:
            if ".STREAM.DELETE." in target.subject:
                await js.stream_info(name)
                return False
            if ".STREAM.PURGE." in target.subject:
                return (await js.stream_info(name)).state.messages == 0
            if ".STREAM.CREATE." in target.subject:
                await js.stream_info(name)
                return True
            if ".CONSUMER.CREATE." in target.subject:
                await js.consumer_info("EVENTS", name)
                return True
        except NotFoundError:
            return ".STREAM.DELETE." in target.subject
        return heard_as in self._heard

    async def _pull(self, row: str, target: Target) -> None:
        await self.hostile.publish(_PULL, _NOW, reply=target.subject)

    async def _pull_a_task(self, row: str, target: Target) -> str:
        """A task is heard under its own subject, wherever it is sent."""
        uid = await self.operator.submit()
        await self._pull(row, target)
        return f"{SUBJECT}.{uid}"

    async def _write(self, row: str, target: Target) -> None:
        await self.hostile.publish(EVENTS + row, target.body, reply=target.subject)

    async def _read(self, row: str, target: Target) -> None:
        mine = f"{EVENTS}{row}-{abs(hash(target))}"
        await self.hostile.request(mine, target.body, timeout=PATIENCE)
        # Any copy of the stream may answer: it is given time to have it.
        await asyncio.sleep(0.05)
        await self.hostile.publish(f"$JS.API.DIRECT.GET.EVENTS.{mine}", b"", reply=target.subject)

    async def _bury(self, row: str, target: Target) -> None:
        await self.hostile.publish(f"deadletters.{NAMESPACE}.{POOL}", target.body, reply=target.subject)

    async def _file(self, row: str, target: Target) -> None:
        await self.hostile.publish(f"$O.{BUCKET}.M.{row}{abs(hash(target))}", target.body, reply=target.subject)

    async def _settings(self, row: str, target: Target) -> None:
        subject = f"$JS.API.DIRECT.GET.KV_config.$KV.config.{NAMESPACE}.{POOL}"
        await self.hostile.publish(subject, b"", reply=target.subject)

    async def _hold_a_task(self) -> None:
        await self.operator.submit()
        # A task bears its own subject: a client's request would not take it for an answer.
        inbox = self.hostile.new_inbox()
        heard = await self.hostile.subscribe(inbox)
        self._held = ""
        # The consumer's leader may not know of the task yet: its answer is a status then, without a reply subject.
        while not self._held:
            await self.hostile.publish(_PULL, _NOW, reply=inbox)
            self._held = (await heard.next_msg(timeout=PATIENCE)).reply

    async def _progress(self, row: str, target: Target) -> None:
        await self.hostile.publish(self._held, b"+WPI", reply=target.subject)

    async def requests(self, subjects: Iterable[str]) -> list[Row]:
        tried = list(dict.fromkeys(subjects))
        for subject in tried:
            await self.hostile.publish(subject, b"{}", reply=f"_INBOX.{NAMESPACE}.{POOL}.answer")
        return await self._judged("publish to", "asks", tried)

    async def subscriptions(self, subjects: Iterable[str]) -> list[Row]:
        tried = list(dict.fromkeys(subjects))

        async def ignore(_: Msg) -> None: ...

        for subject in tried:
            await self.hostile.subscribe(subject, cb=ignore)
        return await self._judged("subscription to", "listens to", tried)

    async def _judged(self, violation: str, what: str, tried: list[str]) -> list[Row]:
        """The server says what it refuses, and is silent where it does not."""
        await flushed(self.hostile)
        await asyncio.sleep(0.5)
        said = [
            any(f'permissions violation for {violation} "{subject}"'.lower() in text.lower() for text in self._refusals)
            for subject in tried
        ]
        return [Row(f"{what} {subject}", not refused) for subject, refused in zip(tried, said, strict=True)]


@asynccontextmanager
async def world(servers: list[JwtServer], ack_wait: float, *, walled: bool = True) -> AsyncGenerator[World]:
    """`walled`: the hostile worker is in its namespace's account, as it is shipped; else beside the streams."""
    identities: Identities = servers[0].identities
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    async def worker(server: JwtServer, pool: Pool, **options: Any) -> Client:
        credential = RawCredentials(identities.worker(pool, among_the_streams=not walled))
        inbox = f"_INBOX.{pool.namespace}.{pool.name}"
        return await nats.connect(server.url, user_credentials=credential, inbox_prefix=inbox, **options)

    operator = Operator(servers[0].url, servers[0].operator_login, replicas=len(servers))
    await operator.start(ack_wait)
    hostile = await worker(servers[-1], MINE, error_cb=on_error)
    neighbour = await worker(servers[len(servers) // 2], NEIGHBOUR)
    made = World(operator, hostile, neighbour, refusals)
    await made.prepare()
    try:
        yield made
    finally:
        for client in (hostile, neighbour, operator.nats):
            await client.close()
