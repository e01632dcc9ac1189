"""Runs a backend that is a function as a worker would, without NATS: for the tests of its author."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import wire
from .checkpoint import Checkpoint
from .sdk.function import BadBackend, function_of
from .sdk.trial import Trial

__all__ = ["Failed", "Ran", "Used", "run_backend"]


@dataclass(frozen=True)
class Failed:
    """Why a run failed, as the task's status has it; `delay` in seconds is what `Retry` asked for, if it did."""

    type: str
    message: str
    retryable: bool
    delay: int | None = None


@dataclass(frozen=True)
class Used:
    """What the function reported by `context.usage()`, added up; `cost` in US dollars."""

    tokens_in: int
    tokens_out: int
    cost: Decimal


@dataclass(frozen=True)
class Ran:
    """How a run ended: `status` is completed, failed or cancelled; `failure` is None exactly when it is completed.

    `artifacts` are the files that would be stored with the result, by name; `artifacts_problem` says which would not.
    `log` has the lines of `context.log()` and of a traceback; `progress` all messages, also those that a worker would
    pass over; `files` the files of the workspace after the run, by their paths in it; `session` what the next task of
    the session finds: a run that failed leaves that as it was. `ended_in_time` is false when the function went on for
    longer than its grace after it was asked to stop. `checkpoint` is what the next run
    would find.
    """

    status: str
    summary: str
    output: str
    failure: Failed | None
    log: tuple[str, ...]
    progress: tuple[str, ...]
    usage: Used
    files: Mapping[str, str]
    session: Mapping[str, str]
    artifacts: Mapping[str, bytes]
    artifacts_problem: str
    ended_in_time: bool
    checkpoint: dict[str, Any] | None


def run_backend(
    function: Callable[..., object],
    prompt: str = "Do what is to be done.",
    *,
    config: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    session: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    title: str = "",
    model: str = "",
    project_id: str = "",
    attempt: int = 1,
    delivery: int = 1,
    run_timeout_seconds: int = 1800,
    cancel_after_seconds: float | None = None,
    grace_seconds: float = 1.0,
    checkpoint: Mapping[str, Any] | None = None,
) -> Ran:
    """Runs the function once, in a workspace that holds `files` (text by path), to the end that a worker would report.

    `session`, if given, is what an earlier task of the same session left in `context.session` (text by path; empty for
    the first task); without it the task has no session.
    It is cancelled after `cancel_after_seconds`, if given. `grace_seconds` is how long the function may go on when it
    is cancelled or takes longer than `run_timeout_seconds` (at least 1); a worker gives it ten. `environment` is that
    of the pool, in place of this process's own. `checkpoint` is what an earlier run has saved. Works
    inside and outside of an event loop.
    """
    chosen = function_of(function)
    if chosen is None:
        raise BadBackend(f'{function!r} is no backend: put @backend("name") on it')
    task = wire.Task(
        task_id="test",
        prompt=prompt,
        title=title,
        model=model,
        project_id=project_id,
        attempt=attempt,
        config=dict(config or {}),
        run_timeout_seconds=run_timeout_seconds,
    )
    saved = Checkpoint(json.dumps(checkpoint) if checkpoint is not None else "")
    trial = Trial(files or {}, session, checkpoint=saved)
    pool_environment = dict(os.environ if environment is None else environment)
    with tempfile.TemporaryDirectory(prefix="codeforge-", ignore_cleanup_errors=True) as folder:
        run = trial.run(chosen, task, Path(folder), pool_environment, delivery, cancel_after_seconds, grace_seconds)
        # In a thread of its own: the caller may have an event loop already.
        with ThreadPoolExecutor(1) as executor:
            outcome = executor.submit(asyncio.run, run).result()
    return Ran(
        status=outcome.kind,
        summary=outcome.result().summary,
        output=wire.tail(outcome.output),
        failure=_failed(outcome.failure),
        log=tuple(trial.recorder.lines),
        progress=tuple(trial.progress),
        usage=Used(trial.used.tokens_in, trial.used.tokens_out, trial.used.cost),
        files=trial.after,
        session=trial.left,
        artifacts=trial.kept.files,
        artifacts_problem=outcome.artifacts_problem,
        ended_in_time=trial.ended_in_time,
        checkpoint=json.loads(trial.checkpoint.last) if trial.checkpoint.last else None,
    )


def _failed(failure: wire.Failure | None) -> Failed | None:
    if failure is None:
        return None
    after = failure.retry_after_seconds
    delay = after if isinstance(after, int) else None
    return Failed(failure.type, failure.message, failure.retryable, delay)
