"""Decides which URLs a task or its repository may have cloned: no files, and none that run a program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_URL = re.compile(r"(https?|ssh|git)://\S+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:\S+")
_HTTP = re.compile(r"(https?)://(?:([^/?#]*)@)?([^/?#@]+)(.*)")


def is_cloned(url: str) -> bool:
    return _URL.fullmatch(url) is not None


@dataclass(frozen=True)
class HttpUrl:
    """`bare` is the URL without user and password, which are empty where it has none."""

    bare: str
    scheme: str
    host: str
    user: str
    password: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


def http_url(url: str) -> HttpUrl | None:
    """None for a URL of another protocol."""
    match = _HTTP.fullmatch(url)
    if match is None:
        return None
    scheme, userinfo, host, path = match.groups()
    user, _, password = (userinfo or "").partition(":")
    return HttpUrl(f"{scheme}://{host}{path}", scheme, host, unquote(user), unquote(password))
