"""A run's folder in the workspace. Its worker locks it, so that a starting worker can recognise left-over folders."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import uuid
from pathlib import Path

from .removal import opened, remove

log = logging.getLogger(__name__)

# Nothing else is removed from a volume, which may belong to a user.
_NAME = re.compile(r".+-[0-9a-f]{8}\.run", re.DOTALL)


class RunFolder:
    def __init__(self, workspace: Path, task_id: str) -> None:
        self._workspace = workspace
        self._task_id = task_id
        self._lock: int | None = None
        self.path = self._new()

    def make(self, *inside: str) -> None:
        while self._lock is None:
            self.path = self._new()
            try:
                self.path.mkdir(mode=0o700)
            except FileNotFoundError:
                self._workspace.mkdir(parents=True, exist_ok=True)
                self.path.mkdir(mode=0o700)
            self._lock = _locked(self.path)
        for name in inside:
            (self.path / name).mkdir()

    def remove(self) -> None:
        if problem := remove(self.path):
            log.warning("%s cannot be removed as a whole: %s; remove it by hand", self.path, problem)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _new(self) -> Path:
        return self._workspace / f"{self._task_id}-{uuid.uuid4().hex[:8]}.run"


def _locked(folder: Path) -> int | None:
    """None if another worker's start, which saw the folder before it was locked, removes it."""
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        there = folder.stat().st_ino == os.fstat(number).st_ino
    except (BlockingIOError, FileNotFoundError):
        there = False
    except OSError as error:
        # Nothing on such a volume is swept either.
        log.info("%s cannot be locked: %s", folder, error)
        return number
    if not there:
        os.close(number)
        return None
    return number


def sweep(workspace: Path) -> None:
    """Removes folders of workers that are gone. Live workers may share the volume: their folders are locked."""
    if not workspace.is_dir():
        return
    for path in sorted(workspace.iterdir()):
        if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            _sweep(path)


def _sweep(path: Path) -> None:
    try:
        number = opened(str(path))
    except OSError as error:
        log.warning("%s cannot be looked into: %s", path, error)
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except OSError as error:
        log.info("%s is left alone, since its volume has no locks: %s", path, error)
        return
    else:
        problem = remove(path)
        log.info("removed %s, which a worker that is gone has left%s", path, f", but for {problem}" if problem else "")
    finally:
        os.close(number)
