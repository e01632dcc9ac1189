"""What a backend receives for its work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import plain, wire
from .artifact_names import FOLDER
from .checkpoint import Checkpoint
from .confinement.order import Walls
from .lines import Stream
from .outcome import RunError
from .server_of_run import Access
from .settings import Settings
from .spending import Usage
from .tracing import current


@dataclass(frozen=True)
class RunContext:
    """`directory` is the checked-out repository, or an empty folder; `scratch` is private and removed with the run.

    `model_access` is the agent's way to its model; empty if its calls are not metered. `used` is the run's usage.
    `account` takes the usage in the agent's own records, which counts if no call was metered. `say` reports progress.
    `leave` takes work that could not be ended in time: the slot stays occupied until it ends. `checkpoint` is for a
    later run to continue from. A backend with much output waits for `room` after a line.
    """

    task: wire.Task
    settings: Settings
    directory: Path
    scratch: Path
    on_line: Callable[[str, Stream], None]
    room: Callable[[], Awaitable[None]]
    output: Callable[[], str]
    last_line: Callable[[], str]
    used: Usage
    account: Usage
    delivery: int
    say: Callable[[str], None]
    leave: Callable[[asyncio.Future[Any]], None]
    model_access: Access = field(default_factory=Access)
    # The agent's way to other servers, created on the first call; empty if there is none.
    egress: Callable[[], Access] = Access
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    # The folder of the session's conversation, private and outside of the repository; None without a session.
    session: Path | None = None
    # The span in which the agent runs: a plain function's thread has none of its own.
    trace: Mapping[str, str] = field(default_factory=lambda: current().environment())

    def environment(self) -> dict[str, str]:
        return {
            **self.settings.child_environment(self.scratch),
            **self.model_access.variables,
            **self.egress().variables,
            **self.trace,
            "CODEFORGE_TASK_ID": self.task.task_id,
            "CODEFORGE_ATTEMPT": str(self.task.attempt),
            "CODEFORGE_TITLE": plain.of(self.task.title),
            "CODEFORGE_MODEL": self.model,
            **({"CODEFORGE_SESSION_DIR": str(self.session)} if self.session else {}),
            "CODEFORGE_ARTIFACTS": str(self.artifacts),
        }

    def walls(self, *, terminals: bool = False) -> Walls | None:
        """For the agent; None if it has all rights of the worker. `terminals`: it needs terminals."""
        own = (self.directory, self.scratch, *filter(None, (self.session,)))
        reach = self.settings.reach
        ports = (*self.model_access.ports, *self.egress().ports)
        return reach.walls(*own, ports=ports, terminals=terminals) if reach else None

    def walls_of_git(self) -> Walls | None:
        """For git on files that the agent may have changed, git's settings included."""
        return self.settings.reach.walls_of_git(self.directory, self.scratch) if self.settings.reach else None

    @property
    def artifacts(self) -> Path:
        """The folder whose files are stored with the result."""
        return self.scratch / FOLDER

    @property
    def model(self) -> str:
        return self.task.model or self.settings.environment.get("CODEFORGE_MODEL", "")

    @property
    def litellm_model(self) -> str:
        """The model as LiteLLM names it: with its provider, openai if none is named."""
        if not self.model:
            raise RunError(
                "InvalidConfig",
                "no model is named: set spec.model of the task, or taskDefaults.model or CODEFORGE_MODEL of the pool",
            )
        return self.model if "/" in self.model else f"openai/{self.model}"

    def config(self, known: Mapping[str, str]) -> dict[str, str]:
        """The task's settings over the pool's workerConfig over the defaults; an unknown key is an error."""
        pool = self.settings.pool_config
        task = self.task.config or {}
        for given, where in ((task, "config"), (pool, "workerConfig of the pool:")):
            unknown = sorted(set(given) - set(known))
            if unknown:
                raise RunError(
                    "InvalidConfig",
                    f"backend {self.settings.backend} does not know {where} {', '.join(unknown)}; "
                    f"it knows: {', '.join(sorted(known)) or 'none'}",
                )
        return {**known, **pool, **task}

    def given(self, config: Mapping[str, str]) -> dict[str, str]:
        """The settings that are not defaults."""
        given = {**self.settings.pool_config, **(self.task.config or {})}
        return {key: text for key, text in config.items() if key in given}


def number(config: Mapping[str, str], key: str, lowest: int, highest: int) -> int:
    """An integer among a task's settings; the bounds are inclusive."""
    text = config[key]
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise RunError("InvalidConfig", f"config {key} is {text!r}: give a whole number from {lowest} to {highest}")
    return int(text)
