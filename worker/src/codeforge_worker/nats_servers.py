"""The servers in NATS_URL, separated by commas."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SOCKETS = ("ws", "wss")
_SCHEMES = ("nats", "tls", *_SOCKETS)
_USERINFO = re.compile(r"//[^/@]*@")


class BadServer(Exception):
    """The sentence names the server and the error."""


def servers(text: str) -> tuple[str, ...]:
    """Each server in nats-py's form. No sentence contains a password."""
    found = tuple(filter(None, (one.strip() for one in text.split(","))))
    schemes = {_scheme(one) for one in found}
    if not found:
        raise BadServer("it names no server")
    if len({scheme in _SOCKETS for scheme in schemes}) > 1:
        raise BadServer("WebSockets and other servers cannot be mixed")
    return found


def shown(servers: tuple[str, ...]) -> str:
    return ", ".join(_USERINFO.sub("//", one) for one in servers)


def _scheme(server: str) -> str:
    try:
        read = urlsplit(server if "://" in server else f"nats://{server}")
        # Read only to report an invalid port.
        _ = read.port
    except ValueError as error:
        raise BadServer(f"{shown((server,))} is no server: {error}") from error
    if read.scheme not in _SCHEMES:
        raise BadServer(
            f"{shown((server,))} is no server: it begins with {', '.join(_SCHEMES)} and ://, or with its name"
        )
    if not read.hostname or any(letter.isspace() for letter in server):
        raise BadServer(f"{shown((server,))} is no server: it has no name")
    return read.scheme
