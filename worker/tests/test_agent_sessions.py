"""The real agents continue a conversation: the scripted model sees what was said in the task before."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from harness.conversations import Talk
from harness.git_server import GitServer
from harness.llm_server import LlmServer, call

AIDER = os.environ.get("CODEFORGE_AIDER", "")
OPENHANDS = os.environ.get("CODEFORGE_OPENHANDS_PYTHON", "")
needs_aider = pytest.mark.skipif(not AIDER, reason="CODEFORGE_AIDER is not set: run hack/test/worker")
needs_openhands = pytest.mark.skipif(not OPENHANDS, reason="CODEFORGE_OPENHANDS_PYTHON is not set")


def _said(request: dict[str, Any]) -> str:
    return json.dumps(request["messages"])


@needs_aider
async def test_aider_continues(llm: LlmServer, code: GitServer, tmp_path: Path) -> None:
    model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "a-key"}
    talk = Talk(tmp_path, "aider", CODEFORGE_AIDER=AIDER, **model)
    first = await talk.run("Set ANSWER to 42, my name is Ada.", code.url, {"files": "answer.py"})
    assert first.kind == "completed", first.failure
    asked = len(llm.asked)
    assert "Ada" in _said(llm.asked[0])
    second = await talk.run("Do it again.", code.url, {"files": "answer.py"})
    assert second.kind == "completed", second.failure
    told = _said(llm.asked[asked])
    assert "my name is Ada" in told and "I set the answer" in told and "Do it again" in told
    assert second.files == ("answer.py",), "aider's history was committed"


@needs_aider
async def test_aider_without_a_session_begins_anew(llm: LlmServer, code: GitServer, tmp_path: Path) -> None:
    model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "a-key"}
    talk = Talk(tmp_path, "aider", CODEFORGE_AIDER=AIDER, **model)
    await talk.run("Set ANSWER to 42, my name is Ada.", code.url, {"files": "answer.py"}, session=False)
    await talk.run("Do it again.", code.url, {"files": "answer.py"}, session=False)
    assert "Ada" not in _said(llm.asked[-1])


@needs_openhands
async def test_openhands_continues_and_pays_only_for_what_is_new(
    llm: LlmServer, code: GitServer, tmp_path: Path
) -> None:
    edit = call("terminal", "I set the answer.", command="sed -i s/0/42/ answer.py && cat answer.py")
    llm.turns = [edit, call("finish", message="ANSWER is 42 now."), edit, call("finish", message="Done again.")]
    model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "a-key"}
    talk = Talk(tmp_path, "openhands", CODEFORGE_OPENHANDS_PYTHON=OPENHANDS, **model)
    first = await talk.run("Set ANSWER to 42, my name is Ada.", code.url)
    assert first.kind == "completed", first.failure
    assert (talk.used.tokens_in, talk.used.tokens_out) == (200, 40)
    asked = len(llm.asked)
    second = await talk.run("Do it again.", code.url)
    assert second.kind == "completed", second.failure
    assert second.summary == "Done again."
    told = _said(llm.asked[asked])
    assert "my name is Ada" in told and "I set the answer" in told and "Do it again" in told
    assert (talk.used.tokens_in, talk.used.tokens_out) == (200, 40), "the first task was paid for once more"
    assert second.files == ("answer.py",)
