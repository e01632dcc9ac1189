"""The servers that the agents of a pool may reach, by name and port."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_HTTPS = 443
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_LONGEST = 253


class Unreadable(Exception):
    """An invalid entry; the sentence shows a valid one."""


@dataclass(frozen=True)
class Entry:
    """`below`: every name that ends with a dot and `name`, but not `name`. `private`: any address of the name."""

    name: str
    port: int
    below: bool
    private: bool

    def covers(self, name: str, port: int) -> bool:
        named = name.endswith("." + self.name) if self.below else name == self.name
        return named and port == self.port


@dataclass(frozen=True)
class Egress:
    entries: tuple[Entry, ...] = ()

    def entry(self, name: str, port: int) -> Entry | None:
        """The entry that allows this server, preferably one that allows a private address."""
        covering = [entry for entry in self.entries if entry.covers(name.rstrip(".").lower(), port)]
        return max(covering, key=lambda entry: entry.private, default=None)


def parse(entry: str) -> Entry:
    """`packages.example.org`, `.example.org`, `git.team.svc:8443`: a port also allows addresses that are not public."""
    text, colon, number = entry.strip().lower().partition(":")
    name = text.removeprefix(".")
    if "/" in number or len(name) > _LONGEST or not _NAME.fullmatch(name) or _is_address(name):
        raise Unreadable(f"{entry!r} is no name of a host: give one such as packages.example.org or .example.org")
    if colon and not (number.isascii() and number.isdigit() and 0 < int(number) < 1 << 16):
        raise Unreadable(f"{entry!r} has no port from 1 to 65535 after its colon")
    return Entry(name, int(number) if colon else _HTTPS, text.startswith("."), bool(colon))


def may_connect(address: str, *, private: bool) -> bool:
    """Whether the resolved address may be connected to. Clouds serve secrets on link-local addresses."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # The same address in another notation.
        found = found.ipv4_mapped or found.sixtofour or found
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        return False
    return private or found.is_global


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
