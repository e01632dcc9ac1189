"""What a session changes in a run: a folder before it, an object after it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from harness.conversations import Talk
from harness.git_server import GitServer
from harness.patience import PATIENCE

from codeforge_worker import wire
from codeforge_worker.context import RunContext
from codeforge_worker.files import Stored
from codeforge_worker.outcome import Outcome, failure
from codeforge_worker.refusals import Refusals, Refused
from codeforge_worker.session import PoolConversation

_SAY = ("sh", "-c", 'cat >>"$CODEFORGE_SESSION_DIR/said"; cat "$CODEFORGE_SESSION_DIR/said"')


async def test_a_task_finds_what_the_one_before_it_left(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "command", *_SAY)
    first = await talk.run("one.")
    assert (first.kind, first.output) == ("completed", "one.")
    assert first.session is not None and first.result().session == first.session
    assert (await talk.run("two.")).output == "one.two."
    assert list((tmp_path / "workspace").iterdir()) == [], "the run left its folders behind"


async def test_without_a_session_there_is_no_folder(tmp_path: Path) -> None:
    outcome = await Talk(tmp_path, "command", "sh", "-c", "echo ${CODEFORGE_SESSION_DIR-none}").run("x", session=False)
    assert (outcome.output, outcome.session) == ("none", None)


async def test_a_run_that_fails_keeps_nothing(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "command", "sh", "-c", 'echo bad >"$CODEFORGE_SESSION_DIR/said"; exit 1')
    outcome = await talk.run("x")
    assert (outcome.kind, outcome.session, talk.kept.exists()) == ("failed", None, False)


class _OverBudget:
    async def run(self, context: RunContext) -> Outcome:
        assert context.session is not None
        (context.session / "said").write_text("half a sentence")
        return Outcome.failed(failure("BudgetExceeded", "all is used"))


async def test_a_run_that_is_over_its_budget_keeps_nothing(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "command", "true")
    talk.backend = _OverBudget()
    outcome = await talk.run("x")
    assert (outcome.kind, outcome.session, talk.kept.exists()) == ("failed", None, False)


async def test_a_conversation_that_is_lost_fails_the_run_before_its_first_step(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "command", "touch", str(tmp_path / "begun"))
    talk.lost = "its history is gone"
    outcome = await talk.run("x")
    assert outcome.failure is not None and not outcome.failure.retryable
    assert (outcome.failure.type, outcome.failure.message) == ("SessionLost", "its history is gone")
    assert not (tmp_path / "begun").exists()


async def test_an_outcome_stands_when_its_conversation_cannot_be_kept(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "command", *_SAY)
    talk.full = "the bucket is full"
    outcome = await talk.run("one.")
    assert (outcome.kind, outcome.output, outcome.session) == ("completed", "one.", None)
    assert "the session was not moved on" in outcome.summary and "the bucket is full" in outcome.summary
    assert any("the bucket is full" in line for line in talk.lines)


async def test_the_outcome_of_a_run_that_was_lost_after_its_push_says_what_was_lost(
    tmp_path: Path, repository: GitServer
) -> None:
    repository.push("b", "t", 1, "Codeforge-Message: tasks_team_pool/1")
    talk = Talk(tmp_path, "command", *_SAY)
    outcome = await talk.run("one.", repository.url, push="b")
    assert outcome.kind == "completed" and outcome.git is not None and outcome.git.pushed
    assert "the session was not moved on" in outcome.summary and not talk.kept.exists()


@pytest.mark.parametrize("agent", ["mini-swe-agent", "opencode"])
async def test_an_agent_refuses_what_it_cannot_continue(tmp_path: Path, agent: str) -> None:
    program = f"CODEFORGE_{agent.upper().replace('-', '_')}"
    outcome = await Talk(tmp_path, agent, **{program: "/nonexistent"}).run("x")
    assert outcome.failure is not None and outcome.failure.type == "InvalidConfig"
    assert "leave session out" in outcome.failure.message


async def test_a_bucket_that_refuses_is_asked_ever_later_and_shown(tmp_path: Path) -> None:
    """As all that NATS refuses."""
    refusals, files = Refusals(), _Refusing()
    conversation = PoolConversation(files, wire.Session("s"), "run", refusals)  # pyright: ignore[reportArgumentType]
    (tmp_path / "session").mkdir()
    keeping = asyncio.create_task(conversation.keep(tmp_path / "session"))
    async with asyncio.timeout(PATIENCE):
        while refusals.count == 0:
            await asyncio.sleep(0.01)
        assert refusals.sentence == "NATS refuses session s: not allowed"
        files.refuses = False
        refusals.try_again()
        assert (await keeping).object == "stored" and refusals.count == 0


class _Refusing:
    refuses = True

    async def put(self, _name: str, _source: Path) -> Stored:
        if self.refuses:
            raise Refused("not allowed")
        return Stored("stored", 1, "sha-256:0")
