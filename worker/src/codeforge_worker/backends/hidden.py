"""Keeps files from an agent that takes them for its own settings, and that no option keeps from that."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ..git import GitRepository


@asynccontextmanager
async def hidden(repository: GitRepository, names: Sequence[str], away: Path) -> AsyncGenerator[None]:
    """Puts what has these names at the root away, and back at the end. Git does not miss it meanwhile.

    What the agent has made under such a name stays instead: a task may ask for it.
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
        # The agent may have taken some off the index.
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
