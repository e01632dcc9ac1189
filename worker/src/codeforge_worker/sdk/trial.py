"""One run of a function without NATS: what a worker would send is kept instead."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .. import wire
from ..artifacts import Shelf, Source
from ..checkpoint import Checkpoint
from ..context import RunContext
from ..files import Stored
from ..lines import Stream
from ..metering import Meter
from ..outcome import Outcome
from ..run import Run, Stop, Stopping
from ..settings import Settings
from ..spending import Spent, Usage
from .function import Function
from .function_backend import FunctionBackend


class Recorder:
    """The lines of the run."""

    def __init__(self) -> None:
        self.last_line = ""
        self.lines: list[str] = []
        self._output: deque[str] = deque(maxlen=400)

    def line(self, text: str, stream: Stream = "stdout") -> None:
        self.lines.append(text)
        self.last_line = text.strip() or self.last_line
        if stream == "stdout":
            self._output.append(text)

    async def room(self) -> None:
        """All are kept."""

    def output(self) -> str:
        return wire.tail("\n".join(self._output))


class Kept:
    """The files that a worker would store, by their names."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, name: str, source: Source) -> Stored:
        match source:
            case bytes():
                content = source
            case Path():
                content = source.read_bytes()
            case _:
                content = source.read()
        self.files[name.rpartition("/")[2]] = content
        return Stored(name, len(content), f"sha-256:{hashlib.sha256(content).hexdigest()}")


@dataclass
class Trial:
    """`before` and `after` are the text files of the workspace by their paths in it, `session` and `left` those of the
    session, None for none; the rest is what the run told."""

    before: Mapping[str, str]
    session: Mapping[str, str] | None = None
    recorder: Recorder = field(default_factory=Recorder)
    progress: list[str] = field(default_factory=list[str])
    used: Usage = field(default_factory=Usage)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    kept: Kept = field(default_factory=Kept)
    after: dict[str, str] = field(default_factory=dict[str, str])
    left: dict[str, str] = field(default_factory=dict[str, str])
    ended_in_time: bool = True

    async def run(
        self,
        function: Function,
        task: wire.Task,
        folder: Path,
        environment: Mapping[str, str],
        delivery: int,
        cancel_after_seconds: float | None,
        grace_seconds: float,
    ) -> Outcome:
        inner = FunctionBackend(function, grace_seconds=grace_seconds)
        backend = _Filled(self, inner)
        run = local_run(self, function.name, backend, task, folder, environment, delivery)
        async with inner.lifetime():
            if cancel_after_seconds is not None:
                cancelled = Stopping(Stop.CANCELLED, "Cancelled", "it was asked for")
                asyncio.get_running_loop().call_later(cancel_after_seconds, run.stop, cancelled)
            outcome = await run.outcome()
            await run.clear()
        self.ended_in_time = not run.left
        # Only a shutdown, which no trial has, ends in anything else.
        assert isinstance(outcome, Outcome)  # noqa: S101
        return outcome


def local_run(
    trial: Trial,
    name: str,
    backend: Runs,
    task: wire.Task,
    folder: Path,
    environment: Mapping[str, str],
    delivery: int,
) -> Run:
    """A worker's run of backend `name`, which tells the trial what it would tell NATS."""
    settings = _settings(name, folder, environment)
    origin = wire.Origin(settings.stream, 1)
    meter = Meter(None, Spent(), trial.used)
    told = trial.progress.append
    shelf = Shelf(trial.kept, "test")
    conversation = None if trial.session is None else _Conversation(trial)
    return Run(
        settings, backend, task, origin, trial.recorder, meter, delivery, told, trial.checkpoint, shelf, conversation
    )


class Runs(Protocol):
    async def run(self, context: RunContext) -> Outcome: ...


class _Filled:
    """The function's backend, in a workspace that is filled before the run and read after it."""

    def __init__(self, trial: Trial, inner: FunctionBackend) -> None:
        self._trial = trial
        self._inner = inner

    async def run(self, context: RunContext) -> Outcome:
        _fill(context.directory, self._trial.before)
        try:
            return await self._inner.run(context)
        finally:
            self._trial.after = _texts(context.directory)


class _Conversation:
    """The session's files, which come from the test and go back to it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    async def begin(self, folder: Path) -> None:
        self._trial.left = dict(self._trial.session or {})
        _fill(folder, self._trial.left)

    async def keep(self, folder: Path) -> wire.SessionObject:
        self._trial.left = _texts(folder)
        return wire.SessionObject("sessions/test", "", 0)


def _fill(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _texts(directory: Path) -> dict[str, str]:
    """A binary file is shown as well as it can be."""
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_text(errors="replace") for path in found}


def _settings(backend: str, folder: Path, environment: Mapping[str, str]) -> Settings:
    return Settings(
        nats_servers=(), nats_user="", nats_password="", namespace="test", pool="test",
        backend=backend, stream="tasks_test_test", consumer="workers", concurrency=1, pod_name="test",
        ack_wait_seconds=60, grace_seconds=30, workspace=folder, http_port=0, environment=dict(environment),
    )  # fmt: skip
