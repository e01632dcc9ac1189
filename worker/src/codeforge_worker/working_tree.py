"""What an agent has left in its files, as a commit: read by a git of the worker's own, whatever became of the agent's.

No setting, attribute, lock, index or ignored file of the agent's `.git` counts.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from .confinement.order import Walls
from .git import GitError, GitRepository
from .quarantine import Quarantine

_LINK = "160000 "
_SETTINGS = {
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.bigFileThreshold": "16m",
    "core.quotePath": "false",
    # Its content is none of the repository's changes, and its settings are the agent's.
    "diff.ignoreSubmodules": "dirty",
    "advice.addEmbeddedRepo": "false",
}
_UNREADABLE = ("error: ", "warning: could not open directory")


class WorkingTree:
    """Of one run. `walls` hold for the git that reads the files; `folder` is for what it writes."""

    def __init__(
        self, directory: Path, folder: Path, environment: Mapping[str, str], walls: Walls | None, *, lfs: bool
    ) -> None:
        self._directory = directory
        self._folder = folder
        self._walls = walls
        self._index = folder / "index"
        # Reads what this class has written alone.
        self.local = GitRepository(folder / "repository.git", environment)
        inside = {
            "GIT_DIR": str(self.local.directory),
            "GIT_WORK_TREE": str(directory),
            **_configured(lfs=lfs),
        }
        self._files = GitRepository(directory, {**environment, **inside}, walls)
        # What could not be read, by name.
        self.left_out: list[str] = []
        # The last commit that was made, in `local`; empty before there is one.
        self.made = ""

    @property
    def has_begun(self) -> bool:
        """The agent had its files: before that there is nothing to keep."""
        return self._index.is_file()

    def begin(self) -> None:
        """Notes what is checked out, so that a file that was not touched is not read again."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copy2(self._directory / ".git" / "index", self._index)

    async def committed(self, quarantine: Quarantine, head: str, start: str) -> str:
        """A commit of the files above `head`, or `head` itself where they are the same."""
        await self._make(quarantine)
        links = await self._links(start)
        await asyncio.to_thread(self._open_repositories, links | await self._submodules())
        await self._files.git("read-tree", "-i", "-m", head)
        closed = sorted(path for path in await self._links(head) if not (self._directory / path / ".git").exists())
        for path in (path for path in closed if path not in links):
            await self._files.git("update-index", "--force-remove", "--", path)
        await self._add()
        tree = await self._files.git("write-tree")
        if tree == await self.local.git("rev-parse", f"{head}^{{tree}}"):
            return head
        self.made = await self.local.git("commit-tree", tree, "-p", head, "-m", "Of the agent")
        await self.local.git("update-ref", "refs/heads/result", self.made)
        await quarantine.take(self.local.directory, self._walls)
        return self.made

    async def _make(self, quarantine: Quarantine) -> None:
        repository = self.local.directory
        await asyncio.to_thread(shutil.rmtree, repository, ignore_errors=True)
        repository.mkdir()
        await self.local.git("init", "--quiet", "--bare", "--template=", "--initial-branch=result")
        alternates = repository / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{quarantine.local.directory / 'objects'}\n")
        shallow = quarantine.local.directory / "shallow"
        if shallow.exists():
            shutil.copy(shallow, repository / "shallow")
        shutil.copy2(self._index, repository / "index")

    async def _links(self, commit: str) -> set[str]:
        listed = await self.local.git("ls-tree", "-r", "--full-tree", commit)
        return {line.partition("\t")[2] for line in listed.splitlines() if line.startswith(_LINK)}

    async def _submodules(self) -> set[str]:
        """Those that the agent has added: whoever clones the result can find them."""
        modules = self._directory / ".gitmodules"
        if modules.is_symlink() or not modules.is_file():
            return set()
        try:
            told = await self._files.git("config", "--no-includes", "--file", ".gitmodules", "--get-regexp", r"\.path$")
        except GitError:
            return set()
        return {line.partition(" ")[2] for line in told.splitlines()}

    def _open_repositories(self, links: set[str]) -> None:
        """Takes the `.git` out of repositories within: git would keep a link that nobody can resolve, and no files."""
        away = self._folder / "within"
        away.mkdir(exist_ok=True)
        for number, (folder, folders, files) in enumerate(os.walk(self._directory)):
            inside = os.path.relpath(folder, self._directory)
            if inside == ".":
                folders[:] = [name for name in folders if name != ".git"]
                continue
            if inside in links:
                folders.clear()
                continue
            if ".git" in folders or ".git" in files:
                (Path(folder) / ".git").rename(away / str(number))
                folders[:] = [name for name in folders if name != ".git"]

    async def _add(self) -> None:
        try:
            await self._files.git("add", "--all", "--ignore-errors")
        except GitError as error:
            self.left_out = [line for line in error.lines if line.startswith(_UNREADABLE)]
            if not self.left_out:
                raise
        await self._add_ignored()

    async def _add_ignored(self) -> None:
        """What the agent has added although it is ignored."""
        index = self._directory / ".git" / "index"
        if index.is_symlink() or not index.is_file():
            return
        listing = ("ls-files", "--cached", "--ignored", "--exclude-standard")
        try:
            named = (await self._files.git(*listing, GIT_INDEX_FILE=str(index))).splitlines()
            there = await asyncio.to_thread(self._there, named)
            if there:
                await self._files.git("--literal-pathspecs", "add", "--force", "--ignore-errors", "--", *there)
        except GitError as error:
            # An index that cannot be read names nothing.
            self.left_out.append(f"files that are ignored and were added all the same: {error}")

    def _there(self, names: list[str]) -> list[str]:
        return [name for name in names if os.path.lexists(self._directory / name)]


def _configured(*, lfs: bool) -> dict[str, str]:
    settings = dict(_SETTINGS)
    if lfs:
        settings |= {
            "filter.lfs.clean": "git-lfs clean -- %f",
            "filter.lfs.required": "true",
        }
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
