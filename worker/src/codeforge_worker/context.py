"""What a backend gets to do its work."""

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
    """`directory` is the checked-out repository, or an empty folder; `scratch` is private and outlives nothing.

    `model_access` is how the agent finds its model; empty when nothing counts its calls. `used` is what
    the run has used. `account` takes what the agent's own records say, which counts where no call was counted. `say`
    tells of progress. `leave` takes what could not be ended in time: the slot is not free before that ends.
    `checkpoint` is for a later run to go on from. Who prints much waits for `room` after a line.
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
    # The way to other servers, made at the first call; empty where nothing is in it.
    egress: Callable[[], Access] = Access
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    # Where the conversation of the task's session is kept, private and outside of the repository; None without one.
    session: Path | None = None
    # Of the span in which the run's agent is begun: a plain function asks from a thread that has none.
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
        """For the agent; None where it may do what the worker may. `terminals`: it cannot do without."""
        own = (self.directory, self.scratch, *filter(None, (self.session,)))
        reach = self.settings.reach
        ports = (*self.model_access.ports, *self.egress().ports)
        return reach.walls(*own, ports=ports, terminals=terminals) if reach else None

    def walls_of_git(self) -> Walls | None:
        """For git over what the agent may have changed, the settings of git among it."""
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
        """The model as LiteLLM calls it: with its provider, which is openai where none is named."""
        if not self.model:
            raise RunError(
                "InvalidConfig",
                "no model is named: set spec.model of the task, or taskDefaults.model or CODEFORGE_MODEL of the pool",
            )
        return self.model if "/" in self.model else f"openai/{self.model}"

    def config(self, known: Mapping[str, str]) -> dict[str, str]:
        """The task's settings over the pool's workerConfig over the backend's defaults; an unknown one is an error."""
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
        """What of it is no default."""
        given = {**self.settings.pool_config, **(self.task.config or {})}
        return {key: text for key, text in config.items() if key in given}


def number(config: Mapping[str, str], key: str, lowest: int, highest: int) -> int:
    """A whole number among a task's settings; both bounds are allowed."""
    text = config[key]
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise RunError("InvalidConfig", f"config {key} is {text!r}: give a whole number from {lowest} to {highest}")
    return int(text)
