"""The real OpenHands against a scripted model. hack/test/worker sets CODEFORGE_OPENHANDS_PYTHON to its Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.agents import (
    RunTask,
    are_gone,
    cancelled_when,
    lines_until,
    price_file,
    slow_command,
    spends_too_much,
    task_runner,
)
from harness.git_server import GitServer
from harness.llm_server import LlmServer, call, words
from harness.operator import Operator
from harness.ports import free_port

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
    llm.turns = [EDIT, FINISH]
    last = await run_task({"LITELLM_MODEL_REGISTRY_PATH": price_file(tmp_path)})
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"
    assert last["files"] == ["answer.py"], "OpenHands' own files were committed"
    assert last["result"]["summary"] == "ANSWER is 42 now." and "ANSWER = 42" in last["output"]
    # Two calls of 100 and 20 tokens at the prices above.
    assert last["usage"] == {"tokens_in": 200, "tokens_out": 40, "cost_usd": "0.0012", "unmetered_calls": 0}
    assert llm.keys == ["Bearer a-key"] * 2 and llm.asked[0]["model"] == "coder"


async def test_its_steps_are_heard_while_it_runs(run_task: RunTask, operator: Operator, llm: LlmServer) -> None:
    await lines_until("ANSWER = 42", run_task, operator, EDIT, llm)


async def test_it_finishes_without_an_edit(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [call("terminal", command="sed -i s/QUESTION/42/ answer.py"), words("There is nothing to do here.")]
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges")
    assert "There is nothing to do here." in last["error"] and last["usage"]["tokens_in"] == 200
    assert code.branches() == ["main"]


async def test_an_edit_that_its_editor_refuses(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    edit = {"command": "str_replace", "path": "/nowhere/answer.py", "old_str": "ANSWER = 0", "new_str": "ANSWER = 42"}
    llm.turns = [call("file_editor", "I set the answer.", **edit), FINISH]
    last = await run_task()
    assert "/nowhere/answer.py does not exist" in str(llm.asked[1]["messages"][-1]["content"])
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges"), "it said that it was done"
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
    last = await cancelled_when(pids.exists, run_task, operator)
    assert are_gone(pids), "its command runs on"
    assert last["usage"]["tokens_in"] == 200, "both steps were paid"


async def test_a_run_that_reaches_its_budget(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [EDIT, FINISH]
    await spends_too_much(run_task, llm, code)
    assert code.content("b-failed-1", "answer.py") == "ANSWER = 42", "what was paid for is kept"
