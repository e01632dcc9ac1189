"""A cancellation that comes together with an answer: nobody may go on for having been answered."""

from __future__ import annotations

import asyncio

import pytest
from harness.connected import connected
from harness.nats_server import NatsServer
from harness.operator import Operator
from nats.aio.msg import Msg

from codeforge_worker.broker import Broker


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "connection lost"])
async def test_a_request_that_is_cancelled_as_it_is_answered_is_cancelled(
    operator: Operator, server: NatsServer, *, lost: bool
) -> None:
    async with connected(Broker, server.url) as broker:
        client = broker.connection.client
        asking = asyncio.create_task(broker.request(broker.subjects.holder("nobody-1"), b"", timeout=5))
        before = set(client._resp_map)  # pyright: ignore[reportPrivateUsage]
        while not (sent := set(client._resp_map) - before):  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0)
        if lost:
            client.lose_requests()
        else:
            client._resp_map[sent.pop()].set_result(Msg(client, "answer"))  # pyright: ignore[reportPrivateUsage]
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
