"""The real aider against a scripted model. hack/test/worker sets CODEFORGE_AIDER to its program."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer
from harness.llm_server import EDIT_THAT_MATCHES_NOTHING, ONLY_WORDS, LlmServer
from harness.operator import Operator

AIDER = os.environ.get("CODEFORGE_AIDER", "")
pytestmark = pytest.mark.skipif(not AIDER, reason="CODEFORGE_AIDER is not set: run hack/test/worker")
PRICES = {"input_cost_per_token": 0.000003, "output_cost_per_token": 0.000015}


async def _run(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer, **more: Any
) -> dict[str, Any]:
    settings = more.pop("settings", {})
    await start_worker(
        CODEFORGE_BACKEND="aider", CODEFORGE_AIDER=AIDER, OPENAI_API_BASE=llm.url, OPENAI_API_KEY="a-key", **settings
    )
    task: dict[str, Any] = {
        "model": "coder",
        "workspace": {"git": {"url": code.url, "push": {"branch": "b"}}},
    } | more
    uid = await operator.submit("In answer.py, set ANSWER to 42.", **task)
    last = (await operator.until(uid, seconds=120))[-1].body
    await operator.queue_is_empty()
    return last


async def test_an_edit_is_pushed_and_paid_for(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    metadata = tmp_path / "models.json"
    limits = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": 8192}
    metadata.write_text(json.dumps({"openai/coder": limits | PRICES}))
    spent = {"tokens_in": 1, "tokens_out": 1, "cost_usd": "0.1"}
    last = await _run(
        operator, start_worker, llm, code, spent=spent, config={"files": "answer.py"},
        settings={"AIDER_MODEL_METADATA_FILE": str(metadata)},
    )  # fmt: skip
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"
    assert "Applied edit to answer.py" in last["result"]["summary"]
    assert last["files"] == ["answer.py"], "aider's own files were committed"
    assert last["result"]["git"]["commit"] == code.commit("b")
    # 100 and 20 tokens at the prices above, after what was spent before.
    assert last["usage"] == {"tokens_in": 101, "tokens_out": 21, "cost_usd": "0.1006", "unmetered_calls": 0}
    assert [request["model"] for request in llm.asked] == ["coder"] and llm.keys == ["Bearer a-key"]
    assert "set ANSWER to 42" in llm.asked[0]["messages"][-1]["content"]


async def test_without_a_price_list_the_cost_is_said_to_be_unknown(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer
) -> None:
    last = await _run(operator, start_worker, llm, code)
    assert last["event"] == "completed", last["error"]
    assert last["usage"] == {"tokens_in": 100, "tokens_out": 20, "cost_usd": "0", "unmetered_calls": 1}


@pytest.mark.parametrize("reply", [EDIT_THAT_MATCHES_NOTHING, ONLY_WORDS])
async def test_an_edit_that_does_not_fit(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer, reply: str
) -> None:
    llm.reply = reply
    last = await _run(operator, start_worker, llm, code)
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges")
    assert last["usage"]["tokens_in"] == 100 * len(llm.asked), "a failure costs as well"
    assert code.branches() == ["main"]


async def test_the_model_fails(operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer) -> None:
    llm.status = 401
    last = await _run(operator, start_worker, llm, code)
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert llm.asked and "no such key" in last["output"]


async def test_no_model_is_named(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer
) -> None:
    last = await _run(operator, start_worker, llm, code, model="")
    assert last["failure"]["type"] == "InvalidConfig" and "no model is named" in last["error"]
    assert not llm.asked


async def test_a_cancelled_run_has_cost_too(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer
) -> None:
    """Cancelled while aider waits for the answer to its second question."""
    llm.reply, llm.answers = EDIT_THAT_MATCHES_NOTHING, 1

    async def cancel_later(uid: str) -> None:
        async with asyncio.timeout(30):
            while len(llm.asked) < 2:
                await asyncio.sleep(0.05)
        await operator.ask(f"control.{uid}", b'{"action":"cancel"}')

    uid = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21"
    cancelling = asyncio.create_task(cancel_later(uid))
    last = await _run(operator, start_worker, llm, code, uid=uid)
    await cancelling
    assert (last["event"], last["usage"]["tokens_in"]) == ("cancelled", 100)
