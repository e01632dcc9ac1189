"""A Git repository on disk, through the git program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .confinement.order import Walls
from .lines import Stream
from .process import run

# No file:, no ext:: (which runs a program): a task must not read or run anything of the worker's.
REMOTE = "http:https:ssh:git"
LOCAL = "file"
# Overrides the repository's own settings.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "commit.gpgSign=false",
    "credential.helper=",
    # A redirect would receive the password.
    "http.followRedirects=false",
    "submodule.recurse=false",
)

# Limit of git's error output.
_LINES = 200
# Limit of git's answer.
_ANSWER_BYTES = 64 << 20


class GitError(Exception):
    """git failed; the message has its own words, `lines` all kept lines of its output."""

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = tuple(lines)


class GitRepository:
    def __init__(
        self, directory: Path, environment: Mapping[str, str], walls: Walls | None = None, protocols: str = ""
    ) -> None:
        """Without walls git, and programs from the repository's settings, have all rights of the worker.

        `protocols` are those by which it may reach another repository.
        """
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
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOW_PROTOCOL": protocols,
            "LC_ALL": "C.UTF-8",
        }

    async def git(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        """The answer as text. `variables` are added to the environment."""
        return (await self._run(arguments, stdin, variables)).decode("utf-8", "replace").removesuffix("\n")

    async def fields(self, *arguments: str, stdin: str = "", **variables: str) -> list[str]:
        """The answer of a command with -z. Names keep their bytes, for `Path` and for `stdin`."""
        told = (await self._run(arguments, stdin, variables)).decode("utf-8", "surrogateescape")
        return told.removesuffix("\0").split("\0") if told else []

    async def _run(self, arguments: Sequence[str], stdin: str, variables: Mapping[str, str]) -> bytes:
        answer = bytearray()
        errors: list[str] = []

        def take(chunk: bytes) -> None:
            # More than is taken is noticed below.
            answer.extend(chunk[: _ANSWER_BYTES + 1 - len(answer)])

        def say(text: str, _: Stream) -> None:
            errors.append(text)
            del errors[:-_LINES]

        try:
            code = await run(
                ["git", *(word for setting in _SETTINGS for word in ("-c", setting)), *arguments],
                cwd=self.directory,
                environment={**self._environment, **variables},
                on_line=say,
                stdin=stdin,
                walls=self._walls,
                on_bytes=take,
            )
        except OSError as error:
            # The agent may have removed the folder.
            raise GitError(f"git {_command(arguments)} cannot be started: {error}") from error
        if code != 0:
            lines = answer[-_ANSWER_BYTES // 64 :].decode("utf-8", "replace").splitlines()[-_LINES:]
            told = (errors or lines)[-3:]
            raise GitError(f"git {_command(arguments)}: " + " ".join(told), errors + lines)
        if len(answer) > _ANSWER_BYTES:
            raise GitError(f"git {_command(arguments)}: its answer is longer than {_ANSWER_BYTES >> 20} MiB")
        return bytes(answer)

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
        """Changes with every commit and every change of a file; the worker reads no content for it."""
        told = await self.fields("status", "--porcelain", "-z")
        return "\0".join([await self.head(), *(f"{entry} {self._stamp(entry[3:])}" for entry in told)])

    def _stamp(self, name: str) -> str:
        try:
            found = (self.directory / name).lstat()
        except (OSError, ValueError):
            return ""
        return f"{found.st_size} {found.st_mtime_ns}"


def _command(arguments: Sequence[str]) -> str:
    """Behind git's own options, of which one has a value beside it."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words)
        elif not word.startswith("-"):
            return word
    return ""
