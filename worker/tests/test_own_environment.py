"""What the environment of a container is after its start: the worker's alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.nats_server import NatsServer
from harness.operator import Operator
from harness.worker_process import WorkerProcess

START = Path(__file__).parents[1] / "src" / "codeforge_worker" / "confinement" / "start.py"
# What it does of tini's: a child, signals passed on to it, and its exit code.
TINI = f"""#!{sys.executable}
import os, signal, sys
assert sys.argv[1:3] == ["-s", "--"]
heard = (signal.SIGTERM, signal.SIGCHLD)
before = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
child = os.fork()
if child == 0:
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.execvp(sys.argv[3], sys.argv[3:])
while True:
    if signal.sigwait(heard) == signal.SIGTERM:
        os.kill(child, signal.SIGTERM)
        continue
    ended, status = os.waitpid(-1, os.WNOHANG)
    if ended == child:
        sys.exit(os.waitstatus_to_exitcode(status))
"""

# A process of the same user without any right of root's.
WITHOUT_RIGHTS = f"""
import os, sys
package = type(sys)("codeforge_worker")
package.__path__ = [{str(START.parents[1])!r}]
sys.modules["codeforge_worker"] = package
from codeforge_worker.confinement import kernel
kernel.give_up_privileges()
kernel.give_up_capabilities()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """With a program `tini`."""
    tini = tmp_path / "bin" / "tini"
    tini.parent.mkdir()
    tini.write_text(TINI)
    tini.chmod(0o755)
    return f"{tini.parent}:{os.environ['PATH']}"


@pytest.fixture
async def worker(tmp_path: Path, server: NatsServer, operator: Operator, path: str) -> AsyncIterator[WorkerProcess]:
    """Started as the container is, without any right of root's."""
    start = tmp_path / "start.py"
    start.write_text(
        WITHOUT_RIGHTS + f"os.execv(sys.executable, [sys.executable, '-I', {str(START)!r}, *sys.argv[1:]])"
    )
    settings = {"PATH": path, "OPENAI_API_KEY": "sk-secret", "OPENAI_API_BASE": "http://127.0.0.1:9/v1"}
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["env"], settings, start=str(start))
    await worker.start()
    await worker.ready()
    yield worker
    worker.terminate()
    await worker.end()


async def test_no_process_has_the_workers_secrets_in_its_environment(worker: WorkerProcess, operator: Operator) -> None:
    output = (await operator.until(await operator.submit()))[-1].body["output"]
    assert "NATS_PASSWORD" not in output and "sk-secret" not in output and "OPENAI_API_KEY=cf-" in output
    first = worker.pid
    (second,) = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    # Only root reads the second's.
    for process in (first, second) if os.geteuid() == 0 else (first,):
        held = Path(f"/proc/{process}/environ").read_bytes()
        assert b"PATH=" in held and not any(word in held for word in (b"worker-pw", b"sk-secret", b"NATS"))
    # What the first still holds of the pipe is empty.
    pipes = [path for path in Path(f"/proc/{first}/fd").iterdir() if "pipe" in str(path.readlink())]
    for pipe in pipes:
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        assert os.read(reading, 1) == b""
        os.close(reading)
    assert pipes


def without_rights(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_RIGHTS + code]
    kept = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=30, check=False)


async def test_the_worker_is_shut_to_others_of_its_user(worker: WorkerProcess) -> None:
    """Also where there is no Landlock; its children are not."""
    first = worker.pid
    second = Path(f"/proc/{first}/task/{first}/children").read_text().strip()
    reads = "print(len(open('/proc/{}/environ').read()))"
    assert without_rights(reads.format(first)).returncode == 0
    assert "Permission denied" in without_rights(reads.format(second)).stderr


def test_an_environment_that_no_pipe_holds_is_refused(path: str) -> None:
    large = {f"V{number}": "x" * 100_000 for number in range(15)}
    starts = f"os.execv(sys.executable, [sys.executable, {str(START)!r}, 'true'])"
    done = without_rights(starts, PATH=path, **large)
    assert done.returncode == 1 and "give the container less" in done.stderr, done.stderr


def test_the_order_to_stop_is_heard_however_soon_it_comes(tmp_path: Path) -> None:
    """It comes to the first process of a container, for which the kernel drops what is neither handled nor blocked."""
    begun = tmp_path / "begun"
    tini = tmp_path / "tini"
    tini.write_text(
        f"#!{sys.executable}\nimport os, pathlib, signal, time\n"
        f"pathlib.Path({str(begun)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(0.5)\nprint([one.name for one in signal.sigpending()])\n"
    )
    tini.chmod(0o755)
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    container = subprocess.Popen(
        ["unshare", *own, "--pid", "--fork", "--kill-child", sys.executable, str(START), "true"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    while not (begun.exists() and begun.read_text()):
        time.sleep(0.01)
    (first,) = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    assert begun.read_text() == "1" and container.communicate(timeout=10)[0].strip() == "['SIGTERM']"
