"""Runs opencode. Its exit code proves nothing: its events show the end, the files show the edit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from ..context import RunContext, number
from ..lines import Stream
from ..outcome import Outcome, RunError
from ..settings import Settings
from .edit import Agent, Ending, edit, refuse_session, within

_CONFIG = {"step-limit": "100"}
# An event has the whole output of a tool in its one line.
_EVENT_BYTES = 16 * 2**20
_PROVIDER = "codeforge"
# Nothing is fetched but the model's answers. A list of models and opencode's own plugins are in its program.
_ENVIRONMENT = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "OPENCODE_DISABLE_EMBEDDED_WEB_UI": "1",
    "OPENCODE_PURE": "1",
    # A repository must not control the run: its opencode.json could run programs and choose another model.
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_DISABLE_CLAUDE_CODE": "1",
    "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1",
    "OPENCODE_DISABLE_TERMINAL_TITLE": "1",
    "OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER": "1",
}
# opencode loads plugins, which are programs, from these although they are disabled above.
_SETTINGS = ("opencode.json", "opencode.jsonc", ".opencode")
# In its folder of settings opencode installs this package from a registry, unless it is there already.
_PLUGIN_PACKAGE = "@opencode-ai/plugin"


class OpenCode:
    def __init__(self, settings: Settings) -> None:
        self._program = settings.environment.get("CODEFORGE_OPENCODE", "opencode")
        self._extra = settings.argv

    async def run(self, context: RunContext) -> Outcome:
        refuse_session(context, "opencode")
        limit = number(context.config(_CONFIG), "step-limit", 1, 10_000)
        environment = {
            **context.environment(),
            **_ENVIRONMENT,
            **_folders(context.scratch / "opencode"),
            "OPENCODE_CONFIG_CONTENT": json.dumps(_settings(context, limit)),
        }
        events = _Events(context.on_line)
        return await edit(
            context,
            Agent(
                name="opencode",
                # Without a title it would ask the model for one.
                arguments=[
                    self._program,
                    "run",
                    "--format",
                    "json",
                    "--title",
                    "task",
                    "--dir",
                    str(context.directory),
                    *self._extra,
                ],
                # Outside of the repository: its runtime would load an .env from there.
                directory=context.scratch,
                environment=environment,
                ending=lambda: events.ending(limit, context.last_line()),
                hidden=_SETTINGS,
                stdin=context.task.prompt,
                on_line=events.line,
                record_bytes=_EVENT_BYTES,
            ),
        )


def _settings(context: RunContext, limit: int) -> dict[str, Any]:
    """Address and key of the model it reads from the environment."""
    if not context.model_access.ports:
        raise RunError(
            "InvalidConfig",
            "backend opencode has no server of models: set OPENAI_API_BASE or OPENAI_API_KEY in env of container "
            "worker in the pool's spec.template",
        )
    # As the server calls it: the provider is only the way there.
    model = context.litellm_model.removeprefix("openai/")
    server = {"baseURL": "{env:OPENAI_API_BASE}", "apiKey": "{env:OPENAI_API_KEY}"}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": server,
        "models": {model: {"tool_call": True, "limit": _limits(context)}},
    }
    return {
        "model": f"{_PROVIDER}/{model}",
        "small_model": f"{_PROVIDER}/{model}",
        "enabled_providers": [_PROVIDER],
        "provider": {_PROVIDER: provider},
        "permission": "allow",
        # In its last step it may use no tool: an agent that needs that step has not finished.
        "agent": {"build": {"steps": limit + 1}},
        "instructions": [str(file) for file in [context.directory / "AGENTS.md"] if within(context.directory, file)],
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "lsp": False,
        "formatter": False,
    }


def _limits(context: RunContext) -> dict[str, int]:
    """The model's context and output limits, which the pool may give in a file in LiteLLM's format."""
    file = context.settings.environment.get("LITELLM_MODEL_REGISTRY_PATH")
    models = cast(dict[str, Any], json.loads(Path(file).read_text())) if file else {}
    told = cast(dict[str, Any], models.get(context.litellm_model) or models.get(context.model) or {})
    return {"context": told.get("max_input_tokens") or 128_000, "output": told.get("max_output_tokens") or 8192}


def _folders(root: Path) -> dict[str, str]:
    """Private ones, whatever the pool's environment says, with what keeps opencode from a registry."""
    settings = root / "config" / "opencode"
    (settings / "node_modules").mkdir(parents=True)
    lock = {"packages": {"": {"dependencies": {_PLUGIN_PACKAGE: "*"}}}}
    (settings / "package-lock.json").write_text(json.dumps(lock))
    return {f"XDG_{name.upper()}_HOME": str(root / name) for name in ("config", "data", "cache", "state")}


class _Events:
    """What opencode prints, one JSON document a line, shown as lines for people."""

    def __init__(self, show: Callable[[str, Stream], None]) -> None:
        self._show = show
        self._steps = 0
        self._finish = ""
        self._error = ""
        self._last_words = ""

    def line(self, text: str, stream: Stream) -> None:
        event = _document(text) if stream == "stdout" else {}
        part = cast(dict[str, Any], event.get("part") or {})
        match event.get("type"):
            case "step_start":
                self._finish = ""
            case "step_finish":
                self._steps += 1
                self._finish = str(part.get("reason") or "")
            case "text":
                self._last_words = str(part.get("text") or "").strip() or self._last_words
                self._say(str(part.get("text") or ""))
            case "tool_use":
                self._tool(str(part.get("tool") or ""), cast(dict[str, Any], part.get("state") or {}))
            case "error":
                self._error = _told(cast(dict[str, Any], event.get("error") or {}))
                self._show(f"error: {self._error}", "stdout")
            case None:
                self._show(text, stream)
            case _:
                pass

    def ending(self, limit: int, last_line: str) -> Ending:
        if self._error:
            return Ending(self._error, self._last_words)
        if self._steps > limit:
            failure = "it had not finished after config step-limit steps: raise it, or make the task smaller"
            return Ending(failure, self._last_words)
        if self._finish != "stop":
            how = f"its last step ended by {self._finish}" if self._finish else "it did not end its last step"
            return Ending(f"{how}; its last line: {last_line}", self._last_words)
        return Ending(last_words=self._last_words)

    def _tool(self, name: str, state: dict[str, Any]) -> None:
        self._say(f"[{name}] {state.get('title') or ''}".rstrip())
        self._say(str(state.get("output") or state.get("error") or ""))

    def _say(self, text: str) -> None:
        for line in text.strip().splitlines():
            self._show(line, "stdout")


def _document(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return cast(dict[str, Any], read) if isinstance(read, dict) else {}


def _told(error: dict[str, Any]) -> str:
    data = cast(dict[str, Any], error.get("data") or {})
    return f"{error.get('name') or 'error'}: {data.get('message') or 'it says no more'}"
