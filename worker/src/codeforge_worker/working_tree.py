"""The agent's files as a commit, created by a git of the worker's own.

It uses no setting, attribute, lock, index or ignore file of the agent's `.git`.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import plain
from .bare_repository import make_bare
from .confinement.order import Walls
from .git import GitError, GitRepository
from .quarantine import Commit, Quarantine
from .removal import remove
from .shortage import is_full

# All that the git which reads the agent's files may write to beside them. That git can start programs of the agent's (a
# filter of a submodule's repository): nothing that the worker itself reads or writes is in this folder while it runs.
GRANTED = "git"
_LINK = "160000 "
_SETTINGS = {
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.bigFileThreshold": "16m",
    # Not part of the repository's changes, and its settings are the agent's.
    "diff.ignoreSubmodules": "dirty",
    "advice.addEmbeddedRepo": "false",
}


class WorkingTree:
    """Of one run. `walls` apply to the git that reads the files; it may write to `folder` / GRANTED."""

    def __init__(
        self, directory: Path, folder: Path, environment: Mapping[str, str], walls: Walls | None, *, lfs: bool
    ) -> None:
        self._directory = directory
        self._folder = folder
        self._granted = folder / GRANTED
        self._index = folder / "index"
        # Made when everything was checked out.
        self._begun = folder / "begun"
        # Its settings may be the agent's: only commands that start no program by them.
        self.local = GitRepository(self._granted / "repository.git", environment)
        inside = {
            "GIT_DIR": str(self.local.directory),
            "GIT_WORK_TREE": str(directory),
            **_configured(lfs=lfs),
        }
        self._files = GitRepository(directory, {**environment, **inside}, walls)
        # What could not be read, by name.
        self.left_out: list[str] = []
        # The last commit in `local`; empty before the first.
        self.made = ""

    @property
    def has_begun(self) -> bool:
        """The agent has its files: before that there is nothing to keep."""
        return self._index.is_file()

    def begin(self) -> None:
        """Records the checked-out files, so that an unchanged file is not read again."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copy2(self._directory / ".git" / "index", self._index)
        self._begun.touch()

    async def committed(self, quarantine: Quarantine, head: Commit, start: Commit, message: str) -> str:
        """A commit of the files on top of `head`, or `head` itself if they are the same."""
        within = await asyncio.to_thread(self._prepare, quarantine)
        links = await self._links(head) if within or head != start else set[str]()
        given = links if head == start else await self._links(start) if within or links else set[str]()
        if within:
            await asyncio.to_thread(self._tell_of_submodules, links & set(within))
            await asyncio.to_thread(self._open_repositories, within, given | await self._submodules())
        if head != start:
            await self._files.git("read-tree", "-i", "-m", head.name)
            closed = [path for path in links - given if not (self._directory / path / ".git").exists()]
            if closed:
                await self._files.git("update-index", "-z", "--force-remove", "--stdin", stdin="\0".join(closed))
        await self._add()
        tree = await self._files.git("write-tree")
        if tree == head.tree:
            return head.name
        self.made = await self.local.git("commit-tree", tree, "-p", head.name, "-F", "-", stdin=message)
        await quarantine.adopt(self._files, self._granted, self.made, head.name)
        return self.made

    def _prepare(self, quarantine: Quarantine) -> list[str]:
        """Creates the repository, and makes the agent's files readable; returns the nested repositories."""
        repository = self.local.directory
        # Follows no link that a program of the agent's has left there.
        if problem := remove(self._granted):
            raise GitError(f"the files of an earlier commit cannot be removed: {problem}")
        self._granted.mkdir(mode=0o700)
        make_bare(repository)
        (repository / "objects/info/alternates").write_text(f"{quarantine.local.directory / 'objects'}\n")
        shallow = quarantine.local.directory / "shallow"
        if shallow.exists():
            shutil.copy(shallow, repository / "shallow")
        shutil.copy2(self._index, repository / "index")
        return self._within()

    def _within(self) -> list[str]:
        """Folders with a `.git` of their own, each before those below it."""
        found: list[str] = []

        def tell(error: OSError) -> None:
            self.left_out.append(f"{plain.name_of(self._inside(error.filename))}: {error.strerror}")

        _allow(self._directory, 0o700)
        for folder, folders, files in os.walk(self._directory, onerror=tell):
            if folder != str(self._directory) and (".git" in folders or ".git" in files):
                found.append(self._inside(folder))
            folders[:] = [name for name in folders if name != ".git"]
            for name in folders:
                _allow(Path(folder, name), 0o700)
        return found

    def _tell_of_submodules(self, links: set[str]) -> None:
        """A commit has only a link to a submodule: what was changed inside of it is lost, and is named."""
        since = self._begun.stat().st_mtime_ns
        for link in sorted(links):
            if _changed_since(self._directory / link, since):
                self.left_out.append(
                    f"{plain.name_of(link)}: files that were changed inside of the submodule, which no commit of this"
                    " repository can hold: change them by a task on the submodule's own repository"
                )

    def _inside(self, path: str) -> str:
        return os.path.relpath(path, self._directory)

    async def _links(self, commit: Commit) -> set[str]:
        listed = await self.local.fields("ls-tree", "-r", "-z", "--full-tree", commit.name)
        return {entry.partition("\t")[2] for entry in listed if entry.startswith(_LINK)}

    async def _submodules(self) -> set[str]:
        """Submodules that the agent has added: a clone of the result can find them."""
        modules = self._directory / ".gitmodules"
        if modules.is_symlink() or not modules.is_file():
            return set()
        listing = ("config", "--no-includes", "--file", ".gitmodules", "--null", "--get-regexp", r"\.path$")
        try:
            return {entry.partition("\n")[2] for entry in await self._files.fields(*listing)}
        except GitError:
            return set()

    def _open_repositories(self, within: Sequence[str], links: set[str]) -> None:
        """Removes the `.git` of nested repositories: git would keep an unusable link instead of the files."""
        away = self._folder / "within"
        away.mkdir(exist_ok=True)
        for path in within:
            if any(path == link or path.startswith(f"{link}/") for link in links):
                continue
            try:
                (self._directory / path / ".git").rename(away / str(len(list(away.iterdir()))))
            except OSError as error:
                self.left_out.append(f"{plain.name_of(path)}: its .git cannot be taken out: {error.strerror}")

    async def _add(self) -> None:
        add = ("add", "--all", "--ignore-errors")
        try:
            await self._files.git(*add)
        except GitError:
            await asyncio.to_thread(self._make_readable)
            try:
                await self._files.git(*add)
            except GitError as error:
                refused = [line for line in error.lines if line.startswith("error: ")]
                # With a full disk any file may be left out, and the run would look like a success.
                if not refused or is_full(error):
                    raise
                self.left_out += refused
        await self._add_ignored()

    def _make_readable(self) -> None:
        for folder, _, files in os.walk(self._directory):
            for name in files:
                _allow(Path(folder, name), 0o400)

    async def _add_ignored(self) -> None:
        """Ignored files that the agent has added."""
        index = self._directory / ".git" / "index"
        named = self._folder / "named"
        try:
            if index.is_symlink() or not index.is_file() or await asyncio.to_thread(self._is_untouched, index):
                return
            listing = ("ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
            listed = await self._files.fields(*listing, GIT_INDEX_FILE=str(index))
            there = await asyncio.to_thread(self._there, listed)
            if there:
                # They may be more than a command line takes.
                named.write_bytes(b"\0".join(map(os.fsencode, there)))
                given = (f"--pathspec-from-file={named}", "--pathspec-file-nul")
                await self._files.git("--literal-pathspecs", "add", "--force", "--ignore-errors", *given)
        except (GitError, OSError) as error:
            # An index that cannot be read names nothing.
            self.left_out.append(f"files that are ignored and were added all the same: {error}")

    def _there(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if os.path.lexists(self._directory / name)]

    def _is_untouched(self, index: Path) -> bool:
        return filecmp.cmp(index, self._index, shallow=False)


def _changed_since(folder: Path, since: int) -> bool:
    """By the times of the file system, so that no git has to read what the agent has left there."""
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        found = [Path(path).lstat().st_mtime_ns, *(Path(path, name).lstat().st_ctime_ns for name in files)]
        if max(found) > since:
            return True
    return False


def _allow(path: Path, mode: int) -> None:
    """The agent may have removed its owner's rights that git needs."""
    try:
        found = path.lstat().st_mode
        if found & mode != mode and not path.is_symlink():
            path.chmod(found & 0o7777 | mode)
    except OSError:
        # Whatever reads it reports the error.
        return


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
