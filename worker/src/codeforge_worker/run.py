"""One run of a task: a folder, the repository, the agent, the result. It can be stopped from outside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from . import failed_work, plain, wire
from .artifact_names import FOLDER
from .artifacts import SECONDS, STOPPING_SECONDS, Artifacts, Shelf, told
from .backends import Backend
from .checkpoint import Checkpoint
from .context import RunContext
from .egress import opened
from .in_time import ended_in_time
from .lines import LINE_BYTES, Stream
from .logs import Lines
from .metering import Meter, also_reached, proxied, unmetered
from .outcome import Outcome, RunError, failure
from .removal import empty, in_background
from .run_folder import RunFolder
from .server_of_run import Access
from .session import Conversation
from .session_of_run import SessionOfRun
from .settings import Settings
from .shortage import Watch, fullness_by, memory_of_this_process
from .tracing import part
from .workspace import GitWorkspace

log = logging.getLogger(__name__)

T = TypeVar("T")
# How long the repository is searched for what an earlier run has left.
LOOK_SECONDS = 60.0
# How long the work of a successful agent may still be committed and pushed once the run is stopped or out of time, and
# while the worker has to stop.
KEEPING_SECONDS = 20.0
KEEPING_STOPPING_SECONDS = 5.0


class Stop(Enum):
    """Why a run is stopped."""

    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"
    STALE = "stale"


@dataclass(frozen=True)
class Stopping:
    """`type` and `reason` become those of the failure, where the stop is one."""

    why: Stop
    type: str
    reason: str


class Run:
    def __init__(
        self,
        settings: Settings,
        backend: Backend,
        task: wire.Task,
        origin: wire.Origin,
        log: Lines,
        meter: Meter,
        delivery: int,
        say: Callable[[str], None],
        checkpoint: Checkpoint,
        shelf: Shelf,
        conversation: Conversation | None = None,
        count_egress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._backend = backend
        self._task = task
        self._origin = origin
        self._log = log
        self._meter = meter
        self._delivery = delivery
        self._say = say
        self._checkpoint = checkpoint
        self._session = SessionOfRun(conversation, log)
        self._shelf = shelf
        self._count_egress = count_egress
        self._artifacts: Artifacts | None = None
        self._cloned: GitWorkspace | None = None
        # False when the agent has begun, or when the run has ended without one.
        self._agent_is_due = True
        # Of an agent that has succeeded, while its conversation is stored and its work is committed and pushed.
        self._succeeded: Outcome | None = None
        self._folder = RunFolder(settings.workspace, task.task_id)
        # Work that continued when the run had to end, and may still write to its folder.
        self.left: list[asyncio.Future[Any]] = []
        self._stop: asyncio.Future[Stopping] = asyncio.get_running_loop().create_future()
        # Another holder has the task, maybe since the run was stopped.
        self._fenced: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self, stopping: Stopping) -> None:
        if stopping.why is Stop.STALE and not self._fenced.done():
            self._fenced.set_result(None)
        if not self._stop.done():
            self._stop.set_result(stopping)

    def is_cut_within(self, seconds: float) -> bool:
        """Whether an agent is due that may take longer than this."""
        return self._agent_is_due and seconds < self._task.run_timeout_seconds

    async def clear(self) -> None:
        """Removes the run's files, after its end was reported, which must not wait for the removal."""
        await in_background(self._folder.remove)
        for folder in self._settings.reach.temporary if self._settings.reach else ():
            if problem := await in_background(partial(empty, Path(folder))):
                log.warning("%s cannot be emptied: %s", folder, problem)

    async def gone(self) -> None:
        """Returns when nothing of the run is left. Late work may have written to the removed folder again."""
        for rest in self.left:
            await asyncio.wait({rest})
            await in_background(self._folder.remove)

    async def outcome(self) -> Outcome | Stop:
        """The outcome to report, or why there is none."""
        if self._stop.done():
            return self._stopped(self._stop.result())
        work = asyncio.create_task(self._work(self._in))
        done, _ = await asyncio.wait(
            {work, self._stop}, timeout=self._task.run_timeout_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        self._agent_is_due = False
        ended = self._ended(work) if work in done else await self._cut(work)
        if self._artifacts:
            if isinstance(ended, Outcome):
                ended = await self._keep(self._artifacts, ended, self._shelf)
                ended = await self._keep_failed(ended)
            elif ended is Stop.SHUTDOWN and self._cloned:
                await self._give_back(self._artifacts)
            self._artifacts.close()
        return ended

    @property
    def _shuts_down(self) -> bool:
        return self._stop.done() and self._stop.result().why is Stop.SHUTDOWN

    async def _keep(self, artifacts: Artifacts, ended: Outcome, shelf: Shelf) -> Outcome:
        seconds = STOPPING_SECONDS if self._shuts_down else SECONDS
        kept = await artifacts.keep(ended, shelf, self._cloned, self._log.output(), self._stop, seconds)
        told(kept.artifacts_problem, lambda sentence: self._log.line(sentence, "stderr"))
        return kept

    async def _keep_failed(self, ended: Outcome) -> Outcome:
        """Adds the branch of a failed run, if requested; the failure stays the same whatever the push does."""
        workspace, failed = self._cloned, ended.failure
        if failed is None or workspace is None or not workspace.pushes_failures or ended.git:
            return ended
        seconds = failed_work.STOPPING_SECONDS if self._shuts_down else failed_work.SECONDS
        with part("push") as span:
            work = asyncio.create_task(workspace.keep_failed(ended, failed))
            if await ended_in_time(work, self._stop, seconds, failed_work.STOPPING_SECONDS):
                error = work.exception()
                if error is None:
                    return work.result()
                why = str(error) if isinstance(error, RunError) else f"the worker failed: {error}"
            else:
                why = f"it was given up after {seconds:.0f} s, or because the worker has to stop"
            span.fail("GitPushFailed", why)
        self._log.line(f"what was done was not pushed: {why}", "stderr")
        return replace(ended, failure=failed_work.not_pushed(failed, why))

    async def _give_back(self, artifacts: Artifacts) -> None:
        """Stores the files under a name that the log has: no outcome has it, and the next run has this run's number."""
        shelf = replace(self._shelf, folder=f"{self._shelf.folder}-given-back-{uuid.uuid4().hex[:8]}")
        kept = await self._keep(artifacts, Outcome(output=self._log.output()), shelf)
        for artifact in kept.artifacts:
            self._log.line(f"given back: {artifact.name} is kept as {artifact.object}", "stderr")

    async def _cut(self, work: asyncio.Task[Outcome]) -> Outcome | Stop:
        """Ends the work of a run that is stopped or out of time.

        The push of a successful agent's work may end first, and what is on the branch then is the outcome: the next
        attempt would do the same work again, on top of it.
        """
        succeeded = self._succeeded
        if succeeded is None or self._fenced.done():
            work.cancel()
            await asyncio.wait({work})
            return self._ended(None)
        seconds = KEEPING_STOPPING_SECONDS if self._shuts_down else KEEPING_SECONDS
        if await ended_in_time(work, self._fenced, seconds, 0.0) and not work.result().failure:
            return work.result()
        pushed = None
        # What cannot be found out must not keep the stop from being reported.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(KEEPING_STOPPING_SECONDS):
                pushed = await self._cloned.pushed(succeeded) if self._cloned and not self._fenced.done() else None
        return pushed or self._ended(None)

    def _ended(self, work: asyncio.Task[Outcome] | None) -> Outcome | Stop:
        if work:
            return work.result()
        if self._stop.done():
            return self._stopped(self._stop.result())
        message = (
            f"the run took longer than {self._task.run_timeout_seconds} s and was stopped: raise runTimeoutSeconds"
        )
        return Outcome.failed(failure("RunTimeout", message), self._log.output())

    def _stopped(self, stopping: Stopping) -> Outcome | Stop:
        if stopping.why is Stop.SHUTDOWN and self._task.delivery_mode == "AtMostOnce":
            message = f"{stopping.reason} in the middle of the run, which delivery AtMostOnce does not begin again"
            return Outcome.failed(failure("MayHaveRun", message), self._log.output())
        if stopping.why is not Stop.CANCELLED:
            return stopping.why
        return Outcome.failed(failure(stopping.type, stopping.reason), self._log.output())

    async def earlier(self) -> Outcome | None:
        """What an earlier run of this attempt has pushed; runs no agent."""
        if not self._pushes:
            return None
        found = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                found = await self._work(self._look)
        return found if found and (found.git or not found.failure) else None

    @property
    def _pushes(self) -> bool:
        return bool(self._task.workspace and self._task.workspace.git and self._task.workspace.git.push)

    async def _work(self, what: Callable[[Path, Path], Awaitable[T]]) -> T | Outcome:
        try:
            self._folder.make("repository", "scratch")
            return await what(self._folder.path / "repository", self._folder.path / "scratch")
        except Exception as error:
            if isinstance(error, RunError):
                failed = error.failure
            else:
                failed = failure("InternalError", f"the worker failed: {type(error).__name__}: {error}")
            if failed.retryable and (full := fullness_by(error, self._settings.workspace)):
                failed = failure("OutOfDisk", f"{full}; {failed.message}")
            return Outcome.failed(failed, self._log.output())

    def _workspace(self, directory: Path, scratch: Path) -> GitWorkspace | None:
        git = self._task.workspace.git if self._task.workspace else None
        if git is None:
            return None
        message = None if self._task.dispatch_id else self._origin
        return GitWorkspace(self._settings, self._task, message, git, directory, scratch)

    async def _look(self, directory: Path, scratch: Path) -> Outcome | None:
        workspace = self._workspace(directory, scratch)
        earlier = await workspace.clone() if workspace else None
        return self._session.found(earlier) if earlier else None

    def _line(self, text: str, stream: Stream) -> None:
        for line in plain.lines_of(text, LINE_BYTES):
            self._log.line(line, stream)
            if self._artifacts and stream == "stdout":
                self._artifacts.spool.add(line)

    async def _in(self, directory: Path, scratch: Path) -> Outcome:
        (scratch / FOLDER).mkdir()
        self._artifacts = Artifacts(directory.parent)
        workspace = self._cloned = self._workspace(directory, scratch)
        if workspace:
            with part("clone"):
                earlier = await workspace.clone()
            if earlier:
                return self._session.found(earlier)
        refusal = self._meter.refusal()
        if refusal:
            return Outcome.failed(refusal, self._log.output())
        session = await self._session.begin(directory.with_name("session"))
        self._agent_is_due = False
        with part("agent") as span:
            outcome = await self._agent(directory, scratch, session)
            if outcome.failure:
                span.fail(outcome.failure.type, outcome.failure.message)
        self._succeeded = None if outcome.failure else outcome
        outcome = await self._session.end(outcome)
        if workspace is None or outcome.failure:
            return outcome
        self._succeeded = outcome
        with part("push" if self._pushes else "commit"):
            return await workspace.keep(outcome)

    async def _agent(self, directory: Path, scratch: Path, session: Path | None) -> Outcome:
        async with self._metering() as model, self._way_out() as egress:
            context = RunContext(
                self._task,
                self._settings,
                directory,
                scratch,
                on_line=self._line,
                room=self._log.room,
                output=self._log.output,
                last_line=lambda: self._log.last_line,
                used=self._meter.used,
                account=self._meter.told,
                delivery=self._delivery,
                say=self._say,
                leave=self.left.append,
                model_access=model,
                egress=egress,
                checkpoint=self._checkpoint,
                session=session,
            )
            watch = Watch(memory_of_this_process(), directory, alone=self._settings.concurrency == 1)
            try:
                outcome = await self._meter.guard(
                    self._backend.run(context), self._log.output, self._settings.also_reached
                )
            except RunError as error:
                error.failure = watch.explained(error.failure)
                raise
            return replace(outcome, failure=outcome.failure and watch.explained(outcome.failure))

    def _metering(self) -> contextlib.AbstractAsyncContextManager[Access]:
        if self._meter.limited and self._settings.also_reached and self._settings.model:
            raise also_reached(self._settings.also_reached)
        if self._settings.model:
            return proxied(self._settings.model, self._meter, self._settings.environment)
        if self._meter.limited:
            raise unmetered()
        return contextlib.nullcontext(Access())

    def _way_out(self) -> contextlib.AbstractAsyncContextManager[Callable[[], Access]]:
        """Empty if agents may connect to every server: the pool allows it, or their model is not metered."""
        if self._settings.egress is None or self._settings.also_reached:
            return contextlib.nullcontext(Access)
        return opened(self._settings.egress, lambda sentence: self._line(sentence, "stderr"), self._count_egress)
