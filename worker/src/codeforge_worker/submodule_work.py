"""What an agent has left inside of submodules, which no commit of the repository can hold.

A git of the worker's own compares the files with those of the start, so that they can be kept as a patch.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import plain
from .artifact_names import DIFFSTAT, FILE_BYTES, PATCH
from .changes import Changes
from .confinement.order import Walls
from .git import GitError, GitRepository
from .no_link import opened
from .shortage import is_full
from .staging import stage

LINK = "160000 "
_SHOWN = 12
# Of a submodule's FETCH_HEAD.
_FETCHED_BYTES, _FETCHED = 1 << 16, 500
_NAME = 40
_NOTHING = "0" * _NAME


@dataclass(frozen=True)
class _Repository:
    """A submodule's own, by the agent's `.git`: where its objects are, and what it fetched last."""

    objects: str
    fetch_head: str


@dataclass(frozen=True)
class _Inside:
    """The files of a submodule as trees: at the start, and now."""

    path: str
    before: str
    after: str


def links_in(listed: Iterable[str]) -> dict[str, str]:
    """Paths and commits of the submodules, from the fields of git ls-tree."""
    entries = (entry.partition("\t") for entry in listed if entry.startswith(LINK))
    return {path: told.rpartition(" ")[2] for told, _, path in entries}


class SubmoduleWork:
    """Of one run. `walls` apply to each git here; `folder` is for what it writes."""

    def __init__(
        self,
        directory: Path,
        folder: Path,
        environment: Mapping[str, str],
        variables: Mapping[str, str],
        walls: Walls | None,
    ) -> None:
        """`variables` are those of the git that reads the files, with the worker's own repository."""
        self._directory = directory
        self._folder = folder
        self._index = folder / "index"
        self._environment = environment
        self._variables = variables
        self._walls = walls
        # Copies of the indexes of the checkout, by the submodule's path.
        self._indexes: dict[str, Path] = {}
        self._repositories: dict[str, _Repository | None] = {}
        # The submodules of the start and theirs, with their commits at the start.
        self._known: dict[str, str] = {}
        self._changed: list[_Inside] = []
        # What no commit has, by name.
        self.left_out: list[str] = []
        # What the patch does not have.
        self.problems: list[str] = []

    def begin(self, paths: Iterable[str]) -> None:
        """Records the checked-out files of the submodules, so that an unchanged file is not read again."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for number, path in enumerate(paths):
            inner = self._directory / path
            kept = self._folder / f"index-{number}"
            # Without it all files are read.
            with contextlib.suppress(OSError):
                named = (inner / ".git").read_bytes().removeprefix(b"gitdir: ").strip()
                shutil.copy2(inner / os.fsdecode(named) / "index", kept)
                self._indexes[path] = kept

    async def links(self, within: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
        """The start's submodules and those below them. `within` are the folders with a `.git`, outer ones first."""
        self._known = dict(given)
        self._changed, self.left_out = [], []
        for path in within:
            if path in self._known:
                inner = await self._links_below(path, self._known[path])
                self._known |= {f"{path}/{name}": commit for name, commit in inner.items()}
        return self._known

    async def is_broken(self, path: str) -> bool:
        """Whether git would fail because of the submodule's own repository."""
        return await self._repository(path) is None

    async def is_published(self, path: str) -> bool:
        """Whether a new submodule can be found by a clone: a fetched commit, and nothing beside it."""
        try:
            head = await self._agents(path).git("rev-parse", "--verify", "HEAD^{commit}")
            if not await self._is_fetched(path, head):
                return False
            inside = await self._compared(path, head)
        except GitError:
            return False
        return inside.before == inside.after

    async def look(self, now: Mapping[str, str]) -> dict[str, str]:
        """Notes what has changed inside of the start's submodules. `now` are the links of the result.

        Returns the links that must be as at the start: nobody else has their commits.
        """
        back: dict[str, str] = {}
        for path, commit in self._known.items():
            outer = next((link for link in now if path == link or path.startswith(f"{link}/")), None)
            if outer is None or not self._has_files(path):
                continue
            link = now.get(path, commit)
            if link != commit and self._is_repository(path) and not await self._is_fetched(path, link):
                back[path] = commit
                self.left_out.append(
                    f"{plain.name_of(path)}: commit {link[:_SHOWN]} of the submodule, which its server is not known to "
                    f"have: the link stays at {commit[:_SHOWN]}, and {PATCH} has the files; change them by a task on "
                    "the submodule's own repository"
                )
                link = commit
            await self._note(path, commit, link, is_said=path in back)
        return back

    async def _note(self, path: str, commit: str, link: str, *, is_said: bool) -> None:
        """`commit` is that of the start, `link` that of the result."""
        name = plain.name_of(path)
        try:
            inside = await self._compared(path, link)
            if inside.after == inside.before:
                return
            if link != commit:
                before = await self._before(await self._git(path), path, commit)
                inside = _Inside(path, before, inside.after)
        except GitError as error:
            if is_full(error):
                raise
            self.left_out.append(f"{name}: what was changed in the submodule cannot be read: {error}")
            return
        self._changed.append(inside)
        if not is_said:
            self.left_out.append(
                f"{name}: files of the submodule, which no commit of this repository can hold: {PATCH} has them; "
                "change them by a task on the submodule's own repository"
            )

    async def add_to(self, patch: Path, diffstat: Path) -> bool:
        """Appends the changes inside of submodules to both files; false if there are none."""
        if not self._changed:
            return False
        # git wants a folder for files; none is read or written.
        reading = {**self._reading(*(one.path for one in self._changed)), "GIT_WORK_TREE": str(self._folder)}
        git = GitRepository(self._directory, reading, self._walls)
        before = await self._joined(git, [(one.path, one.before) for one in self._changed])
        after = await self._joined(git, [(one.path, one.after) for one in self._changed])
        changes = Changes(git, before, after)
        more, figures = self._folder / PATCH, self._folder / DIFFSTAT
        if not await changes.write(more, figures):
            return False
        self.problems += changes.problems
        return await asyncio.to_thread(self._append, {patch: more, diffstat: figures})

    def _append(self, parts: Mapping[Path, Path]) -> bool:
        if any(more.is_symlink() or _size(file) + _size(more) > FILE_BYTES for file, more in parts.items()):
            self.problems.append(f"{PATCH} is without the files of submodules: it would be larger than is stored")
            return False
        for file, more in parts.items():
            with more.open("rb") as source, file.open("ab") as target:
                shutil.copyfileobj(source, target)
        return True

    async def _joined(self, git: GitRepository, trees: Iterable[tuple[str, str]]) -> str:
        """A tree that has each of these at its path."""
        await git.git("read-tree", "--empty")
        for path, tree in trees:
            # A submodule in a submodule is a link there.
            await git.git("update-index", "-z", "--index-info", stdin=f"0 {_NOTHING}\t{path}\0")
            await git.git("read-tree", "-i", f"--prefix={path}/", tree)
        return await git.git("write-tree")

    async def _compared(self, path: str, commit: str) -> _Inside:
        git = await self._git(path)
        before = await self._before(git, path, commit)
        self.left_out += [f"{plain.name_of(path)}: {line}" for line in await stage(git, self._directory / path)]
        return _Inside(path, before, await git.git("write-tree"))

    async def _before(self, git: GitRepository, path: str, commit: str) -> str:
        """Reads the commit into the index. One that cannot be read, such as one not checked out, has no files."""
        index = self._indexes.get(path) if commit == self._known.get(path) else None
        if await self._repository(path):
            with contextlib.suppress(GitError):
                tree = await self._tree(path, commit)
                if index:
                    await asyncio.to_thread(shutil.copy2, index, self._index)
                else:
                    await git.git("read-tree", commit)
                return tree
        await git.git("read-tree", "--empty")
        return await git.git("mktree")

    async def _tree(self, path: str, commit: str) -> str:
        return await (await self._git(path)).git("rev-parse", "--verify", f"{commit}^{{tree}}")

    async def _links_below(self, path: str, commit: str) -> dict[str, str]:
        try:
            return links_in(await (await self._git(path)).fields("ls-tree", "-r", "-z", "--full-tree", commit))
        except GitError:
            return {}

    async def _is_fetched(self, path: str, commit: str) -> bool:
        """Whether the submodule's server had the commit when the agent last asked it, or the start did."""
        repository = await self._repository(path)
        if repository is None:
            return False
        fetched = await asyncio.to_thread(self._fetched, repository.fetch_head)
        from_server = [f"^{one}" for one in (*self._known.values(), *fetched)]
        try:
            git = self._agents(path).git
            await git("cat-file", "-e", f"{commit}^{{commit}}")
            lacking = ("rev-list", "--max-count=1", "--ignore-missing", commit, *from_server, "--not", "--remotes")
            return not await git(*lacking)
        except GitError:
            return False

    def _fetched(self, fetch_head: str) -> list[str]:
        root = self._directory.resolve()
        found = Path(fetch_head)
        file = opened(root, found.relative_to(root).parts) if found.is_relative_to(root) else None
        if file is None:
            return []
        with os.fdopen(file, "rb") as lines:
            told = lines.read(_FETCHED_BYTES).decode("ascii", "replace").splitlines()
        names = [line[:_NAME] for line in told if len(line) > _NAME and line[_NAME] == "\t"]
        return [name for name in names if name.isalnum()][:_FETCHED]

    async def _repository(self, path: str) -> _Repository | None:
        """None for a folder without a repository of its own, or with one that git cannot read."""
        if path not in self._repositories:
            self._repositories[path] = await self._find(path)
        return self._repositories[path]

    def _has_files(self, path: str) -> bool:
        """False for a submodule that was not checked out and is as it was."""
        folder = self._directory / path
        return folder.is_dir() and any(folder.iterdir())

    def _is_repository(self, path: str) -> bool:
        return os.path.lexists(self._directory / path / ".git")

    async def _find(self, path: str) -> _Repository | None:
        if not self._is_repository(path):
            return None
        paths = ("--git-path", "objects", "--git-path", "FETCH_HEAD")
        try:
            told = await self._agents(path).git("rev-parse", "--show-prefix", "--path-format=absolute", *paths, "HEAD")
        except GitError:
            return None
        # A prefix is the folder in another repository: git has found none here.
        prefix, *found, _ = told.split("\n")
        return _Repository(*found) if not prefix and len(found) == 2 else None

    def _agents(self, path: str) -> GitRepository:
        return GitRepository(self._directory / path, self._environment, self._walls)

    async def _git(self, path: str) -> GitRepository:
        """The worker's git on the files of a submodule; it finds the objects of the agent's repository."""
        await self._repository(path)
        reading = {**self._reading(path), "GIT_WORK_TREE": str(self._directory / path)}
        return GitRepository(self._directory / path, reading, self._walls)

    def _reading(self, *paths: str) -> dict[str, str]:
        found = (self._repositories.get(path) for path in paths)
        return {
            **self._environment,
            **self._variables,
            "GIT_INDEX_FILE": str(self._index),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(_quoted(one.objects) for one in found if one),
        }


def _quoted(path: str) -> str:
    """A path may have what separates paths."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _size(file: Path) -> int:
    return file.lstat().st_size if file.exists() else 0
