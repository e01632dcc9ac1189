"""Hides files that an agent would use as its own settings although no option allows it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ..git import GitRepository


@asynccontextmanager
async def hidden(repository: GitRepository, names: Sequence[str], away: Path) -> AsyncGenerator[None]:
    """Moves the files with these names away from the root, and back at the end. Git does not notice.

    A file that the agent has created under such a name stays: a task may ask for it.
    """
    found = _present(repository.directory, names)
    if not found:
        yield
        return
    tracked = await _tracked(repository, found)
    if tracked:
        await repository.git("update-index", "--skip-worktree", "--", *tracked)
    _move(found, repository.directory, away)
    try:
        yield
    finally:
        _move(found, away, repository.directory)
        # The agent may have removed some from the index.
        left = set(await _tracked(repository, found)) & set(tracked)
        if left:
            await repository.git("update-index", "--no-skip-worktree", "--", *sorted(left))


def _present(directory: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if os.path.lexists(directory / name)]


async def _tracked(repository: GitRepository, names: Sequence[str]) -> list[str]:
    return [name for name in (await repository.git("ls-files", "-z", "--", *names)).split("\0") if name]


def _move(names: Sequence[str], source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name in names:
        if not os.path.lexists(target / name):
            shutil.move(source / name, target / name)
