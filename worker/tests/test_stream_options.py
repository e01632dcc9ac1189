"""Servers that do not know stream_options, by which the proxy asks a stream for its usage."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from harness.metering import Answer, ModelServer, Scene, chat

from codeforge_worker.spending import Budget

USAGE = {"prompt_tokens": 100, "completion_tokens": 20}


def forbids(status: int = 400, model: str = "coder") -> Answer:
    def answer(question: dict[str, Any]) -> Any:
        if question["model"] == model and "stream_options" in question:
            error = {"error": {"message": "Extra inputs are not permitted: stream_options"}}
            return web.json_response(error, status=status)
        return chat(USAGE if "stream_options" in question else None)(question)

    return answer


def asked_for_usage(models: ModelServer) -> list[bool]:
    return ["stream_options" in question for question in models.questions()]


@pytest.mark.parametrize("status", [400, 422])
async def test_they_are_asked_again_without_and_then_always(scene: Scene, models: ModelServer, status: int) -> None:
    models.answers["/chat/completions"] = forbids(status)
    agent = await scene.agent()
    assert [await agent.status(stream=True) for _ in range(2)] == [200, 200]
    assert asked_for_usage(models) == [True, False, False]
    assert scene.used.unmetered_calls == 2 and scene.used.tokens_in == 0


async def test_another_model_of_the_server_is_asked_for_its_usage(scene: Scene, models: ModelServer) -> None:
    models.answers["/chat/completions"] = forbids()
    agent = await scene.agent()
    assert [await agent.status(stream=True, model=model) for model in ("coder", "other")] == [200, 200]
    assert asked_for_usage(models) == [True, False, True] and scene.used.tokens_in == 100


async def test_a_run_with_a_budget_ends_all_the_same(scene: Scene, models: ModelServer) -> None:
    models.answers["/chat/completions"], scene.budget = forbids(), Budget(max_tokens=1000)
    agent = await scene.agent()
    assert [await agent.status(stream=True) for _ in range(2)] == [200, 400]
    assert asked_for_usage(models) == [True, False]


async def test_what_the_agent_added_itself_is_its_own_to_change(scene: Scene, models: ModelServer) -> None:
    models.answers["/chat/completions"] = forbids()
    agent = await scene.agent()
    assert await agent.status(stream=True, stream_options={"include_usage": True}) == 400
    assert len(models.asked) == 1
    # It asked for something else: that is left, and the server's word on it passes.
    assert await agent.status(stream=True, stream_options={"include_obfuscation": False}) == 400
    assert [question["stream_options"] for question in models.questions()[1:]] == [
        {"include_obfuscation": False, "include_usage": True},
        {"include_obfuscation": False},
    ]


@pytest.mark.parametrize("status", [400, 422, 429, 500])
async def test_another_refusal_passes_and_nothing_is_asked_again(
    scene: Scene, models: ModelServer, status: int
) -> None:
    models.answers["/chat/completions"] = lambda _: web.json_response({"error": "too long"}, status=status)
    async with (await scene.agent()).post(stream=True) as answer:
        assert (answer.status, await answer.json()) == (status, {"error": "too long"})
    assert asked_for_usage(models) == [True] and scene.used.unmetered_calls == 0
