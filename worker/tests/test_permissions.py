"""What workers, clients and viewers may not do in NATS, by the shipped nats.conf. What they may, other tests show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from harness.flushing import flushed
from harness.nats_server import NatsServer
from harness.operator import BUCKET, CONTROL, EVENTS, NAMESPACE, POOL, STREAM, SUBJECT, WORKER, Operator
from harness.patience import PATIENCE
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeout

REFUSED = [
    (f"$JS.API.STREAM.INFO.{STREAM}", b""),
    (f"$JS.API.STREAM.PURGE.{STREAM}", b""),
    (f"$JS.API.STREAM.DELETE.{STREAM}", b""),
    (f"$JS.API.STREAM.MSG.GET.{STREAM}", b'{"seq":1}'),
    ("$KV.config.team.pool", b"{}"),
    (f"$JS.API.CONSUMER.CREATE.{STREAM}", b"{}"),
    (f"$JS.API.CONSUMER.DELETE.{STREAM}.workers", b""),
    ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.operator-test", b"1"),
    (f"$JS.API.STREAM.INFO.OBJ_{BUCKET}", b""),
    (f"$JS.API.STREAM.PURGE.OBJ_{BUCKET}", b""),
    (f"$JS.API.STREAM.DELETE.OBJ_{BUCKET}", b""),
    (f"$JS.API.STREAM.UPDATE.OBJ_{BUCKET}", b"{}"),
    (f"$JS.API.STREAM.MSG.DELETE.OBJ_{BUCKET}", b'{"seq":1}'),
    (f"$JS.API.STREAM.CREATE.OBJ_files_{NAMESPACE}_another", b"{}"),
    (f"$JS.API.CONSUMER.CREATE.OBJ_{BUCKET}", b"{}"),
    # Whole streams by their sequence: prompts of other pools are among them.
    (f"$JS.API.DIRECT.GET.{STREAM}", b'{"seq":1}'),
    (f"$JS.API.DIRECT.GET.{STREAM}.{SUBJECT}", b""),
    (f"{SUBJECT}.made-by-a-worker", b"{}"),
    (CONTROL + "some-task", b'{"action":"cancel"}'),
    (WORKER + "worker-1", b'{"action":"drain","leaseSeconds":60}'),
    ("$JS.API.STREAM.MSG.GET.EVENTS", b'{"last_by_subj":"events.other.pool.task"}'),
    ("$JS.API.DIRECT.GET.EVENTS", b'{"last_by_subj":"events.other.pool.task"}'),
    ("results.some-task", b"{}"),
    ("agents.run.other.pool", b"{}"),
    ("answers.team.guessed", b"{}"),
]


@pytest.fixture
async def worker_user(server: NatsServer, operator: Operator) -> AsyncIterator[tuple[Client, list[str]]]:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(
        server.url, user="worker", password="worker-pw", inbox_prefix=f"_INBOX.{NAMESPACE}.{POOL}", error_cb=on_error
    )
    yield client, refusals
    await client.close()


@pytest.mark.parametrize(("subject", "body"), REFUSED)
async def test_refused(worker_user: tuple[Client, list[str]], subject: str, body: bytes) -> None:
    client, refusals = worker_user
    with pytest.raises(NatsTimeout):
        await client.request(subject, body, timeout=0.3)
    assert any("permissions violation" in text.lower() and subject.lower() in text.lower() for text in refusals)


@pytest.mark.parametrize("user", ["client", "console"])
@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.CONSUMER.CREATE.LOGS",
        "$JS.API.STREAM.MSG.GET.LOGS",
        f"$JS.API.DIRECT.GET.{STREAM}",
        f"$O.{BUCKET}.M.a",
        CONTROL + "some-task",
    ],
)
async def test_clients_and_viewers_are_refused(server: NatsServer, operator: Operator, subject: str, user: str) -> None:
    client = await nats.connect(server.url, user=user, password=f"{user}-pw", inbox_prefix=f"_INBOX_{user}")
    with pytest.raises(NatsTimeout):
        await client.request(subject, b"{}", timeout=0.3)
    await client.close()


@pytest.mark.parametrize("subject", ["results.>", "events.>", f"{SUBJECT}.>", "_INBOX.>", "deadletters.>", "$JS.ACK.>"])
async def test_may_not_listen(worker_user: tuple[Client, list[str]], subject: str) -> None:
    client, refusals = worker_user

    async def ignore(_: object) -> None: ...

    await client.subscribe(subject, cb=ignore)
    async with asyncio.timeout(PATIENCE):
        while not any("permissions violation for subscription" in text.lower() for text in refusals):
            await asyncio.sleep(0.02)


# A reply subject is not checked: what answers a request is published where its sender says.
ANSWERED = [
    (f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.workers", b'{"batch":1,"no_wait":true}'),
    (EVENTS + "mine", b"{}"),
    (f"$JS.API.DIRECT.GET.EVENTS.{EVENTS}mine", b""),
]
ELSEWHERE = [
    "$JS.API.STREAM.DELETE.LOGS",
    "$JS.API.STREAM.PURGE.EVENTS",
    "$JS.API.STREAM.CREATE.loot",
    "$JS.API.CONSUMER.CREATE.EVENTS.spy",
    "tasks.agent.test.reflected",
    "deadletters.other.pool",
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize(("subject", "body"), ANSWERED, ids=["pull", "write", "read"])
async def test_an_answer_sent_elsewhere_does_nothing(
    operator: Operator, worker_user: tuple[Client, list[str]], subject: str, body: bytes, elsewhere: str
) -> None:
    client, _ = worker_user
    stolen = b'{"name":"loot","sources":[{"name":"EVENTS"}]}'
    await client.publish(EVENTS + "mine", stolen)
    before = await _streams(operator)
    await client.publish(subject, body, reply=elsewhere)
    await flushed(client)
    await asyncio.sleep(0.2)
    assert await _streams(operator) == before
    assert await operator.js.consumers_info("EVENTS") == []


@pytest.mark.parametrize("user", ["client", "console"])
async def test_their_answer_sent_elsewhere_does_nothing(server: NatsServer, operator: Operator, user: str) -> None:
    client = await nats.connect(server.url, user=user, password=f"{user}-pw", inbox_prefix=f"_INBOX_{user}")
    before = await _streams(operator)
    await client.publish(
        "$JS.API.DIRECT.GET.LOGS", b'{"last_by_subj":"logs.no.such.task"}', reply="$JS.API.STREAM.DELETE.EVENTS"
    )
    await flushed(client)
    await asyncio.sleep(0.2)
    assert await _streams(operator) == before
    await client.close()


async def _streams(operator: Operator) -> dict[str, int]:
    """Their messages by name; an event that the attack itself writes under its own pool is its right."""
    return {
        stream.config.name or "": 0 if stream.config.name == "EVENTS" else stream.state.messages
        for stream in await operator.js.streams_info()
    }
