"""What a function gets: its task, its folder, and ways to tell how it gets on. Safe to use from any thread."""

from __future__ import annotations

import functools
import io
import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, TypeVar

from .. import plain
from ..artifact_names import ADDED, refusal
from ..lines import LINE_BYTES, Stream
from ..no_link import NoFile, regular
from .checkpoint import Checkpoint
from .handover import Handover
from .programs import Finished, Programs
from .said import Said, of_run

if TYPE_CHECKING:
    # It brings the worker with it, and that a client of NATS: who imports a backend needs neither.
    from ..context import RunContext

S = TypeVar("S")


@dataclass(frozen=True)
class Task:
    """The task as it was asked for. Nothing in it can be changed.

    `id` is the AgentTask's UID, or another producer's id. `attempt` counts from 1 and rises with each retry, `delivery`
    with each run of this attempt whose worker was lost. `model` is the task's, else the pool's, else empty. `config`
    has all the keys that `@backend` names.
    """

    id: str
    attempt: int
    delivery: int
    title: str
    prompt: str
    model: str
    config: Mapping[str, str]
    project_id: str
    run_timeout_seconds: int


class Context:
    """Made by the worker, and by `codeforge_worker.testing`."""

    def __init__(self, run: RunContext, config: Mapping[str, str], settings: object = None) -> None:
        self._run = run
        self._settings = settings
        self._handover = Handover(run.room)
        self._cancelled = threading.Event()
        self._counting = threading.Lock()
        self._checkpoint = Checkpoint(run.checkpoint.earlier, self._keep)
        self.programs = Programs(run, self._say)
        self.said = Said(self._say)
        self._task = Task(
            id=run.task.task_id,
            attempt=run.task.attempt,
            delivery=run.delivery,
            title=run.task.title,
            prompt=run.task.prompt,
            model=run.model,
            config=MappingProxyType(dict(config)),
            project_id=run.task.project_id,
            run_timeout_seconds=run.task.run_timeout_seconds,
        )

    @property
    def task(self) -> Task:
        return self._task

    def settings(self, kind: type[S]) -> S:
        """The task's config, as the class that `@backend` names."""
        if not isinstance(self._settings, kind):
            raise TypeError(f"the settings are no {kind.__name__}: name it in @backend(…, config={kind.__name__})")
        return self._settings

    @property
    def workspace(self) -> Path:
        """The checked-out repository, or an empty folder; removed after the run. The process is not in it."""
        return self._run.directory

    @property
    def session(self) -> Path | None:
        """What the session's last successful task left, and what its next one will find; None without a session.

        Of what it holds after a success, regular files and folders are kept, 64 MiB at most.
        """
        return self._run.session

    @functools.cached_property
    def environment(self) -> Mapping[str, str]:
        """For programs that the function starts: the pool's variables without the worker's own secrets."""
        return MappingProxyType(self._run.environment())

    @property
    def checkpoint(self) -> Checkpoint:
        """What an earlier run of this task saved, and where to save what a later one is to find."""
        return self._checkpoint

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to stop. A plain function has ten seconds to end from then on."""
        return self._cancelled.is_set()

    def wait_cancelled(self, seconds: float) -> bool:
        """Sleeps that long, or until the run is asked to stop; true when it is. For plain functions only."""
        return self._cancelled.wait(seconds)

    def log(self, line: str) -> None:
        """Shown in the pod's log and live to whoever follows the task; cut to pieces of 8 KiB."""
        self._say(line, "stdout")

    def _say(self, lines: str, stream: Stream) -> None:
        # The worker prints each line, which is not said once more.
        with of_run(None):
            for piece in plain.lines_of(lines, LINE_BYTES):
                self._handover.call(lambda piece=piece: self._run.on_line(piece, stream))

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
    ) -> Finished:
        """Runs a program to its end, as the worker runs an agent; for plain functions.

        Its lines are those of the run. It has the variables of `context.environment` and those that are given, so that
        its calls of a model are counted, and is kept to the run by the same walls as an agent. It begins in `cwd`,
        which is seen from the workspace. When it has ended, nothing that it has started is left. When the run is asked
        to stop, it gets SIGTERM, SIGKILL ten seconds later, and this raises `Stopped`. An exit code other than 0 raises
        `CommandFailed`, unless `check` is false; a program that cannot be started raises it always.
        """
        return self.programs.run(argv, self.workspace / cwd, self._variables(environment), stdin, check)

    async def run_async(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
    ) -> Finished:
        """`run`, for async functions."""
        return await self.programs.run_async(argv, self.workspace / cwd, self._variables(environment), stdin, check)

    def _variables(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**self.environment, **(more or {})}

    def progress(self, message: str) -> None:
        """What was reached, in a line of at most 1,024 characters. Of what comes fast only the last is told."""
        said = plain.of(message)
        self._handover.call(lambda: self._run.say(said))

    def artifact(self, source: str | Path, content: bytes | None = None) -> None:
        """Keeps a file with the result: the one at a path, or `content` under the name `source`; copied at once.

        At most 17 a run, each of at most 256 MiB. A name has 1 to 128 letters, digits, '.', '_' or '-', and begins with
        neither '.' nor '-'. `ValueError` when it cannot be one, when the name is taken, and when the path is no regular
        file or a link, which is not followed. What NATS then has no room for, the result tells. An async function
        copies a large file by `await asyncio.to_thread(context.artifact, path)`.
        """
        if content is not None:
            self._keep_file(str(source), len(content), io.BytesIO(content))
            return
        path = Path(source)
        try:
            number = regular(path.absolute(), self.workspace.parent)
        except NoFile as error:
            raise ValueError(f"{path.name!r} cannot be kept: {error}") from error
        with os.fdopen(number, "rb") as file:
            self._keep_file(path.name, os.fstat(number).st_size, file)

    def _keep_file(self, name: str, size: int, source: IO[bytes]) -> None:
        why = refusal(name, size)
        if why:
            raise ValueError(f"{name!r} cannot be kept: {why}")
        with self._counting:
            folder = self._run.artifacts
            if len(list(folder.iterdir())) >= ADDED:
                raise ValueError(f"{name!r} cannot be kept: at most {ADDED} files are")
            try:
                with (folder / name).open("xb") as file:
                    shutil.copyfileobj(source, file)
            except FileExistsError as error:
                raise ValueError(f"{name!r} is kept already: take another name") from error

    def usage(self, *, tokens_in: int = 0, tokens_out: int = 0, cost: Decimal | int = 0) -> None:
        """Adds to what the run has used so far, in tokens and US dollars; counted however the run ends."""
        if isinstance(cost, float):
            raise TypeError("cost is a float, which rounds: pass a Decimal, such as Decimal(str(cost))")
        added = Decimal(cost)
        if tokens_in < 0 or tokens_out < 0 or not added.is_finite() or added < 0:
            raise ValueError("usage only adds up: tokens_in, tokens_out and cost must be numbers of at least 0")
        with self._counting:
            used = self._run.used
            used.tokens_in += tokens_in
            used.tokens_out += tokens_out
            used.cost += added

    def _keep(self, text: str) -> None:
        self._handover.call(lambda: self._run.checkpoint.save(text))

    def cancel(self) -> None:
        self._cancelled.set()
        self.programs.cancel()

    def close(self) -> None:
        self.said.flush()
        self._handover.close()
