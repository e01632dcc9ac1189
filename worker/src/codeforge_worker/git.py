"""A Git repository on disk, through the git program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .confinement.order import Walls
from .process import run


class GitError(Exception):
    """git failed; the message is its own last words."""


class GitRepository:
    def __init__(self, directory: Path, environment: Mapping[str, str], walls: Walls | None = None) -> None:
        """Without walls git, and what the repository's settings make it run, may do what the worker may."""
        self.directory = directory
        self._walls = walls
        self._environment = {
            "GIT_AUTHOR_NAME": "CodeForge",
            "GIT_AUTHOR_EMAIL": "codeforge@localhost",
            "GIT_COMMITTER_NAME": "CodeForge",
            "GIT_COMMITTER_EMAIL": "codeforge@localhost",
            **environment,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            # No file:, no ext:: (which runs a program): a task must not read or run anything of the worker's.
            "GIT_ALLOW_PROTOCOL": "http:https:ssh:git",
            "LC_ALL": "C.UTF-8",
        }

    async def git(self, *arguments: str) -> str:
        lines: list[str] = []
        errors: list[str] = []
        code = await run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=self.directory,
            environment=self._environment,
            on_line=lambda text, stream: (lines if stream == "stdout" else errors).append(text),
            walls=self._walls,
        )
        if code != 0:
            raise GitError(f"git {arguments[0]}: " + " ".join((errors or lines)[-3:]))
        return "\n".join(lines)

    async def ensure(self) -> None:
        """Makes the folder a repository when it is none."""
        if not (self.directory / ".git").exists():
            await self.git("init", "--quiet")
            await self.git("commit", "--quiet", "--allow-empty", "--message", "Empty workspace")

    async def name_author(self) -> None:
        """For an agent that runs git itself."""
        await self.git("config", "user.name", "CodeForge")
        await self.git("config", "user.email", "codeforge@localhost")

    async def head(self) -> str:
        return await self.git("rev-parse", "HEAD")

    async def fingerprint(self) -> str:
        """Changes with every commit and with every change of a file."""
        return await self.head() + await self.git("status", "--porcelain") + await self.git("diff", "HEAD")
