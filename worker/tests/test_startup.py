"""A worker that cannot start says in one sentence what to set."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness.ports import free_port
from harness.worker_process import program

GOOD = {
    "NATS_URL": "nats://127.0.0.1:1",
    "CODEFORGE_NAMESPACE": "team",
    "CODEFORGE_POOL": "pool",
    "CODEFORGE_BACKEND": "command",
    "CODEFORGE_STREAM": "tasks_team_pool",
    "CODEFORGE_POD_NAME": "worker-1",
}


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in (GOOD | environment).items() if value}
    return subprocess.run([*program(), *arguments], env=kept, capture_output=True, text=True, timeout=10, check=False)


def test_version() -> None:
    assert _run("version").stdout == "0.1.0\n"


def test_validate() -> None:
    done = _run("validate", "--", "cat")
    assert (done.returncode, done.stdout) == (0, "backend command can run tasks of tasks_team_pool\n")


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["run"], {}, "backend command has no program"),
        (["run", "--"], {}, "backend command has no program"),
        (["run", "--", "cat"], {"NATS_URL": ""}, "NATS_URL is not set"),
        (["run", "--", "cat"], {"CODEFORGE_STREAM": ""}, "CODEFORGE_STREAM is not set"),
        (["run", "--", "cat"], {"CODEFORGE_CONCURRENCY": "many"}, "CODEFORGE_CONCURRENCY is not a number: 'many'"),
        (["run", "--", "cat"], {"CODEFORGE_GIT_CREDENTIALS": "{"}, "CODEFORGE_GIT_CREDENTIALS is not what"),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_BACKEND": "goose"},
            "no backend 'goose' (it has: aider, command, mini-swe-agent, openhands)",
        ),
    ],
)
def test_refused(arguments: list[str], environment: dict[str, str], sentence: str) -> None:
    done = _run(*arguments, **environment)
    assert done.returncode == 64
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_its_port_is_taken() -> None:
    with socket.create_server(("", free_port())) as taken:
        port = taken.getsockname()[1]
        done = _run("run", "--", "cat", CODEFORGE_HTTP_PORT=str(port))
    assert done.returncode == 64
    assert f"port {port} cannot be opened" in done.stderr


def test_it_ends_when_told_before_nats_was_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        environment = GOOD | {"CODEFORGE_HTTP_PORT": str(free_port())}
        process = subprocess.Popen([*program(), "run", "--", "cat"], env=environment, stderr=output)
    deadline = time.monotonic() + 10
    while "does not answer yet" not in log.read_text() and "Connect call failed" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(timeout=10) == 0, log.read_text()
    finally:
        process.kill()
