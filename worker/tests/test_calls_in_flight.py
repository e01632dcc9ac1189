"""Calls in flight: how many there may be, and that all of them together do not use more than is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from harness.metering import PRICES, QUESTION, Agent, ModelServer, Scene, chat
from harness.patience import PATIENCE

from codeforge_worker.metering.prices import Prices
from codeforge_worker.metering.reservations import CALLS_IN_FLIGHT, Estimate, Left, Reservation, estimate, fits
from codeforge_worker.spending import Budget

USAGE = {"prompt_tokens": 50, "completion_tokens": 250}


class Slow:
    """Answers of a server that waits to be told; `together` is how many it had at once at most."""

    def __init__(self, models: ModelServer, usage: dict[str, Any] | None = None) -> None:
        self.go = asyncio.Event()
        self.now = self.together = 0
        self._usage = usage or USAGE
        models.answers["/chat/completions"] = self._answer

    async def _answer(self, question: dict[str, Any]) -> Any:
        self.now += 1
        self.together = max(self.now, self.together)
        await self.go.wait()
        self.now -= 1
        return chat(self._usage)(question)


async def settled(slow: Slow, number: int) -> None:
    """Until the server has so many calls, and then as long as another one would take to be sent, many times over."""
    async with asyncio.timeout(PATIENCE):
        while slow.now < number:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)


def asking(agent: Agent, number: int, **more: Any) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(agent.status(**more)) for _ in range(number)]


async def test_more_than_so_many_wait(scene: Scene, models: ModelServer) -> None:
    slow, agent = Slow(models), await scene.agent()
    calls = asking(agent, 2 * CALLS_IN_FLIGHT + 1)
    await settled(slow, CALLS_IN_FLIGHT)
    assert len(models.asked) == slow.now == CALLS_IN_FLIGHT
    slow.go.set()
    assert await asyncio.gather(*calls) == [200] * len(calls) and slow.together == CALLS_IN_FLIGHT
    assert scene.used.tokens_in == 50 * len(calls)


async def test_free_calls_have_places_of_their_own(scene: Scene, models: ModelServer) -> None:
    slow, agent = Slow(models), await scene.agent()
    models.answers["/models"] = lambda _: {"data": []}
    calls = asking(agent, CALLS_IN_FLIGHT + 1)
    await settled(slow, CALLS_IN_FLIGHT)
    assert (await agent.get("/models"))[0] == 200
    slow.go.set()
    await asyncio.gather(*calls)


@pytest.mark.parametrize(
    ("budget", "prices"),
    [(Budget(max_tokens=1200), ""), (Budget(max_cost_usd="0.015"), PRICES)],
    ids=["tokens", "money"],
)
async def test_together_they_do_not_use_more_than_is_left(
    scene: Scene, models: ModelServer, budget: Budget, prices: str
) -> None:
    """Each may use 300 tokens of an answer and some thirty of a question: three fit."""
    slow, scene.budget = Slow(models), budget
    agent = await scene.agent(CODEFORGE_PRICES=prices)
    calls = asking(agent, 6, max_tokens=300)
    await settled(slow, 3)
    assert len(models.asked) == 3
    slow.go.set()
    statuses = await asyncio.gather(*calls)
    # Without it all six, of 300 tokens each, were sent.
    assert statuses.count(200) == 4 and statuses.count(400) == 2
    assert scene.used.tokens_in + scene.used.tokens_out == 1200


async def test_one_after_the_other_where_no_price_is_known_before_the_answer(scene: Scene, models: ModelServer) -> None:
    slow, scene.budget = Slow(models, USAGE | {"cost": 0.4}), Budget(max_cost_usd="1")
    slow.go.set()
    calls = asking(await scene.agent(), 6)
    assert sorted(await asyncio.gather(*calls)) == [200, 200, 200, 400, 400, 400]
    assert slow.together == 1 and scene.used.cost == Decimal("1.2")


async def test_what_waits_is_refused_once_the_budget_is_used(scene: Scene, models: ModelServer) -> None:
    slow, scene.budget = Slow(models), Budget(max_tokens=300)
    calls = asking(await scene.agent(), 3)
    await settled(slow, 1)
    slow.go.set()
    assert sorted(await asyncio.gather(*calls)) == [200, 400, 400] and len(models.asked) == 1


async def test_what_waits_at_the_runs_end_is_not_counted(scene: Scene, models: ModelServer) -> None:
    slow = Slow(models)
    scene.budget = Budget(max_tokens=300)
    calls = asking(await scene.agent(), 3)
    await settled(slow, 1)
    await scene.close()
    await asyncio.gather(*calls, return_exceptions=True)
    assert scene.used.unmetered_calls == len(models.asked) == 1


@pytest.mark.parametrize("status", [429, 307])
async def test_a_call_that_failed_gives_its_place_back(scene: Scene, models: ModelServer, status: int) -> None:
    models.answers["/chat/completions"] = lambda _: web.Response(status=status)
    scene.budget = Budget(max_tokens=300)
    async with asyncio.timeout(PATIENCE):
        agent = await scene.agent()
        assert [await agent.status() for _ in range(3)] == [status] * 3


async def test_the_next_call_need_not_wait_for_a_stream_that_has_said_its_last_word(
    scene: Scene, models: ModelServer
) -> None:
    scene.budget = Budget(max_tokens=1000)
    models.answers["/chat/completions"] = chat(USAGE)
    models.lingers.clear()
    agent = await scene.agent()
    async with asyncio.timeout(PATIENCE), agent.post(stream=True) as first:
        async for line in first.content:
            if b"[DONE]" in line:
                break
        async with agent.post(stream=True) as second:
            assert second.status == 200
        models.lingers.set()


async def test_an_agent_that_asks_again_before_it_has_read_does_not_wait_for_itself(
    scene: Scene, models: ModelServer
) -> None:
    """Where the second call waits for the first to be counted."""
    long = {"choices": [{"index": 0, "delta": {"content": "x" * 2**20}}]}
    models.answers["/chat/completions"] = lambda _: [long] * 32 + [{"choices": [], "usage": USAGE}, "[DONE]"]
    scene.budget = Budget(max_tokens=1000)
    agent = await scene.agent()
    async with asyncio.timeout(PATIENCE), agent.post(stream=True) as first, agent.post(stream=True) as second:
        assert len(await second.read()) == len(await first.read()) > 2**25


TWO = [Reservation(Estimate(100, Decimal(1)), lambda _: None)] * 2


@pytest.mark.parametrize(
    ("most", "left", "sent"),
    [
        (Estimate(100, Decimal(1)), Left(), True),
        (Estimate(100, None), Left(), True),
        (Estimate(100, Decimal(1)), Left(300, Decimal(3)), True),
        (Estimate(101, Decimal(1)), Left(300), False),
        (Estimate(100, Decimal("1.01")), Left(300, Decimal(3)), False),
        (Estimate(100, None), Left(None, Decimal(3)), False),
        (Estimate(100, None), Left(300), True),
    ],
)
def test_beside_two_others(most: Estimate, left: Left, sent: bool) -> None:
    assert fits(most, TWO, left) is sent
    assert fits(most, [], left), "alone it is sent whatever it may use"


@pytest.mark.parametrize(
    ("path", "more", "tokens"),
    [
        ("/v1/chat/completions", {"max_tokens": 50}, 1050),
        ("/v1/chat/completions", {"max_tokens": 50, "max_completion_tokens": 60}, 1060),
        ("/v1/responses", {"max_output_tokens": 50}, 1050),
        ("/v1/chat/completions", {"max_tokens": 50, "n": 3}, 1150),
        ("/v1/chat/completions", {}, 17384),
        ("/v1/chat/completions", {"max_tokens": "50", "n": None}, 17384),
        ("/v1/embeddings", {}, 1000),
    ],
)
def test_what_a_call_may_use_by_its_request(path: str, more: dict[str, Any], tokens: int) -> None:
    prices = Prices.of({"CODEFORGE_PRICES": PRICES})
    most = estimate(path, QUESTION | more, 2999, "coder", prices)
    assert most == Estimate(tokens, 1000 * Decimal("0.000003") + (tokens - 1000) * Decimal("0.000015"))
    assert estimate(path, QUESTION | more, 2999, "unknown", prices).cost is None


def test_a_place_is_given_back_once() -> None:
    released: list[Reservation] = []
    release: Callable[[Reservation], None] = released.append
    reservation = Reservation(Estimate(1, None), release)
    reservation.release()
    reservation.release()
    assert released == [reservation]
