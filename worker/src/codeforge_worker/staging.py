"""Adds an agent's files to an index of the worker's, whatever rights the agent has removed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from .git import GitError, GitRepository
from .shortage import is_full


async def stage(git: GitRepository, directory: Path) -> list[str]:
    """Adds all files of the folder. Returns git's words on those that it does not take."""
    add = ("add", "--all", "--ignore-errors")
    try:
        await git.git(*add)
    except GitError:
        await asyncio.to_thread(_make_readable, directory)
        try:
            await git.git(*add)
        except GitError as error:
            refused = [line for line in error.lines if line.startswith("error: ")]
            # With a full disk any file may be left out, and the run would look like a success.
            if not refused or is_full(error):
                raise
            return refused
    return []


def allow(path: Path, mode: int) -> None:
    """The agent may have removed its owner's rights that git needs."""
    try:
        found = path.lstat().st_mode
        if found & mode != mode and not path.is_symlink():
            path.chmod(found & 0o7777 | mode)
    except OSError:
        # Whatever reads it reports the error.
        return


def _make_readable(directory: Path) -> None:
    for folder, _, files in os.walk(directory):
        for name in files:
            allow(Path(folder, name), 0o400)
