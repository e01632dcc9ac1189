"""A nats-server with the configuration that the chart ships: users and permissions are those of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .server_process import ServerProcess

_REPOSITORY = Path(__file__).parents[3]
_USERS = ("operator", "worker", "client", "console")
_SHIPPED = _REPOSITORY / "examples/external-nats/nats.conf"


class NatsServer(ServerProcess):
    def __init__(self, directory: Path) -> None:
        passwords = {f"{user.upper()}_PASSWORD": f"{user}-pw" for user in _USERS}
        super().__init__(directory, "nats", {"POD_NAME": "test"} | passwords)
        self._data = directory / "data"
        changes = {
            "0.0.0.0:4222": f"127.0.0.1:{self.port}",
            "http: 0.0.0.0:8222": "",
            "/data": str(self._data),
            "max_file_store: 4GB": "max_file_store: 1GB",
        }
        text = _SHIPPED.read_text()
        for old, new in changes.items():
            assert old in text, f"{old} is not in {_SHIPPED} any more"
            text = text.replace(old, new)
        self._configuration.write_text(text)

    @property
    def operator_login(self) -> Mapping[str, str]:
        """Options of `nats.connect`."""
        return {"user": "operator", "password": "operator-pw"}

    @property
    def worker_settings(self) -> dict[str, str]:
        return {}

    def deliveries(self, stream: str, consumer: str) -> Path:
        """The file to which the server writes what it has delivered, about 0.1 s later."""
        return self._data / f"jetstream/CODEFORGE/streams/{stream}/obs/{consumer}/o.dat"
