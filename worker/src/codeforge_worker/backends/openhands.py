"""Runs OpenHands by its SDK, which needs Python 3.12: the driver beside this file is run by a Python of its own."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from ..context import RunContext, number
from ..outcome import Outcome
from ..settings import Settings, StartupError
from ..spending import Usage
from .edit import Agent, Ending, edit
from .records import read

_OUTCOME = "outcome.json"
_CONFIG = {"step-limit": "100"}
_DRIVER = Path(__file__).with_name("openhands_driver.py")
_FINISHED = "finished"
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENHANDS_SUPPRESS_BANNER": "1",
    "LOG_JSON": "false",
    "LOG_LEVEL": "WARNING",
    "LOG_RICH_TRACEBACKS": "false",
    "TERM": "dumb",
    "COLUMNS": "200",
    "PYTHONUNBUFFERED": "1",
}


class OpenHands:
    def __init__(self, settings: Settings) -> None:
        if settings.argv:
            raise StartupError("backend openhands takes no arguments: remove args of container worker in spec.template")
        self._python = settings.environment.get("CODEFORGE_OPENHANDS_PYTHON", "python3")

    async def run(self, context: RunContext) -> Outcome:
        settings = context.scratch / "openhands.json"
        settings.write_text(json.dumps(_settings(context)))
        outcome = context.scratch / _OUTCOME
        return await edit(
            context,
            Agent(
                name="OpenHands",
                # -P: the driver's folder has an `openhands` too.
                arguments=[self._python, "-P", str(_DRIVER), str(settings), str(outcome)],
                directory=context.scratch,
                environment={
                    **context.environment(),
                    **_ENVIRONMENT,
                    # Instead of ~/.openhands, where a run before may have left something.
                    "OH_PERSISTENCE_DIR": str(context.scratch / "openhands"),
                },
                ending=lambda: _ending(context),
                terminals=True,
            ),
        )


def _settings(context: RunContext) -> dict[str, Any]:
    """Address and key of the model come by the environment."""
    config = context.config(_CONFIG)
    return {
        "model": context.litellm_model,
        "prompt": context.task.prompt,
        "directory": str(context.directory),
        "session": str(context.session or ""),
        "step_limit": number(config, "step-limit", 1, 10_000),
    }


def _ending(context: RunContext) -> Ending:
    end = _read(context.scratch)
    _count(end, context.account)
    failure = ""
    if end.get("status") != _FINISHED:
        failure = end.get("error") or f"it was {end.get('status', 'not begun')}; its last line: {context.last_line()}"
    return Ending(failure, str(end.get("last_words") or "").strip())


def _read(scratch: Path) -> dict[str, Any]:
    """What the driver has written last; nothing when it did not get that far."""
    written = read(scratch, _OUTCOME)
    return cast(dict[str, Any], json.loads(written)) if written else {}


def _count(end: dict[str, Any], used: Usage) -> None:
    used.tokens_in += int(end.get("tokens_in", 0))
    used.tokens_out += int(end.get("tokens_out", 0))
    used.cost += Decimal(end.get("cost", "0"))
