"""The real mini-swe-agent against a scripted model. hack/test/worker sets CODEFORGE_MINI_SWE_AGENT to its program."""

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
from harness.git_server import GitServer, git
from harness.llm_server import LlmServer, call, words
from harness.operator import BUCKET, Operator
from harness.ports import free_port

MINI = os.environ.get("CODEFORGE_MINI_SWE_AGENT", "")
pytestmark = pytest.mark.skipif(not MINI, reason="CODEFORGE_MINI_SWE_AGENT is not set: run hack/test/worker")
EDIT = call("bash", "I set the answer.", command="sed -i s/0/42/ answer.py && cat answer.py")
FINISH = call("bash", command="echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")


@pytest.fixture
def run_task(operator: Operator, start_worker: StartWorker, llm: LlmServer, code: GitServer) -> RunTask:
    return task_runner(
        operator, start_worker, llm, code,
        CODEFORGE_BACKEND="mini-swe-agent", CODEFORGE_MINI_SWE_AGENT=MINI, MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT="1",
    )  # fmt: skip


async def test_an_edit_is_pushed_and_paid_for(
    run_task: RunTask, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    llm.turns = [EDIT, FINISH]
    prompt = 'Set ANSWER to "42": it\'s \\n {{task}} 🙂\x07\ndone'
    last = await run_task({"LITELLM_MODEL_REGISTRY_PATH": price_file(tmp_path)}, prompt)
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"
    assert last["files"] == ["answer.py"], "mini-swe-agent's own files were committed"
    assert last["result"]["summary"] == "I set the answer." and "ANSWER = 42" in last["output"]
    # Two calls of 100 and 20 tokens at the prices above.
    assert last["usage"] == {"tokens_in": 200, "tokens_out": 40, "cost_usd": "0.0012", "unmetered_calls": 0}
    assert llm.keys == ["Bearer a-key"] * 2 and llm.asked[0]["model"] == "coder"
    assert prompt in llm.asked[0]["messages"][1]["content"], "the prompt came out differently"


async def test_its_steps_are_heard_while_it_runs(run_task: RunTask, operator: Operator, llm: LlmServer) -> None:
    lines = await lines_until("ANSWER = 42", run_task, operator, EDIT, llm)
    assert "I set the answer." in lines


async def test_what_it_has_committed_itself_is_pushed(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [call("bash", command="sed -i s/0/42/ answer.py && git commit --all --message Mine"), FINISH]
    last = await run_task()
    assert last["event"] == "completed", last["error"]
    assert code.content("b", "answer.py") == "ANSWER = 42"


async def test_a_mini_yaml_of_the_repository_is_only_a_file(
    run_task: RunTask, llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    clone = tmp_path / "add-answer"
    (clone / "mini.yaml").write_text("agent: {system_template: mine, instance_template: mine}\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add mini.yaml")
    git(clone, "push", "--quiet", "origin", "main")
    llm.turns = [EDIT, FINISH]
    assert (await run_task())["event"] == "completed"
    assert llm.asked[0]["messages"][0]["content"] != "mine"


async def test_it_finishes_without_an_edit(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [call("bash", "I look.", command="sed -i s/QUESTION/42/ answer.py"), FINISH]
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges")
    assert "I look." in last["error"] and last["usage"]["tokens_in"] == 200
    assert code.branches() == ["main"]


async def test_an_edit_that_is_refused(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    patch = "--- a/answer.py\n+++ b/answer.py\n@@ -1 +1 @@\n-QUESTION = 0\n+ANSWER = 42\n"
    llm.turns = [call("bash", "I set the answer.", command=f"git apply <<'END'\n{patch}END"), FINISH]
    last = await run_task()
    assert "patch does not apply" in str(llm.asked[1]["messages"][-1]["content"])
    assert (last["event"], last["failure"]["type"]) == ("failed", "NoChanges"), "it said that it was done"
    assert code.branches() == ["main"]


async def test_the_server_of_the_model_fails(run_task: RunTask, llm: LlmServer) -> None:
    llm.status = 500
    last = await run_task()
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert llm.asked and "InternalServerError" in last["error"] and "no such key" in last["error"]


async def test_nobody_serves_the_model(run_task: RunTask) -> None:
    last = await run_task({"OPENAI_API_BASE": f"http://127.0.0.1:{free_port()}/v1"})
    assert (last["event"], last["failure"]["type"]) == ("failed", "AgentFailed")
    assert "the model's server does not answer" in last["error"] and last["usage"]["tokens_in"] == 0


async def test_the_model_calls_no_tool(run_task: RunTask, llm: LlmServer) -> None:
    llm.turns = [words("There is nothing to do here.")]
    last = await run_task()
    assert last["failure"]["type"] == "AgentFailed" and "use a model that calls tools" in last["error"]
    assert last["usage"]["tokens_in"] == 300, "a failure costs as well"


async def test_what_it_did_before_its_steps_were_used_up_is_a_patch(
    run_task: RunTask, operator: Operator, llm: LlmServer, code: GitServer
) -> None:
    llm.turns = [EDIT]
    last = await run_task(config={"step-limit": "2"})
    assert last["failure"]["type"] == "AgentFailed" and "step-limit" in last["error"]
    assert len(llm.asked) == 2 and code.branches() == ["main"]
    (patch,) = [artifact for artifact in last["result"]["artifacts"] if artifact["name"] == "changes.patch"]
    kept = (await (await operator.js.object_store(BUCKET)).get(patch["object"])).data or b""
    assert b"-ANSWER = 0\n+ANSWER = 42\n" in kept


async def test_a_command_that_takes_too_long_is_no_end(run_task: RunTask, llm: LlmServer) -> None:
    llm.turns = [call("bash", command="sleep 60"), EDIT, FINISH]
    assert (await run_task(config={"command-timeout": "1"}))["event"] == "completed"
    assert "timed out after 1 seconds" in llm.asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"config": {"steps": "3"}}, "does not know config steps; it knows: command-timeout, step-limit"),
        ({"config": {"step-limit": "many"}}, "config step-limit is 'many': give a whole number from 1 to 10000"),
        ({"config": {"command-timeout": "0"}}, "config command-timeout is '0': give a whole number from 1 to 86400"),
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
    last = await run_task({"CODEFORGE_MINI_SWE_AGENT": "/nonexistent/mini"})
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
    llm.turns = [EDIT, call("bash", command=slow_command(pids))]
    last = await cancelled_when(pids.exists, run_task, operator)
    assert are_gone(pids), "its command runs on"
    assert last["usage"]["tokens_in"] == 200, "both steps were paid"


async def test_a_run_that_reaches_its_budget(run_task: RunTask, llm: LlmServer, code: GitServer) -> None:
    llm.turns = [EDIT, FINISH]
    await spends_too_much(run_task, llm, code)
    assert code.content("b-failed-1", "answer.py") == "ANSWER = 42", "what was paid for is kept"
