"""The agent's files as a commit, created by a git of the worker's own.

It uses no setting, attribute, lock, index or ignore file of the agent's `.git`.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from . import plain
from .bare_repository import make_bare
from .confinement.order import Walls
from .git import GitError, GitRepository
from .quarantine import Commit, Quarantine
from .staging import allow, stage
from .submodule_work import LINK, SubmoduleWork, links_in

# A link's mode in an index; also what a size or a time may look like.
_LINK_MODE = b"\0\0\xe0\0"
_SETTINGS = {
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.bigFileThreshold": "16m",
    # Not part of the repository's changes, and its settings are the agent's.
    "diff.ignoreSubmodules": "dirty",
    "advice.addEmbeddedRepo": "false",
}


class WorkingTree:
    """Of one run. `walls` apply to the git that reads the files; `folder` is for what it writes."""

    def __init__(
        self, directory: Path, folder: Path, environment: Mapping[str, str], walls: Walls | None, *, lfs: bool
    ) -> None:
        self._directory = directory
        self._folder = folder
        self._index = folder / "index"
        # Reads only what this class has written.
        self.local = GitRepository(folder / "repository.git", environment)
        inside = {"GIT_DIR": str(self.local.directory), **_configured(lfs=lfs)}
        self._files = GitRepository(directory, {**environment, **inside, "GIT_WORK_TREE": str(directory)}, walls)
        self.submodules = SubmoduleWork(directory, folder / "submodules", environment, inside, walls)
        # What could not be read, by name.
        self.left_out: list[str] = []
        # The last commit in `local`; empty before the first.
        self.made = ""

    @property
    def has_begun(self) -> bool:
        """The agent has its files: before that there is nothing to keep."""
        return self._index.is_file()

    def begin(self, submodules: Sequence[str] = ()) -> None:
        """Records the checked-out files, so that an unchanged file is not read again; `submodules` are paths."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.submodules.begin(submodules)
        shutil.copy2(self._directory / ".git" / "index", self._index)

    async def committed(self, quarantine: Quarantine, head: Commit, start: Commit, message: str) -> str:
        """A commit of the files on top of `head`, or `head` itself if they are the same."""
        within, may_have_links = await asyncio.to_thread(self._prepare, quarantine)
        given = await self._links(start.name) if may_have_links else dict[str, str]()
        links = given if head == start else await self._links(head.name)
        known = await self.submodules.links(within, given)
        if within:
            opened = await self._to_open(within, known)
            await asyncio.to_thread(self._open_repositories, opened)
        if head != start:
            await self._files.git("read-tree", "-i", "-m", head.name)
            added = links.keys() - given.keys()
            closed = [path for path in added if not (self._directory / path / ".git").exists()]
            if closed:
                await self._files.git("update-index", "-z", "--force-remove", "--stdin", stdin="\0".join(closed))
        self.left_out += await stage(self._files, self._directory)
        await self._add_ignored()
        written = await self._files.git("write-tree")
        tree = await self._with_links_of_start(written) if given else written
        if tree == head.tree:
            return head.name
        if tree == start.tree != written:
            # Only links had changed.
            return start.name
        self.made = await self.local.git("commit-tree", tree, "-p", head.name, "-F", "-", stdin=message)
        await quarantine.adopt(self._files, self._folder, self.made, head.name)
        return self.made

    async def _with_links_of_start(self, tree: str) -> str:
        """The tree without links to commits that nobody else has."""
        try:
            back = await self.submodules.look(await self._links(tree))
        finally:
            self.left_out += self.submodules.left_out
        if not back:
            return tree
        entries = "".join(f"{LINK}{commit}\t{path}\0" for path, commit in back.items())
        await self._files.git("update-index", "-z", "--index-info", stdin=entries)
        return await self._files.git("write-tree")

    def _prepare(self, quarantine: Quarantine) -> tuple[list[str], bool]:
        """Creates the repository, and makes the agent's files readable.

        Returns the nested repositories, and whether the start may have submodules.
        """
        repository = self.local.directory
        shutil.rmtree(repository, ignore_errors=True)
        make_bare(repository)
        (repository / "objects/info/alternates").write_text(f"{quarantine.local.directory / 'objects'}\n")
        shallow = quarantine.local.directory / "shallow"
        if shallow.exists():
            shutil.copy(shallow, repository / "shallow")
        shutil.copy2(self._index, repository / "index")
        return self._within(), _LINK_MODE in self._index.read_bytes()

    def _within(self) -> list[str]:
        """Folders with a `.git` of their own, each before those below it."""
        found: list[str] = []

        def tell(error: OSError) -> None:
            self.left_out.append(f"{plain.name_of(self._inside(error.filename))}: {error.strerror}")

        allow(self._directory, 0o700)
        for folder, folders, files in os.walk(self._directory, onerror=tell):
            if folder != str(self._directory) and (".git" in folders or ".git" in files):
                found.append(self._inside(folder))
            folders[:] = [name for name in folders if name != ".git"]
            for name in folders:
                allow(Path(folder, name), 0o700)
        return found

    def _inside(self, path: str) -> str:
        return os.path.relpath(path, self._directory)

    async def _links(self, tree: str) -> dict[str, str]:
        return links_in(await self.local.fields("ls-tree", "-r", "-z", "--full-tree", tree))

    async def _to_open(self, within: Sequence[str], known: Mapping[str, str]) -> list[str]:
        """The nested repositories to take out: all but submodules that a clone of the result can find.

        A broken one of the start is taken out too: its link is kept without it.
        """
        named = await self._submodules()
        opened: list[str] = []
        kept: list[str] = []
        for path in within:
            if any(path.startswith(f"{outer}/") for outer in kept):
                continue
            if path in known:
                if await self.submodules.is_broken(path):
                    opened.append(path)
            elif path not in named:
                opened.append(path)
            elif await self.submodules.is_published(path):
                kept.append(path)
            else:
                opened.append(path)
                self.left_out.append(
                    f"{plain.name_of(path)}: the link to a new submodule, whose server is not known to have all of it: "
                    "the commit has its files instead"
                )
        return opened

    async def _submodules(self) -> set[str]:
        """What .gitmodules names."""
        modules = self._directory / ".gitmodules"
        if modules.is_symlink() or not modules.is_file():
            return set()
        listing = ("config", "--no-includes", "--file", ".gitmodules", "--null", "--get-regexp", r"\.path$")
        try:
            return {entry.partition("\n")[2] for entry in await self._files.fields(*listing)}
        except GitError:
            return set()

    def _open_repositories(self, paths: Iterable[str]) -> None:
        """Removes the `.git` of nested repositories: git would keep an unusable link instead of the files."""
        away = self._folder / "within"
        away.mkdir(exist_ok=True)
        for path in paths:
            try:
                (self._directory / path / ".git").rename(away / str(len(list(away.iterdir()))))
            except OSError as error:
                self.left_out.append(f"{plain.name_of(path)}: its .git cannot be taken out: {error.strerror}")

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
