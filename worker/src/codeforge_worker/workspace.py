"""A task's files: cloned before the run, committed and pushed after it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path

from . import failed_work, wire
from .agents_repository import AgentsRepository
from .beginning import Begin, Beginning
from .branch import Branch
from .changes import Changes
from .credentials import Login
from .git import GitError, GitRepository
from .git_refusal import explained
from .lfs import Lfs
from .outcome import Outcome, RunError
from .own_commits import OwnCommits
from .quarantine import RESULT, Commit, Quarantine
from .remote_url import is_cloned
from .repository_cache import Mirror, is_there
from .settings import Settings
from .submodules import Submodules
from .working_tree import GRANTED, WorkingTree

log = logging.getLogger(__name__)

# How many of the left-out files are named.
_PROBLEMS = 20
# Pauses between tries of a push that the server may accept a little later: another attempt would be another run.
_PAUSES = (1.0, 3.0, 6.0)
_NONE = Commit("", "", "", ())
# The agent's own pushes.
_PUSHED = "refs/codeforge/pushed"


class GitWorkspace:
    """One run's repositories: the agent's, and the worker's quarantine between it and the server.

    `message` is the `Origin` of an outside task; None for an AgentTask.
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
        self._own = OwnCommits(task, message)
        self._git = git
        self._settings = settings
        self._login = Login(settings.git_credentials, git.url)
        self._quarantine = Quarantine(scratch.with_name("quarantine"), settings.child_environment(scratch), self._login)
        self._agents = AgentsRepository(directory, self._quarantine.environment)
        self._walls = settings.reach.walls_of_git(directory, scratch) if settings.reach else None
        folder = scratch.with_name("working-tree")
        objects = self._quarantine.local.directory
        granted = folder / GRANTED
        walls = settings.reach.walls_of_git(directory, granted, read=(objects, folder)) if settings.reach else None
        self._files = WorkingTree(directory, folder, self._quarantine.environment, walls, lfs=git.lfs)
        self._lfs = Lfs(self._quarantine) if git.lfs else None
        # The task's start, and this run's.
        self._base = self._start = _NONE
        push = git.push
        self._push_branch = Branch(self._quarantine, push.branch) if push else None
        # The branch for the work of a failed run.
        self._failed_branch = (
            Branch(self._quarantine, failed_work.branch_of(push, task.attempt))
            if push and push.on_failure == "Push"
            else None
        )
        # The push branch's head, if it belongs to this task.
        self._lease = ""
        self._beginning = Beginning(task, git, self._quarantine, self._login, self._own, self._failed_branch)
        # The result; None before the end.
        self._commit: str | None = None
        # The agent's HEAD, and its files as a commit; None and empty before they were read.
        self._head: Commit | None = None
        self._work = ""
        self._changes: Changes | None = None
        self._problems: list[str] = []

    async def clone(self) -> Outcome | None:
        """Checks the start out; an outcome if an earlier run of this attempt has pushed already."""
        cache = self._settings.cache
        # The rest of the run's time is the agent's.
        seconds = self._task.run_timeout_seconds / 4
        if not await is_there(cache, seconds):
            return await self._clone(None)
        async with self._quarantine.mirrored(cache, seconds) as mirror:
            try:
                return await self._clone(mirror)
            except RunError as error:
                if mirror is None:
                    raise
                log.warning("task %s: cloned anew without the cache: %s", self._task.task_id, error)
            await asyncio.to_thread(_empty, self._agents.directory, self._quarantine.local.directory)
            self._beginning = self._beginning.anew()
            earlier = await self._clone(None)
            # A mirror is broken if the clone fails with it and works without it.
            await mirror.condemn()
            return earlier

    async def _clone(self, mirror: Mirror | None) -> Outcome | None:
        try:
            await asyncio.to_thread(self._quarantine.make)
            if mirror:
                mirror.lend(self._quarantine.local)
            begin = await self._beginning.find()
            self._base, self._start, self._lease = begin.base, begin.start, begin.lease
            if mirror:
                # Independent from now on: the mirror may be changed or removed at any time.
                await mirror.take_back(self._quarantine.local, self._base.name)
            if begin.earlier is None:
                await self._check_out(begin)
                return None
            self._commit = begin.earlier.commit
            return await self._with_git(begin.earlier.outcome, begin.earlier.branch, pushed=True)
        except GitError as error:
            raise self._explain("GitCloneFailed", f"{self._login.url} cannot be cloned", error) from error

    async def _check_out(self, begin: Begin) -> None:
        """Creates the agent's repository with the start and the requested LFS files and submodules."""
        start = begin.start.name
        await self._agents.check_out(self._quarantine, start, self._git.depth, is_plain=begin.is_plain)
        await asyncio.to_thread(self._agents.configure, self._login.url, self._own.committer)
        if self._lfs:
            await self._lfs.check_out(self._agents.fresh, start)
        if self._git.submodules:
            submodules = Submodules(
                self._git.depth,
                self._settings.git_credentials,
                self._quarantine.environment,
                self._quarantine.folder,
            )
            await submodules.check_out(self._agents.fresh, self._git.url)
        await asyncio.to_thread(self._files.begin)

    async def keep(self, outcome: Outcome) -> Outcome:
        """Commits what a successful agent left, pushes it if requested, and adds both to the outcome."""
        try:
            self._commit = await self._kept()
        except GitError as error:
            raise RunError("InternalError", f"the agent's changes cannot be committed: {error}") from error
        branch = self._push_branch
        if self._commit and branch:
            await self._push(self._commit, branch)
        return await self._with_git(outcome, branch.name if branch else "", pushed=branch is not None)

    async def pushed(self, outcome: Outcome) -> Outcome | None:
        """The same outcome with the commit, if a push that was given up is on the branch nevertheless."""
        branch = self._push_branch
        if not self._commit or branch is None or not await branch.stands(self._commit):
            return None
        return await self._with_git(outcome, branch.name, pushed=True)

    async def keep_failed(self, outcome: Outcome, failed: wire.Failure) -> Outcome:
        """Pushes the agent's work to the branch of this failed attempt, if there is any.

        Raises `RunError` if it cannot be pushed.
        """
        branch = self._failed_branch
        if branch is None or not self._files.has_begun:
            return outcome
        trailers = self._own.trailers + failed_work.trailers_of(failed)
        try:
            if not self._work:
                await self._look(trailers)
            if self._work == self._start.name:
                return outcome
            commit = await self._quarantine.committed(trailers)
            there = await self._beginning.head_of(branch)
        except GitError as error:
            raise self._explain("GitPushFailed", f"branch {branch.name} cannot be pushed", error) from error
        # An outside task may have the id of an earlier one.
        if there and not self._own.has(there):
            raise RunError("GitPushFailed", f"branch {branch.name} is taken: delete it, or name another push.branch")
        await self._send(branch, commit, f"--force-with-lease={branch.ref}:{there.name if there else ''}")
        self._commit = commit
        return await self._with_git(outcome, branch.name, pushed=True)

    @property
    def pushes_failures(self) -> bool:
        return self._failed_branch is not None

    async def _push(self, commit: str, branch: Branch) -> None:
        # Only this task's own earlier commit is replaced, and only while it is the one that was seen.
        reset = self._lease and self._task.delivery_mode == "ResetThenRetry"
        lease = [f"--force-with-lease={branch.ref}:{self._lease}"] if reset else []
        try:
            await self._send(branch, commit, *lease)
        except RunError:
            if not await self._push_above_agents(branch):
                raise

    async def _send(self, branch: Branch, commit: str, *options: str) -> None:
        """Repeats a push that the server may accept a little later; a `RunError` has its words."""
        for pause in (*_PAUSES, 0.0):
            try:
                if self._lfs:
                    await self._lfs.push(self._agents.directory, self._files.local.directory, self._start.name)
                await branch.send(commit, *options)
                return
            except GitError as error:
                if await branch.stands(commit):
                    return
                refusal = self._explain("GitPushFailed", f"branch {branch.name} cannot be pushed", error)
                if not (refusal.failure.retryable and pause):
                    raise refusal from error
                log.warning("task %s: the push is tried again: %s", self._task.task_id, error)
                await asyncio.sleep(pause)

    async def _push_above_agents(self, branch: Branch) -> bool:
        """The agent may have pushed itself: its commits go below the worker's, and nothing is overwritten."""
        try:
            theirs = await branch.head()
            if not theirs or theirs in (self._lease, self._start.name):
                return False
            # The commit is in the agent's repository, so it is not someone else's.
            await self._quarantine.take(self._agents.directory, self._walls, theirs, _PUSHED)
            await self._quarantine.local.git("merge-base", "--is-ancestor", self._start.name, theirs)
            # The agent was at that commit, so its files are based on it.
            agents = GitRepository(self._agents.directory, self._quarantine.environment, self._walls)
            if theirs not in (await agents.git("rev-list", "--walk-reflogs", "HEAD")).split("\n"):
                return False
            result = await self._quarantine.commit(RESULT)
            commit = await self._quarantine.commit_tree(result.tree, [theirs], self._own.message(self._own.trailers))
        except GitError:
            return False
        # Before the push: one that is given up may be on the branch nevertheless.
        before, self._commit = self._commit, commit
        try:
            await branch.send(commit)
        except GitError:
            self._commit = before
            return False
        return True

    async def _kept(self) -> str:
        """A commit of the agent's work in the quarantine; empty if there is none."""
        trailers = self._own.trailers
        head = await self._look(trailers)
        if self._work != self._start.name:
            return await self._quarantine.committed(trailers) if self._work == head.name else self._work
        if self._start == self._base:
            return ""
        if self._own.is_signed(self._start):
            return self._start.name
        # A commit that an agent pushed itself has no trailers.
        return await self._quarantine.commit_tree(self._start.tree, [self._start.name], self._own.message(trailers))

    async def _look(self, trailers: list[str]) -> Commit:
        """Brings the agent's commits and current files into the quarantine; returns the agent's head."""
        head = await self._agents_head()
        try:
            message = self._own.message(trailers)
            self._work = await self._files.committed(self._quarantine, head, self._start, message)
        finally:
            # A second look leaves the same out again.
            left_out = dict.fromkeys(f"left out: {line}" for line in self._files.left_out)
            self._problems += [line for line in left_out if line not in self._problems]
        return head

    async def _agents_head(self) -> Commit:
        if await asyncio.to_thread(self._agents.is_at, self._start.name):
            return self._start
        try:
            await self._quarantine.take(self._agents.directory, self._walls)
            return await self._quarantine.commit(RESULT)
        except GitError as error:
            # The files are kept nevertheless.
            self._problems.append(f"the agent's own commits were left out, since its repository is broken: {error}")
            return self._start

    async def changes(self, patch: Path, diffstat: Path) -> bool:
        """Writes the task's changes so far, binary files included; false if there are none."""
        try:
            if self._commit is None and not self._work and self._files.has_begun:
                # Of a run that has failed.
                try:
                    await self._look([])
                except GitError as error:
                    self._problems.append(f"the work is in {patch.name} alone: {error}")
            changes = self._changed()
            if changes is None:
                return False
            try:
                return await changes.write(patch, diffstat)
            finally:
                self._problems += changes.problems
        except GitError as error:
            self._problems.append(f"{patch.name} was not kept: {error}")
            return False

    def _changed(self) -> Changes | None:
        """None if there are no changes."""
        end, git = self._commit or self._work, self._quarantine.local
        if not end and self._files.made:
            # The quarantine has refused it, so it is read where it was created.
            end, git = self._files.made, self._files.local
        if not end or end == self._base.name:
            return None
        if self._changes is None or self._changes.end != end:
            self._changes = Changes(git, self._base.name, end)
        return self._changes

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out of the work, by name, and why."""
        return tuple(self._problems[:_PROBLEMS])

    async def _with_git(self, outcome: Outcome, branch: str, *, pushed: bool) -> Outcome:
        if not self._commit:
            return replace(outcome, files=(), git=wire.GitResult(self._base.name))
        changes = self._changed()
        git = wire.GitResult(self._base.name, branch, self._commit, pushed)
        return replace(outcome, files=await changes.names() if changes else (), git=git)

    def _explain(self, type: str, what: str, error: GitError) -> RunError:
        return explained(type, what, error, self._login)


def _empty(*directories: Path) -> None:
    for directory in directories:
        shutil.rmtree(directory)
        directory.mkdir()
