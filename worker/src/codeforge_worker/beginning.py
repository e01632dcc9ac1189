"""Where a run starts: at the task's ref, or at what an earlier run of the task has left on a branch."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from . import failed_work, wire
from .branch import Branch
from .credentials import Login
from .git import GitError
from .git_refusal import explained
from .outcome import Outcome, RunError
from .own_commits import OwnCommits
from .quarantine import Commit, Quarantine

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
# How many commits below a head are searched for the task's own.
_DEPTH = 50
# Names that git accepts in any case.
_PLAIN = re.compile(r"\w+([-/]\w+)*", re.ASCII)
# In git's own words.
_ALL = "2147483647"
# Refs in the quarantine: the task's start, and what it has left on its push branch.
_START, _EARLIER = "refs/codeforge/start", "refs/codeforge/earlier"


@dataclass(frozen=True)
class Earlier:
    """What an earlier run of this attempt has pushed: the outcome of this run."""

    commit: str
    branch: str
    outcome: Outcome


@dataclass(frozen=True)
class Begin:
    """`base` is the task's start, `start` this run's, `lease` the push branch's head if it belongs to the task.

    `is_plain`: the quarantine has the start at the requested depth and nothing else.
    """

    base: Commit
    start: Commit
    lease: str
    is_plain: bool
    earlier: Earlier | None = None


class Beginning:
    """Finds the start of one run. Fetched objects go to the quarantine."""

    def __init__(
        self,
        task: wire.Task,
        git: wire.Git,
        quarantine: Quarantine,
        login: Login,
        own: OwnCommits,
        failed: Branch | None,
    ) -> None:
        """`failed` is the branch for what a failed run of this attempt has done."""
        self._task = task
        self._git = git
        self._push = git.push
        self._quarantine = quarantine
        self._login = login
        self._own = own
        self._failed = failed
        self._far = str(max(_DEPTH, git.depth))
        self._fetched = 0
        self._start = self._base = Commit("", "", "", ())
        self._lease = ""

    def anew(self) -> Beginning:
        """The same for a quarantine that was emptied."""
        return Beginning(self._task, self._git, self._quarantine, self._login, self._own, self._failed)

    async def find(self) -> Begin:
        """Raises `GitError`, and `RunError` where the branch cannot be pushed to."""
        ref = self._git.ref or "HEAD"
        await self._check_name()
        # Neither needs the other.
        fetched, heads = await asyncio.gather(self._fetch(ref), self._heads(), return_exceptions=True)
        if isinstance(fetched, BaseException) and (self._git.ref or not await self._is_empty(fetched)):
            raise fetched
        if isinstance(heads, BaseException):
            raise heads
        start = self._start = await self._quarantine.commit(_START)
        self._base = await self._beneath_own(ref) if self._own.has(start) else start
        earlier = await self._earlier_failure(heads) or await self._earlier_run(heads)
        if earlier is None:
            await self._try_push()
        if earlier is None and self._task.delivery_mode == "ResetThenRetry":
            # ResetThenRetry starts over: nothing that this task has left is used.
            self._start = self._base
        is_plain = self._fetched == 1 and self._start == start
        return Begin(self._base, self._start, self._lease, is_plain, earlier)

    async def head_of(self, branch: Branch) -> Commit | None:
        return await self._earlier_at(branch.ref) if await branch.head() else None

    async def _earlier_at(self, ref: str) -> Commit:
        await self._fetch_shallow(f"+{ref}:{_EARLIER}", self._far)
        return await self._quarantine.commit(_EARLIER)

    async def _check_name(self) -> None:
        """Reports a branch name that git refuses before the agent costs anything."""
        if self._push is None or _PLAIN.fullmatch(self._push.branch):
            return
        branch = self._push.branch
        try:
            await self._quarantine.local.git("check-ref-format", f"refs/heads/{branch}")
        except GitError as error:
            raise RunError(
                "GitPushFailed",
                f"branch {branch} cannot be pushed: git takes no such name; correct push.branch",
                refused=True,
            ) from error

    async def _is_empty(self, error: BaseException) -> bool:
        """Whether the server has no commit at all: the start is then an empty one, the same for each delivery."""
        if not isinstance(error, GitError) or await self._quarantine.remote("ls-remote", self._login.url):
            return False
        local = self._quarantine.local.git
        tree = await local("mktree")
        dates = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
        start = await local("commit-tree", tree, "-m", "Begin an empty repository", **dates)
        await local("update-ref", _START, start)
        return True

    async def _try_push(self) -> None:
        """Whether the branch can be pushed, checked before the agent costs anything; the server is not changed."""
        if self._push is None:
            return
        target = f"refs/heads/{self._push.branch}"
        try:
            await self._quarantine.remote(
                "push", "--porcelain", "--no-verify", "--dry-run", self._login.url, f"+{self._start.name}:{target}"
            )
        except GitError as error:
            what = f"branch {self._push.branch} cannot be pushed"
            raise explained("GitPushFailed", what, error, self._login) from error

    async def _fetch(self, ref: str) -> None:
        """Fetches a branch, a tag or a commit into the quarantine as the start."""
        try:
            await self._fetch_shallow(f"+{ref}:{_START}", str(self._git.depth))
        except GitError:
            if not _COMMIT.fullmatch(ref):
                raise
            # A server may refuse to hand out a bare commit, and knows no shortened one: fetch all, then look for it.
            self._fetched += 1
            await self._quarantine.remote(
                "fetch", "--quiet", "--no-write-fetch-head", self._login.url, "+refs/heads/*:refs/remotes/all/*",
                "+refs/tags/*:refs/tags/*",
            )  # fmt: skip
            await self._quarantine.local.git("update-ref", _START, ref)

    async def _fetch_shallow(self, what: str, depth: str) -> None:
        # The quarantine lasts as long as the run: nothing of it needs to be kept tidy.
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--depth", depth)
        self._fetched += 1
        await self._quarantine.remote("fetch", *options, self._login.url, what)

    async def _beneath_own(self, ref: str) -> Commit:
        """The task's own start: a task that pushes to its starting branch finds its own commits on top of it."""
        await self._fetch_shallow(ref, self._far)
        listed = (await self._quarantine.local.git("rev-list", "--first-parent", self._start.name)).split("\n")
        below = self._start
        for name in listed[1:]:
            below = await self._quarantine.commit(name)
            if not self._own.has(below):
                break
        return below

    async def _heads(self) -> dict[str, str]:
        """Heads of branches: those that the task may push to, and those that would block the push."""
        if self._push is None:
            return {}
        head = f"refs/heads/{self._push.branch}"
        failed = [self._failed.ref] if self._failed else []
        told = await self._quarantine.remote(
            "ls-remote", self._login.url, head, f"{head}/*", *self._above(head), *failed
        )
        listed = (line.partition("\t") for line in told.split("\n") if line)
        return {name: commit for commit, _, name in listed}

    def _above(self, head: str) -> list[str]:
        return [head.rsplit("/", count)[0] for count in range(1, head.count("/") - 1)]

    async def _earlier_run(self, heads: dict[str, str]) -> Earlier | None:
        push = self._push
        if push is None:
            return None
        head = f"refs/heads/{push.branch}"
        blocking = [name for name in heads if name in self._above(head) or name.startswith(f"{head}/")]
        if blocking:
            other = blocking[0].removeprefix("refs/heads/")
            raise RunError(
                "GitPushFailed",
                f"branch {push.branch} cannot be pushed: there is {other}, and one name may not continue the other; "
                "give push.branch another name",
                refused=True,
            )
        if head not in heads:
            return None
        earlier = await self._earlier_at(head)
        if not self._own.has(earlier):
            if not await self._is_beneath_start(earlier.name):
                raise RunError(
                    "GitPushFailed",
                    f"branch {push.branch} cannot be pushed: it is taken. Its head {earlier.name[:12]} is neither "
                    "of this task nor part of what it starts from; give push.branch another name, or delete the branch",
                    refused=True,
                )
            return None
        # An earlier attempt's work is continued.
        self._lease, self._start = earlier.name, earlier
        return self._outcome_of(earlier, push.branch)

    async def _earlier_failure(self, heads: dict[str, str]) -> Earlier | None:
        """What a run of this attempt had pushed when it failed and was lost before it could report."""
        branch = self._failed
        if branch is None or branch.ref not in heads:
            return None
        return self._outcome_of(await self._earlier_at(branch.ref), branch.name)

    def _outcome_of(self, earlier: Commit, branch: str) -> Earlier | None:
        """None where the commit is not of this attempt."""
        if not self._own.is_of_attempt(earlier):
            return None
        told = "an earlier run of this attempt had pushed its commit"
        failed = failed_work.failure_in(earlier.trailers, f"{told} when it failed")
        outcome = Outcome.failed(failed) if failed else Outcome(summary=told)
        return Earlier(earlier.name, branch, outcome)

    async def _is_beneath_start(self, commit: str) -> bool:
        """A branch that the start continues can be pushed. Fetches all history if fifty commits do not decide."""
        for depth in (self._far, _ALL):
            if commit == self._start.name:
                return True
            try:
                await self._fetch_shallow(self._git.ref or "HEAD", depth)
                await self._quarantine.local.git("merge-base", "--is-ancestor", commit, self._start.name)
            except GitError:
                continue
            return True
        return False
