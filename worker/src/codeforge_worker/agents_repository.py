"""The agent's repository: created before the agent runs, and inspected after it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from .git import LOCAL, GitRepository
from .no_link import opened
from .quarantine import Quarantine

# As git itself makes one; hooks and templates there are none.
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"


class AgentsRepository:
    """`fresh` is git on this repository before an agent has touched it. `environment` has no credential."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.fresh = GitRepository(directory, environment, protocols=LOCAL)
        self._inner = directory / ".git"

    async def check_out(self, quarantine: Quarantine, commit: str, depth: int, *, is_plain: bool) -> None:
        """`is_plain`: the quarantine has the commit at that depth and nothing else."""
        git = self.fresh.git
        if is_plain:
            await asyncio.to_thread(self._make_with_all_of, quarantine.local.directory)
        else:
            await asyncio.to_thread(self._make)
            source = f"file://{quarantine.local.directory}"
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--depth", str(depth))
            await git("fetch", *options, source, commit)
        await git("checkout", "--quiet", "--detach", commit)

    def _make(self) -> None:
        for folder in ("hooks", "info", "objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (self._inner / folder).mkdir(parents=True)
        (self._inner / "HEAD").write_text("ref: refs/heads/main\n")
        (self._inner / "config").write_text(_CONFIG)

    def _make_with_all_of(self, quarantine: Path) -> None:
        """Copies all objects, so that a change in one repository does not affect the other."""
        self._make()
        objects = self._inner / "objects"
        shutil.copytree(
            quarantine / "objects", objects, dirs_exist_ok=True, ignore=shutil.ignore_patterns("alternates")
        )
        if (quarantine / "shallow").exists():
            shutil.copyfile(quarantine / "shallow", self._inner / "shallow")

    def configure(self, url: str, committer: str) -> None:
        """The committer identifies the agent's own commits; the agent may set the author."""
        quoted = url.replace("\\", "\\\\").replace('"', '\\"')
        with (self._inner / "config").open("a") as file:
            file.write(f'[remote "origin"]\n\turl = "{quoted}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
            file.write(f"[committer]\n\tname = CodeForge\n\temail = {committer}\n")

    def is_at(self, commit: str) -> bool:
        """Whether the agent's HEAD is still the commit that it was given: most agents commit nothing."""
        file = opened(self.directory, (".git", "HEAD"))
        if file is None:
            return False
        try:
            return os.read(file, 100).decode("ascii", "replace").strip() == commit
        finally:
            os.close(file)
