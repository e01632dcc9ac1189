"""The worker as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import aiohttp

from .operator import NAMESPACE, POOL, STREAM
from .patience import PATIENCE
from .ports import free_port

_SOURCE = Path(__file__).parents[2] / "src"


# From the source, and without an environment variable that the worker's children would inherit.
def program(change: str = "") -> list[str]:
    """`change`: Python that is run first, to shorten a clock or to widen the gap between two steps."""
    start = f"import sys; sys.path.insert(0, {str(_SOURCE)!r})"
    return [sys.executable, "-c", f"{start}\n{change}\nfrom codeforge_worker.cli import main; main()"]


class WorkerProcess:
    def __init__(
        self,
        directory: Path,
        url: str,
        name: str,
        argv: list[str],
        settings: dict[str, str],
        change: str = "",
        start: str = "",
    ) -> None:
        """`start` is the program that starts it in a container."""
        self._start = [sys.executable, "-I", "-S", start] if start else []
        self._change = change
        self.name = name
        self.port = free_port()
        self.workspace = directory / "workspace" / name
        self._log = directory / f"{name}.log"
        self._argv = argv
        self._environment = {
            "PATH": os.environ["PATH"],
            "NATS_URL": url,
            "NATS_USER": "worker",
            "NATS_PASSWORD": "worker-pw",
            "CODEFORGE_NAMESPACE": NAMESPACE,
            "CODEFORGE_POOL": POOL,
            "CODEFORGE_BACKEND": "command",
            "CODEFORGE_STREAM": STREAM,
            "CODEFORGE_POD_NAME": name,
            "CODEFORGE_CONCURRENCY": "1",
            "CODEFORGE_ACK_WAIT_SECONDS": "1.5",
            "CODEFORGE_GRACE_SECONDS": "10",
            "CODEFORGE_WORKSPACE": str(self.workspace),
            "CODEFORGE_HTTP_PORT": str(self.port),
            # Where the tests' programs leave their marks.
            "CODEFORGE_AGENT_WRITES": str(directory),
        } | settings
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._start,
                *program(self._change),
                "run",
                "--",
                *self._argv,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def ready(self) -> None:
        await self.answers("/readyz", 200)

    async def answers(self, path: str, status: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    if (await self.get(path))[0] == status:
                        return
                await asyncio.sleep(0.05)

    def log(self) -> str:
        return self._log.read_text()

    async def logged(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in self.log():
                await asyncio.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    async def end(self, seconds: float = PATIENCE) -> int:
        """Waits for the process to end by itself; its exit code."""
        assert self.process
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
