"""A task's files: cloned before the run, committed and pushed after it."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from . import credentials, wire
from .git import GitError, GitRepository
from .lfs import Lfs
from .outcome import Outcome, RunError, failure
from .remote_url import is_cloned
from .repository_cache import Mirror, mirrored
from .settings import GitCredential, Settings
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


# Tells a later delivery that the work was cut short: it is no success.
_FAILURE = "Codeforge-Failure: "
# How far below a head a task's own commits are looked for.
_DEPTH = 50


class GitWorkspace:
    """One run's clone. Trailers of the commit name task and attempt: a later delivery finds its own work by them.

    `message` is the `Origin` of a task from outside, whose id another message may bear as well; None for an AgentTask.
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
        self._scratch = scratch
        self._credential = credentials.match(settings.git_credentials, git.url)
        # Not in a folder that the agent may read.
        self._secrets = scratch.with_name("credentials")
        self._environment = self._environment_with(self._credential, "repository")
        self._repository = GitRepository(directory, self._environment)
        self._local = self._within_walls()
        self._far = str(max(_DEPTH, git.depth))
        self._lfs = Lfs(self._repository, git.url) if git.lfs else None
        # Where the task began, and where this run does.
        self._base = self._start = ""
        # The push branch's head, when it is this task's.
        self._lease = ""

    def _within_walls(self, *also: Path) -> GitRepository:
        """For what is done after the agent, whose settings of git are followed; `also` may be written to."""
        reach, directory = self._settings.reach, self._repository.directory
        walls = reach.walls_of_git(directory, self._scratch, *also) if reach else None
        return GitRepository(directory, self._settings.child_environment(self._scratch), walls)

    async def clone(self) -> Outcome | None:
        """Checks the start out; an outcome when an earlier run of this attempt has pushed already."""
        cache = self._settings.cache
        if not cache.is_dir():
            return await self._clone(None)
        # The rest of the run's time is the agent's.
        seconds = self._task.run_timeout_seconds / 4
        async with mirrored(cache, self._git.url, self._environment, seconds) as mirror:
            try:
                return await self._clone(mirror)
            except RunError as error:
                if mirror is None:
                    raise
                log.warning("task %s: cloned anew without the cache: %s", self._task.task_id, error)
            await asyncio.to_thread(_empty, self._repository.directory)
            self._lease = ""
            earlier = await self._clone(None)
            # What fails with it and works without it is broken.
            mirror.condemn()
            return earlier

    async def _clone(self, mirror: Mirror | None) -> Outcome | None:
        try:
            await self._repository.git("init", "--quiet")
            if mirror:
                mirror.lend(self._repository)
            earlier = await self._check_out()
            if mirror:
                # Of its own from now on: the mirror may be changed or removed at any time.
                await mirror.take_back(self._repository, self._base)
            if earlier is None:
                await self._complete()
            return earlier
        except GitError as error:
            raise self._explain("GitCloneFailed", f"{self._git.url} cannot be cloned", error) from error

    async def _complete(self) -> None:
        """What is asked for beside the repository's own files, as the start has it."""
        if self._lfs:
            await self._lfs.check_out()
        if self._git.submodules:
            submodules = Submodules(self._git.depth, self._environment_for)
            await submodules.check_out(self._repository, self._git.url)

    def _environment_for(self, url: str) -> Mapping[str, str]:
        """For a submodule. Its credential is in a folder of its own: there is one for each URL."""
        if not is_cloned(url):
            raise GitError(f"submodule URL {url} is none that is cloned: use https, http, ssh or git")
        credential = credentials.match(self._settings.git_credentials, url)
        return self._environment_with(credential, f"submodule-{len(list(self._secrets.iterdir()))}")

    def _environment_with(self, credential: GitCredential | None, name: str) -> dict[str, str]:
        place = self._secrets / name
        place.mkdir(mode=0o700, parents=True)
        return self._settings.child_environment(self._scratch) | credentials.environment(credential, place)

    async def _check_out(self) -> Outcome | None:
        await self._repository.git("remote", "add", "origin", self._git.url)
        ref = self._git.ref or "HEAD"
        await self._repository.git("checkout", "--quiet", "--detach", await self._fetch(ref))
        self._start = await self._repository.head()
        self._base = await self._beneath_own(ref)
        earlier = await self._earlier_run()
        if earlier is None and self._task.delivery_mode == "ResetThenRetry":
            # Whatever this task has left, on the push branch or on the ref itself, is not built upon.
            await self._repository.git("checkout", "--quiet", "--detach", self._base)
            self._start = self._base
        return earlier

    async def _fetch(self, ref: str) -> str:
        """What to check out for a branch, a tag or a commit."""
        try:
            await self._repository.git("fetch", "--quiet", "--depth", str(self._git.depth), "origin", ref)
            return "FETCH_HEAD"
        except GitError:
            if not _COMMIT.fullmatch(ref):
                raise
            # A server may refuse to hand out a bare commit, and knows no shortened one: fetch all, then look for it.
            await self._repository.git("fetch", "--quiet", "origin")
            return ref

    async def _beneath_own(self, ref: str) -> str:
        """Where the task began: a task that pushes to the branch it starts from finds its own commits on top."""
        if self._owner not in await self._trailers_of("HEAD"):
            return self._start
        await self._repository.git("fetch", "--quiet", "--depth", self._far, "origin", ref)
        below = (await self._repository.git("rev-list", "--first-parent", "HEAD")).splitlines()
        for commit in below:
            if self._owner not in await self._trailers_of(commit):
                return commit
        return below[-1]

    async def _trailers_of(self, commit: str) -> list[str]:
        shown = await self._repository.git("log", "-1", "--format=%(trailers:only,unfold)", commit)
        return shown.splitlines()

    async def _earlier_run(self) -> Outcome | None:
        push = self._git.push
        if push is None or not await self._repository.git("ls-remote", "origin", f"refs/heads/{push.branch}"):
            return None
        await self._repository.git("fetch", "--quiet", "--depth", self._far, "origin", f"refs/heads/{push.branch}")
        trailers = await self._trailers_of("FETCH_HEAD")
        if self._owner not in trailers:
            return None
        earlier = await self._repository.git("rev-parse", "FETCH_HEAD")
        self._lease = earlier
        # An earlier attempt's work is continued.
        await self._repository.git("checkout", "--quiet", "--detach", earlier)
        self._start = earlier
        if not all(trailer in trailers for trailer in self._trailers):
            return None
        failed = next((line[len(_FAILURE) :] for line in trailers if line.startswith(_FAILURE)), "")
        told = "an earlier run of this attempt had pushed its commit"
        found = Outcome.failed(failure(failed, f"{told} when it failed")) if failed else Outcome(summary=told)
        return _with_git(found, await self._files(self._base), wire.GitResult(self._base, push.branch, earlier, True))

    async def keep(self, outcome: Outcome) -> Outcome:
        """Commits what the agent left, pushes where asked, and adds both to the outcome."""
        try:
            commit = await self._commit(outcome)
        except GitError as error:
            raise RunError("InternalError", f"the agent's changes cannot be committed: {error}") from error
        if not commit:
            return _with_git(outcome, (), wire.GitResult(self._base))
        files = await self._files(self._base)
        push = self._git.push
        if push is None:
            return _with_git(outcome, files, wire.GitResult(self._base, "", commit, False))
        target = f"refs/heads/{push.branch}"
        # Only this task's own earlier commit is written over, and only while it is what was seen.
        reset = self._lease and self._task.delivery_mode == "ResetThenRetry"
        lease = [f"--force-with-lease={target}:{self._lease}"] if reset else []
        try:
            if self._lfs:
                await self._lfs.push()
            await self._repository.git("push", "--quiet", *lease, "origin", f"HEAD:{target}")
        except GitError as error:
            if not await self._stands(target, commit):
                raise self._explain("GitPushFailed", f"branch {push.branch} cannot be pushed", error) from error
        return _with_git(outcome, files, wire.GitResult(self._base, push.branch, commit, True))

    async def changes(self, patch: Path, diffstat: Path) -> bool:
        """Writes what the task has committed so far, binary files included; false when that is nothing.

        What the agent has made git run may write to the folders of both as well.
        """
        git = self._within_walls(patch.parent, diffstat.parent)
        try:
            if not self._base or await git.head() == self._base:
                return False
            plain = ("--no-ext-diff", "--no-textconv", "--no-color")
            span = (self._base, "HEAD")
            await git.git("diff", *plain, "--binary", f"--output={patch}", *span)
            await git.git("diff", *plain, "--stat", f"--output={diffstat}", *span)
        except GitError:
            return False
        return True

    async def _stands(self, target: str, commit: str) -> bool:
        """The push may have been done although its answer was lost: what is paid for must not be paid again."""
        try:
            return (await self._repository.git("ls-remote", "origin", target)).startswith(commit)
        except GitError:
            return False

    async def _commit(self, outcome: Outcome) -> str:
        failed = [f"{_FAILURE}{outcome.failure.type}"] if outcome.failure else []
        trailers = [argument for trailer in self._trailers + failed for argument in ("--trailer", trailer)]
        await self._local.git("add", "--all")
        # What an agent left uncommitted in a submodule is no change of the repository that is committed here.
        if await self._local.git("status", "--porcelain", "--ignore-submodules=dirty"):
            subject = self._task.title or self._task.prompt.strip().splitlines()[0][:72]
            await self._local.git("commit", "--quiet", "--message", subject, *trailers)
        elif await self._local.head() == self._start:
            return "" if self._start == self._base else self._start
        else:
            await self._local.git("commit", "--quiet", "--amend", "--no-edit", *trailers)
        return await self._local.head()

    async def _files(self, base: str) -> tuple[str, ...]:
        return tuple((await self._local.git("diff", "--name-only", base, "HEAD")).splitlines())

    def _explain(self, type: str, what: str, error: GitError) -> RunError:
        refused = any(sign in str(error) for sign in _REFUSED)
        if refused and self._credential is None:
            return RunError(
                "CredentialsMissing",
                f"{what}: the server wants credentials and no entry of the pool's git.credentials matches; {error}",
            )
        return RunError(type, f"{what}: {error}", refused=refused)


def _with_git(outcome: Outcome, files: tuple[str, ...], git: wire.GitResult) -> Outcome:
    return replace(outcome, files=files, git=git)


def _empty(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.mkdir()
