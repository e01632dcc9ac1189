"""A task's files: cloned before the run, committed and pushed after it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

from . import failed_work, plain, wire
from .branch import Branch
from .changes import Changes
from .credentials import Login
from .git import LOCAL, GitError, GitRepository
from .git_refusal import explained
from .lfs import Lfs
from .no_link import opened
from .outcome import Outcome, RunError
from .quarantine import RESULT, Commit, Quarantine, with_trailers
from .remote_url import is_cloned
from .repository_cache import Mirror
from .settings import Settings
from .submodules import Submodules
from .working_tree import WorkingTree

log = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
# How far below a head a task's own commits are looked for.
_DEPTH = 50
# What is told of what was left out.
_PROBLEMS = 20
# Names that git takes for sure.
_PLAIN = re.compile(r"\w+([-/]\w+)*", re.ASCII)
# Between tries of a push that a server, or the way to it, may take a little later: another attempt is another run.
_PAUSES = (1.0, 3.0, 6.0)
_NONE = Commit("", "", "", ())
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
        # Of what the agent commits itself, and may push itself.
        self._committer = f"codeforge+{task.task_id}@localhost"
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
        self._base = self._start = _NONE
        push = git.push
        self._push_branch = Branch(self._quarantine, push.branch) if push else None
        # Where what a failed run has done is pushed to.
        self._failed_branch = (
            Branch(self._quarantine, failed_work.branch_of(push, task.attempt))
            if push and push.on_failure == "Push"
            else None
        )
        # The push branch's head, when it is this task's.
        self._lease = ""
        # What is told of; None before the end.
        self._commit: str | None = None
        # What the agent is at, and what it left, as a commit; None and empty before it is looked at.
        self._head: Commit | None = None
        self._work = ""
        self._changes: Changes | None = None
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
            await asyncio.to_thread(self._quarantine.make)
            if mirror:
                mirror.lend(self._quarantine.local)
            earlier = await self._find()
            if mirror:
                # Of its own from now on: the mirror may be changed or removed at any time.
                await mirror.take_back(self._quarantine.local, self._base.name)
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
        start = self._start = await self._quarantine.commit(_START)
        self._base = await self._beneath_own(ref) if self._is_own(start) else start
        earlier = await self._earlier_failure() or await self._earlier_run()
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
        await asyncio.to_thread(self._configure, self._fresh.directory / ".git" / "config")
        source, depth = f"file://{self._quarantine.local.directory}", str(self._git.depth)
        await git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth", depth, source, self._start.name)
        await git("checkout", "--quiet", "--detach", self._start.name)
        if self._lfs:
            await self._lfs.check_out(self._fresh, self._start.name)
        if self._git.submodules:
            submodules = Submodules(
                self._git.depth,
                self._settings.git_credentials,
                self._quarantine.environment,
                self._quarantine.folder,
            )
            await submodules.check_out(self._fresh, self._git.url)
        await asyncio.to_thread(self._files.begin)

    def _configure(self, config: Path) -> None:
        """Its own commits are known by their committer, wherever they are found; the author is the agent's to name."""
        url = self._login.url.replace("\\", "\\\\").replace('"', '\\"')
        with config.open("a") as file:
            file.write(f'[remote "origin"]\n\turl = "{url}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
            file.write(f"[committer]\n\tname = CodeForge\n\temail = {self._committer}\n")

    async def _check_name(self) -> None:
        """A branch that git does not take is known before the agent costs anything."""
        if self._git.push is None or _PLAIN.fullmatch(self._git.push.branch):
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
                "push", "--porcelain", "--no-verify", "--dry-run", self._login.url, f"+{self._start.name}:{target}"
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

    async def _beneath_own(self, ref: str) -> Commit:
        """Where the task began: a task that pushes to the branch it starts from finds its own commits on top."""
        await self._fetch_shallow(ref, self._far)
        listed = (await self._quarantine.local.git("rev-list", "--first-parent", self._start.name)).split("\n")
        below = self._start
        for name in listed[1:]:
            below = await self._quarantine.commit(name)
            if not self._is_own(below):
                break
        return below

    def _is_own(self, commit: Commit) -> bool:
        """By the worker's trailers; or by the committer, of what an agent has pushed before its worker could."""
        return self._owner in commit.trailers or commit.committer == self._committer

    async def _earlier_run(self) -> Outcome | None:
        push = self._git.push
        if push is None:
            return None
        head = f"refs/heads/{push.branch}"
        above = [head.rsplit("/", count)[0] for count in range(1, push.branch.count("/") + 1)]
        told = await self._quarantine.remote("ls-remote", self._login.url, head, f"{head}/*", *above)
        there = [name for line in told.split("\n") if (name := line.partition("\t")[2])]
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
        if not self._is_own(earlier):
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
        return await self._outcome_of(earlier, push.branch)

    async def _earlier_failure(self) -> Outcome | None:
        """What a run of this attempt had pushed when it failed, and was lost before it could tell."""
        branch = self._failed_branch
        earlier = await self._head_of(branch) if branch else None
        return await self._outcome_of(earlier, branch.name) if branch and earlier else None

    async def _head_of(self, branch: Branch) -> Commit | None:
        if not await branch.head():
            return None
        await self._fetch_shallow(f"+{branch.ref}:{_EARLIER}", self._far)
        return await self._quarantine.commit(_EARLIER)

    async def _outcome_of(self, earlier: Commit, branch: str) -> Outcome | None:
        """None where the commit is not of this attempt."""
        if not all(trailer in earlier.trailers for trailer in self._trailers):
            return None
        told = "an earlier run of this attempt had pushed its commit"
        failed = failed_work.failure_in(earlier.trailers, f"{told} when it failed")
        found = Outcome.failed(failed) if failed else Outcome(summary=told)
        self._commit = earlier.name
        return await self._with_git(found, branch, pushed=True)

    async def _is_beneath_start(self, commit: str) -> bool:
        """A branch that the start continues can be pushed. All history is fetched where fifty commits do not say."""
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

    async def keep(self, outcome: Outcome) -> Outcome:
        """Commits what a successful agent left, pushes where asked, and adds both to the outcome."""
        try:
            self._commit = await self._kept()
        except GitError as error:
            raise RunError("InternalError", f"the agent's changes cannot be committed: {error}") from error
        branch = self._push_branch
        if self._commit and branch:
            await self._push(self._commit, branch)
        return await self._with_git(outcome, branch.name if branch else "", pushed=branch is not None)

    async def keep_failed(self, outcome: Outcome, failed: wire.Failure) -> Outcome:
        """Pushes what the agent left to the branch of this failed attempt; nothing where it has changed nothing.

        Raises `RunError` when it cannot be pushed.
        """
        branch = self._failed_branch
        if branch is None or not self._files.has_begun:
            return outcome
        trailers = self._trailers + failed_work.trailers_of(failed)
        try:
            if not self._work:
                await self._look(trailers)
            if self._work == self._start.name:
                return outcome
            commit = await self._quarantine.committed(trailers)
            there = await self._head_of(branch)
        except GitError as error:
            raise self._explain("GitPushFailed", f"branch {branch.name} cannot be pushed", error) from error
        # A task from outside may have the id of an earlier one.
        if there and not self._is_own(there):
            raise RunError("GitPushFailed", f"branch {branch.name} is taken: delete it, or name another push.branch")
        await self._send(branch, commit, f"--force-with-lease={branch.ref}:{there.name if there else ''}")
        self._commit = commit
        return await self._with_git(outcome, branch.name, pushed=True)

    @property
    def pushes_failures(self) -> bool:
        return self._failed_branch is not None

    async def _push(self, commit: str, branch: Branch) -> None:
        # Only this task's own earlier commit is written over, and only while it is what was seen.
        reset = self._lease and self._task.delivery_mode == "ResetThenRetry"
        lease = [f"--force-with-lease={branch.ref}:{self._lease}"] if reset else []
        try:
            await self._send(branch, commit, *lease)
        except RunError:
            if not await self._push_above_agents(branch):
                raise

    async def _send(self, branch: Branch, commit: str, *options: str) -> None:
        """Tried again where the server may take it a little later; a `RunError` has its words."""
        for pause in (*_PAUSES, 0.0):
            try:
                if self._lfs:
                    await self._lfs.push(self._fresh.directory, self._files.local.directory, self._start.name)
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
        """The agent may have pushed itself: what is its own goes beneath, and nothing is written over."""
        try:
            theirs = await branch.head()
            if not theirs or theirs in (self._lease, self._start.name):
                return False
            # That the agent's repository has it tells it from a stranger's.
            await self._quarantine.take(self._fresh.directory, self._walls, theirs, _PUSHED)
            await self._quarantine.local.git("merge-base", "--is-ancestor", self._start.name, theirs)
            # It has been at that commit, so that its files were made of that one's.
            agents = GitRepository(self._fresh.directory, self._quarantine.environment, self._walls)
            if theirs not in (await agents.git("rev-list", "--walk-reflogs", "HEAD")).split("\n"):
                return False
            result = await self._quarantine.commit(RESULT)
            commit = await self._quarantine.commit_tree(result.tree, [theirs], self._message(self._trailers))
            await branch.send(commit)
        except GitError:
            return False
        self._commit = commit
        return True

    async def _kept(self) -> str:
        """A commit of what the agent left, in the quarantine; empty when that is nothing."""
        trailers = self._trailers
        head = await self._look(trailers)
        if self._work != self._start.name:
            return await self._quarantine.committed(trailers) if self._work == head.name else self._work
        if self._start == self._base:
            return ""
        if self._owner in self._start.trailers:
            return self._start.name
        # What an agent had pushed itself bears no trailers.
        return await self._quarantine.commit_tree(self._start.tree, [self._start.name], self._message(trailers))

    def _message(self, trailers: list[str]) -> str:
        return with_trailers(self._title(), trailers)

    def _title(self) -> str:
        """In one line with a letter or a digit: a divider, or nothing, is no title."""
        title, prompt = (plain.of(text).splitlines() for text in (self._task.title, self._task.prompt))
        for text in (*title, *(line.strip()[:72] for line in prompt)):
            if any(letter.isalnum() for letter in text):
                return " ".join(text.split())
        return "Work of an agent"

    async def _look(self, trailers: list[str]) -> Commit:
        """Brings the agent's commits and the files as they are into the quarantine; returns the agent's head."""
        head = await self._agents_head()
        try:
            message = self._message(trailers)
            self._work = await self._files.committed(self._quarantine, head, self._start, message)
        finally:
            self._problems += [f"left out: {line}" for line in self._files.left_out]
        return head

    async def _agents_head(self) -> Commit:
        if await asyncio.to_thread(_is_at, self._fresh.directory, self._start.name):
            return self._start
        try:
            await self._quarantine.take(self._fresh.directory, self._walls)
            return await self._quarantine.commit(RESULT)
        except GitError as error:
            # Its files are kept all the same.
            self._problems.append(f"the agent's own commits were left out, since its repository is broken: {error}")
            return self._start

    async def changes(self, patch: Path, diffstat: Path) -> bool:
        """Writes what the task has changed so far, binary files included; false when that is nothing."""
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
        """None where that is nothing."""
        end, git = self._commit or self._work, self._quarantine.local
        if not end and self._files.made:
            # The quarantine has refused it: it is read where it was made.
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


def _is_at(repository: Path, commit: str) -> bool:
    """Whether the agent's repository has that commit checked out, as it was given to it: most agents commit nothing."""
    file = opened(repository, (".git", "HEAD"))
    if file is None:
        return False
    try:
        return os.read(file, 100).decode("ascii", "replace").strip() == commit
    finally:
        os.close(file)
