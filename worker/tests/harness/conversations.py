"""Runs of one session in this process, without NATS: the conversation lies in a folder instead of a bucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from codeforge_worker import wire
from codeforge_worker.artifacts import Shelf
from codeforge_worker.backends import Backend, backend_for
from codeforge_worker.checkpoint import Checkpoint
from codeforge_worker.metering import Meter
from codeforge_worker.outcome import Outcome, RunError
from codeforge_worker.run import Run
from codeforge_worker.sdk.trial import Kept, Recorder
from codeforge_worker.session import NotKept
from codeforge_worker.settings import Settings
from codeforge_worker.spending import Spent, Usage


class Talk:
    """A session: each `run` is its next task. `lost` and `full` are what may be wrong with the bucket."""

    def __init__(self, folder: Path, backend: str, *argv: str, **environment: str) -> None:
        self.kept = folder / "kept"
        self.lost = ""
        self.full = ""
        # In place of the one that is named.
        self.backend: Backend | None = None
        self.lines: list[str] = []
        self.used = Usage()
        self._folder = folder
        self._settings = Settings(
            nats_servers=(), nats_user="", nats_password="", namespace="team", pool="pool", backend=backend,
            stream="tasks_team_pool", consumer="workers", concurrency=1, pod_name="worker-1", ack_wait_seconds=60,
            grace_seconds=30, workspace=folder / "workspace", http_port=0, argv=argv,
            environment={"PATH": os.environ["PATH"]} | environment,
        )  # fmt: skip

    async def begin(self, folder: Path) -> None:
        if self.lost:
            raise RunError("SessionLost", self.lost)
        if self.kept.exists():
            shutil.copytree(self.kept, folder, dirs_exist_ok=True)

    async def keep(self, folder: Path) -> wire.SessionObject:
        if self.full:
            raise NotKept(self.full)
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(folder, self.kept)
        return wire.SessionObject("sessions/test", "digest", 1)

    async def run(
        self,
        prompt: str,
        url: str = "",
        config: Mapping[str, str] | None = None,
        *,
        push: str = "",
        session: bool = True,
    ) -> Outcome:
        git = wire.Workspace(wire.Git(url, push=wire.Push(push) if push else None)) if url else None
        task = wire.Task(task_id="t", prompt=prompt, model="coder", workspace=git, config=dict(config or {}))
        recorder = Recorder()
        self.used = Usage()
        meter = Meter(None, Spent(), self.used)
        conversation = self if session else None
        origin = wire.Origin("tasks_team_pool", 1)
        backend = self.backend or backend_for(self._settings)
        run = Run(
            self._settings, backend, task, origin, recorder, meter, 1, lambda _: None, Checkpoint(),
            Shelf(Kept(), "test"), conversation,
        )  # fmt: skip
        outcome = await run.outcome()
        await run.clear()
        assert isinstance(outcome, Outcome)
        self.lines = recorder.lines
        return outcome
