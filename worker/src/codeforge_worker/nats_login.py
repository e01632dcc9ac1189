"""User and password for NATS, in files that are read at each connect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

USERNAME, PASSWORD = "username", "password"


class NatsLogin:
    def __init__(self, folder: Path, secret: str) -> None:
        """`secret` says which Secret is mounted there."""
        self._folder = folder
        self._secret = secret
        self._used = ("", "")

    @property
    def options(self) -> dict[str, Any]:
        """Of nats-py, which asks for the user first."""
        return {"user": self._user, "password": lambda: self._used[1]}

    @property
    def renewed(self) -> bool:
        """Whether the files have another login than the one that was used last."""
        try:
            return read(self._folder) != self._used
        except OSError:
            return False

    def problem(self, *, refused: bool) -> str:
        """A sentence if no connection is possible with the files' content; otherwise empty."""
        if not refused:
            return ""
        return (
            f"NATS does not take the worker's user and password: correct them in {self._secret}, or in NATS; "
            "runs go on meanwhile"
        )

    def _user(self) -> str:
        self._used = read(self._folder)
        return self._used[0]


def read(folder: Path) -> tuple[str, str]:
    """Both from one version of the Secret: the kubelet replaces all of its files at once. `OSError` without them."""
    there = (folder / USERNAME).resolve(strict=True).parent
    user, password = ((there / name).read_text().strip("\r\n") for name in (USERNAME, PASSWORD))
    return user, password
