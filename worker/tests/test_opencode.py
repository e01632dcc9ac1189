"""The real opencode against a scripted model. hack/test/worker sets CODEFORGE_OPENCODE to its program."""

from __future__ import annotations

import asyncio
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
from harness.git_server import GitServer, git
from harness.llm_server import LlmServer, call, words
from harness.operator import Operator

OPENCODE = os.environ.get("CODEFORGE_OPENCODE", "")
pytestmark = pytest.mark.skipif(not OPENCODE, reason="CODEFORGE_OPENCODE is not set: run hack/test/worker")
EDIT = call("bash", "I set the answer.", command="sed -i s/0/42/ answer.py && cat answer.py", description="Set it")
FINISH = words("ANSWER is 42 now.")


@pytest.fixture
def run_task(operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer) -> RunTask:
    return task_runner(operator, start_worker, llm, code, CODEFORGE_BACKEND="opencode", CODEFORGE_OPENCODE=OPENCODE)


async def test_an_edit_is_pushed_and_paid_for(
    run_task: RunTask, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    llm.turns = [EDIT, FINISH]
    prompt = 'Set ANSWER to "42": it\'s \\n {env:HOME} 🙂\ndone'
    last = await run_task({"LITELLM_MODEL_REGISTRY_PATH": price_file(tmp_path)}, prompt)
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"
    assert last["files"] == ["answer.py"], "opencode's own files were committed"
    assert last["result"]["summary"] == "ANSWER is 42 now." and "ANSWER = 42" in last["output"]
    # Two calls of 100 and 20 tokens at the prices of the file; none for a title of the conversation.
    assert last["usage"] == {"tokens_in": 200, "tokens_out": 40, "cost_usd": "0.0012", "unmetered_calls": 0}
    assert llm.keys == ["Bearer a-key"] * 2 and llm.asked[0]["model"] == "coder"
    assert prompt in llm.asked[0]["messages"][1]["content"], "the prompt came out differently"


async def test_it_fetches_nothing_but_answers(run_task: RunTask, llm: LlmServer) -> None:
    """Whatever it would download, it would by this registry or this proxy."""
    callers: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append((await reader.readline()).decode())
        writer.close()

    elsewhere = await asyncio.start_server(refuse, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "npm_config_registry", "npm_config_proxy")
    llm.turns = [EDIT, FINISH]
    last = await run_task(dict.fromkeys(names, address) | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    elsewhere.close()
    assert last["event"] == "completed", last["error"]
    assert callers == []


async def test_its_steps_are_heard_while_it_runs(run_task: RunTask, operator: Operator, llm: LlmServer) -> None:
    lines = await lines_until("ANSWER = 42", run_task, operator, EDIT, llm)
    assert "I set the answer." in lines


async def test_settings_of_the_repository_are_only_files(
    run_task: RunTask, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    """But for AGENTS.md, which speaks to the agent."""
    clone = tmp_path / "add-answer"
    (clone / "opencode.json").write_text('{"agent": {"build": {"prompt": "I am the repository\'s."}}}')
    (clone / "AGENTS.md").write_text("Answers are numbers here.\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add settings")
    git(clone, "push", "--quiet", "origin", "main")
    llm.turns = [EDIT, FINISH]
    assert (await run_task())["event"] == "completed"
    system = llm.asked[0]["messages"][0]["content"]
    assert "Answers are numbers here." in system and "I am the repository's." not in system


async def test_an_edit_that_does_not_fit(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    """Its own tool refuses it, and it finishes all the same."""
    wrong = call("edit", filePath="answer.py", oldString="QUESTION = 7", newString="ANSWER = 42")
    llm.turns = [wrong, words("There is nothing to do here.")]
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges")
    assert "There is nothing to do here." in last["error"] and last["usage"]["tokens_in"] == 200
    assert code.branches() == ["main"]


async def test_the_server_of_the_model_fails(run_task: RunTask, llm: LlmServer) -> None:
    llm.status = 401
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert llm.asked and "APIError: no such key" in last["error"]


async def test_it_does_not_come_to_an_end(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [EDIT, EDIT, words("I have not finished.")]
    last = await run_task(config={"step-limit": "2"})
    assert last["failure"]["type"] == "AgentFailed" and "step-limit" in last["error"]
    assert len(llm.asked) == 3 and code.branches() == ["main"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"config": {"steps": "3"}}, "does not know config steps; it knows: step-limit"),
        ({"config": {"step-limit": "0"}}, "config step-limit is '0': give a whole number from 1 to 10000"),
        ({"model": ""}, "no model is named"),
        ({"settings": {"OPENAI_API_BASE": "", "OPENAI_API_KEY": ""}}, "set OPENAI_API_BASE or OPENAI_API_KEY"),
    ],
)
async def test_a_task_that_cannot_be_run(
    run_task: RunTask, llm: LlmServer, fields: dict[str, Any], sentence: str
) -> None:
    last = await run_task(**fields)
    assert last["failure"]["type"] == "InvalidConfig" and not last["failure"]["retryable"]
    assert sentence in last["error"] and not llm.asked


async def test_it_is_not_there(run_task: RunTask) -> None:
    last = await run_task({"CODEFORGE_OPENCODE": "/nonexistent/opencode"})
    assert last["failure"]["type"] == "AgentFailed" and "cannot be started" in last["error"]


async def test_a_run_that_takes_too_long(run_task: RunTask, llm: LlmServer) -> None:
    llm.answers = 0
    last = await run_task(run_timeout_seconds=10)
    assert (last["event"], last["failure"]["type"]) == ("failed", "RunTimeout")
    assert last["usage"]["tokens_in"] == 0


async def test_a_cancelled_run_leaves_no_process(
    run_task: RunTask, operator: Operator, llm: LlmServer, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    llm.turns = [EDIT, call("bash", command=slow_command(pids), description="Wait")]
    last = await cancelled_when(pids.exists, run_task, operator)
    assert are_gone(pids), "its command runs on"
    assert last["usage"]["tokens_in"] == 200, "both steps were paid"


async def test_a_run_that_reaches_its_budget(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [EDIT, FINISH]
    await spends_too_much(run_task, llm, code)
    assert code.content("b-failed-1", "answer.py") == "ANSWER = 42", "what was paid for is kept"
