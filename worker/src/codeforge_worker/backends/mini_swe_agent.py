"""Runs mini-swe-agent. Its exit code proves nothing: the trajectory shows the end, the files show the edit."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from ..context import RunContext, number
from ..outcome import Outcome
from ..settings import Settings
from ..spending import Usage
from .edit import Agent, Ending, edit, refuse_session
from .records import read

_TRAJECTORY = "trajectory.json"
_CONFIG = {"step-limit": "100", "command-timeout": "120"}
_SUBMITTED = "Submitted"
# The remedy for each early end; any other status is the name of an exception.
_STOPPED = {
    "LimitsExceeded": "it had not finished after config step-limit steps: raise it, or make the task smaller",
    "RepeatedFormatError": "three answers in a row had no call of the tool bash: use a model that calls tools",
}
_ENVIRONMENT = {
    "MSWEA_CONFIGURED": "true",
    "MSWEA_SILENT_STARTUP": "1",
    # A model without a price costs nothing, and is no error.
    "MSWEA_COST_TRACKING": "ignore_errors",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Plain tracebacks, and lines that are not broken at 80 columns.
    "_TYPER_STANDARD_TRACEBACK": "1",
    "TERM": "dumb",
    "COLUMNS": "200",
    "PYTHONUNBUFFERED": "1",
}
# Its own ten retries would take minutes to report that there is no model.
_DEFAULTS = {"MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "3"}


class MiniSweAgent:
    def __init__(self, settings: Settings) -> None:
        self._program = settings.environment.get("CODEFORGE_MINI_SWE_AGENT", "mini")
        self._extra = settings.argv

    async def run(self, context: RunContext) -> Outcome:
        refuse_session(context, "mini-swe-agent")
        settings = _settings(context)
        trajectory = context.scratch / _TRAJECTORY
        return await edit(
            context,
            Agent(
                name="mini-swe-agent",
                arguments=self._arguments(context, settings, trajectory),
                # Outside of the repository, whose mini.yaml would be used as mini-swe-agent's own.
                directory=context.scratch,
                environment={
                    **_DEFAULTS,
                    **context.environment(),
                    **_ENVIRONMENT,
                    "MSWEA_GLOBAL_CONFIG_DIR": str(context.scratch / "mini-swe-agent"),
                },
                ending=lambda: _ending(context),
            ),
        )

    def _arguments(self, context: RunContext, settings: dict[str, Any], trajectory: Path) -> list[str]:
        file = context.scratch / "settings.yaml"
        file.write_text(_yaml(settings))
        arguments = [self._program, "--yolo", "--exit-immediately", "--output", str(trajectory)]
        return [*arguments, "--config", "mini.yaml", "--config", str(file), *self._extra]


def _settings(context: RunContext) -> dict[str, Any]:
    """What differs from mini-swe-agent's own mini.yaml. The environment has the model's address and key."""
    config = context.config(_CONFIG)
    return {
        "run": {"task": context.task.prompt},
        # The run's time is the worker's to limit.
        "agent": {"step_limit": number(config, "step-limit", 1, 10_000), "cost_limit": 0},
        "environment": {"cwd": str(context.directory), "timeout": number(config, "command-timeout", 1, 86_400)},
        "model": {"model_name": context.litellm_model},
    }


def _yaml(settings: dict[str, Any]) -> str:
    """JSON, with the escapes of YAML: JSON's own for a character beyond the first 65536 are none there."""
    return re.sub(r"[^\x20-\x7e]", lambda found: f"\\U{ord(found[0]):08x}", json.dumps(settings, ensure_ascii=False))


@dataclass(frozen=True)
class _End:
    """The end of the trajectory; `status` is empty if it has none."""

    status: str = ""
    error: str = ""
    last_words: str = ""
    cost: Decimal = Decimal(0)
    messages: tuple[dict[str, Any], ...] = ()


def _ending(context: RunContext) -> Ending:
    end = _read(context.scratch)
    _count(end.messages, end.cost, context.account)
    return Ending("" if end.status == _SUBMITTED else _reason(end, context), end.last_words)


def _read(scratch: Path) -> _End:
    written = read(scratch, _TRAJECTORY)
    try:
        content = cast(dict[str, Any], json.loads(written, parse_float=Decimal))
    except ValueError:
        # Not written yet, or cut off by the end of the run.
        return _End()
    info = cast(dict[str, Any], content.get("info") or {})
    messages = tuple(cast(list[dict[str, Any]], content.get("messages") or []))
    said = [message.get("content") for message in messages if message.get("role") == "assistant"]
    extra = cast(dict[str, Any], messages[-1].get("extra") or {}) if messages else {}
    return _End(
        status=str(info.get("exit_status") or ""),
        error=str(extra.get("exception_str") or ""),
        # An answer may be a call of a tool alone.
        last_words=next((words.strip() for words in reversed(said) if isinstance(words, str) and words.strip()), ""),
        cost=Decimal(str(info.get("model_stats", {}).get("instance_cost") or 0)),
        messages=messages,
    )


def _count(messages: tuple[dict[str, Any], ...], cost: Decimal, used: Usage) -> None:
    for message in messages:
        response = cast(dict[str, Any], message.get("extra") or {}).get("response")
        # It is a text where mini-swe-agent could not read the model's answer.
        usage = cast(dict[str, Any], response).get("usage") if isinstance(response, dict) else None
        counts = cast(dict[str, Any], usage or {})
        used.tokens_in += int(counts.get("prompt_tokens") or 0)
        used.tokens_out += int(counts.get("completion_tokens") or 0)
    used.cost += cost


def _reason(end: _End, context: RunContext) -> str:
    if end.status in _STOPPED:
        return _STOPPED[end.status]
    if end.status:
        return f"{end.status}: {end.error}"
    return f"it left no trajectory; its last line: {context.last_line()}"
