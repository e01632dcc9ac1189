"""The worker's own repository, between the agent's repository and the server.

No agent reaches it. It uses no settings, hooks or files of an agent, and only it is used with a credential.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import stat
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .bare_repository import make_bare
from .confinement.order import Order, Walls
from .confinement.package import started
from .credentials import Login
from .git import LOCAL, REMOTE, GitError, GitRepository
from .repository_cache import CONNECTIONS, Mirror, mirrored

# The agent's own commit.
RESULT = "refs/heads/result"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TRAILER = re.compile(r"[A-Za-z0-9-]+:\s")
# A folded trailer goes on with it; a paragraph that begins with it has no trailers.
_FOLDED = re.compile(r"[ \t]")
# git reads no trailer after it.
_CUT = re.compile("# -{24} >8 -{24}")
# An agent's commit must not look like one of another task.
_FORGED = re.compile(r"codeforge-[a-z]+\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Commit:
    name: str
    tree: str
    # The committer's address.
    committer: str
    trailers: tuple[str, ...]


class Quarantine:
    """In a folder of its own. `environment` is git's without the credential; `login` is for the task's URL."""

    def __init__(self, folder: Path, environment: Mapping[str, str], login: Login) -> None:
        self.folder = folder
        self.url = login.url
        self._login = login
        self._home = folder / "home"
        self.environment = {**environment, "HOME": str(self._home), "TMPDIR": str(self._home)}
        self.local = GitRepository(folder / "repository.git", self.environment, protocols=LOCAL)

    def make(self) -> None:
        for folder in (self.folder, self.local.directory, self._home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_bare(self.local.directory)

    async def remote(self, *arguments: str, connections: int = 1) -> str:
        """Runs git with the credential, which is available only during the command."""
        with self._login.lent(self.folder, connections) as variables:
            environment = self.environment | variables
            return await GitRepository(self.local.directory, environment, protocols=REMOTE).git(*arguments)

    @contextlib.asynccontextmanager
    async def mirrored(self, cache: Path, seconds: float) -> AsyncGenerator[Mirror | None]:
        """The mirror of the task's repository in the cache, if it is usable."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with self._login.lent(self.folder, CONNECTIONS) as variables:
            async with mirrored(cache, self.url, self.environment | variables, seconds) as mirror:
                yield mirror

    async def commit(self, revision: str) -> Commit:
        shown = await self.local.git("log", "-1", "--format=%H%n%T%n%ce%n%(trailers:only,unfold)", revision, "--")
        name, tree, committer, *trailers = shown.split("\n")
        return Commit(name, tree, committer, tuple(filter(None, trailers)))

    async def take(self, repository: Path, walls: Walls | None, what: str = "HEAD", ref: str = RESULT) -> None:
        """Fetches a commit from an agent's repository. The process that reads that repository is within the walls."""
        order = self.folder / "upload-pack.order"
        variables = {
            "PATH": self.environment.get("PATH", "/usr/bin:/bin"),
            "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_PROTOCOL": "version=2",
        }
        argv = ["git", "-c", "core.hooksPath=/dev/null", "upload-pack"]
        order.write_bytes(Order(argv, ".", variables, 0, walls).packed())
        await self.local.git(
            "-c", "transfer.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules",
            "--no-auto-maintenance", "--no-write-fetch-head",
            f"--upload-pack={shlex.join((*started('launcher'), str(order)))}", str(repository),
            f"+{what}:{ref}",
        )  # fmt: skip

    async def adopt(self, repository: GitRepository, folder: Path, commit: str, parent: str) -> None:
        """Takes a commit as the result from a repository that no agent has written to.

        Copies the objects that its parent lacks. `repository` may write to `folder`. The objects are checked like
        fetched ones.
        """
        packed = await repository.git(
            "pack-objects", "--quiet", "--revs", str(folder / "new"), stdin=f"{commit}\n^{parent}\n"
        )
        pack = folder / f"new-{packed}.pack"
        if not _COMMIT.fullmatch(packed) or not stat.S_ISREG(pack.lstat().st_mode):
            raise GitError(f"git pack-objects: {packed!r} is no pack")
        kept = self.local.directory / "objects" / "pack" / f"pack-{packed}.pack"
        kept.parent.mkdir(exist_ok=True)
        pack.rename(kept)
        try:
            # A large file must not be in memory.
            await self.local.git("-c", "core.bigFileThreshold=16m", "index-pack", "--strict", str(kept))
        except GitError:
            kept.unlink()
            raise
        result = self.local.directory / RESULT
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(f"{commit}\n")

    async def committed(self, trailers: list[str]) -> str:
        """The result: the agent's own commit with the trailers."""
        shown = await self.local.git("log", "-1", "--format=%T%n%P%n%an%n%ae%n%ad%n%B", "--date=raw", RESULT, "--")
        tree, parents, name, email, date, *message = shown.split("\n")
        theirs = "\n".join(line for line in message if not _FORGED.match(line.lstrip()))
        text = with_trailers(theirs.strip() or "(no message)", trailers)
        author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": f"@{date}"}
        try:
            return await self.commit_tree(tree, parents.split(), text, **author)
        except GitError:
            # A name or date that git would not accept again.
            return await self.commit_tree(tree, parents.split(), text)

    async def commit_tree(self, tree: str, parents: list[str], message: str, **author: str) -> str:
        above = [word for parent in parents for word in ("-p", parent)]
        made = await self.local.git("commit-tree", tree, *above, "-F", "-", stdin=message, **author)
        if not _COMMIT.fullmatch(made):
            raise GitError(f"git commit-tree: {made!r} is no commit")
        return made


def with_trailers(message: str, trailers: list[str]) -> str:
    """In one paragraph with existing trailers, since only the last paragraph counts; the first is the title's."""
    # git does not know other line ends.
    lines = [f" {line}" if _CUT.fullmatch(line) else line for line in map(str.rstrip, message.strip().split("\n"))]
    title, *rest = lines
    text = "\n".join([title or "(no message)", *rest])
    _, above, last = text.rpartition("\n\n")
    first, *others = last.split("\n")
    has_some = above and _TRAILER.match(first) and all(_TRAILER.match(line) or _FOLDED.match(line) for line in others)
    return "\n".join([text, *([] if has_some else [""]), *trailers, ""])
