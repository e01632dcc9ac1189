"""One run of a task: a folder, the repository, the agent, the result; stopped by whoever has a reason to."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from enum import Enum
from pathlib import Path

from . import wire
from .backends import Backend
from .context import RunContext
from .logs import RunLog
from .outcome import Outcome, RunError, Usage
from .settings import Settings
from .workspace import GitWorkspace


class Stop(Enum):
    """Why a run is ended before its end."""

    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"
    STALE = "stale"


class Run:
    def __init__(self, settings: Settings, backend: Backend, task: wire.Task, log: RunLog, used: Usage) -> None:
        self._settings = settings
        self._backend = backend
        self._task = task
        self._log = log
        self._used = used
        self._stop: asyncio.Future[tuple[Stop, str]] = asyncio.get_running_loop().create_future()

    def stop(self, why: Stop, reason: str) -> None:
        if not self._stop.done():
            self._stop.set_result((why, reason))

    async def outcome(self) -> Outcome | Stop:
        """The outcome to report, or why there is none."""
        work = asyncio.create_task(self._work())
        done, _ = await asyncio.wait(
            {work, self._stop}, timeout=self._task.run_timeout_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if work in done:
            return work.result()
        work.cancel()
        await asyncio.wait({work})
        if self._stop.done():
            why, reason = self._stop.result()
            if why is not Stop.CANCELLED:
                return why
            return Outcome.failed(wire.Failure("Cancelled", reason, False), self._log.output())
        message = (
            f"the run took longer than {self._task.run_timeout_seconds} s and was stopped: raise runTimeoutSeconds"
        )
        return Outcome.failed(wire.Failure("RunTimeout", message, True), self._log.output())

    async def _work(self) -> Outcome:
        self._settings.workspace.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix=f"{self._task.task_id}-", dir=self._settings.workspace))
        try:
            return await self._in(root)
        except RunError as error:
            return Outcome.failed(error.failure, self._log.output())
        except Exception as error:
            failure = wire.Failure("InternalError", f"the worker failed: {type(error).__name__}: {error}"[:1024], True)
            return Outcome.failed(failure, self._log.output())
        finally:
            await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)

    async def _in(self, root: Path) -> Outcome:
        directory, scratch = root / "repository", root / "scratch"
        directory.mkdir()
        scratch.mkdir()
        git = self._task.workspace.git if self._task.workspace else None
        workspace = GitWorkspace(self._settings, self._task, git, directory, scratch) if git else None
        if workspace:
            earlier = await workspace.clone()
            if earlier:
                return earlier
        outcome = await self._backend.run(
            RunContext(
                self._task,
                self._settings,
                directory,
                scratch,
                on_line=self._log.line,
                output=self._log.output,
                last_line=lambda: self._log.last_line,
                used=self._used,
            )
        )
        return await workspace.keep(outcome) if workspace else outcome
