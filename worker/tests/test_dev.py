"""`codeforge-worker dev`: one task of a function, here."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from harness.git_server import git
from harness.patience import PATIENCE

SOURCE = Path(__file__).parents[1] / "src"
BACKEND = """
from codeforge_worker import Context, backend


@backend("editor", config={"word": "more"})
def editor(context: Context) -> str:
    context.progress("half of it")
    print("running", flush=True)
    with (context.workspace / "file.txt").open("a") as file:
        file.write(context.task.config["word"] + " " + context.task.prompt + "\\n")
    return "edited"


@backend("waiter")
def waiter(context: Context) -> None:
    print("waiting", flush=True)
    context.wait_cancelled(60)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "backends" / "mine.py"
    file.parent.mkdir()
    file.write_text(BACKEND)
    return file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "file.txt").write_text("one\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    git(folder, "tag", "v1")
    git(folder, "rm", "--quiet", "file.txt")
    git(folder, "commit", "--quiet", "--message", "two")
    return folder


def _command(module: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "codeforge_worker.cli", "dev", "--module", str(module), *more]


def _run(module: Path, *more: str, stdin: str = "") -> tuple[int, str, str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ran = subprocess.run(_command(module, *more), env=environment, input=stdin, capture_output=True, text=True)
    return ran.returncode, ran.stdout, ran.stderr


def test_it_runs_a_task_in_a_clone_and_shows_what_has_changed(module: Path, repository: Path) -> None:
    given = ("--backend", "editor", "--repository", str(repository), "--ref", "v1", "--config", "word=other")
    code, told, aside = _run(module, *given, "--prompt", "-", stdin="please")
    assert (code, told.splitlines()[0], told.splitlines()[-1]) == (0, "running", "completed: edited"), aside
    assert " one\n+other please\n" in told and "progress: half of it" in aside
    # The clone was changed, and what it was made of was not.
    assert not (repository / "file.txt").exists() and git(repository, "status", "--porcelain") == ""


def test_a_failure_is_told_and_is_the_exit_code(module: Path, repository: Path) -> None:
    code, told, _ = _run(module, "--backend", "editor", "--config", "colour=red")
    assert code == 1 and "failed: InvalidConfig: backend editor does not know config colour" in told
    code, told, _ = _run(module, "--backend", "editor", "--repository", str(repository), "--ref", "gone")
    assert code == 1 and "failed: GitCloneFailed: git checkout" in told


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ([], "several backends: choose by --backend editor|waiter"),
        (["--backend", "x"], "has no backend 'x': it has editor, waiter"),
        (["--backend", "editor", "--config", "x"], "write --config KEY=VALUE"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(module: Path, more: list[str], word: str) -> None:
    code, _, aside = _run(module, *more)
    assert code == 64 and word in aside and "Traceback" not in aside


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_cancelled_by_a_signal(module: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with (
        subprocess.Popen(
            _command(module, "--backend", "waiter"), env=environment, stdout=subprocess.PIPE, text=True
        ) as worker,
        _ended_in_time(worker),
    ):
        assert worker.stdout and worker.stdout.readline() == "waiting\n"
        worker.send_signal(number)
        assert worker.stdout.read() == "cancelled: Cancelled: it was asked for\n" and worker.wait() == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_with_reload_it_runs_again_after_each_change(module: Path, stop: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = _command(module, "--backend", "waiter", "--reload")
    # As a shell starts what it puts into the background.
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, ignored)
    with _ended_in_time(worker):
        assert worker.stdout and worker.stdout.readline() == "waiting\n"
        module.write_text(BACKEND.replace('"waiting"', '"waiting again"'))
        while (line := worker.stdout.readline()) != "waiting again\n":
            assert line, "it ended, or said nothing for long"
        worker.send_signal(stop)
        worker.communicate(timeout=PATIENCE)
        assert worker.returncode == 0


@contextlib.contextmanager
def _ended_in_time(worker: subprocess.Popen[str]) -> Generator[None]:
    """Who reads what it prints then reads the end, and does not wait for ever."""
    killing = threading.Timer(PATIENCE, worker.kill)
    killing.start()
    try:
        yield
    finally:
        killing.cancel()
        worker.kill()
