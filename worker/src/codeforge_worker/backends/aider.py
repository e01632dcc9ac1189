"""Runs aider. Its exit code proves nothing: the analytics log shows the model's answers, the files show the edit."""

from __future__ import annotations

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from ..context import RunContext
from ..outcome import Outcome, RunError
from ..settings import Settings
from .edit import Agent, Ending, edit, within
from .records import read

_DRIVER = Path(__file__).with_name("aider_driver.py")
_ANALYTICS = "analytics.jsonl"
_CONFIG = {"edit-format": "diff", "files": "", "map-tokens": "0"}


class Aider:
    def __init__(self, settings: Settings) -> None:
        self._program = settings.environment.get("CODEFORGE_AIDER", "aider")
        self._extra = settings.argv

    async def run(self, context: RunContext) -> Outcome:
        config = context.config(_CONFIG)
        analytics = context.scratch / _ANALYTICS
        return await edit(
            context,
            Agent(
                name="aider",
                arguments=self._arguments(context, context.litellm_model, config, analytics),
                directory=context.directory,
                environment={
                    **context.environment(),
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "CODEFORGE_AIDER_CACHE": str(context.scratch / "aider.tags"),
                },
                ending=lambda: _ending(context),
            ),
        )

    def _arguments(self, context: RunContext, model: str, config: dict[str, str], analytics: Path) -> list[str]:
        message = context.scratch / "task.md"
        message.write_text(context.task.prompt)
        # -I: the driver's folder has an `aider` too.
        arguments = [
            self._python(),
            "-I",
            str(_DRIVER),
            "--model",
            model,
            "--weak-model",
            model,
            "--message-file",
            str(message),
        ]
        arguments += ["--model-metadata-file", str(self._metadata(context, model))]
        # Named explicitly, so that the repository's settings are not used.
        arguments += ["--aiderignore", context.settings.environment.get(_variable("aiderignore"), os.devnull)]
        for name in ("env", "model-settings"):
            arguments += [f"--{name}-file", context.settings.environment.get(_variable(f"{name}-file"), os.devnull)]
        # The linter would run in the repository, whose own flake8.py could take its place.
        unset = (name for name in ("auto-lint", "auto-test") if _variable(name) not in context.settings.environment)
        arguments += [f"--no-{name}" for name in unset]
        arguments += ["--edit-format", config["edit-format"], "--map-tokens", config["map-tokens"]]
        arguments += [
            "--yes-always", "--no-auto-commits", "--no-dirty-commits", "--no-gitignore", "--no-pretty",
            "--no-stream", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings",
            "--no-suggest-shell-commands", "--no-detect-urls", "--no-fancy-input", "--disable-playwright",
            "--no-analytics", "--analytics-log", str(analytics),
        ]  # fmt: skip
        for name in ("input-history", "llm-history"):
            arguments += [f"--{name}-file", str(context.scratch / f"aider.{name}")]
        arguments += ["--chat-history-file", str((context.session or context.scratch) / "aider.chat-history")]
        if context.session:
            arguments.append("--restore-chat-history")
        for file in filter(None, (name.strip() for name in config["files"].split(","))):
            if Path(file).is_absolute() or not within(context.directory, context.directory / file):
                raise RunError("InvalidConfig", f"config files: {file} is outside of the workspace")
            arguments += ["--file", file]
        return [*arguments, *self._extra]

    def _python(self) -> str:
        """The Python of the aider program, which runs the driver instead."""
        program = shutil.which(self._program)
        if not program:
            raise RunError("AgentFailed", f"{self._program} cannot be started: there is no such program")
        python = Path(program).resolve().with_name("python3")
        if not python.exists():
            raise RunError(
                "AgentFailed",
                f"{self._program} cannot be started: {python} is missing; let CODEFORGE_AIDER name the aider of a "
                "virtual environment",
            )
        return str(python)

    def _metadata(self, context: RunContext, model: str) -> Path:
        """Aider fetches a price list from the network for every model that this file does not name."""
        given = context.settings.environment.get("AIDER_MODEL_METADATA_FILE")
        if given:
            return Path(given)
        written = context.scratch / "models.json"
        limits = {"max_input_tokens": 128000, "max_output_tokens": 8192, "max_tokens": 8192}
        prices = {"input_cost_per_token": 0, "output_cost_per_token": 0}
        provider = {"litellm_provider": model.partition("/")[0], "mode": "chat"}
        written.write_text(json.dumps({model: limits | prices | provider}))
        return written


def _variable(option: str) -> str:
    """By which a pool sets an option of aider."""
    return f"AIDER_{option.upper().replace('-', '_')}"


def _ending(context: RunContext) -> Ending:
    answered, last = _read(context), context.last_line()
    return Ending("" if answered else f"the model did not answer; its last line: {last}", last)


def _read(context: RunContext) -> bool:
    """True when the model answered and no call failed. Adds up the usage if no proxy counts it."""
    sent = failed = 0
    used = context.account
    for line in read(context.scratch, _ANALYTICS).splitlines():
        try:
            entry = cast(dict[str, Any], json.loads(line, parse_float=Decimal))
        except ValueError:
            # The last line of an aider that was killed.
            continue
        properties = cast(dict[str, Any], entry.get("properties") or {})
        if entry.get("event") == "message_send":
            sent += 1
            used.tokens_in += int(properties.get("prompt_tokens") or 0)
            used.tokens_out += int(properties.get("completion_tokens") or 0)
            used.cost += Decimal(str(properties.get("cost") or 0))
        elif entry.get("event") == "message_send_exception":
            failed += 1
    return sent > 0 and not failed
