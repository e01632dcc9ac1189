"""Addresses of model servers: one server has several spellings."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def same_server(one: str, other: str) -> bool:
    server = _server(one)
    return server is not None and server == _server(other)


def is_v1(address: str) -> bool:
    return address.rstrip("/").endswith("/v1")


def _server(address: str) -> tuple[str, str, int | None, str] | None:
    """Scheme, host, port and the path without /v1; None for what is no address."""
    try:
        read = urlsplit(address.strip())
        port = read.port
    except ValueError:
        return None
    if read.scheme not in _PORTS or not read.hostname:
        return None
    path = read.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return read.scheme, read.hostname.rstrip("."), port or _PORTS[read.scheme], path
