"""Which calls pass the proxy, and that each of them is counted, or free."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from harness.metering import PRICES, QUESTION, ModelServer, Scene, chat

from codeforge_worker.spending import Budget


@pytest.mark.parametrize(
    "path",
    [
        "/key/generate", "/batches", "/threads/t/runs", "/files", "/responses/r-1/cancel", "/responses%2Finput_tokens",
        "/models/%2e%2e/key/list", "/models/x%2F..%2F..%2Fkey/list", "/chat/Completions", "/",
    ],
)  # fmt: skip
async def test_any_other_path_is_refused(scene: Scene, models: ModelServer, path: str) -> None:
    agent = await scene.agent()
    for method in ("GET", "POST", "DELETE"):
        async with agent.send(method, path, json=QUESTION) as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (404, "unknown_path")
        assert "passed on are POST chat/completions," in error["message"]
    assert not models.asked


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/chat/completions", "POST"), ("DELETE", "/models/coder", "GET"), ("GET", "/responses", "POST")],
)
async def test_so_is_any_other_method(scene: Scene, models: ModelServer, method: str, path: str, allowed: str) -> None:
    async with (await scene.agent()).send(method, path, json=QUESTION) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert (await answer.json())["error"]["message"].startswith(f"{method} /v1{path} is no call of a model")
    assert not models.asked


@pytest.mark.parametrize("path", ["/models", "/models/openai/gpt-4", "/models?limit=3"])
async def test_models_are_listed_for_nothing(scene: Scene, models: ModelServer, path: str) -> None:
    models.answers = {path.partition("?")[0]: lambda _: {"data": []}}
    assert await (await scene.agent()).get(path) == (200, {"data": []})
    assert scene.counted() == (0, 0, Decimal(0), 0) and models.asked == [("GET", f"/v1{path}", b"")]


async def test_a_query_passes_as_it_is(scene: Scene, models: ModelServer) -> None:
    models.answers = {"/models": lambda _: {}}
    await (await scene.agent()).get("/models?after=a%20b%23c%26d")
    assert models.asked[0][1] == "/v1/models?after=a%20b%23c%26d"


def form(**fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData()
    made.add_field("file", b"\x00\x01", filename="name=model.wav", content_type="audio/wav")
    for name, value in fields.items():
        made.add_field(name, value)
    return made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/responses", {"json": {"prompt": {"id": "stored"}}}),
        ("/chat/completions", {"data": b"no JSON"}),
        ("/chat/completions", {"json": [QUESTION]}),
        ("/audio/transcriptions", {"data": form()}),
        ("/completions", {}),
    ],
)
async def test_a_paid_call_is_counted_whatever_is_sent(
    scene: Scene, models: ModelServer, path: str, body: dict[str, Any]
) -> None:
    models.answers = {path: lambda _: {"usage": {"input_tokens": 100, "output_tokens": 20}}}
    agent = await scene.agent()
    async with agent.send("POST", path, **body) as answer:
        assert answer.status == 200
    assert scene.counted() == (100, 20, Decimal(0), 1), "its price is not known"


@pytest.mark.parametrize("budget", [Budget(max_tokens=9), Budget(max_cost_usd="1")], ids=["tokens", "money"])
async def test_one_that_tells_nothing_ends_a_run_with_a_budget(
    scene: Scene, models: ModelServer, budget: Budget
) -> None:
    models.answers = {"/audio/speech": lambda _: web.Response(body=b"sound", content_type="audio/mpeg")}
    scene.budget = budget
    agent = await scene.agent()
    statuses = [await agent.status("/audio/speech") for _ in range(2)]
    assert statuses == [200, 400] and scene.used.unmetered_calls == 1


async def test_a_form_has_a_model_and_so_a_price(scene: Scene, models: ModelServer) -> None:
    models.answers = {"/audio/transcriptions": lambda _: {"usage": {"input_tokens": 100, "output_tokens": 20}}}
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    async with agent.send("POST", "/audio/transcriptions", data=form(model="coder", language="en")) as answer:
        assert answer.status == 200
    assert scene.counted() == (100, 20, Decimal("0.0006"), 0)


FREE: dict[str, dict[str, Any]] = {
    "/messages/count_tokens": {"input_tokens": 48},
    "/moderations": {"id": "m", "results": []},
    "/responses/input_tokens": {"object": "response.input_tokens", "input_tokens": 11},
}


@pytest.mark.parametrize("budget", [Budget(max_tokens=9), Budget(max_cost_usd="1")], ids=["tokens", "money"])
@pytest.mark.parametrize("path", FREE)
async def test_a_free_call_ends_no_run(scene: Scene, models: ModelServer, path: str, budget: Budget) -> None:
    models.answers = {path: lambda _: FREE[path], "/chat/completions": chat({"prompt_tokens": 1})}
    scene.budget = budget
    agent = await scene.agent(CODEFORGE_PRICES=PRICES)
    assert await agent.ask(path=path) == (200, FREE[path])
    assert scene.counted() == (0, 0, Decimal(0), 0)
    assert await agent.status() == 200


async def test_a_free_call_that_has_a_price_is_paid(scene: Scene, models: ModelServer) -> None:
    cost = {"x-litellm-response-cost": "0.01"}
    models.answers = {"/moderations": lambda _: web.json_response({}, headers=cost)}
    scene.budget = Budget(max_tokens=9)
    assert await (await scene.agent()).status("/moderations") == 200
    assert scene.counted() == (0, 0, Decimal("0.01"), 0)


async def test_a_redirection_costs_nothing(scene: Scene, models: ModelServer) -> None:
    moved = {"Location": "http://127.0.0.1:1/"}
    models.answers = {"/chat/completions": lambda _: web.Response(status=307, headers=moved)}
    agent = await scene.agent()
    async with agent.send("POST", "/chat/completions", json=QUESTION, allow_redirects=False) as answer:
        assert answer.status == 307
    assert scene.counted() == (0, 0, Decimal(0), 0)
