"""Servers of a run on the loopback: their ports, and how its programs find them."""

from __future__ import annotations

import contextlib
import errno
import functools
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
# Unprivileged, and above what servers have by default.
_LOWEST, _HIGHEST = 16_384, 19_999
_TRIES = 100
_ANY_PORT = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Access:
    """The variables by which programs find a server of their run, and its port; none where there is no such server."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: tuple[int, ...] = ()


def bound() -> socket.socket:
    """On a port below those that the kernel gives to who asks for any: a pool may let its agents connect to these."""
    below = _below()
    first = secrets.randbelow(len(below)) if below else 0
    # One after another from any of them: two workers on one node rarely begin at the same.
    for port in [below[(first + i) % len(below)] for i in range(min(_TRIES, len(below)))] or [0]:
        server = socket.socket()
        with contextlib.suppress(OSError):
            server.bind((HOST, port))
            return server
        server.close()
    raise OSError(errno.EADDRINUSE, f"no port of {below} is free for a server of a run")


@functools.cache
def _below() -> range:
    """Some nodes hand out nearly all ports: then there are none below."""
    any_port = int(_ANY_PORT.read_text().split()[0])
    return range(_LOWEST, min(_HIGHEST + 1, any_port))


def port_of(server: socket.socket) -> int:
    return server.getsockname()[1]
