"""The proxy between an agent and its model: what passes, what is counted, and who may use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from harness.llm_server import LlmServer
from harness.metering import KEY, PRICES, QUESTION, Agent, Scene, told
from harness.patience import PATIENCE
from harness.ports import free_port

from codeforge_worker.metering import Upstream
from codeforge_worker.spending import Budget


@pytest.fixture
async def scene(llm: LlmServer) -> AsyncIterator[Scene]:
    scene = Scene(llm)
    yield scene
    await scene.close()


async def test_an_answer_passes_and_is_counted_at_litellms_price(scene: Scene, llm: LlmServer) -> None:
    llm.cost = "2.25e-05"
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    status, answer = await agent.ask()
    assert status == 200 and answer["choices"][0]["message"]["content"] == llm.reply
    assert llm.keys == [f"Bearer {KEY}"] and llm.asked == [QUESTION]
    assert scene.counted() == (100, 20, Decimal("0.0000225"), 0)


async def test_without_litellms_word_the_pools_price_list_holds(scene: Scene) -> None:
    await (await scene.agent(CODEFORGE_PRICES=PRICES)).ask()
    # Exact: no float has a part in it.
    assert scene.counted() == (100, 20, Decimal("0.0006"), 0)


async def test_a_call_without_a_price_is_marked(scene: Scene) -> None:
    await (await scene.agent()).ask()
    assert scene.counted() == (100, 20, Decimal(0), 1)


async def test_a_reply_that_tells_no_tokens_is_marked_and_what_is_known_counts(scene: Scene, llm: LlmServer) -> None:
    llm.cost, llm.tells_tokens = "0.5", False
    await (await scene.agent()).ask()
    assert scene.counted() == (0, 0, Decimal("0.5"), 1)


async def test_only_the_runs_own_key_opens(scene: Scene, llm: LlmServer) -> None:
    agent = await scene.agent()
    for key in (KEY, "no-key", (await scene.agent()).variables["OPENAI_API_KEY"]):
        status, answer = await agent.ask(key)
        assert status == 401 and answer["error"]["code"] == "invalid_api_key"
        assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert not llm.asked


async def test_an_agent_sees_the_proxy_wherever_the_pool_names_the_server(scene: Scene, llm: LlmServer) -> None:
    agent = await scene.agent(AIDER_OPENAI_API_KEY=KEY, LITELLM_BASE=llm.url + "/", NO_PROXY="example.org")
    variables = agent.variables
    assert KEY not in variables.values() and variables["OPENAI_API_KEY"] == variables["AIDER_OPENAI_API_KEY"]
    bases = {variables[name] for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL", "LITELLM_BASE")}
    assert len(bases) == 1 and bases.pop().startswith("http://127.0.0.1:")
    assert variables["NO_PROXY"] == "example.org,127.0.0.1"


async def test_a_base_with_and_without_v1(scene: Scene, llm: LlmServer) -> None:
    bare: Agent = await scene.agent(OPENAI_API_BASE=llm.url.removesuffix("/v1"))
    assert not bare.variables["OPENAI_API_BASE"].endswith("/v1")
    for agent, paths in ((bare, ("/chat/completions", "/v1/chat/completions")), (await scene.agent(), ("/models",))):
        for path in paths:
            status, _ = await (agent.get(path) if path == "/models" else agent.ask(path=path))
            assert status == 200, path
    # Beside the models such a server has its own management, which the pool's key may open.
    for path in ("/key/generate", "/v1/../key/generate", "/chat/%2e%2e/key/generate", "/"):
        assert (await bare.ask(path=path))[0] == 404, path
    assert scene.used.tokens_in == 200, "a list of models is no call"


async def test_a_stream_arrives_as_it_is_sent(scene: Scene, llm: LlmServer) -> None:
    llm.gate.clear()
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    async with asyncio.timeout(PATIENCE), agent.post(stream=True) as answer:
        chunks = told(answer)
        assert (await anext(chunks))["choices"][0]["delta"]["content"] == "Hel"
        # The server sends its last word only now.
        llm.gate.set()
        rest = [chunk async for chunk in chunks]
    assert [chunk if isinstance(chunk, str) else chunk["choices"][0]["delta"]["content"] for chunk in rest] == [
        "lo",
        "[DONE]",
    ], "the usage that the agent did not ask for was shown"
    assert llm.asked[-1]["stream_options"] == {"include_usage": True}
    assert scene.counted() == (100, 20, Decimal("0.0006"), 0)


async def test_a_stream_that_asks_for_its_usage_gets_it(scene: Scene) -> None:
    chunks = await (await scene.agent()).stream(stream_options={"include_usage": True})
    assert chunks[-1] == "[DONE]" and chunks[-2]["usage"]["prompt_tokens"] == 100
    assert scene.used.tokens_in == 100


async def test_a_stream_is_counted_before_its_end_is_shown(scene: Scene, llm: LlmServer) -> None:
    llm.lingers = 0.3
    agent = await scene.agent()
    async with agent.post(stream=True) as answer:
        async for chunk in told(answer):
            # The agent may ask again as soon as it has this.
            assert chunk != "[DONE]" or scene.used.tokens_in == 100


async def test_an_agent_that_reads_no_further_has_paid_all_the_same(scene: Scene, llm: LlmServer) -> None:
    llm.gate.clear()
    agent = await scene.agent()
    async with agent.post(stream=True) as answer:
        await anext(told(answer))
    llm.gate.set()
    async with asyncio.timeout(PATIENCE):
        while not scene.used.tokens_in:
            await asyncio.sleep(0.02)


async def test_the_servers_error_passes_unchanged_and_costs_nothing(scene: Scene, llm: LlmServer) -> None:
    llm.status = 429
    for stream in (False, True):
        assert await (await scene.agent()).ask(stream=stream) == (429, {"error": {"message": "no such key"}})
    assert scene.counted() == (0, 0, Decimal(0), 0)


async def test_a_server_that_is_away(scene: Scene) -> None:
    status, answer = await (await scene.agent(OPENAI_API_BASE=f"http://127.0.0.1:{free_port()}/v1")).ask()
    assert status == 502 and "check OPENAI_API_BASE" in answer["error"]["message"]
    assert scene.counted() == (0, 0, Decimal(0), 0)


async def test_a_call_cut_off_by_the_runs_end_is_marked(scene: Scene, llm: LlmServer) -> None:
    llm.answers = 0
    asking = asyncio.create_task((await scene.agent()).ask())
    while not llm.asked:
        await asyncio.sleep(0.02)
    asking.cancel()
    await scene.close()
    assert scene.used.unmetered_calls == 1


async def test_over_budget_a_call_is_refused_in_a_way_that_nobody_tries_again(scene: Scene, llm: LlmServer) -> None:
    scene.budget = Budget(max_tokens=200)
    agent = await scene.agent()
    assert [(await agent.ask())[0] for _ in range(3)] == [200, 200, 400]
    status, answer = await agent.ask()
    assert (status, answer["error"]["code"]) == (400, "budget_exceeded") and len(llm.asked) == 2


def test_what_there_is_to_count() -> None:
    assert Upstream.of({"ANTHROPIC_API_KEY": "k"}) is None
    for environment, base in (
        ({"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://b/v1/"}, "http://b/v1"),
        ({"OPENAI_BASE_URL": "http://b", "OPENAI_API_BASE": "http://a"}, "http://a"),
    ):
        upstream = Upstream.of(environment)
        assert upstream and upstream.base == base
