"""What a run may use: counted whatever the agent is, over deliveries and attempts, and ended within one call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import StartWorker
from harness.asking_agent import PROGRAM, calls
from harness.git_server import GitServer
from harness.llm_server import LlmServer
from harness.operator import CONTROL, Operator, kinds
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess

KEY = "the-pools-own-key"


def spent(tokens_in: int, tokens_out: int, cost: str, unmetered: int = 0) -> dict[str, Any]:
    return {"tokens_in": tokens_in, "tokens_out": tokens_out, "cost_usd": cost, "unmetered_calls": unmetered}


async def begin(start_worker: StartWorker, llm: LlmServer, **more: str) -> WorkerProcess:
    return await start_worker(*PROGRAM, OPENAI_API_BASE=llm.url, OPENAI_API_KEY=KEY, **more)


async def test_every_agents_calls_are_counted(operator: Operator, start_worker: StartWorker, llm: LlmServer) -> None:
    llm.cost = "0.01"
    await begin(start_worker, llm)
    uid = await operator.submit(calls(2), spent=spent(5, 2, "0.1", 1))
    events = await operator.until(uid)
    assert events[-1].body["event"] == "completed", events[-1].body["error"]
    assert events[-1].body["usage"] == spent(205, 42, "0.12", 1)
    assert events[-1].body["cost_usd"] == 0.12
    assert llm.keys == [f"Bearer {KEY}"] * 2


async def test_the_pools_key_is_not_the_agents(operator: Operator, start_worker: StartWorker, llm: LlmServer) -> None:
    worker = await begin(start_worker, llm, AIDER_OPENAI_API_KEY=KEY)
    await operator.until(await operator.submit(calls(1)))
    assert "cf-" in worker.log() and KEY not in worker.log()


async def test_nor_is_it_what_the_agent_makes_git_run(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, repository: GitServer
) -> None:
    """The worker's own git does not read the repository's settings, which the agent may write."""
    script = "git config filter.spy.clean 'env; cat'; echo '*.txt filter=spy' > .gitattributes; echo x > new.txt"
    await start_worker("sh", "-c", script, OPENAI_API_BASE=llm.url, OPENAI_API_KEY=KEY)
    uid = await operator.submit(workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    assert (await operator.until(uid))[-1].body["event"] == "completed"
    assert repository.content("b", "new.txt") == "x"


@pytest.mark.parametrize("budget", [{"max_tokens": 200}, {"max_cost_usd": "0.02"}])
async def test_a_run_ends_within_one_call_and_its_work_is_kept(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, repository: GitServer, budget: dict[str, Any]
) -> None:
    llm.cost = "0.01"
    await begin(start_worker, llm)
    workspace = {"git": {"url": repository.url, "push": {"branch": "b", "on_failure": "Push"}}}
    uid = await operator.submit(calls(2, "ask", "sleep 30"), budget=budget, workspace=workspace)
    last = (await operator.until(uid))[-1].body
    failure = last["failure"]
    assert (last["event"], failure["type"], failure["retryable"]) == ("failed", "BudgetExceeded", False)
    assert "raise budget.max" in failure["message"] and len(llm.asked) == 2
    assert last["usage"]["cost_usd"] == "0.02" and last["output"].startswith("200")
    assert {"answer-0", "answer-1"} <= set(last["files"])
    assert last["result"]["git"]["pushed"] and last["result"]["git"]["commit"] == repository.commit("b-failed-1")
    assert "Codeforge-Failure: BudgetExceeded" in repository.message("b-failed-1")


async def test_work_that_was_cut_short_is_no_success_of_a_later_delivery(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, repository: GitServer
) -> None:
    """As when a worker is lost between its push and its event."""
    uid = await operator.submit(calls(1), workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    commit = repository.push("b", uid, 1, "Codeforge-Failure: BudgetExceeded")
    await operator.write_event(uid, "running", worker="lost")
    await begin(start_worker, llm)
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "BudgetExceeded" and "had pushed" in last["error"] and not llm.asked
    assert last["result"]["git"]["commit"] == commit


async def test_a_reply_that_reaches_the_limit_is_still_worked_on(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    await begin(start_worker, llm)
    uid = await operator.submit(calls(1), budget={"max_tokens": 100})
    assert (await operator.until(uid))[-1].body["event"] == "completed"


async def test_what_earlier_attempts_spent_counts(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    await begin(start_worker, llm)
    uid = await operator.submit(calls(2), attempt=2, spent=spent(150, 30, "0"), budget={"max_tokens": 300})
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "BudgetExceeded" and len(llm.asked) == 1
    uid = await operator.submit(calls(2), attempt=3, spent=spent(300, 60, "0"), budget={"max_tokens": 300})
    assert (await operator.until(uid))[-1].body["failure"]["type"] == "BudgetExceeded" and len(llm.asked) == 1


async def test_what_was_spent_before_the_last_rerun_does_not(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    await begin(start_worker, llm)
    budget = {"max_tokens": 300, "since": spent(1000, 200, "5")}
    uid = await operator.submit(calls(2), attempt=4, spent=spent(1000, 200, "5"), budget=budget)
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["usage"]["tokens_in"] == 1200


async def test_a_worker_that_is_lost_takes_no_spending_with_it(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    worker = await begin(start_worker, llm)
    uid = await operator.submit(calls(1, "sleep 30"), budget={"max_tokens": 200})
    events = await operator.until(uid, "progress")
    assert kinds(events) == ["running", "progress"] and events[-1].body["usage"] == spent(100, 20, "0", 1)
    await worker.kill()
    await begin(start_worker, llm, name="worker-2")
    async with asyncio.timeout(PATIENCE):
        while len(llm.asked) < 2:
            await asyncio.sleep(0.05)
    events = await operator.until(uid, "progress")
    assert events[-1].body["usage"] == spent(200, 40, "0", 2) and events[-1].body["delivery"] == 2
    # Nothing is left for the third.
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    await operator.until(uid)


async def test_many_calls_are_few_events(operator: Operator, start_worker: StartWorker, llm: LlmServer) -> None:
    await begin(start_worker, llm)
    events = await operator.until(await operator.submit(calls(50)))
    assert events[-1].body["usage"]["tokens_in"] == 5000 and len(events) <= 4


async def test_a_call_without_a_price_ends_a_run_with_a_money_budget(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    await begin(start_worker, llm)
    uid = await operator.submit(calls(1, "sleep 30"), budget={"max_cost_usd": "5"})
    last = (await operator.until(uid))[-1].body
    assert (last["failure"]["type"], last["failure"]["retryable"]) == ("UnpricedModel", False)
    assert "CODEFORGE_PRICES" in last["error"] and last["usage"] == spent(100, 20, "0", 1)


async def test_a_call_without_tokens_ends_a_run_with_a_token_budget(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    llm.tells_tokens = False
    await begin(start_worker, llm)
    uid = await operator.submit(calls(1, "sleep 30"), budget={"max_tokens": 5})
    last = (await operator.until(uid))[-1].body
    assert (last["failure"]["type"], last["failure"]["retryable"]) == ("Unmetered", False)


async def test_a_budget_that_nothing_can_keep_is_refused_before_it_costs(
    operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("true", ANTHROPIC_API_KEY="k")
    uid = await operator.submit(budget={"max_tokens": 5})
    last = (await operator.until(uid))[-1].body
    assert last["failure"]["type"] == "Unmetered" and "set OPENAI_API_BASE" in last["error"]
    assert (await operator.until(await operator.submit()))[-1].body["event"] == "completed"


async def test_a_budget_that_a_second_provider_can_pass_is_refused_before_it_costs(
    operator: Operator, start_worker: StartWorker, llm: LlmServer
) -> None:
    await begin(start_worker, llm, ANTHROPIC_API_KEY="k")
    uid = await operator.submit(calls(1), budget={"max_tokens": 500})
    last = (await operator.until(uid))[-1].body
    assert (last["failure"]["type"], last["failure"]["retryable"]) == ("Unmetered", False)
    assert "ANTHROPIC_API_KEY of the pool opens a model" in last["error"] and not llm.asked
    # Without a budget nobody can tell what was asked there: not all is known.
    last = (await operator.until(await operator.submit(calls(1))))[-1].body
    assert (last["event"], last["usage"]) == ("completed", spent(100, 20, "0", 2))
    last = (await operator.until(await operator.submit("exit 0")))[-1].body
    assert last["usage"] == spent(0, 0, "0", 1)


async def test_a_cancelled_run_has_cost_too(operator: Operator, start_worker: StartWorker, llm: LlmServer) -> None:
    """Cancelled while the agent waits for its second answer, whose price nobody will tell."""
    llm.answers, llm.cost = 1, "0.01"
    await begin(start_worker, llm)
    uid = await operator.submit(calls(2))
    async with asyncio.timeout(PATIENCE):
        while len(llm.asked) < 2:
            await asyncio.sleep(0.02)
    await operator.ask(CONTROL + uid, b'{"action":"cancel"}')
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["usage"]) == ("cancelled", spent(100, 20, "0.01", 1))
