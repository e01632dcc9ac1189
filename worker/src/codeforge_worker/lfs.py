"""Git LFS for a checkout: its files are fetched, and pushed, from the repository's own server only."""

from __future__ import annotations

from .git import GitError, GitRepository

# Objects are pushed by the names of branches, and the run has none.
_BRANCH = "codeforge-lfs"


class Lfs:
    def __init__(self, repository: GitRepository, url: str) -> None:
        self._repository = repository
        self._url = url

    async def check_out(self) -> None:
        """Raises `GitError`, also where there is no git-lfs."""
        await self._installed()
        # The repository's .lfsconfig may name any server, or a folder of the worker's: this wins over it.
        await self._repository.git("config", "lfs.url", _endpoint(self._url))
        # What was cloned without its history is on the server already.
        await self._repository.git("config", "lfs.allowincompletepush", "true")
        await self._repository.git("lfs", "install", "--local", "--skip-repo")
        await self._repository.git("lfs", "pull")

    async def push(self) -> None:
        """What the commit's pointers name, before the commit itself."""
        await self._repository.git("branch", "--force", _BRANCH, "HEAD")
        await self._repository.git("lfs", "push", "origin", _BRANCH)
        await self._repository.git("branch", "--delete", "--force", _BRANCH)

    async def _installed(self) -> None:
        try:
            await self._repository.git("lfs", "version")
        except GitError as error:
            raise GitError(
                "git-lfs is not there: use a worker image that has it, or leave workspace.git.lfs out"
            ) from error


def _endpoint(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        return url
    bare = url.rstrip("/")
    return (bare if bare.endswith(".git") else f"{bare}.git") + "/info/lfs"
