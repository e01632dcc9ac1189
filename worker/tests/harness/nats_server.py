"""A nats-server with the configuration that the chart ships: users and permissions are those of a cluster."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from .ports import free_port, listening

_REPOSITORY = Path(__file__).parents[3]
_USERS = ("operator", "worker", "client")
_SHIPPED = _REPOSITORY / "examples/external-nats/nats.conf"


def _binary() -> str:
    cache = (
        os.environ.get("CODEFORGE_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'}/codeforge"
    )
    built = Path(cache) / "bin/nats-server"
    found = str(built) if built.exists() else shutil.which("nats-server")
    if not found:
        raise RuntimeError("nats-server is missing: run hack/tools/install nats-server")
    return found


class NatsServer:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._log = directory / "nats.log"
        self._configuration = directory / "nats.conf"
        changes = {
            "0.0.0.0:4222": f"127.0.0.1:{self.port}",
            "http: 0.0.0.0:8222": "",
            "/data": str(directory / "data"),
            "max_file_store: 4GB": "max_file_store: 1GB",
        }
        text = _SHIPPED.read_text()
        for old, new in changes.items():
            assert old in text, f"{old} is not in {_SHIPPED} any more"
            text = text.replace(old, new)
        self._configuration.write_text(text)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                _binary(), "--config", str(self._configuration),
                env={"POD_NAME": "test"} | {f"{user.upper()}_PASSWORD": f"{user}-pw" for user in _USERS},
                stdout=log, stderr=log,
            )  # fmt: skip
        await listening(self.port)

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
