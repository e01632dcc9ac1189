"""nats-servers in operator mode: users sign in by JWTs that accounts have signed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import RawCredentials
from nats.errors import Error as NatsError

from .nats_identity import Identities
from .patience import PATIENCE
from .ports import free_port
from .server_process import ServerProcess

_CONFIGURATION = """
server_name: {name}
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}/jetstream" }}
resolver {{ type: full, dir: "{folder}/jwt", allow_delete: true, interval: "2m" }}
"""
_CLUSTER = """
cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{routes}] }}
"""


class Mounted:
    """A Secret as the kubelet mounts it: a renewal swaps the folder that a link names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        folder.mkdir(parents=True)
        (folder / "nats.creds").symlink_to("..data/nats.creds")

    @property
    def path(self) -> Path:
        return self._folder / "nats.creds"

    def put(self, content: str) -> None:
        version = self._folder / f"..{next(self._numbers)}"
        version.mkdir()
        (version / "nats.creds").write_text(content)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")


class JwtServer(ServerProcess):
    """One server, or one of a cluster; its worker's credential is in `secret`."""

    def __init__(
        self, directory: Path, identities: Identities | None = None, name: str = "nats", cluster: str = ""
    ) -> None:
        super().__init__(directory, name, {})
        self.identities = identities or Identities()
        folder = directory / f"{name}-data"
        text = _CONFIGURATION.format(name=name, port=self.port, folder=folder)
        self._configuration.write_text(text + cluster + self.identities.trust())
        self.secret = Mounted(directory / f"{name}-secret")
        self.secret.put(self.identities.worker())

    @property
    def operator_login(self) -> Mapping[str, Any]:
        return {"user_credentials": RawCredentials(self.identities.all_of_the_streams())}

    @property
    def worker_settings(self) -> dict[str, str]:
        return {"CODEFORGE_NATS_CREDENTIALS": str(self.secret.path), "CODEFORGE_NATS_CREDENTIALS_SECONDS": "0.2"}

    async def push(self, account: str) -> None:
        """Gives the server another JWT of an account."""
        system = await nats.connect(
            self.url, user_credentials=RawCredentials(self.identities.all_of_the_system()), connect_timeout=PATIENCE
        )
        answer = await system.request("$SYS.REQ.CLAIMS.UPDATE", account.encode(), timeout=PATIENCE)
        await system.close()
        assert b'"code":200' in answer.data, answer.data


class Cluster:
    """Three servers."""

    def __init__(self, directory: Path) -> None:
        ports = [free_port() for _ in range(3)]
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in ports)
        identities = Identities()
        self.servers = [
            JwtServer(directory, identities, f"n{number}", _CLUSTER.format(port=port, routes=routes))
            for number, port in enumerate(ports)
        ]

    async def start(self) -> None:
        for server in self.servers:
            await server.start()
        # Until the three have agreed on a leader no stream can be made.
        nats_of_streams = await nats.connect(self.servers[0].url, **self.servers[0].operator_login)
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(NatsError):
                    answer = await nats_of_streams.request("$JS.API.INFO", b"", timeout=1)
                    if b'"error"' not in answer.data:
                        break
                await asyncio.sleep(0.1)
        await nats_of_streams.close()

    async def kill(self) -> None:
        for server in self.servers:
            await server.kill()
