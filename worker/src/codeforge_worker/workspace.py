"""A task's files: cloned before the run, committed and pushed after it."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path

from . import wire
from .credentials import Login
from .git import LOCAL, GitError, GitRepository
from .lfs import Lfs
from .outcome import Outcome, RunError, failure
from .quarantine import RESULT, Quarantine
from .remote_url import is_cloned
from .repository_cache import Mirror
from .settings import Settings
from .submodules import Submodules

log = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_REFUSED = (
    "could not read Username",
    "could not read Password",
    "Authentication failed",
    "Permission denied",
    "returned error: 401",
    "returned error: 403",
)
# A redirection is not followed.
_MOVED = "returned error: 30"
# Tells a later delivery that the work was cut short: it is no success.
_FAILURE = "Codeforge-Failure: "
# How far below a head a task's own commits are looked for.
_DEPTH = 50
# What the task begins from, and what it has left on its push branch, in the quarantine.
_START, _EARLIER = "refs/codeforge/start", "refs/codeforge/earlier"


class GitWorkspace:
    """One run's repository: the agent's, and the worker's quarantine between that and the server.

    Trailers of the commit name task and attempt: a later delivery finds its own work by them. `message` is the
    `Origin` of a task from outside, whose id another message may bear as well; None for an AgentTask.
    """

    def __init__(
        self,
        settings: Settings,
        task: wire.Task,
        message: wire.Origin | None,
        git: wire.Git,
        directory: Path,
        scratch: Path,
    ) -> None:
        if not is_cloned(git.url) or git.ref.startswith("-") or (git.push and git.push.branch.startswith("-")):
            raise RunError(
                "GitCloneFailed", f"{git.url} is no URL that is cloned: use https, http, ssh or git", refused=True
            )
        self._task = task
        self._owner = f"Codeforge-Task: {task.task_id}"
        self._trailers = [self._owner, f"Codeforge-Attempt: {task.attempt}"]
        if message:
            self._trailers.append(f"Codeforge-Message: {message.stream}/{message.sequence}")
        self._git = git
        self._settings = settings
        self._login = Login(settings.git_credentials, git.url)
        self._quarantine = Quarantine(scratch.with_name("quarantine"), settings.child_environment(scratch), self._login)
        # What is done before the agent, and then over what it has left, whose settings of git are followed.
        self._fresh = GitRepository(directory, self._quarantine.environment, protocols=LOCAL)
        self._walls = settings.reach.walls_of_git(directory, scratch) if settings.reach else None
        self._left = GitRepository(directory, settings.child_environment(scratch), self._walls)
        self._far = str(max(_DEPTH, git.depth))
        self._lfs = Lfs(self._quarantine) if git.lfs else None
        # Where the task began, and where this run does.
        self._base = self._start = ""
        # The push branch's head, when it is this task's.
        self._lease = ""
        # What is told of; None before the end.
        self._commit: str | None = None

    async def clone(self) -> Outcome | None:
        """Checks the start out; an outcome when an earlier run of this attempt has pushed already."""
        cache = self._settings.cache
        if not cache.is_dir():
            return await self._clone(None)
        # The rest of the run's time is the agent's.
        seconds = self._task.run_timeout_seconds / 4
        async with self._quarantine.mirrored(cache, seconds) as mirror:
            try:
                return await self._clone(mirror)
            except RunError as error:
                if mirror is None:
                    raise
                log.warning("task %s: cloned anew without the cache: %s", self._task.task_id, error)
            await asyncio.to_thread(_empty, self._fresh.directory, self._quarantine.local.directory)
            self._lease = ""
            earlier = await self._clone(None)
            # What fails with it and works without it is broken.
            mirror.condemn()
            return earlier

    async def _clone(self, mirror: Mirror | None) -> Outcome | None:
        try:
            await self._quarantine.make()
            if mirror:
                mirror.lend(self._quarantine.local)
            earlier = await self._find()
            if mirror:
                # Of its own from now on: the mirror may be changed or removed at any time.
                await mirror.take_back(self._quarantine.local, self._base)
            if earlier is None:
                await self._check_out()
            return earlier
        except GitError as error:
            raise self._explain("GitCloneFailed", f"{self._login.url} cannot be cloned", error) from error

    async def _find(self) -> Outcome | None:
        """Where the run begins; an outcome when an earlier run of this attempt has pushed already."""
        ref = self._git.ref or "HEAD"
        await self._fetch(ref)
        start = await self._quarantine.commit(_START)
        self._start = start.name
        self._base = await self._beneath_own(ref) if self._owner in start.trailers else start.name
        earlier = await self._earlier_run()
        if earlier is None and self._task.delivery_mode == "ResetThenRetry":
            # Whatever this task has left, on the push branch or on the ref itself, is not built upon.
            self._start = self._base
        return earlier

    async def _check_out(self) -> None:
        """Gives the agent a repository with the start, and with what is asked for beside its own files."""
        git = self._fresh.git
        await git("init", "--quiet")
        await git("remote", "add", "origin", self._login.url)
        source, depth = f"file://{self._quarantine.local.directory}", str(self._git.depth)
        await git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth", depth, source, self._start)
        await git("checkout", "--quiet", "--detach", self._start)
        if self._lfs:
            await self._lfs.check_out(self._fresh, self._start)
        if self._git.submodules:
            submodules = Submodules(
                self._git.depth,
                self._settings.git_credentials,
                self._quarantine.environment,
                self._quarantine.folder,
            )
            await submodules.check_out(self._fresh, self._git.url)

    async def _fetch(self, ref: str) -> None:
        """Brings a branch, a tag or a commit into the quarantine as the start."""
        try:
            await self._fetch_shallow(f"+{ref}:{_START}", str(self._git.depth))
        except GitError:
            if not _COMMIT.fullmatch(ref):
                raise
            # A server may refuse to hand out a bare commit, and knows no shortened one: fetch all, then look for it.
            await self._quarantine.remote(
                "fetch", "--quiet", "--no-write-fetch-head", self._login.url, "+refs/heads/*:refs/remotes/all/*",
                "+refs/tags/*:refs/tags/*",
            )  # fmt: skip
            await self._quarantine.local.git("update-ref", _START, ref)

    async def _fetch_shallow(self, what: str, depth: str) -> None:
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--depth", depth)
        await self._quarantine.remote("fetch", *options, self._login.url, what)

    async def _beneath_own(self, ref: str) -> str:
        """Where the task began: a task that pushes to the branch it starts from finds its own commits on top."""
        await self._fetch_shallow(ref, self._far)
        below = (await self._quarantine.local.git("rev-list", "--first-parent", self._start)).splitlines()
        for commit in below:
            if self._owner not in (await self._quarantine.commit(commit)).trailers:
                return commit
        return below[-1]

    async def _earlier_run(self) -> Outcome | None:
        push = self._git.push
        if push is None:
            return None
        head = f"refs/heads/{push.branch}"
        if not await self._quarantine.remote("ls-remote", self._login.url, head):
            return None
        await self._fetch_shallow(f"+{head}:{_EARLIER}", self._far)
        earlier = await self._quarantine.commit(_EARLIER)
        if self._owner not in earlier.trailers:
            return None
        # An earlier attempt's work is continued.
        self._lease = self._start = earlier.name
        if not all(trailer in earlier.trailers for trailer in self._trailers):
            return None
        failed = next((line[len(_FAILURE) :] for line in earlier.trailers if line.startswith(_FAILURE)), "")
        told = "an earlier run of this attempt had pushed its commit"
        found = Outcome.failed(failure(failed, f"{told} when it failed")) if failed else Outcome(summary=told)
        self._commit = earlier.name
        return await self._with_git(found, pushed=True)

    async def keep(self, outcome: Outcome) -> Outcome:
        """Commits what the agent left, pushes where asked, and adds both to the outcome."""
        try:
            self._commit = await self._kept(outcome)
        except GitError as error:
            raise RunError("InternalError", f"the agent's changes cannot be committed: {error}") from error
        if self._commit and self._git.push:
            await self._push(self._commit, self._git.push)
        return await self._with_git(outcome, pushed=self._git.push is not None)

    async def _push(self, commit: str, push: wire.Push) -> None:
        target = f"refs/heads/{push.branch}"
        # Only this task's own earlier commit is written over, and only while it is what was seen.
        reset = self._lease and self._task.delivery_mode == "ResetThenRetry"
        lease = [f"--force-with-lease={target}:{self._lease}"] if reset else []
        try:
            if self._lfs:
                await self._lfs.push(self._left.directory, self._start)
            await self._quarantine.remote(
                "push", "--quiet", "--no-verify", *lease, self._login.url, f"{commit}:{target}"
            )
        except GitError as error:
            if not await self._stands(target, commit):
                raise self._explain("GitPushFailed", f"branch {push.branch} cannot be pushed", error) from error

    async def _stands(self, target: str, commit: str) -> bool:
        """The push may have been done although its answer was lost: what is paid for must not be paid again."""
        try:
            return (await self._quarantine.remote("ls-remote", self._login.url, target)).startswith(commit)
        except GitError:
            return False

    async def _kept(self, outcome: Outcome) -> str:
        """A commit of what the agent left, in the quarantine; empty when that is nothing."""
        failed = [f"{_FAILURE}{outcome.failure.type}"] if outcome.failure else []
        subject = ""
        await self._left.git("add", "--all")
        # What an agent left uncommitted in a submodule is no change of the repository that is committed here.
        if await self._left.git("status", "--porcelain", "--ignore-submodules=dirty"):
            subject = self._task.title or self._task.prompt.strip().splitlines()[0][:72]
            await self._left.git("commit", "--quiet", "--no-verify", "--message", "Of the agent")
        elif await self._left.head() == self._start:
            return "" if self._start == self._base else self._start
        await self._quarantine.take(self._left.directory, self._walls)
        return await self._quarantine.committed(subject, self._trailers + failed)

    async def changes(self, patch: Path, diffstat: Path) -> bool:
        """Writes what the task has committed so far, binary files included; false when that is nothing."""
        git = self._quarantine.local.git
        try:
            if self._base and self._commit is None:
                # Of a run that has failed.
                await self._quarantine.take(self._left.directory, self._walls)
                self._commit = (await self._quarantine.commit(RESULT)).name
            if not self._commit or self._commit == self._base:
                return False
            span = (self._base, self._commit)
            await git("diff", "--no-color", "--binary", f"--output={patch}", *span)
            await git("diff", "--no-color", "--stat", f"--output={diffstat}", *span)
        except GitError:
            return False
        return True

    async def _with_git(self, outcome: Outcome, *, pushed: bool) -> Outcome:
        if not self._commit:
            return replace(outcome, files=(), git=wire.GitResult(self._base))
        named = await self._quarantine.local.git("diff", "--name-only", self._base, self._commit)
        branch = self._git.push.branch if self._git.push else ""
        git = wire.GitResult(self._base, branch, self._commit, pushed)
        return replace(outcome, files=tuple(named.splitlines()), git=git)

    def _explain(self, type: str, what: str, error: GitError) -> RunError:
        refused = any(sign in str(error) for sign in _REFUSED)
        if refused and self._login.is_empty:
            return RunError(
                "CredentialsMissing",
                f"{what}: the server wants credentials and no entry of the pool's git.credentials matches; {error}",
            )
        moved = "; the server redirects: give the URL that it leads to" if _MOVED in str(error) else ""
        return RunError(type, f"{what}: {error}{moved}", refused=refused)


def _empty(*directories: Path) -> None:
    for directory in directories:
        shutil.rmtree(directory)
        directory.mkdir()
