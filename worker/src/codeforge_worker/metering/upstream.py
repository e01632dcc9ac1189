"""The pool's model server, and the address that an agent gets instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .address import is_v1, same_server
from .allowed import parts_of
from .prices import Prices

_OPENAI = "https://api.openai.com/v1"
_KEY = "OPENAI_API_KEY"
_BASES = ("OPENAI_API_BASE", "OPENAI_BASE_URL")
_SECRETS = ("KEY", "TOKEN", "SECRET")


@dataclass(frozen=True)
class Upstream:
    """An OpenAI-compatible server; `key` is empty if it needs none."""

    base: str
    key: str
    prices: Prices

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Upstream | None:
        """None if the pool names no such server: its agents reach their model in another way."""
        key = environment.get(_KEY, "")
        base = next((environment[name] for name in _BASES if environment.get(name)), _OPENAI if key else "")
        return cls(base.rstrip("/"), key, Prices.of(environment)) if base else None

    def url(self, path: str) -> str:
        """The address for a path of the proxy's."""
        parts = parts_of(path)
        return "/".join((self.base, *(parts[1:] if is_v1(self.base) and parts[:1] == ["v1"] else parts)))

    def environment(self, pool: Mapping[str, str], origin: str, key: str) -> dict[str, str]:
        """The agent's variables: the proxy's address and key replace the server's."""
        told = {_KEY: key, **dict.fromkeys(_BASES, _spelled(origin, self.base))}
        for name, value in pool.items():
            if self._is_key(name, value):
                told[name] = key
            elif name not in _BASES and same_server(value, self.base):
                told[name] = _spelled(origin, value)
                # A provider's client may know only one of the two names for its server.
                told |= {other: told[name] for other in _both(name) if other not in pool}
        # A client would otherwise use the pool's own HTTP proxy for the loopback.
        for name in ("NO_PROXY", "no_proxy"):
            told[name] = ",".join(filter(None, (pool.get(name, ""), "127.0.0.1")))
        return told

    def replaces(self, name: str, value: str) -> bool:
        """Whether the agent gets another value for this name, or none."""
        return name == _KEY or name in _BASES or self._is_key(name, value)

    def without_key(self, pool: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in pool.items() if name != _KEY and not self._is_key(name, value)}

    def _is_key(self, name: str, value: str) -> bool:
        """Also under another name, such as an agent's own."""
        return bool(self.key) and value == self.key and any(word in name.upper() for word in _SECRETS)


def _spelled(origin: str, address: str) -> str:
    """In the form that an agent expects for this address: some add /v1 themselves."""
    return f"{origin}/v1" if is_v1(address) else origin


def _both(name: str) -> tuple[str, ...]:
    for suffix in ("_API_BASE", "_BASE_URL"):
        if name.endswith(suffix):
            provider = name.removesuffix(suffix)
            return f"{provider}_API_BASE", f"{provider}_BASE_URL"
    return ()
