"""Git LFS: the worker fetches files of a checkout from the repository's own server, and stores changed ones there.

`.lfsconfig` may name any server: no git-lfs with the credential reads it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from pathlib import Path

from .git import GitError, GitRepository
from .no_link import opened
from .quarantine import RESULT, Quarantine

_PUSHED = re.compile(r"push ([0-9a-f]{64}) => ")
_OBJECTS = Path("lfs", "objects")
# Of git-lfs: eight files at once, and what asks for them.
_CONNECTIONS = 10
_CHUNK = 1 << 20


class Lfs:
    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._objects = quarantine.local.directory / _OBJECTS
        endpoint = _endpoint(quarantine.url)
        settings = {
            "remote.origin.url": quarantine.url,
            "lfs.url": endpoint,
            "lfs.pushurl": endpoint,
            "remote.origin.lfsurl": endpoint,
            "remote.origin.lfspushurl": endpoint,
            "lfs.locksverify": "false",
            # A missing object must be an error here, whatever the repository's settings say.
            "lfs.allowincompletepush": "false",
            "lfs.standalonetransferagent": "",
        }
        self._settings = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    async def check_out(self, repository: GitRepository, commit: str) -> None:
        """Raises `GitError`, also where there is no git-lfs. The repository has the commit checked out."""
        await self._installed()
        await self._quarantine.remote(*self._settings, "lfs", "fetch", "origin", commit, connections=_CONNECTIONS)
        if self._objects.is_dir():
            target = repository.directory / ".git" / _OBJECTS
            target.parent.mkdir(exist_ok=True)
            self._objects.rename(target)
        await repository.git("lfs", "install", "--local", "--skip-repo")
        await repository.git("lfs", "checkout")

    async def push(self, repository: Path, worktree: Path, start: str) -> None:
        """Stores the objects above the start, before the commit: of the agent's commits and of its files."""
        # The server has the objects below the start.
        await self._quarantine.local.git("update-ref", "refs/remotes/origin/start", start)
        push = (*self._settings, "lfs", "push")
        named = await self._quarantine.local.git(*push, "--dry-run", "origin", RESULT)
        objects = sorted(set(_PUSHED.findall(named)))
        if objects:
            await asyncio.to_thread(self._take, repository, worktree, objects)
            await self._quarantine.remote(*push, "origin", RESULT, connections=_CONNECTIONS)

    def _take(self, repository: Path, worktree: Path, objects: list[str]) -> None:
        """Takes the objects that are here: the server must have the others."""
        for name in objects:
            steps = (*_OBJECTS.parts, name[:2], name[2:4], name)
            source = opened(worktree, steps)
            if source is None:
                source = opened(repository, (".git", *steps))
            if source is None:
                continue
            target = self._objects / name[:2] / name[2:4] / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with os.fdopen(source, "rb") as file, target.open("wb") as copy:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
            if digest.hexdigest() != name:
                raise GitError(f"object {name} of Git LFS is damaged: its content has another name")

    async def _installed(self) -> None:
        try:
            await self._quarantine.local.git("lfs", "version")
        except GitError as error:
            raise GitError(
                "git-lfs is not there: use a worker image that has it, or leave workspace.git.lfs out"
            ) from error


def _endpoint(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        return url
    bare = url.rstrip("/")
    return (bare if bare.endswith(".git") else f"{bare}.git") + "/info/lfs"
