"""Runs OpenHands once: `openhands_driver.py SETTINGS OUTCOME`, both JSON. For OpenHands' own Python only.

OUTCOME is rewritten after each event, so that it exists however the run ends.
"""
# OpenHands is not installed where this file is checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import litellm
from openhands.sdk import LLM, Agent, Conversation, Tool
from openhands.sdk.context.condenser.llm_summarizing_condenser import default_condenser
from openhands.sdk.conversation.impl import local_conversation
from openhands.sdk.conversation.response_utils import get_agent_final_response
from openhands.sdk.event import ActionEvent, AgentErrorEvent, MessageEvent, ObservationEvent
from openhands.sdk.event.conversation_error import ConversationErrorEvent
from openhands.tools.file_editor import FileEditorTool
from openhands.tools.task_tracker import TaskTrackerTool
from openhands.tools.terminal import TerminalTool
from pydantic import SecretStr

_SHOWN = (ActionEvent, ObservationEvent, AgentErrorEvent, MessageEvent, ConversationErrorEvent)


class Driver:
    def __init__(self, settings: dict[str, Any], outcome: Path) -> None:
        self._outcome = outcome
        self._error = ""
        self._before: tuple[int, int, Decimal] = (0, 0, Decimal(0))
        prices = os.environ.get("LITELLM_MODEL_REGISTRY_PATH")
        if prices:
            litellm.register_model(json.loads(Path(prices).read_text()))
        # Three attempts within half a minute: the SDK's own numbers take minutes to report that there is no model.
        llm = LLM(
            model=settings["model"],
            base_url=os.environ.get("OPENAI_API_BASE"),
            api_key=SecretStr(os.environ.get("OPENAI_API_KEY", "none")),
            usage_id="agent",
            num_retries=3,
            retry_min_wait=4,
            retry_multiplier=2,
            retry_max_wait=16,
        )
        # The terminal that needs no tmux.
        tools = [
            Tool(name=TerminalTool.name, params={"terminal_type": "subprocess"}),
            Tool(name=FileEditorTool.name),
            Tool(name=TaskTrackerTool.name),
        ]
        agent = Agent(
            llm=llm,
            tools=tools,
            system_prompt_kwargs={"cli_mode": True},
            condenser=default_condenser(llm.model_copy(update={"usage_id": "condenser"})),
        )
        self._conversation = Conversation(
            agent=agent,
            workspace=settings["directory"],
            callbacks=[self._heard],
            max_iteration_per_run=settings["step_limit"],
            visualizer=None,
            **_kept_in(settings["session"]),
        )
        # A continued conversation includes the usage of its earlier runs.
        self._before = self._used()
        self._continued = len(self._conversation.state.events) > 0
        self._directory = settings["directory"]

    def run(self, prompt: str) -> None:
        if self._continued:
            # What was said before names another folder.
            prompt = f"The files are in {self._directory} now.\n\n{prompt}"
        try:
            self._conversation.send_message(prompt)
            self._conversation.run()
        except Exception as error:
            self._error = self._error or f"{type(error).__name__}: {error}"
        self._write(self._conversation.state.execution_status.value)
        self._conversation.close()

    def _heard(self, event: Any) -> None:
        if isinstance(event, ConversationErrorEvent):
            self._error = f"{event.code}: {event.detail}"
        if isinstance(event, _SHOWN):
            print(f"[{event.source}] {event.visualize.plain.strip()}", flush=True)
        self._write("running")

    def _used(self) -> tuple[int, int, Decimal]:
        metrics = self._conversation.conversation_stats.get_combined_metrics()
        tokens = metrics.accumulated_token_usage
        cost = Decimal(str(metrics.accumulated_cost))
        return (tokens.prompt_tokens, tokens.completion_tokens, cost) if tokens else (0, 0, cost)

    def _write(self, status: str) -> None:
        tokens_in, tokens_out, cost = (now - before for now, before in zip(self._used(), self._before, strict=True))
        part = self._outcome.with_suffix(".part")
        part.write_text(
            json.dumps(
                {
                    "status": status,
                    "error": self._error,
                    "last_words": get_agent_final_response(self._conversation.state.events),
                    "tokens_in": tokens_in,
                    "tokens_out": tokens_out,
                    "cost": str(cost),
                }
            )
        )
        part.replace(self._outcome)


def _kept_in(session: str) -> dict[str, Any]:
    """Where a session keeps its conversation, which is the only one there."""
    return {"persistence_dir": session, "conversation_id": uuid.UUID(int=0)} if session else {}


def _without_plugins() -> None:
    """Plugins of the repository contain hooks and servers, which are programs, and no argument disables them."""
    name = "load_available_plugins"
    if not hasattr(local_conversation, name):
        sys.exit(f"this OpenHands has no {name}: install the version that requirements-openhands.lock names")
    setattr(local_conversation, name, _no_plugins)


def _no_plugins(**_: Any) -> dict[str, Any]:
    return {}


def main() -> None:
    _without_plugins()
    settings = json.loads(Path(sys.argv[1]).read_text())
    Driver(settings, Path(sys.argv[2])).run(settings["prompt"])


if __name__ == "__main__":
    main()
