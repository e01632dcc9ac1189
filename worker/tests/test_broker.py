"""What the worker knows of the server by its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.operator import NAMESPACE, POOL, STREAM, Operator
from harness.proxy import TcpProxy
from nats.aio.msg import Msg

from codeforge_worker.broker import Broker
from codeforge_worker.settings import Settings

SUBJECT = f"control.{NAMESPACE}.{POOL}.some-task"


@pytest.fixture
async def broker(operator: Operator, proxy: TcpProxy) -> AsyncIterator[Broker]:
    settings = Settings(
        nats_url=proxy.url, nats_user="worker", nats_password="worker-pw", namespace=NAMESPACE, pool=POOL,
        backend="command", stream=STREAM, consumer="workers", concurrency=1, pod_name="worker-1",
        ack_wait_seconds=60, grace_seconds=1, workspace=Path("/nonexistent"), http_port=0,
    )  # fmt: skip
    broker = Broker(settings)
    await broker.connect()
    yield broker
    await broker.close()


async def ignore(_: Msg) -> None: ...


async def test_a_flush_returns_when_the_server_has_read_a_subscription(broker: Broker, proxy: TcpProxy) -> None:
    await broker.serve(SUBJECT, ignore)
    await broker.flush()
    assert b"PING" in proxy.sent[proxy.sent.index(b"SUB " + SUBJECT.encode()) :]


async def test_a_drain_returns_when_the_server_has_read_that_the_subscription_ends(
    broker: Broker, proxy: TcpProxy
) -> None:
    subscription = await broker.serve(SUBJECT, ignore)
    await subscription.drain()
    assert b"PING" in proxy.sent[proxy.sent.index(b"UNSUB ") :]
