"""What the worker knows of the server by its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness.connected import connected
from harness.operator import NAMESPACE, POOL, Operator
from harness.proxy import TcpProxy
from nats.aio.msg import Msg

from codeforge_worker.broker import Broker

SUBJECT = f"control.{NAMESPACE}.{POOL}.some-task"


@pytest.fixture
async def broker(operator: Operator, proxy: TcpProxy) -> AsyncIterator[Broker]:
    async with connected(Broker, proxy.url) as broker:
        yield broker


async def ignore(_: Msg) -> None: ...


async def test_a_flush_returns_when_the_server_has_read_a_subscription(broker: Broker, proxy: TcpProxy) -> None:
    await broker.serve(SUBJECT, ignore)
    await broker.flush()
    assert b"PING" in proxy.sent[proxy.sent.index(b"SUB " + SUBJECT.encode()) :]


async def test_a_drain_returns_when_the_server_has_read_that_the_subscription_ends(
    broker: Broker, proxy: TcpProxy
) -> None:
    inbox = await broker.inbox(lambda _: None, lambda: None)
    assert await inbox.close()
    assert b"PING" in proxy.sent[proxy.sent.index(b"UNSUB ") :]
