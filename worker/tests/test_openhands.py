"""The real OpenHands against a scripted model. hack/test/worker sets CODEFORGE_OPENHANDS_PYTHON to its Python."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.agents import RunTask, are_gone, slow_command, task_runner
from harness.git_server import GitServer
from harness.llm_server import LlmServer, call, words
from harness.operator import Operator
from harness.ports import free_port
from nats.aio.msg import Msg

PYTHON = os.environ.get("CODEFORGE_OPENHANDS_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="CODEFORGE_OPENHANDS_PYTHON is not set: run hack/test/worker")
EDIT = call("terminal", "I set the answer.", command="sed -i s/0/42/ answer.py && cat answer.py")
FINISH = call("finish", message="ANSWER is 42 now.")


@pytest.fixture
def run_task(operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer) -> RunTask:
    return task_runner(
        operator, start_worker, llm, code, CODEFORGE_BACKEND="openhands", CODEFORGE_OPENHANDS_PYTHON=PYTHON
    )


async def test_an_edit_is_pushed_and_paid_for(
    run_task: RunTask, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    prices = tmp_path / "models.json"
    price = {"litellm_provider": "openai", "input_cost_per_token": 0.000003, "output_cost_per_token": 0.000015}
    prices.write_text(json.dumps({"openai/coder": price | {"mode": "chat"}}))
    llm.turns = [EDIT, FINISH]
    last = await run_task({"LITELLM_MODEL_REGISTRY_PATH": str(prices)})
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"
    assert last["files"] == ["answer.py"], "OpenHands' own files were committed"
    assert last["result"]["summary"] == "ANSWER is 42 now." and "ANSWER = 42" in last["output"]
    # Two calls of 100 and 20 tokens at the prices above.
    assert last["usage"] == {"tokens_in": 200, "tokens_out": 40, "cost_usd": "0.0012", "unmetered_calls": 0}
    assert llm.keys == ["Bearer a-key"] * 2 and llm.asked[0]["model"] == "coder"


async def test_its_steps_are_heard_while_it_runs(run_task: RunTask, operator: Operator, llm: LlmServer) -> None:
    lines: list[str] = []

    async def keep(message: Msg) -> None:
        lines.append(json.loads(message.data)["line"])

    await operator.nats.subscribe("results.*.log", cb=keep)
    llm.turns, llm.answers = [EDIT], 1
    running = asyncio.create_task(run_task())
    async with asyncio.timeout(100):
        while "ANSWER = 42" not in "\n".join(lines):
            await asyncio.sleep(0.05)
    running.cancel()


async def test_it_finishes_without_an_edit(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [call("terminal", command="sed -i s/QUESTION/42/ answer.py"), words("There is nothing to do here.")]
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges")
    assert "There is nothing to do here." in last["error"] and last["usage"]["tokens_in"] == 200
    assert code.branches() == ["main"]


async def test_the_server_of_the_model_fails(run_task: RunTask, llm: LlmServer) -> None:
    llm.status = 500
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert llm.asked and "no such key" in last["error"]


async def test_nobody_serves_the_model(run_task: RunTask) -> None:
    last = await run_task({"OPENAI_API_BASE": f"http://127.0.0.1:{free_port()}/v1"})
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert "the model's server does not answer" in last["error"] and last["usage"]["tokens_in"] == 0


async def test_it_does_not_come_to_an_end(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [EDIT]
    last = await run_task(config={"step-limit": "2"})
    assert last["failure"]["type"] == "AgentFailed" and "MaxIterationsReached" in last["error"]
    assert len(llm.asked) == 2 and code.branches() == ["main"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"config": {"steps": "3"}}, "does not know config steps; it knows: step-limit"),
        ({"config": {"step-limit": "0"}}, "config step-limit is '0': give a whole number from 1 to 10000"),
        ({"model": ""}, "no model is named"),
    ],
)
async def test_a_task_that_cannot_be_run(
    run_task: RunTask, llm: LlmServer, fields: dict[str, Any], sentence: str
) -> None:
    last = await run_task(**fields)
    assert last["failure"]["type"] == "InvalidConfig" and not last["failure"]["retryable"]
    assert sentence in last["error"] and not llm.asked


async def test_it_is_not_there(run_task: RunTask) -> None:
    last = await run_task({"CODEFORGE_OPENHANDS_PYTHON": "/nonexistent/python3"})
    assert last["failure"]["type"] == "AgentFailed" and "cannot be started" in last["error"]


async def test_a_run_that_takes_too_long(run_task: RunTask, llm: LlmServer) -> None:
    llm.turns, llm.answers = [EDIT], 0
    last = await run_task(run_timeout_seconds=12)
    assert (last["event"], last["failure"]["type"]) == ("failed", "RunTimeout")
    assert last["usage"]["tokens_in"] == 0


async def test_a_cancelled_run_leaves_no_process(
    run_task: RunTask, operator: Operator, llm: LlmServer, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    llm.turns = [EDIT, call("terminal", command=slow_command(pids))]
    uid = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21"
    running = asyncio.create_task(run_task(uid=uid))
    async with asyncio.timeout(100):
        while not pids.exists():
            await asyncio.sleep(0.05)
    await operator.ask(f"control.{uid}", b'{"action":"cancel"}')
    last = await running
    assert (last["event"], last["failure"]["type"]) == ("cancelled", "Cancelled")
    assert are_gone(pids), "its command runs on"
    assert last["usage"]["tokens_in"] == 200, "both steps were paid"
