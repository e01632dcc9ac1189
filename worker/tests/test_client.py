"""The client of `agents.run` and `agents.submit`, with the rights that the chart's user `client` has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from harness.nats_server import NatsServer
from harness.operator import Operator
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg

from codeforge_worker import client as module
from codeforge_worker.client import Client, Ended, News, NotAnswered, Pool, Refused, Submitted

TASK = {"name": "shell-2c2a", "namespace": "team", "uid": "1d37", "phase": "Pending"}
OUTCOME = {
    "name": "shell-2c2a", "namespace": "team", "uid": "1d37", "phase": "Succeeded",
    "result": {"output": "four"}, "usage": {"tokensIn": 1, "tokensOut": 2, "costUSD": "0"}, "added": "later",
}  # fmt: skip


def _body(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def _error(code: int, type: str, *, retryable: bool = False) -> tuple[bytes, dict[str, str]]:
    body = _body({"error": {"type": type, "message": "a sentence", "retryable": retryable}})
    return body, {"Nats-Service-Error-Code": str(code), "Nats-Service-Error": "a sentence"}


class Service:
    """The operator's part. Each request is answered by the next series; the last one stays."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats
        self.series: list[list[tuple[bytes, dict[str, str]]]] = []
        self.asked: list[Msg] = []

    async def take(self, message: Msg) -> None:
        self.asked.append(message)
        answers = self.series.pop(0) if len(self.series) > 1 else self.series[0]
        for body, headers in answers:
            await self._nats.publish(message.reply, body, headers=headers or None)

    @property
    def keys(self) -> set[str]:
        return {(message.headers or {})["Nats-Msg-Id"] for message in self.asked}


@pytest.fixture
async def service(operator: Operator) -> Service:
    service = Service(operator.nats)
    await operator.nats.subscribe("agents.*.*.*", cb=service.take)
    await operator.nats.flush()
    return service


@pytest.fixture
async def pool(server: NatsServer) -> AsyncIterator[Pool]:
    async with Client(server.url, user="client", password="client-pw") as client:
        yield client.pool("team", "shell")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.05)


async def test_a_task_is_submitted(service: Service, pool: Pool) -> None:
    service.series = [[(_body(TASK), {})]]
    assert await pool.submit("two and two", config={"a": "b"}) == Submitted("shell-2c2a", "team", "1d37", "Pending")
    (asked,) = service.asked
    assert asked.subject == "agents.submit.team.shell"
    assert json.loads(asked.data) == {"prompt": "two and two", "config": {"a": "b"}}


async def test_a_task_is_run(service: Service, pool: Pool) -> None:
    service.series = [[(_body(OUTCOME), {})]]
    ended = await pool.run("two and two", key="order-7")
    assert ended.succeeded and (ended.result["output"], ended.usage["tokensIn"], ended.error) == ("four", 1, None)
    assert service.asked[0].subject == "agents.run.team.shell" and service.keys == {"order-7"}
    service.series = [[(_body(OUTCOME | {"phase": "Failed", "error": {"type": "CommandFailed", "message": "m"}}), {})]]
    ended = await pool.run("two and two")
    assert not ended.succeeded and ended.error and ended.error["type"] == "CommandFailed"


async def test_what_happens_in_between_is_told(service: Service, pool: Pool) -> None:
    accepted, running = {"Codeforge-Progress": "accepted"}, {"Codeforge-Progress": "running"}
    event = {"event": "running"}
    service.series = [[(_body(TASK), accepted), (_body(event), running), (_body(OUTCOME), {}), (b"", {})]]
    told = [one async for one in pool.progress("two and two")]
    assert told[:2] == [News("accepted", TASK), News("running", event)] and isinstance(told[2], Ended)
    assert len(told) == 3 and (service.asked[0].headers or {})["Codeforge-Progress"] == "true"


@pytest.mark.parametrize("ask", [Pool.submit, Pool.run])
async def test_what_is_refused_is_told_at_once(service: Service, pool: Pool, ask: Callable[..., Any]) -> None:
    service.series = [[_error(429, "QueueFull", retryable=True)]]
    with pytest.raises(Refused, match="a sentence") as refused:
        await ask(pool, "x")
    assert (refused.value.code, refused.value.type, refused.value.retryable) == (429, "QueueFull", True)
    assert len(service.asked) == 1


async def test_an_operator_that_is_away_is_asked_again_with_the_same_key(
    service: Service, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stops, one that was killed with the list of who waits, and one that works."""
    monkeypatch.setattr(module, "ASK_AGAIN_SECONDS", 0.3)
    accepted = {"Codeforge-Progress": "accepted"}
    lost = [(_body(TASK), accepted)]
    service.series = [[_error(503, "Unavailable", retryable=True)], lost, [*lost, (_body(OUTCOME), {})]]
    told = [one async for one in pool.progress("x")]
    assert [type(one) for one in told] == [News, Ended] and len(service.asked) == 3 and len(service.keys) == 1


async def test_without_an_operator_the_key_is_told_in_time(operator: Operator, pool: Pool) -> None:
    async with asyncio.timeout(20):
        with pytest.raises(NotAnswered, match="no operator works at the moment") as error:
            await pool.run("x", timeout=2)
    assert error.value.key and error.value.key in str(error.value)


async def test_a_last_request_without_an_answer_does_not_hide_the_reason(service: Service, pool: Pool) -> None:
    service.series = [[_error(503, "Unavailable", retryable=True)], []]
    with pytest.raises(NotAnswered, match="a sentence"):
        await pool.run("x", timeout=2)
    assert len(service.asked) == 2


async def test_a_silent_operator_too(service: Service, pool: Pool) -> None:
    service.series = [[]]
    with pytest.raises(NotAnswered, match="nothing was heard"):
        await pool.run("x", key="mine", timeout=0.5)
    assert service.keys == {"mine"}
