"""Which servers of models the pool's environment names, and what the agent is told of them instead."""

from __future__ import annotations

import pytest
from harness.metering import KEY, QUESTION, ModelServer, Scene

from codeforge_worker.metering import Upstream
from codeforge_worker.metering.providers import other_provider

ORIGIN = "http://127.0.0.1:9"


def seen_by_the_agent(**pool: str) -> dict[str, str]:
    upstream = Upstream.of(pool)
    assert upstream
    return upstream.without_key(pool) | upstream.environment(pool, ORIGIN, "run-key")


@pytest.mark.parametrize(
    ("base", "other", "told"),
    [
        ("http://llm:4000/v1", "http://llm:4000", ORIGIN),
        ("http://llm:4000", "http://llm:4000/v1", f"{ORIGIN}/v1"),
        ("http://llm:4000/v1/", "http://llm:4000/", ORIGIN),
        ("http://llm:4000/v1", "HTTP://LLM:4000", ORIGIN),
        ("https://llm/v1", "https://LLM.:443/v1/", f"{ORIGIN}/v1"),
        ("http://llm:80", "http://llm", ORIGIN),
        ("http://llm/team/v1", "http://llm/team", ORIGIN),
    ],
)
def test_every_spelling_of_the_server_is_the_proxy(base: str, other: str, told: str) -> None:
    seen = seen_by_the_agent(
        OPENAI_API_BASE=base, OPENAI_API_KEY=KEY, ANTHROPIC_BASE_URL=other, ANTHROPIC_AUTH_TOKEN=KEY
    )
    assert (seen["ANTHROPIC_BASE_URL"], seen["ANTHROPIC_AUTH_TOKEN"]) == (told, "run-key")
    assert seen["OPENAI_API_BASE"] == seen["OPENAI_BASE_URL"] == ORIGIN + ("/v1" if "/v1" in base else "")
    assert KEY not in seen.values()


@pytest.mark.parametrize(
    "other",
    ["https://llm:4000", "http://llm:4001", "http://llm", "http://llm2:4000", "http://llm:4000/anthropic",
     "http://llm:4000/v2", "llm:4000", "http://[llm:4000", "http://llm:port", "", "/v1"],
)  # fmt: skip
def test_another_address_is_no_spelling_of_it(other: str) -> None:
    seen = seen_by_the_agent(OPENAI_API_BASE="http://llm:4000/v1", OPENAI_API_KEY=KEY, SOME_BASE_URL=other)
    assert seen["SOME_BASE_URL"] == other


def test_what_is_no_address_names_no_server() -> None:
    seen = seen_by_the_agent(OPENAI_API_BASE="llm:4000", OPENAI_API_KEY=KEY, GREETING="hello")
    assert seen["GREETING"] == "hello"


async def test_a_call_by_the_other_spelling_is_counted(scene: Scene, models: ModelServer) -> None:
    """As by Claude Code: it adds /v1/messages to ANTHROPIC_BASE_URL."""
    models.answers = {"/messages": lambda _: {"usage": {"input_tokens": 100, "output_tokens": 20}}}
    agent = await scene.agent(ANTHROPIC_BASE_URL=models.origin)
    agent.variables["OPENAI_API_BASE"] = agent.variables["ANTHROPIC_BASE_URL"]
    async with agent.send("POST", "/v1/messages", json=QUESTION) as answer:
        assert answer.status == 200
    assert scene.counted()[:2] == (100, 20) and models.asked[0][1] == "/v1/messages"


LITELLM = {"OPENAI_API_BASE": "http://llm:4000/v1", "OPENAI_API_KEY": KEY}


@pytest.mark.parametrize(
    "pool",
    [
        {"ANTHROPIC_API_KEY": "k"},
        {"ANTHROPIC_AUTH_TOKEN": "k"},
        {"ANTHROPIC_BASE_URL": "https://api.anthropic.com"},
        {"ANTHROPIC_BASE_URL": "http://llm:4000/anthropic"},
        {"CLAUDE_CODE_OAUTH_TOKEN": "k"},
        {"GEMINI_API_KEY": "k"},
        {"OPENROUTER_API_KEY": "k"},
        {"AIDER_ANTHROPIC_API_KEY": "k"},
        {"AIDER_OPENAI_API_BASE": "http://other/v1"},
        {"AIDER_API_KEY": "gemini=k"},
        {"OLLAMA_HOST": "127.0.0.1:11434"},
        {"AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com"},
        {"AWS_ACCESS_KEY_ID": "k"},
        {"GOOGLE_APPLICATION_CREDENTIALS": "/secrets/key.json"},
    ],
    ids=lambda pool: "".join(pool),
)
def test_another_providers_key_or_address_is_found(pool: dict[str, str]) -> None:
    (name,) = pool
    assert other_provider(LITELLM | pool, Upstream.of(LITELLM)) == name
    assert other_provider(pool, None) == name
    named = {"CODEFORGE_NOT_FOR_MODELS": f"OTHER, {name}"}
    assert other_provider(LITELLM | pool | named, Upstream.of(LITELLM)) == ""


@pytest.mark.parametrize(
    "pool",
    [
        {},
        {"OPENAI_BASE_URL": "http://not.asked/v1"},
        {"AIDER_OPENAI_API_KEY": KEY},
        # It goes to the proxy, which does not take it.
        {"AIDER_OPENAI_API_KEY": "another"},
        {"ANTHROPIC_AUTH_TOKEN": KEY},
        {"ANTHROPIC_BASE_URL": "http://LLM:4000", "ANTHROPIC_API_KEY": "another"},
        {"LITELLM_PROXY_API_BASE": "http://llm:4000", "LITELLM_PROXY_API_KEY": KEY},
        {"GEMINI_API_KEY": ""},
        {"GITHUB_TOKEN": "k", "SENTRY_AUTH_TOKEN": "k", "TAVILY_API_KEY": "k", "OLLAMA_SERVICE_HOST": "10.0.0.1"},
        {"CODEFORGE_MODEL": "anthropic/claude", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"},
    ],
)
def test_what_the_proxy_takes_or_opens_no_model_is_no_other_provider(pool: dict[str, str]) -> None:
    assert other_provider(LITELLM | pool, Upstream.of(LITELLM)) == ""


def test_one_address_of_the_server_among_others_does_not_hide_them() -> None:
    pool = {"ANTHROPIC_BASE_URL": "http://llm:4000", "ANTHROPIC_API_BASE": "https://api.anthropic.com"}
    assert other_provider(LITELLM | pool, Upstream.of(LITELLM)) == "ANTHROPIC_API_BASE"


@pytest.mark.parametrize("name", ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"])
def test_a_client_finds_the_proxy_by_either_name_of_a_providers_address(name: str) -> None:
    seen = seen_by_the_agent(**LITELLM, **{name: "http://llm:4000"})
    assert seen["ANTHROPIC_BASE_URL"] == seen["ANTHROPIC_API_BASE"] == ORIGIN
