"""One NATS a test, on ports of its own; whatever a test started is gone after it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Protocol

import pytest
from harness.git_server import GitServer, git
from harness.jwt_server import JwtServer
from harness.llm_server import LlmServer
from harness.metering import ModelServer, Scene
from harness.nats_server import NatsServer
from harness.operator import Operator
from harness.patience import PATIENCE
from harness.proxy import TcpProxy
from harness.worker_process import WorkerProcess

ACK_WAIT = 1.5
# For one step of a test: more than the slowest takes while others use the machine too.
LIMIT_SECONDS = 300


class TooLong(Exception):
    """A test that waits for ever would stop all that comes after it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    if item.get_closest_marker("root") and os.geteuid():
        pytest.skip("it needs root's rights")
    return (yield from _limited(item, "setup"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _limited(item, "call"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _limited(item, "teardown"))


def _limited(item: pytest.Item, step: str) -> Generator[None, None, None]:
    def end(_number: int, _frame: object) -> None:
        raise TooLong(f"{step} of {item.nodeid} took more than {LIMIT_SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(LIMIT_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class StartWorker(Protocol):
    def __call__(
        self, *argv: str, name: str = "worker-1", change: str = "", **settings: str
    ) -> Awaitable[WorkerProcess]: ...


Server = NatsServer | JwtServer


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """With passwords, unless the parameter is `jwt`."""
    server = JwtServer(tmp_path) if getattr(request, "param", "") == "jwt" else NatsServer(tmp_path)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[TcpProxy]:
    """Between NATS and the workers that are started with its URL."""
    proxy = TcpProxy(server.port)
    await proxy.start()
    yield proxy
    await proxy.cut()


@pytest.fixture
async def llm() -> AsyncIterator[LlmServer]:
    server = LlmServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def scene(models: ModelServer) -> AsyncIterator[Scene]:
    """Agents behind proxies of their own, and what they have used together."""
    scene = Scene(models)
    yield scene
    await scene.close()


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[GitServer]:
    server = GitServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def code(repository: GitServer, tmp_path: Path) -> GitServer:
    """The repository with a file that agents are asked to change."""
    clone = tmp_path / "add-answer"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(clone))
    (clone / "answer.py").write_text("ANSWER = 0\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add answer")
    git(clone, "push", "--quiet", "origin", "main")
    return repository


@pytest.fixture
async def operator(server: Server) -> AsyncIterator[Operator]:
    operator = Operator(server.url, server.operator_login)
    await operator.start(ACK_WAIT)
    yield operator
    await operator.close()


@pytest.fixture
async def start_worker(tmp_path: Path, server: Server, operator: Operator) -> AsyncIterator[StartWorker]:
    started: list[WorkerProcess] = []

    async def start(*argv: str, name: str = "worker-1", change: str = "", **settings: str) -> WorkerProcess:
        worker = WorkerProcess(tmp_path, server.url, name, list(argv), server.worker_settings | settings, change)
        started.append(worker)
        await worker.start()
        await worker.ready()
        return worker

    yield start
    for worker in started:
        await worker.kill()
        print(f"--- {worker.name}\n{worker.log()}")


def count(marker: Path) -> int:
    """The lines that were added to it: how often something was run."""
    return len(marker.read_text().splitlines()) if marker.exists() else 0


def until(marker: Path) -> str:
    """A line of a shell script that ends once the file is there."""
    return f"while [ ! -e {marker} ]; do sleep 0.1; done"


def is_written(marker: Path) -> bool:
    """A shell creates the file before it writes the line: one that is there may still be empty."""
    return marker.exists() and marker.stat().st_size > 0


async def written(marker: Path, seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not is_written(marker):
            await asyncio.sleep(0.002)


@pytest.fixture
def marker(tmp_path: Path) -> Callable[[str], Path]:
    """Files by which a command tells what it did."""
    return lambda name: tmp_path / f"marker-{name}"
