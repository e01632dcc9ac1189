"""How a task's commits are known, wherever they are found: by their trailers, or by their committer."""

from __future__ import annotations

from . import plain, wire
from .quarantine import Commit, with_trailers


class OwnCommits:
    """Of one task and attempt. `message` is the `Origin` of a task from outside, whose id another message may bear."""

    def __init__(self, task: wire.Task, message: wire.Origin | None) -> None:
        self._task = task
        self._owner = f"Codeforge-Task: {task.task_id}"
        # Of what the agent commits itself, and may push itself.
        self.committer = f"codeforge+{task.task_id}@localhost"
        self.trailers = [self._owner, f"Codeforge-Attempt: {task.attempt}"]
        if message:
            self.trailers.append(f"Codeforge-Message: {message.stream}/{message.sequence}")

    def has(self, commit: Commit) -> bool:
        """By the worker's trailers; or by the committer, of what an agent has pushed before its worker could."""
        return self.is_signed(commit) or commit.committer == self.committer

    def is_signed(self, commit: Commit) -> bool:
        return self._owner in commit.trailers

    def is_of_attempt(self, commit: Commit) -> bool:
        return all(trailer in commit.trailers for trailer in self.trailers)

    def message(self, trailers: list[str]) -> str:
        return with_trailers(self._title(), trailers)

    def _title(self) -> str:
        """In one line with a letter or a digit: a divider, or nothing, is no title."""
        title, prompt = (plain.of(text).splitlines() for text in (self._task.title, self._task.prompt))
        for text in (*title, *(line.strip()[:72] for line in prompt)):
            if any(letter.isalnum() for letter in text):
                return " ".join(text.split())
        return "Work of an agent"
