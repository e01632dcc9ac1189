"""A worker that cannot start says in one sentence what to set."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness.patience import PATIENCE
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


def run_worker(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_worker_in(Path.cwd(), *arguments, **environment)


def run_worker_in(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in (GOOD | environment).items() if value}
    command = [*program(), *arguments]
    return subprocess.run(command, env=kept, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_version() -> None:
    assert run_worker("version").stdout == "0.1.0\n"


def test_validate() -> None:
    done = run_worker("validate", "--", "cat")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "backend command can run tasks of tasks_team_pool",
        "found aider (built in)",
        "found command (built in)",
        "found mini-swe-agent (built in)",
        "found opencode (built in)",
        "found openhands (built in)",
    ]


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["run"], {}, "backend command has no program"),
        (["run", "--"], {}, "backend command has no program"),
        (["run", "--", "cat"], {"NATS_URL": ""}, "NATS_URL is not set"),
        (["run", "--", "cat"], {"NATS_URL": ","}, "NATS_URL: it names no server"),
        (
            ["run", "--", "cat"],
            {"NATS_URL": "nats://a:4222,http://b"},
            "NATS_URL: http://b is no server: it begins with",
        ),
        (["run", "--", "cat"], {"NATS_URL": "nats://a:4222,b:42222222"}, "NATS_URL: b:42222222 is no server: Port out"),
        (["run", "--", "cat"], {"NATS_URL": "nats://u:secret@:4222"}, "NATS_URL: nats://:4222 is no server: it has no"),
        (["run", "--", "cat"], {"NATS_URL": "nats://a,wss://b"}, "NATS_URL: WebSockets and other servers cannot be"),
        (["run", "--", "cat"], {"CODEFORGE_STREAM": ""}, "CODEFORGE_STREAM is not set"),
        (["run", "--", "cat"], {"CODEFORGE_CONCURRENCY": "many"}, "CODEFORGE_CONCURRENCY is not a number: 'many'"),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_EGRESS": "Closed"},
            "CODEFORGE_EGRESS is 'Closed': it is Restricted or Open",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_EGRESS_ALLOW": "a.org,https://b.org"},
            "'https://b.org' is no name of a host",
        ),
        (["run", "--", "cat"], {"CODEFORGE_GIT_CREDENTIALS": "{"}, "CODEFORGE_GIT_CREDENTIALS is not what"),
        (
            ["run", "--", "cat"],
            {"OPENAI_API_KEY": "k", "CODEFORGE_PRICES": '{"coder": 3}'},
            "CODEFORGE_PRICES is no price list",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_ISOLATION": "Sometimes"},
            "CODEFORGE_ISOLATION is 'Sometimes', and none of Required, Preferred, Off",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_AGENT_WRITES": "/data:here"},
            "CODEFORGE_AGENT_WRITES names 'here': give absolute paths",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_AGENT_CONNECTS": "443,0-70000"},
            "CODEFORGE_AGENT_CONNECTS names '0-70000': give ports from 1 to 65535",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_ISOLATION": "Required", "ANTHROPIC_API_KEY": "k"},
            "Required, but agents can connect to any server: ANTHROPIC_API_KEY opens a model",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_NATS_CREDENTIALS": "/run/none/nats.creds"},
            "CODEFORGE_NATS_CREDENTIALS: /run/none/nats.creds cannot be read: No such file or directory. The operator",
        ),
        (
            ["validate", "--", "cat"],
            {"CODEFORGE_NATS_CREDENTIALS": "/dev/null"},
            "CODEFORGE_NATS_CREDENTIALS: /dev/null does not hold a user's JWT",
        ),
        (
            ["run", "--", "cat"],
            {"CODEFORGE_BACKEND": "goose"},
            "no backend 'goose' (it has: aider, command, mini-swe-agent, opencode, openhands)",
        ),
    ],
)
def test_refused(arguments: list[str], environment: dict[str, str], sentence: str) -> None:
    done = run_worker(*arguments, **environment)
    assert done.returncode == 64
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_its_port_is_taken() -> None:
    with socket.create_server(("", free_port())) as taken:
        port = taken.getsockname()[1]
        done = run_worker("run", "--", "cat", CODEFORGE_HTTP_PORT=str(port))
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
