"""A run's files beside its result: stored before the outcome is reported, and never at the cost of the outcome."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Protocol

from . import wire
from .artifact_names import ADDED, DIFFSTAT, FOLDER, OUTPUT, OWN, PATCH, refusal
from .broker import AWAY
from .files import NotKept, Stored
from .in_time import ended_in_time
from .outcome import Outcome
from .shortage import fullness_by
from .workspace import GitWorkspace

OUTPUT_BYTES = 64 << 20
SECONDS = 60.0
# While the worker has to stop.
STOPPING_SECONDS = 8.0

Source = Path | bytes | IO[bytes]


class Store(Protocol):
    async def put(self, name: str, source: Source) -> Stored: ...


@dataclass(frozen=True)
class Shelf:
    """Where the files of a run are stored: a store, and the folder in it."""

    store: Store
    folder: str


class Spool:
    """All output of the agent, up to 64 MiB, in an unnamed file that the agent cannot replace."""

    def __init__(self, root: Path) -> None:
        # Unbuffered: written output can be read even if the volume fails later.
        self.file = tempfile.TemporaryFile(dir=root, buffering=0)  # noqa: SIM115 (lives as long as the run)
        self.size = 0
        self.problem = ""
        self._root = root
        self._full = False

    def add(self, text: str) -> None:
        line = text.encode("utf-8", "replace") + b"\n"
        if self._full:
            return
        if self.size + len(line) > OUTPUT_BYTES:
            self._full = True
            line = b"(the rest is not kept: 64 MiB are)\n"
        try:
            self.file.write(line)
            self.size += len(line)
        except OSError as error:
            self._full = True
            self.problem = f"{OUTPUT} is not whole: {fullness_by(error, self._root) or error.strerror}"


class Artifacts:
    """The files of one run. Created with the run's folder; no file outside of that folder is stored."""

    def __init__(self, root: Path) -> None:
        self._root_path = root
        # By descriptor, because an agent could make the name refer to another folder.
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self.spool = Spool(root)
        self._problems: list[str] = []

    def close(self) -> None:
        self.spool.file.close()
        os.close(self._root)

    async def keep(
        self,
        outcome: Outcome,
        shelf: Shelf,
        workspace: GitWorkspace | None,
        told: str,
        stop: asyncio.Future[Any],
        seconds: float = SECONDS,
    ) -> Outcome:
        """The outcome with what was stored in time, and a sentence on what was not.

        `told` is the output as in the log. After `stop` only seconds are left.
        """
        stored: list[wire.Artifact] = []
        work = asyncio.create_task(self._store(outcome, shelf, workspace, told, stored))
        if not await ended_in_time(work, stop, seconds, STOPPING_SECONDS):
            self._problems.append(
                f"storing was given up after {seconds:.0f} s or because the worker has to stop: store less, or look "
                "whether NATS is slow"
            )
        if not work.cancelled() and work.exception():
            self._problems.append(f"the worker failed: {work.exception()}")
        self._problems += filter(None, [self.spool.problem])
        return replace(outcome, artifacts=tuple(stored), artifacts_problem="; ".join(self._problems))

    async def _store(
        self,
        outcome: Outcome,
        shelf: Shelf,
        workspace: GitWorkspace | None,
        told: str,
        stored: list[wire.Artifact],
    ) -> None:
        with contextlib.ExitStack() as opened:
            try:
                sources = await self._own(outcome, workspace, told, opened)
            except OSError as error:
                # What the agent has added needs no more room.
                sources = dict[str, Source]()
                said = fullness_by(error, self._root_path) or str(error)
                self._problems.append(f"{', '.join(OWN)} were not kept: {said}")
            added = await asyncio.to_thread(lambda: list(self._added()))
            sources |= {name: opened.enter_context(file) for name, file in added}
            for name, source in sources.items():
                try:
                    kept = await shelf.store.put(f"{shelf.folder}/{name}", source)
                except NotKept as error:
                    self._problems.append(f"{name} was not kept: {error}")
                except AWAY as error:
                    why = str(error) or type(error).__name__
                    self._problems.append(f"{name} and what follows it was not kept: NATS did not answer ({why})")
                    return
                else:
                    stored.append(wire.Artifact(name, kept.size, kept.digest, kept.name))

    async def _own(
        self, outcome: Outcome, workspace: GitWorkspace | None, told: str, opened: contextlib.ExitStack
    ) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        if workspace:
            # Under a name that the agent cannot predict; it could otherwise place a link there.
            folder = Path(tempfile.mkdtemp(dir=self._root_path))
            patch, diffstat = folder / PATCH, folder / DIFFSTAT
            if await workspace.changes(patch, diffstat):
                for path in (patch, diffstat):
                    sources[path.name] = opened.enter_context(await asyncio.to_thread(_written, path))
            self._problems += workspace.problems
        output = outcome.output.encode("utf-8", "replace")
        if len(output) > wire.OUTPUT_BYTES:
            sources[OUTPUT] = output[-OUTPUT_BYTES:]
        elif outcome.output == told and self.spool.size > len(output) + 1:
            self.spool.file.seek(0)
            sources[OUTPUT] = self.spool.file
        return sources

    def _added(self) -> Iterator[tuple[str, IO[bytes]]]:
        """The files of the folder that may be stored. No link is followed on any level."""
        taken = 0
        for name, folder in self._names():
            try:
                number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            except OSError as error:
                self._problems.append(f"{name} was not kept: it is a link, or cannot be read: {error.strerror}")
                continue
            look = os.fstat(number)
            why = refusal(name, look.st_size) if stat.S_ISREG(look.st_mode) else "it is no file: pack a folder first"
            if not why and taken == ADDED:
                why = f"at most {ADDED} files are stored"
            if why:
                self._problems.append(f"{name[:128]} was not kept: {why}")
                os.close(number)
                continue
            taken += 1
            yield name, os.fdopen(number, "rb")

    def _names(self) -> Iterator[tuple[str, int]]:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        with contextlib.ExitStack() as opened:
            folder = self._root
            try:
                for step in ("scratch", FOLDER):
                    folder = os.open(step, flags, dir_fd=folder)
                    opened.callback(os.close, folder)
            except OSError:
                # The agent has removed it.
                return
            for name in sorted(os.listdir(folder)):  # noqa: PTH208 (a folder by its number has no path)
                yield name, folder


def _written(path: Path) -> IO[bytes]:
    """A file that git wrote; not a link, which a program of the agent's that git ran may have put there."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "this is no file", str(path))
    return os.fdopen(number, "rb")


def told(problem: str, log: Callable[[str], None]) -> None:
    """Writes to the run's log what was not stored."""
    if problem:
        log(f"artifacts: {problem}")
