"""What the worker knows of the server by its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from harness.connected import connected
from harness.operator import NAMESPACE, POOL, Operator
from harness.patience import PATIENCE
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


async def test_a_request_is_given_up_with_its_connection(broker: Broker, proxy: TcpProxy) -> None:
    """Its answer may have been lost: whoever asks does so again at once."""
    proxy.freeze()
    asking = asyncio.create_task(broker.request(SUBJECT.replace("control", "holder"), b"", timeout=600))
    await asyncio.sleep(0.1)
    await proxy.cut()
    await proxy.resume()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TimeoutError):
            await asking
    assert broker.connected
