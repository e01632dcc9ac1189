"""A run's part in its session: the conversation's folder before it, the next task's history after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from . import wire
from .logs import Lines
from .outcome import Outcome
from .session import Conversation, NotKept


class SessionOfRun:
    """Does nothing for a task without a session, which has no conversation."""

    def __init__(self, conversation: Conversation | None, log: Lines) -> None:
        self._conversation = conversation
        self._log = log
        self._folder: Path | None = None

    async def begin(self, folder: Path) -> Path | None:
        """Creates the conversation's folder with the current conversation; None without a session."""
        if self._conversation is None:
            return None
        _make(folder)
        await self._conversation.begin(folder)
        self._folder = folder
        return folder

    async def end(self, outcome: Outcome) -> Outcome:
        """The outcome with the new conversation. The outcome stands also if the conversation cannot be stored."""
        if self._conversation is None or self._folder is None or outcome.kind != "completed":
            return outcome
        try:
            return replace(outcome, session=await self._conversation.keep(self._folder))
        except NotKept as error:
            return self._not_moved_on(outcome, str(error))

    def found(self, earlier: Outcome) -> Outcome:
        """The outcome of a run that was lost after its push, with its conversation."""
        if self._conversation is None or earlier.kind != "completed":
            return earlier
        return self._not_moved_on(earlier, "the worker of that run was lost")

    def _not_moved_on(self, outcome: Outcome, why: str) -> Outcome:
        said = f"the session was not moved on, its next task continues from before this one: {why}"
        self._log.line(said, "stderr")
        room = wire.MESSAGE_CHARACTERS - len(said) - 2
        return replace(outcome, summary="; ".join(filter(None, (outcome.summary[:room], said))))


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700)
