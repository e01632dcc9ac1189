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
from .git_refusal import is_final, words
from .lfs import Lfs
from .outcome import Outcome, RunError, failure
from .quarantine import RESULT, Quarantine
from .remote_url import is_cloned
from .repository_cache import Mirror
from .settings import Settings
from .submodules import Submodules
from .working_tree import WorkingTree

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
# What is told of what was left out.
_PROBLEMS = 20
# As git says it.
_ALL = "2147483647"
# What the task begins from, and what it has left on its push branch, in the quarantine.
_START, _EARLIER = "refs/codeforge/start", "refs/codeforge/earlier"
# What the agent has pushed itself.
_PUSHED = "refs/codeforge/pushed"


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
        # What is done before the agent.
        self._fresh = GitRepository(directory, self._quarantine.environment, protocols=LOCAL)
        self._walls = settings.reach.walls_of_git(directory, scratch) if settings.reach else None
        folder = scratch.with_name("working-tree")
        objects = self._quarantine.local.directory
        walls = settings.reach.walls_of_git(directory, folder, read=(objects,)) if settings.reach else None
        self._files = WorkingTree(directory, folder, self._quarantine.environment, walls, lfs=git.lfs)
        self._far = str(max(_DEPTH, git.depth))
        self._lfs = Lfs(self._quarantine) if git.lfs else None
        # Where the task began, and where this run does.
        self._base = self._start = ""
        # The push branch's head, when it is this task's.
        self._lease = ""
        # What is told of; None before the end.
        self._commit: str | None = None
        # What the agent left, as a commit; empty before it is looked at.
        self._work = ""
        # Of the worker's own commit; empty where the agent's message is kept.
        self._subject = ""
        self._problems: list[str] = []

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
        await self._check_name()
        try:
            await self._fetch(ref)
        except GitError:
            if self._git.ref or not await self._is_empty():
                raise
        start = await self._quarantine.commit(_START)
        self._start = start.name
        self._base = await self._beneath_own(ref) if self._owner in start.trailers else start.name
        earlier = await self._earlier_run()
        if earlier is None:
            await self._try_push()
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
        await asyncio.to_thread(self._files.begin)

    async def _check_name(self) -> None:
        """A branch that git does not take is known before the agent costs anything."""
        if self._git.push is None:
            return
        branch = self._git.push.branch
        try:
            await self._quarantine.local.git("check-ref-format", f"refs/heads/{branch}")
        except GitError as error:
            raise RunError(
                "GitPushFailed",
                f"branch {branch} cannot be pushed: git takes no such name; correct push.branch",
                refused=True,
            ) from error

    async def _is_empty(self) -> bool:
        """Whether the server has no commit at all: the start is an empty one then, the same for each delivery."""
        if await self._quarantine.remote("ls-remote", self._login.url):
            return False
        local = self._quarantine.local.git
        tree = await local("mktree")
        dates = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
        start = await local("commit-tree", tree, "-m", "Begin an empty repository", **dates)
        await local("update-ref", _START, start)
        return True

    async def _try_push(self) -> None:
        """Whether the branch can be pushed, asked before the agent costs anything; nothing is changed."""
        if self._git.push is None:
            return
        target = f"refs/heads/{self._git.push.branch}"
        try:
            await self._quarantine.remote(
                "push", "--porcelain", "--no-verify", "--dry-run", self._login.url, f"+{self._start}:{target}"
            )
        except GitError as error:
            raise self._explain("GitPushFailed", f"branch {self._git.push.branch} cannot be pushed", error) from error

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
        above = [head.rsplit("/", count)[0] for count in range(1, push.branch.count("/") + 1)]
        told = await self._quarantine.remote("ls-remote", self._login.url, head, f"{head}/*", *above)
        there = [name for line in told.splitlines() if (name := line.partition("\t")[2])]
        blocking = [name for name in there if name in above or name.startswith(f"{head}/")]
        if blocking:
            other = blocking[0].removeprefix("refs/heads/")
            raise RunError(
                "GitPushFailed",
                f"branch {push.branch} cannot be pushed: there is {other}, and one name may not continue the other; "
                "give push.branch another name",
                refused=True,
            )
        if head not in there:
            return None
        await self._fetch_shallow(f"+{head}:{_EARLIER}", self._far)
        earlier = await self._quarantine.commit(_EARLIER)
        if self._owner not in earlier.trailers:
            if not await self._is_beneath_start(earlier.name):
                raise RunError(
                    "GitPushFailed",
                    f"branch {push.branch} cannot be pushed: it is taken. Its head {earlier.name[:12]} is neither "
                    "of this task nor part of what it starts from; give push.branch another name, or delete the branch",
                    refused=True,
                )
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

    async def _is_beneath_start(self, commit: str) -> bool:
        """A branch that the start continues can be pushed. All history is fetched where fifty commits do not say."""
        for depth in (self._far, _ALL):
            if commit == self._start:
                return True
            try:
                await self._fetch_shallow(self._git.ref or "HEAD", depth)
                await self._quarantine.local.git("merge-base", "--is-ancestor", commit, self._start)
            except GitError:
                continue
            return True
        return False

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
                await self._lfs.push(self._fresh.directory, self._files.local.directory, self._start)
            await self._send(commit, target, *lease)
        except GitError as error:
            if await self._stands(target, commit):
                return
            refusal = self._explain("GitPushFailed", f"branch {push.branch} cannot be pushed", error)
            if not await self._push_above_agents(target):
                raise refusal from error

    async def _send(self, commit: str, target: str, *options: str) -> None:
        await self._quarantine.remote(
            "push", "--porcelain", "--no-verify", *options, self._login.url, f"{commit}:{target}"
        )

    async def _push_above_agents(self, target: str) -> bool:
        """The agent may have pushed itself: what is its own goes beneath, and nothing is written over."""
        try:
            told = await self._quarantine.remote("ls-remote", self._login.url, target)
            theirs = told.partition("\t")[0]
            if self._lease or not theirs or theirs == self._start:
                return False
            # That the agent's repository has it tells it from a stranger's.
            await self._quarantine.take(self._fresh.directory, self._walls, f"+{theirs}:{_PUSHED}")
            await self._quarantine.local.git("merge-base", "--is-ancestor", self._start, theirs)
            # It has been at that commit, so that its files were made of that one's.
            agents = GitRepository(self._fresh.directory, self._quarantine.environment, self._walls)
            if theirs not in (await agents.git("rev-list", "--walk-reflogs", "HEAD")).splitlines():
                return False
            commit = await self._quarantine.committed(self._subject, self._trailers, above=theirs)
            await self._send(commit, target)
        except GitError:
            return False
        self._commit = commit
        return True

    async def _stands(self, target: str, commit: str) -> bool:
        """The push may have been done although its answer was lost: what is paid for must not be paid again."""
        try:
            return (await self._quarantine.remote("ls-remote", self._login.url, target)).startswith(commit)
        except GitError:
            return False

    async def _kept(self, outcome: Outcome) -> str:
        """A commit of what the agent left, in the quarantine; empty when that is nothing."""
        failed = [f"{_FAILURE}{outcome.failure.type}"] if outcome.failure else []
        head = await self._look()
        if self._work == self._start:
            return "" if self._start == self._base else self._start
        own = self._work == head
        self._subject = "" if own else self._title()
        return await self._quarantine.committed(self._subject, self._trailers + failed)

    def _title(self) -> str:
        """In one line with a letter or a digit: a divider, or nothing, is no title."""
        title, prompt = self._task.title.splitlines(), self._task.prompt.splitlines()
        for text in (*title, *(line.strip()[:72] for line in prompt)):
            if any(letter.isalnum() for letter in text):
                return " ".join(text.split())
        return "Work of an agent"

    async def _look(self) -> str:
        """Brings the agent's commits and the files as they are into the quarantine; returns the agent's head."""
        try:
            await self._quarantine.take(self._fresh.directory, self._walls)
            head = (await self._quarantine.commit(RESULT)).name
        except GitError as error:
            # Its files are kept all the same.
            self._problems.append(f"the agent's own commits were left out, since its repository is broken: {error}")
            await self._quarantine.local.git("update-ref", RESULT, self._start)
            head = self._start
        try:
            self._work = await self._files.committed(self._quarantine, head, self._start)
        finally:
            self._problems += [f"left out: {line}" for line in self._files.left_out]
        return head

    async def changes(self, patch: Path, diffstat: Path) -> bool:
        """Writes what the task has changed so far, binary files included; false when that is nothing."""
        git = self._quarantine.local.git
        try:
            if self._commit is None and not self._work and self._files.has_begun:
                # Of a run that has failed.
                try:
                    await self._look()
                except GitError as error:
                    self._problems.append(f"the work is in {patch.name} alone: {error}")
            end = self._commit or self._work
            if not end and self._files.made:
                # The quarantine has refused it: it is read where it was made.
                end, git = self._files.made, self._files.local.git
            if not end or end == self._base:
                return False
            span = (self._base, end)
            await git("diff", "--no-color", "--binary", f"--output={patch}", *span)
            await git("diff", "--no-color", "--stat", f"--output={diffstat}", *span)
        except GitError as error:
            self._problems.append(f"{patch.name} was not kept: {error}")
            return False
        return (await asyncio.to_thread(patch.stat)).st_size > 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out of the work, by name, and why."""
        return tuple(self._problems[:_PROBLEMS])

    async def _with_git(self, outcome: Outcome, *, pushed: bool) -> Outcome:
        if not self._commit:
            return replace(outcome, files=(), git=wire.GitResult(self._base))
        named = await self._quarantine.local.git("diff", "--name-only", self._base, self._commit)
        branch = self._git.push.branch if self._git.push else ""
        git = wire.GitResult(self._base, branch, self._commit, pushed)
        return replace(outcome, files=tuple(named.splitlines()), git=git)

    def _explain(self, type: str, what: str, error: GitError) -> RunError:
        said = words(error.lines) or str(error)
        refused = any(sign in said for sign in _REFUSED)
        if refused and self._login.is_empty:
            return RunError(
                "CredentialsMissing",
                f"{what}: the server wants credentials and no entry of the pool's git.credentials matches; {said}",
            )
        moved = "; the server redirects: give the URL that it leads to" if _MOVED in said else ""
        hint = "; the worker reads repositories of SHA-1 alone" if "mismatched algorithms" in said else ""
        return RunError(type, f"{what}: {said}{moved}{hint}", refused=refused or is_final(error.lines))


def _empty(*directories: Path) -> None:
    for directory in directories:
        shutil.rmtree(directory)
        directory.mkdir()
