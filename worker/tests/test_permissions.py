"""What the user `worker` of the shipped nats.conf may not do. What it may do, every other test shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from harness.nats_server import NatsServer
from harness.operator import BUCKET, NAMESPACE, STREAM, SUBJECT, Operator
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
    ("$JS.API.CONSUMER.MSG.NEXT.RESULTS.operator-test", b"1"),
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
    ("control.some-task", b'{"action":"cancel"}'),
    ("control.worker.worker-1", b'{"action":"drain","leaseSeconds":60}'),
]


@pytest.fixture
async def worker_user(server: NatsServer, operator: Operator) -> AsyncIterator[tuple[Client, list[str]]]:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(
        server.url, user="worker", password="worker-pw", inbox_prefix="_INBOX_worker", error_cb=on_error
    )
    yield client, refusals
    await client.close()


@pytest.mark.parametrize(("subject", "body"), REFUSED)
async def test_refused(worker_user: tuple[Client, list[str]], subject: str, body: bytes) -> None:
    client, refusals = worker_user
    with pytest.raises(NatsTimeout):
        await client.request(subject, body, timeout=0.3)
    assert any("permissions violation" in text.lower() and subject.lower() in text.lower() for text in refusals)


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.CONSUMER.CREATE.LOGS",
        "$JS.API.STREAM.MSG.GET.LOGS",
        f"$JS.API.DIRECT.GET.{STREAM}",
        f"$O.{BUCKET}.M.a",
        "control.some-task",
    ],
)
async def test_a_client_is_refused(server: NatsServer, operator: Operator, subject: str) -> None:
    client = await nats.connect(server.url, user="client", password="client-pw", inbox_prefix="_INBOX_client")
    with pytest.raises(NatsTimeout):
        await client.request(subject, b"{}", timeout=0.3)
    await client.close()


@pytest.mark.parametrize("subject", ["results.>", f"{SUBJECT}.>", "_INBOX.>", "deadletters.>", "$JS.ACK.>"])
async def test_may_not_listen(worker_user: tuple[Client, list[str]], subject: str) -> None:
    client, refusals = worker_user

    async def ignore(_: object) -> None: ...

    await client.subscribe(subject, cb=ignore)
    async with asyncio.timeout(3):
        while not any("permissions violation for subscription" in text.lower() for text in refusals):
            await asyncio.sleep(0.02)
