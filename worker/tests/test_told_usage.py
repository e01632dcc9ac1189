"""What each provider's way to tell of tokens and costs is counted as."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from harness.metering import PRICES, ModelServer, Scene, chat

from codeforge_worker.metering.tokens import Tokens
from codeforge_worker.metering.usage import ToldUsage
from codeforge_worker.spending import Budget


def told(*usages: Any) -> ToldUsage:
    read = ToldUsage()
    for usage in usages:
        read.take(usage)
    return read


CHAT = {"prompt_tokens": 100, "completion_tokens": 20}
MESSAGES = {"input_tokens": 7, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 90, "output_tokens": 20}


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (CHAT, (100, 20)),
        (CHAT | {"prompt_tokens_details": {"cached_tokens": 90}}, (100, 20)),
        ({"input_tokens": 100, "output_tokens": 20}, (100, 20)),
        # An embedding; Jina's and Voyage's, which tell a total alone.
        ({"prompt_tokens": 8, "total_tokens": 8}, (8, 0)),
        ({"total_tokens": 8}, (8, 0)),
        ({"completion_tokens": 3, "total_tokens": 8}, (5, 3)),
        # Anthropic's cache stands beside input_tokens; in LiteLLM's OpenAI form, DeepSeek's and responses it is within.
        (MESSAGES, (127, 20)),
        (CHAT | {"cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "total_tokens": 120}, (100, 20)),
        (CHAT | {"cache_creation_input_tokens": 30, "cache_read_input_tokens": 60}, (100, 20)),
        (CHAT | {"prompt_cache_hit_tokens": 90, "prompt_cache_miss_tokens": 10}, (100, 20)),
        ({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 90}, "output_tokens": 20}, (100, 20)),
        (MESSAGES | {"total_tokens": 147}, (127, 20)),
        (MESSAGES | {"total_tokens": 27}, (127, 20)),
        (CHAT | {"cache_read_input_tokens": 60, "total_tokens": 180}, (160, 20)),
        # What was thought is within the answer, or beside it as the total tells, or as it is more than the answer.
        (CHAT | {"completion_tokens_details": {"reasoning_tokens": 15}}, (100, 20)),
        (CHAT | {"completion_tokens_details": {"reasoning_tokens": 15}, "total_tokens": 120}, (100, 20)),
        (CHAT | {"completion_tokens_details": {"reasoning_tokens": 15}, "total_tokens": 135}, (100, 35)),
        (CHAT | {"completion_tokens_details": {"reasoning_tokens": 50}}, (100, 70)),
        (CHAT | {"total_tokens": 135}, (100, 35)),
        (
            {
                "input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "total_tokens": 120,
                "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 15},
            },
            (100, 20),
        ),
        ({"prompt_tokens": 100.0, "completion_tokens": None}, (100, 0)),
    ],
)  # fmt: skip
def test_tokens(usage: dict[str, Any], tokens: tuple[int, int]) -> None:
    read = told(usage).tokens
    assert read and (read.input, read.output) == tokens


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], "many", {"prompt_tokens": -1}, {"prompt_tokens": "9"}, {"prompt_tokens": True},
     {"prompt_tokens": 1.5}, {"completion_tokens": 20}, {"total_tokens": 0}],
)  # fmt: skip
def test_what_is_no_number_of_tokens_is_not_told(usage: Any) -> None:
    assert told(usage).tokens is None


def test_one_field_that_is_odd_hides_no_other() -> None:
    assert told(CHAT | {"completion_tokens_details": "none", "cost": "free"}).tokens == Tokens(100, 20)


def test_a_stream_tells_in_parts_and_again() -> None:
    begin, end = MESSAGES | {"output_tokens": 1}, {"input_tokens": 0, "output_tokens": 20}
    assert told(begin, end).tokens == told(begin, end, end).tokens == Tokens(127, 20, 30)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.0012}, "0.0012"),
        ({"cost": "0.0012"}, "0.0012"),
        ({"cost": 0}, "0"),
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.0012}}, "0.0012"),
        # A key of one's own at OpenRouter: its fee, and what the provider takes.
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.9}}, "1.0"),
        ({"cost": 0.1, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.1}}, "0.1"),
        ({"cost": -1}, None),
        ({"cost": "NaN"}, None),
        ({"cost": None}, None),
        ({"cost": True}, None),
        ({}, None),
    ],
)
def test_costs(usage: dict[str, Any], cost: str | None) -> None:
    assert told(usage).cost == (None if cost is None else Decimal(cost))


def messages(question: dict[str, Any]) -> Any:
    if not question.get("stream"):
        return {"type": "message", "usage": MESSAGES}
    return [
        {"type": "message_start", "message": {"type": "message", "usage": MESSAGES | {"output_tokens": 1}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
        {"type": "message_stop"},
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_came_from_a_cache_counts_for_the_budget(scene: Scene, models: ModelServer, stream: bool) -> None:
    models.answers = {"/messages": messages}
    scene.budget = Budget(max_tokens=140)
    agent = await scene.agent()
    assert [await agent.status("/messages", stream=stream) for _ in range(2)] == [200, 400]
    assert scene.counted()[:2] == (127, 20)


@pytest.mark.parametrize(
    ("extra", "cost"), [("", 127 * 3), (', "cache_creation_input_token_cost": 4e-6', 97 * 3 + 120)]
)
async def test_what_is_written_to_a_cache_has_its_own_price(
    scene: Scene, models: ModelServer, extra: str, cost: int
) -> None:
    models.answers = {"/messages": messages}
    prices = f'{{"coder": {{"input_cost_per_token": 3e-6, "output_cost_per_token": 0{extra}}}}}'
    await (await scene.agent(CODEFORGE_PRICES=prices)).status("/messages")
    assert scene.counted() == (127, 20, cost * Decimal("0.000001"), 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_price_in_the_usage_comes_before_the_list(scene: Scene, models: ModelServer, stream: bool) -> None:
    models.answers = {"/chat/completions": chat(CHAT | {"cost": 0.0012})}
    scene.budget = Budget(max_cost_usd="1")
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    assert [await agent.status(stream=stream) for _ in range(2)] == [200, 200]
    assert scene.counted() == (200, 40, Decimal("0.0024"), 0)


async def test_litellms_header_comes_before_a_price_in_the_usage(scene: Scene, models: ModelServer) -> None:
    answer, header = {"usage": CHAT | {"cost": 0.5}}, {"x-litellm-response-cost": "0.25"}
    models.answers = {"/chat/completions": lambda _: web.json_response(answer, headers=header)}
    await (await scene.agent(CODEFORGE_PRICES=PRICES)).status()
    assert scene.used.cost == Decimal("0.25")


@pytest.mark.parametrize(
    ("meta", "counted"),
    [
        ({"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 30}}, (30, 0)),
        ({"billed_units": {"search_units": 1, "total_tokens": 30}, "tokens": None}, (30, 0)),
        ({"billed_units": {"input_tokens": 30, "output_tokens": 2}}, (30, 2)),
    ],
)
async def test_ranking_again_tells_its_tokens_in_meta(
    scene: Scene, models: ModelServer, meta: dict[str, Any], counted: tuple[int, int]
) -> None:
    models.answers = {"/rerank": lambda _: {"results": [], "meta": meta}}
    await (await scene.agent()).status("/rerank")
    assert scene.counted()[:2] == counted


async def test_the_model_that_answered_has_the_price_where_none_was_named(scene: Scene, models: ModelServer) -> None:
    models.answers = {"/responses": lambda _: {"model": "coder", "usage": {"input_tokens": 100, "output_tokens": 20}}}
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    async with agent.send("POST", "/responses", json={"prompt": {"id": "stored"}}):
        pass
    assert scene.counted() == (100, 20, Decimal("0.0006"), 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_cut_off_used_more_than_told(scene: Scene, models: ModelServer, stream: bool) -> None:
    """As when the server is restarted: it promised more than it sent."""
    begin = b'data: {"type": "message_start", "message": {"usage": {"input_tokens": 100, "output_tokens": 1}}}\n\n'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}]}")
        kind = b"text/event-stream" if stream else b"application/json"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 9999\r\n\r\n%s" % (kind, begin))
        writer.close()

    scene.budget = Budget(max_tokens=1000)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        agent = await scene.agent(OPENAI_API_BASE=f"http://127.0.0.1:{port}/v1", CODEFORGE_PRICES=PRICES)
        try:
            assert await agent.status("/messages") == 502 and not stream
        except aiohttp.ClientError:
            assert stream, "the agent must not take it for whole"
        async with agent.post() as refused:
            assert "was cut off before it told" in (await refused.json())["error"]["message"]
    assert scene.counted()[0] == (100 if stream else 0) and scene.used.unmetered_calls == 1


async def test_so_did_one_that_the_runs_end_cut_off(scene: Scene, models: ModelServer) -> None:
    models.answers["/messages"] = lambda question: messages(question)[:2]
    models.lingers.clear()
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    async with agent.post(path="/messages", stream=True) as answer:
        await answer.content.readline()
        await scene.close()
    models.lingers.set()
    assert scene.counted()[:2] == (127, 1) and scene.used.unmetered_calls == 1
