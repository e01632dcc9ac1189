"""`start` and `stop` of a backend: once in each worker."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import Operator
from harness.worker_process import WorkerProcess
from test_functions import MODULE

from codeforge_worker import Context, backend
from codeforge_worker.sdk import lifetime
from codeforge_worker.settings import StartupError
from codeforge_worker.testing import run_backend

calls: list[str] = []


def begin() -> None:
    calls.append("begin")


async def end() -> None:
    calls.append("end")


def fail() -> None:
    raise LookupError("no model")


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    calls.clear()


@pytest.mark.parametrize("raises", [True, False])
def test_they_are_around_the_runs_whatever_becomes_of_these(raises: bool) -> None:
    @backend("speaker", start=begin, stop=end)
    def speaker(_: Context) -> None:
        calls.append("run")
        if raises:
            raise LookupError

    assert (run_backend(speaker).failure is not None) == raises and calls == ["begin", "run", "end"]


def test_a_start_that_fails_runs_nothing() -> None:
    @backend("failing", start=fail, stop=end)
    def failing(_: Context) -> None:
        calls.append("run")

    with pytest.raises(StartupError, match="backend failing cannot start: LookupError: no model"):
        run_backend(failing)
    assert calls == []


def test_a_stop_that_fails_or_hangs_changes_no_outcome(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifetime, "STOP_SECONDS", 0.1)

    @backend("failing", stop=fail)
    def failing(_: Context) -> None: ...

    @backend("hanging", stop=lambda: asyncio.run(asyncio.sleep(5)))
    def hanging(_: Context) -> None: ...

    assert run_backend(failing).failure is None and run_backend(hanging).failure is None
    assert "its stop failed" in caplog.text and "no model" in caplog.text and "was left behind" in caplog.text


@pytest.mark.parametrize("hook", [7, "name", str.upper])
def test_what_cannot_be_called_is_refused(hook: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="start must be callable without an argument"):
        backend("odd", start=hook)


async def test_a_worker_starts_before_it_takes_a_task_and_stops_after_the_last(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    hooks = {"CODEFORGE_BACKEND": "hooked", "CODEFORGE_MODULE": MODULE, "HOOKS": str(tmp_path / "hooks")}
    first = await operator.submit()
    worker = await start_worker(**hooks)
    await operator.until(first)
    await operator.until(await operator.submit())
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert (tmp_path / "hooks").read_text().split() == ["start", "run", "run", "stop"]


async def test_a_worker_that_cannot_start_takes_no_task(operator: Operator, server: NatsServer, tmp_path: Path) -> None:
    uid = await operator.submit()
    settings = {"CODEFORGE_BACKEND": "hooked", "CODEFORGE_MODULE": MODULE, "HOOKS": "/nonexistent/hooks"}
    worker = WorkerProcess(tmp_path, server.url, "worker-1", [], settings, "")
    await worker.start()
    assert await worker.end() == 64
    assert "backend hooked cannot start: FileNotFoundError" in worker.log() and not await operator.events(uid)
