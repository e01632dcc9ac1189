"""What the tests of the agents share: tasks for a worker of one backend, the same starts, and endless commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from nats.aio.msg import Msg

from .git_server import GitServer
from .llm_server import LlmServer
from .operator import CONTROL, Operator

RunTask = Callable[..., Coroutine[Any, Any, dict[str, Any]]]
PROMPT = "In answer.py, set ANSWER to 42."
UID = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21"


def task_runner(
    operator: Operator, start_worker: Callable[..., Awaitable[object]], llm: LlmServer, code: GitServer, **own: str
) -> RunTask:
    """Runs a task to its end, by a worker with these settings, and returns its last event."""

    async def run(settings: dict[str, str] | None = None, prompt: str = PROMPT, **more: Any) -> Any:
        model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "a-key"}
        await start_worker(**model | own | (settings or {}))
        task: dict[str, Any] = {
            "model": "coder",
            # An agent of some size takes half a minute to start on a busy machine.
            "run_timeout_seconds": 300,
            "workspace": {"git": {"url": code.url, "push": {"branch": "b"}}},
        } | more
        uid = await operator.submit(prompt, **task)
        last = (await operator.until(uid, seconds=300))[-1].body
        await operator.queue_is_empty()
        return last

    return run


def price_file(folder: Path) -> str:
    """A file in LiteLLM's format: three dollars for a million tokens in, fifteen for a million out."""
    prices = folder / "models.json"
    limits = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": 8192}
    price = {"input_cost_per_token": 0.000003, "output_cost_per_token": 0.000015}
    prices.write_text(json.dumps({"openai/coder": limits | price}))
    return str(prices)


async def lines_until(
    last: str, run_task: RunTask, operator: Operator, edit: dict[str, Any], llm: LlmServer
) -> list[str]:
    """The live lines of a run that makes this edit and then waits for its model, up to the one with `last`."""
    lines: list[str] = []

    async def keep(message: Msg) -> None:
        lines.append(json.loads(message.data)["line"])

    await operator.nats.subscribe("results.*.log", cb=keep)
    llm.turns, llm.answers = [edit], 1
    running = asyncio.create_task(run_task())
    async with asyncio.timeout(100):
        while last not in "\n".join(lines):
            await asyncio.sleep(0.05)
    running.cancel()
    return lines


async def cancelled_when(ready: Callable[[], bool], run_task: RunTask, operator: Operator) -> dict[str, Any]:
    """The last event of a task that is cancelled in the middle of its run."""
    running = asyncio.create_task(run_task(uid=UID))
    async with asyncio.timeout(100):
        while not ready():
            await asyncio.sleep(0.05)
    await operator.ask(CONTROL + UID, b'{"action":"cancel"}')
    last = await running
    assert (last["event"], last["failure"]["type"]) == ("cancelled", "Cancelled")
    return last


async def spends_too_much(run_task: RunTask, llm: LlmServer, code: GitServer) -> dict[str, Any]:
    """The last event of a run whose first answer uses the budget up: whatever the agent does, no second is paid."""
    git = {"url": code.url, "push": {"branch": "b", "on_failure": "Push"}}
    last = await run_task(budget={"max_tokens": 120}, workspace={"git": git})
    failure = last["failure"]
    assert (last["event"], failure["type"], failure["retryable"]) == ("failed", "BudgetExceeded", False)
    assert "raise budget.maxTokens" in failure["message"]
    assert len(llm.asked) == 1 and last["usage"]["tokens_in"] + last["usage"]["tokens_out"] == 120
    return last


def slow_command(pids: Path) -> str:
    """Runs on and on, with a child that has left its process group; both are named in the file when they run."""
    return f"setsid sleep 300 & echo $! $$ >{pids}.part; mv {pids}.part {pids}; sleep 300"


def are_gone(pids: Path) -> bool:
    """Whether none of them runs; one that has ended may stay listed."""
    for number in pids.read_text().split():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z":
                return False
    return True
