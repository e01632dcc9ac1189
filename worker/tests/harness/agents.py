"""What the tests of the agents share: tasks for a worker of one backend, and commands that run for too long."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from .git_server import GitServer
from .llm_server import LlmServer
from .operator import Operator

RunTask = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


def task_runner(
    operator: Operator, start_worker: Callable[..., Awaitable[object]], llm: LlmServer, code: GitServer, **own: str
) -> RunTask:
    """Runs a task to its end, by a worker with these settings, and returns its last event."""

    async def run(settings: dict[str, str] | None = None, prompt: str = "Set ANSWER to 42.", **more: Any) -> Any:
        model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "a-key"}
        await start_worker(**model | own | (settings or {}))
        task: dict[str, Any] = {
            "model": "coder",
            "workspace": {"git": {"url": code.url, "push": {"branch": "b"}}},
        } | more
        uid = await operator.submit(prompt, **task)
        last = (await operator.until(uid, seconds=120))[-1].body
        await operator.queue_is_empty()
        return last

    return run


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
