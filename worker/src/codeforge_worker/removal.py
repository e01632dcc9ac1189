"""Removes an agent's files, whatever the permissions and depth of its folders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_MOUNTS = Path("/proc/self/mountinfo")
# How many of the paths that could not be removed are named.
_SHOWN = 200
# A separate pool: a million files take a while, and other work that needs a thread must not wait.
_THREADS = ThreadPoolExecutor(4, "removal")

T = TypeVar("T")


async def in_background(what: Callable[[], T]) -> T:
    """Runs a removal in a thread of its own pool."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, what)


def remove(path: Path) -> str:
    """Removes a folder with its contents, following no link. Returns the first paths that stay, and why."""
    try:
        root = opened(str(path))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror}"
    try:
        problem = _Removal(root).run()
    finally:
        os.close(root)
    try:
        path.rmdir()
    except OSError as error:
        return problem or f"{path}: {error.strerror}"
    return ""


def opened(name: str, parent: int | None = None) -> int:
    """A folder to list and write to, whose owner may lack these rights: go makes its modules read-only."""
    number = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        with contextlib.suppress(OSError):
            # By descriptor, so that no link can take its place.
            os.chmod(f"/proc/self/fd/{number}", 0o700)  # noqa: PTH101 (it has no path)
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=number)
    finally:
        os.close(number)


def _was_empty(name: str, parent: int) -> bool:
    """Removes it then: most folders of a run are, and each call of the system that is saved is felt by all tasks."""
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError:
        return False
    return True


class _Removal:
    """Removes a folder's contents. Deeper folders are first moved up, so that any depth works."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._problem = ""
        # Folders in the root, each with its former path.
        self._folders: list[tuple[str, str]] = []
        self._moved = 0
        self._token = uuid.uuid4().hex

    def run(self) -> str:
        self._clear(self._root, "")
        while self._folders:
            name, called = self._folders.pop()
            try:
                folder = opened(name, self._root)
                try:
                    self._clear(folder, called)
                finally:
                    os.close(folder)
                os.rmdir(name, dir_fd=self._root)
            except OSError as error:
                self._tell(called, error)
        return self._problem

    def _clear(self, folder: int, called: str) -> None:
        with os.scandir(folder) as found:
            entries = list(found)
        for entry in entries:
            inner = f"{called}/{entry.name}"[-_SHOWN:]
            try:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                elif _was_empty(entry.name, folder):
                    continue
                elif folder == self._root:
                    self._folders.append((entry.name, inner))
                else:
                    self._folders.append((self._move(entry.name, folder), inner))
            except OSError as error:
                self._tell(inner, error)

    def _move(self, name: str, folder: int) -> str:
        self._moved += 1
        above = f"{self._token}-{self._moved}"
        try:
            os.rename(name, above, src_dir_fd=folder, dst_dir_fd=self._root)
        except PermissionError:
            # Moving a folder needs the right to write to it.
            os.close(opened(name, folder))
            os.rename(name, above, src_dir_fd=folder, dst_dir_fd=self._root)
        return above

    def _tell(self, called: str, error: OSError) -> None:
        self._problem = self._problem or f"{called.lstrip('/')}: {error.strerror}"


def empty(folder: Path) -> str:
    """Removes a folder's contents except mounts. Returns the first paths that stay, and why."""
    problems: list[str] = []
    try:
        mounts = [Path(_unescaped(line.split()[4])) for line in _MOUNTS.read_text().splitlines()]
        for path in folder.iterdir() if folder.is_dir() else ():
            if any(mount.is_relative_to(path) for mount in mounts):
                continue
            if path.is_dir() and not path.is_symlink():
                problems.append(remove(path))
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        problems.append(f"{error.filename or folder}: {error.strerror}")
    return next(filter(None, problems), "")


def _unescaped(path: str) -> str:
    return path.encode().decode("unicode_escape")
