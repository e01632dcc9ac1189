"""A nats-server with a configuration file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from .ports import free_port, listening
from .programs import program


class ServerProcess:
    def __init__(self, directory: Path, name: str, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self._environment = environment
        self._log = directory / f"{name}.log"
        self._configuration = directory / f"{name}.conf"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                program("nats-server"), "--config", str(self._configuration),
                env=self._environment,
                stdout=log, stderr=log,
            )  # fmt: skip
        await listening(self.port)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
