"""The agents that a worker can run, one module each."""

from __future__ import annotations

from typing import Protocol

from ..context import RunContext
from ..outcome import Outcome
from ..sdk.finding import GROUP, Found, find
from ..sdk.function_backend import FunctionBackend
from ..settings import Settings, StartupError
from .aider import Aider
from .command import Command
from .mini_swe_agent import MiniSweAgent
from .opencode import OpenCode
from .openhands import OpenHands

BUILT_IN = ("aider", "command", "mini-swe-agent", "opencode", "openhands")


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
        case "opencode":
            return OpenCode(settings)
        case "openhands":
            return OpenHands(settings)
        case _:
            return _function(settings, find(settings, BUILT_IN))


def _function(settings: Settings, found: tuple[Found, ...]) -> Backend:
    chosen = next((one for one in found if one.name == settings.backend), None)
    if chosen is None:
        names = ", ".join(sorted([*BUILT_IN, *(one.name for one in found)]))
        raise StartupError(
            f"this image has no backend {settings.backend!r} (it has: {names}): set another image or backend; "
            f"one of your own is found by CODEFORGE_MODULE, --module, or an entry point in group {GROUP}"
        )
    function = chosen.function()
    if settings.argv:
        raise StartupError(
            f"backend {settings.backend} is a function and has no use for what follows --: remove it from args of "
            "container worker in the pool's spec.template"
        )
    return FunctionBackend(function)
