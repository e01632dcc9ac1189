"""Removing what an agent has left, whatever it did to the rights of its folders and however deep they are."""

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
# Of what could not be removed.
_SHOWN = 200
# Of their own: a million files of one run take a while, and what else needs a thread must not wait for that.
_THREADS = ThreadPoolExecutor(4, "removal")

T = TypeVar("T")


async def in_background(what: Callable[[], T]) -> T:
    """Runs a removal beside the event loop, and beside all else that has threads."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, what)


def remove(path: Path) -> str:
    """A folder with all that is in it. No link is followed. What cannot be removed stays: the first of it, and why."""
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
    """A folder to list and to write to, which its owner may have been forbidden: go makes its modules read-only."""
    number = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        with contextlib.suppress(OSError):
            # By its number: no link takes its place meanwhile.
            os.chmod(f"/proc/self/fd/{number}", 0o700)  # noqa: PTH101 (it has no path)
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=number)
    finally:
        os.close(number)


class _Removal:
    """Of what is in a folder. What lies deeper is moved up to it first, so that no depth is too much."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._problem = ""
        # Folders of the root, each with what it was called.
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
            # It is written to, since it gets another parent.
            os.close(opened(name, folder))
            os.rename(name, above, src_dir_fd=folder, dst_dir_fd=self._root)
        return above

    def _tell(self, called: str, error: OSError) -> None:
        self._problem = self._problem or f"{called.lstrip('/')}: {error.strerror}"


def empty(folder: Path) -> str:
    """All that is in it but for what is mounted there. What cannot be removed stays: the first of it, and why."""
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
