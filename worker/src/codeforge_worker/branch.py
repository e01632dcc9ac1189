"""A branch of the task's repository: its head, and pushes to it."""

from __future__ import annotations

from .git import GitError
from .quarantine import Quarantine


class Branch:
    def __init__(self, quarantine: Quarantine, name: str) -> None:
        self._quarantine = quarantine
        self.name = name
        self.ref = f"refs/heads/{name}"

    async def head(self) -> str:
        """The commit that the server has there; empty for none."""
        return (await self._quarantine.remote("ls-remote", self._quarantine.url, self.ref)).partition("\t")[0]

    async def send(self, commit: str, *options: str) -> None:
        await self._quarantine.remote(
            "push", "--porcelain", "--no-verify", *options, self._quarantine.url, f"{commit}:{self.ref}"
        )

    async def stands(self, commit: str) -> bool:
        """Whether the push was done although its answer was lost: a paid run must not be repeated."""
        try:
            return await self.head() == commit
        except GitError:
            return False
