"""The agents that a worker can run, one module each."""

from __future__ import annotations

from typing import Protocol

from ..context import RunContext
from ..outcome import Outcome
from ..settings import Settings, StartupError
from .aider import Aider
from .command import Command
from .mini_swe_agent import MiniSweAgent
from .openhands import OpenHands


class Backend(Protocol):
    async def run(self, context: RunContext) -> Outcome:
        """Does the task in `context.directory`; raises `RunError` when it fails. Judges its own outcome."""
        ...


def backend_for(settings: Settings) -> Backend:
    match settings.backend:
        case "command":
            return Command(settings)
        case "aider":
            return Aider(settings)
        case "mini-swe-agent":
            return MiniSweAgent(settings)
        case "openhands":
            return OpenHands(settings)
        case other:
            raise StartupError(
                f"this worker has no backend {other!r} (it has: aider, command, mini-swe-agent, openhands): "
                "set another backend"
            )
