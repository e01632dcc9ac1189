"""`codeforge-worker dev`: one task of a function, here, in a clone of a real repository and without NATS."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import wire
from ..context import RunContext
from ..lines import Stream
from ..outcome import Outcome, RunError
from ..run import Stop, Stopping
from ..settings import StartupError
from .finding import in_module
from .function import Function
from .function_backend import FunctionBackend
from .trial import Recorder, Trial, local_run

_LOOK_SECONDS = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--module", required=True, help="module or .py file with the backend")
    parser.add_argument("--backend", default="", help="its name, where the module has several")
    parser.add_argument("--prompt", default="Do what is to be done.", help="what the task asks for; - for stdin")
    parser.add_argument("--repository", default="", help="folder or URL, cloned by your own git; else an empty folder")
    parser.add_argument("--ref", default="", help="branch, tag or commit to start from")
    parser.add_argument("--model", default="", help="the task's model")
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="one of the task's config; may be repeated"
    )
    parser.add_argument("--timeout", type=int, default=1800, metavar="SECONDS", help="runTimeoutSeconds")
    parser.add_argument("--reload", action="store_true", help="run again whenever a .py file beside the module changes")


def run(parsed: argparse.Namespace) -> int:
    """The exit code: 0 when the task has completed. `StartupError` when there is nothing to run."""
    function = _function(parsed.module, parsed.backend)
    prompt: str = sys.stdin.read() if parsed.prompt == "-" else parsed.prompt
    task = wire.Task(
        task_id="dev",
        prompt=prompt,
        model=parsed.model,
        config=_config(parsed.config),
        run_timeout_seconds=parsed.timeout,
    )
    clone = _Clone(parsed.repository, parsed.ref)
    with tempfile.TemporaryDirectory(prefix="codeforge-dev-", ignore_cleanup_errors=True) as folder:
        outcome = asyncio.run(_run(function, task, clone, Path(folder)))
    if clone.changes:
        print(clone.changes)
    failed = outcome.failure
    print(f"{outcome.kind}: {failed.type}: {failed.message}" if failed else f"{outcome.kind}: {outcome.summary}")
    return 1 if failed else 0


def reload(parsed: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Runs the same command without --reload, in a process of its own, after each change; until Ctrl-C or SIGTERM."""
    module = Path(parsed.module)
    folder = module.absolute().parent if module.suffix == ".py" else Path.cwd()
    command = [sys.executable, "-m", "codeforge_worker.cli", *(word for word in arguments if word != "--reload")]
    stdin = sys.stdin.read() if parsed.prompt == "-" else None
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell ignores the first one for what it starts in the background.
        signal.signal(number, signal.default_int_handler)
    try:
        while True:
            seen = _stamps(folder)
            child = subprocess.Popen(command, stdin=None if stdin is None else subprocess.PIPE, text=True)
            try:
                if child.stdin and stdin is not None:
                    child.stdin.write(stdin)
                    child.stdin.close()
                while _stamps(folder) == seen:
                    time.sleep(_LOOK_SECONDS)
            finally:
                # A run that is under way is cancelled as any other.
                child.send_signal(signal.SIGTERM)
                child.wait()
            print("--- a file has changed: again", flush=True)
    except KeyboardInterrupt:
        return 0


def _stamps(folder: Path) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for file in folder.rglob("*.py"):
        try:
            found[file] = file.stat().st_mtime_ns
        except OSError:
            # Removed meanwhile.
            continue
    return found


def _function(module: str, name: str) -> Function:
    found = {one.name: one.function() for one in in_module(module, Path(tempfile.gettempdir()))}
    if name:
        if name not in found:
            raise StartupError(f"module {module} has no backend {name!r}: it has {', '.join(sorted(found))}")
        return found[name]
    if len(found) > 1:
        raise StartupError(f"module {module} has several backends: choose by --backend {'|'.join(sorted(found))}")
    return next(iter(found.values()))


def _config(given: Sequence[str]) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise StartupError(f"--config {pair!r} names no value: write --config KEY=VALUE")
    return {key: value for key, _, value in (pair.partition("=") for pair in given)}


class _Shown(Recorder):
    """Lines as they come."""

    def line(self, text: str, stream: Stream = "stdout") -> None:
        super().line(text, stream)
        print(text, file=sys.stderr if stream == "stderr" else sys.stdout, flush=True)


@dataclass
class _Clone:
    """Of the developer's own git, which has the credentials that a worker would have from its pool."""

    repository: str
    ref: str
    # What the run has changed.
    changes: str = field(default="", init=False)

    def make(self, directory: Path) -> None:
        if not self.repository:
            return
        source = self.repository
        if Path(source).is_dir():
            source = str(Path(source).resolve())
        _git(directory, "clone", "--quiet", source, ".")
        if self.ref:
            _git(directory, "checkout", "--quiet", "--detach", self.ref)

    def look(self, directory: Path) -> None:
        if self.repository:
            _git(directory, "add", "--all")
            self.changes = _git(directory, "diff", "--cached")


class _InClone:
    def __init__(self, clone: _Clone, inner: FunctionBackend) -> None:
        self._clone = clone
        self._inner = inner

    async def run(self, context: RunContext) -> Outcome:
        await asyncio.to_thread(self._clone.make, context.directory)
        try:
            return await self._inner.run(context)
        finally:
            await asyncio.to_thread(self._clone.look, context.directory)


def _git(directory: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, errors="replace")
    if ran.returncode:
        raise RunError("GitCloneFailed", f"git {arguments[0]}: {ran.stderr.strip()}")
    return ran.stdout


async def _run(function: Function, task: wire.Task, clone: _Clone, folder: Path) -> Outcome:
    trial = Trial({}, recorder=_Shown(), progress=_Progress())
    backend = FunctionBackend(function)
    environment: Mapping[str, str] = dict(os.environ)
    run = local_run(trial, function.name, _InClone(clone, backend), task, folder, environment, 1)
    stop = Stopping(Stop.CANCELLED, "Cancelled", "it was asked for")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, run.stop, stop)
    async with backend.lifetime():
        outcome = await run.outcome()
    assert isinstance(outcome, Outcome)  # noqa: S101 (only a shutdown ends in anything else)
    return outcome


class _Progress(list[str]):
    def append(self, message: str, /) -> None:
        super().append(message)
        print(f"progress: {message}", file=sys.stderr, flush=True)
