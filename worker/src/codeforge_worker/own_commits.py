"""Recognises a task's own commits by their trailers or their committer."""

from __future__ import annotations

from . import plain, wire
from .quarantine import Commit, with_trailers


class OwnCommits:
    """Of one task and attempt. `message` is the `Origin` of an outside task, whose id another message may have."""

    def __init__(self, task: wire.Task, message: wire.Origin | None) -> None:
        self._task = task
        self._owner = f"Codeforge-Task: {task.task_id}"
        # The committer of the agent's own commits, which it may push itself.
        self.committer = f"codeforge+{task.task_id}@localhost"
        self.trailers = [self._owner, f"Codeforge-Attempt: {task.attempt}"]
        if message:
            self.trailers.append(f"Codeforge-Message: {message.stream}/{message.sequence}")

    def has(self, commit: Commit) -> bool:
        """By the worker's trailers; or by the committer, for what an agent pushed before its worker could."""
        return self.is_signed(commit) or commit.committer == self.committer

    def is_signed(self, commit: Commit) -> bool:
        return self._owner in commit.trailers

    def is_of_attempt(self, commit: Commit) -> bool:
        return all(trailer in commit.trailers for trailer in self.trailers)

    def message(self, trailers: list[str]) -> str:
        return with_trailers(self._title(), trailers)

    def _title(self) -> str:
        """One line with a letter or a digit: a divider or an empty line is no title."""
        title, prompt = (plain.of(text).splitlines() for text in (self._task.title, self._task.prompt))
        for text in (*title, *(line.strip()[:72] for line in prompt)):
            if any(letter.isalnum() for letter in text):
                return " ".join(text.split())
        return "Work of an agent"
