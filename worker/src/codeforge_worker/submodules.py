"""Checks out submodules, each with the rules and the credential of its own URL, before any agent has run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .credentials import Login
from .git import REMOTE, GitError, GitRepository
from .remote_url import is_cloned
from .settings import GitCredential

# A repository may contain itself: more submodules than these are an error.
MOST, DEEPEST = 100, 5
# A clone, its commit alone, and the whole history.
_CONNECTIONS = 3
_RELATIVE = ("./", "../")
_KEY = re.compile(r"submodule\.(.+)\.(path|url)", re.DOTALL)
_HOST = re.compile(r"([a-z]+://[^/]+|[^/:]+:)")


@dataclass(frozen=True)
class Submodule:
    name: str
    path: str
    url: str


class Submodules:
    """`environment` is git's without a credential; a credential in use is in `secrets`."""

    def __init__(
        self, depth: int, credentials: tuple[GitCredential, ...], environment: Mapping[str, str], secrets: Path
    ) -> None:
        self._depth = depth
        self._credentials = credentials
        self._environment = environment
        self._secrets = secrets
        self._left = MOST

    async def check_out(self, repository: GitRepository, url: str, level: int = 1) -> None:
        """The submodules of the checked-out commit, recursively. Raises `GitError`."""
        named = await _named(repository, url)
        self._left -= len(named)
        if self._left < 0 or (named and level > DEEPEST):
            raise GitError(f"there are more than {MOST} submodules, or they are more than {DEEPEST} levels deep")
        for submodule in named:
            if not is_inside(repository.directory, submodule.path):
                raise GitError(f"submodule {submodule.path} would lie outside of the workspace")
            if not is_cloned(submodule.url):
                raise GitError(f"submodule URL {submodule.url} is none that is cloned: use https, http, ssh or git")
            login = Login(self._credentials, submodule.url)
            # git then uses only a URL of the configuration: it would resolve a relative one by its own rules.
            await repository.git("config", f"submodule.{submodule.name}.url", login.url)
            await repository.git("config", f"submodule.{submodule.name}.active", "true")
            with login.lent(self._secrets, _CONNECTIONS) as variables:
                outer = GitRepository(repository.directory, {**self._environment, **variables}, protocols=REMOTE)
                await outer.git(
                    "submodule", "--quiet", "update", "--checkout", "--depth", str(self._depth), "--", submodule.path
                )
            inner = GitRepository(repository.directory / submodule.path, self._environment)
            await self.check_out(inner, submodule.url, level + 1)


async def _named(repository: GitRepository, url: str) -> list[Submodule]:
    """From the commit, not from the folder, where .gitmodules may be a link."""
    listed = await repository.fields("ls-tree", "-r", "-z", "HEAD")
    paths = {entry.partition("\t")[2] for entry in listed if entry.startswith("160000 ")}
    if not paths:
        return []
    read = await repository.fields("config", "--blob", "HEAD:.gitmodules", "--null", "--get-regexp", r"^submodule\.")
    told: dict[str, dict[str, str]] = {}
    for entry in read:
        key, _, value = entry.partition("\n")
        if match := _KEY.fullmatch(key):
            told.setdefault(match[1], {})[match[2]] = value
    found = [
        Submodule(name, entry["path"], resolved(url, entry["url"]))
        for name, entry in told.items()
        if entry.get("path") in paths and "url" in entry
    ]
    missing = sorted(paths - {submodule.path for submodule in found})
    if missing:
        raise GitError(f"submodule {missing[0]} has no URL in .gitmodules")
    return found


def resolved(url: str, submodule: str) -> str:
    """A relative URL is resolved against the repository's, on the same server."""
    if not submodule.startswith(_RELATIVE):
        return submodule
    host = _HOST.match(url)
    if host is None:
        raise GitError(f"submodule URL {submodule} is relative to {url}, which has no server")
    path = url[host.end() :].strip("/")
    joined = posixpath.normpath(posixpath.join(path, submodule))
    if joined.startswith(".."):
        raise GitError(f"submodule URL {submodule} leads out of the server of {url}")
    return host[0] + ("" if host[0].endswith(":") and "//" not in host[0] else "/") + joined


def is_inside(directory: Path, path: str) -> bool:
    return (directory / path).resolve().is_relative_to(directory.resolve())
