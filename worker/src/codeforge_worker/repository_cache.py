"""A volume with a bare mirror of each repository, so that a clone fetches only what is new.

Workers may share it. If it is lost or broken, runs are slower but do not fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from .git import REMOTE, GitError, GitRepository
from .shortage import is_full

log = logging.getLogger(__name__)

# How long a run waits for its mirror: for its lock, and for its fetch.
REFRESH_SECONDS = 300.0
# How often a refresh connects to the server: once to check for changes, and twice to fetch them.
CONNECTIONS = 3
# Anyone with access to the volume could make git run a program, so this is written before each use.
_CONFIG = """[core]
\trepositoryformatversion = 0
\tbare = true
[gc]
\tautoDetach = false
[maintenance]
\tautoDetach = false
"""
# Of a volume, to whether it is there: each run asks.
ANSWER_SECONDS = 5.0
_USERINFO = re.compile(r"^([a-z]+://)[^/]*@")
# A separate pool: a volume may answer late or never, and neither the event loop nor other threads may wait for it.
_THREADS = ThreadPoolExecutor(4, "cache")

T = TypeVar("T")


async def _in_thread(what: Callable[[], T]) -> T:
    """Runs what touches the volume."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, what)


async def is_there(root: Path, seconds: float) -> bool:
    """Whether there is a cache. A volume that does not answer in time counts as none."""
    try:
        async with asyncio.timeout(min(seconds, ANSWER_SECONDS)):
            return await _in_thread(root.is_dir)
    except OSError as error:
        # A TimeoutError is an OSError.
        log.warning("repositories are cloned without the cache: %s", str(error) or f"{root} does not answer")
        return False


class Mirror:
    """A mirror of one repository; `url` or `environment` has the task's credential, which is never written."""

    def __init__(self, root: Path, url: str, environment: Mapping[str, str]) -> None:
        name = hashlib.sha256(_USERINFO.sub(r"\1", url).encode()).hexdigest()[:32]
        self._root = root
        self._url = url
        self.directory = root / f"{name}.git"
        self.lock = root / f"{name}.lock"
        self._outside = GitRepository(root, environment, protocols=REMOTE)

    @property
    def objects(self) -> Path:
        return self.directory / "objects"

    async def condemn(self) -> None:
        """Tells the next refresh to recreate the mirror; other runs may be using it now."""
        with contextlib.suppress(OSError):
            await _in_thread((self.directory / "condemned").touch)

    async def is_sound(self) -> bool:
        return await _in_thread(lambda: self.objects.is_dir() and not self._is_condemned())

    def _is_condemned(self) -> bool:
        no_folder = self.directory.is_symlink() or self.directory.is_file()
        return no_folder or (self.directory / "condemned").exists()

    async def refresh(self) -> None:
        """Updates the mirror. Raises `GitError`, also for a repository that the task itself may not read."""
        await self._outside.git("ls-remote", "--quiet", self._url, "HEAD")
        if await _in_thread(self._is_condemned):
            log.warning("the cached copy of %s did not serve and is made anew", self.directory.name)
            await self.remove()
        try:
            await self._fetch()
        except GitError as error:
            log.warning("the cached copy of %s cannot be used and is made anew: %s", self.directory.name, error)
            await self.remove()
            await self._fetch()

    def lend(self, repository: GitRepository) -> None:
        """Objects of the mirror need not be fetched."""
        _alternates(repository).write_text(f"{self.objects}\n")

    async def take_back(self, repository: GitRepository, *commits: str) -> None:
        """Makes the repository independent of the mirror. Raises `GitError` if an object is missing."""
        kept = [f"refs/codeforge/kept-{number}" for number in range(len(commits))]
        for name, commit in zip(kept, commits, strict=True):
            await repository.git("update-ref", name, commit)
        await repository.git("repack", "-a", "-d", "--quiet")
        _alternates(repository).unlink()
        for name in kept:
            await repository.git("update-ref", "-d", name)

    async def remove(self) -> None:
        await _in_thread(partial(_remove, self.directory))

    async def _fetch(self) -> None:
        # A branch that was removed or forced is so here too; git's own garbage collection removes its objects.
        await _in_thread(partial(_make_sound, self.directory))
        await self._outside.git(
            "-c", "safe.directory=*", f"--git-dir={self.directory}", "fetch", "--quiet", "--prune",
            "--no-write-fetch-head", self._url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
        )  # fmt: skip


@contextlib.asynccontextmanager
async def mirrored(
    root: Path, url: str, environment: Mapping[str, str], seconds: float
) -> AsyncGenerator[Mirror | None]:
    """The current mirror of the repository, until the end of the block; None if it is unusable."""
    mirror = Mirror(root, url, environment)
    with contextlib.ExitStack() as held:
        try:
            async with asyncio.timeout(min(seconds, REFRESH_SECONDS)):
                ready = await _ready(mirror, held)
        except (GitError, OSError) as error:
            # A TimeoutError is an OSError.
            why = str(error) or "it is in use, or too much was to be fetched"
            if is_full(error):
                why = f"a volume is full: {why}"
            log.warning("repository %s is cloned without the cache: %s", mirror.directory.name, why)
            ready = False
        yield mirror if ready else None


async def _ready(mirror: Mirror, held: contextlib.ExitStack) -> bool:
    lock = await _in_thread(partial(_open, mirror.lock))
    # Nobody waits for it.
    held.callback(_THREADS.submit, lock.close)
    await _take(lock, fcntl.LOCK_EX)
    await _in_thread(lambda: os.utime(lock.fileno()))
    await _in_thread(partial(make_room, mirror.directory.parent, mirror.lock.name))
    await mirror.refresh()
    await _take(lock, fcntl.LOCK_SH)
    # Another worker may have removed it between the two locks.
    return await mirror.is_sound()


def _open(lock: Path) -> IO[bytes]:
    return os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


async def _take(lock: IO[bytes], kind: int) -> None:
    while True:
        try:
            await _in_thread(partial(fcntl.flock, lock, kind | fcntl.LOCK_NB))
            return
        except BlockingIOError:
            await asyncio.sleep(0.1)


def make_room(root: Path, keep: str) -> None:
    """Removes unused mirrors, least recently used first, until a tenth of the volume is free."""
    for lock in sorted(root.glob("*.lock"), key=lambda path: path.stat().st_mtime):
        usage = shutil.disk_usage(root)
        if usage.free * 10 >= usage.total:
            return
        mirror = lock.with_suffix(".git")
        if lock.name == keep or not mirror.exists():
            continue
        with contextlib.suppress(BlockingIOError), lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            log.info("the cached copy of %s makes room: it was used last %s", mirror.name, _age(lock))
            _remove(mirror)


def _alternates(repository: GitRepository) -> Path:
    inner = repository.directory / ".git"
    return (inner if inner.is_dir() else repository.directory) / "objects" / "info" / "alternates"


def _age(lock: Path) -> str:
    return f"{(time.time() - lock.stat().st_mtime) / 3600:.1f} hours ago"


def _remove(directory: Path) -> None:
    if directory.is_symlink() or directory.is_file():
        directory.unlink()
    else:
        shutil.rmtree(directory, ignore_errors=True)


def _make_sound(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    for folder in ("objects/info", "objects/pack", "refs"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    # Left by a fetch that was killed.
    for rest in (*directory.glob("objects/pack/tmp_*"), *directory.rglob("*.lock")):
        rest.unlink(missing_ok=True)
    (directory / "objects" / "info" / "alternates").unlink(missing_ok=True)
    for name, content in (("config", _CONFIG), ("HEAD", "ref: refs/heads/main\n")):
        (directory / name).unlink(missing_ok=True)
        (directory / name).write_text(content)
