"""Keys and JWTs of NATS, minted from what the operator ships: its list says what a pool may reach."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nkeys

from .operator import NAMESPACE, POOL

_LIST = Path(__file__).parents[3] / "src/main/resources/dev/codeforge/identity/reach.json"
REACH: dict[str, Any] = json.loads(_LIST.read_text())
_PREFIXES = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}
_NO_LIMITS = dict.fromkeys(("subs", "data", "payload"), -1)
_ACCOUNT_LIMITS = _NO_LIMITS | {"imports": -1, "exports": -1, "conn": -1, "wildcards": True}
_STREAMS = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
ANSWER = {"max": 1, "ttl": 60_000_000_000}


class Key:
    def __init__(self, kind: str) -> None:
        self.seed: bytes = nkeys.encode_seed(os.urandom(32), _PREFIXES[kind])
        self.id: str = nkeys.from_seed(bytearray(self.seed)).public_key.decode()  # pyright: ignore[reportAttributeAccessIssue]

    def sign(self, data: bytes) -> bytes:
        return nkeys.from_seed(bytearray(self.seed)).sign(data)


def issue(issuer: Key, subject: str, name: str, body: dict[str, Any], seconds: float = 0) -> str:
    """A JWT; `seconds` is how long it is valid, 0 for ever."""
    now = int(time.time())
    claims: dict[str, Any] = {"iat": now, "iss": issuer.id, "sub": subject, "name": name, "nats": body | {"version": 2}}
    if seconds:
        claims["exp"] = int(time.time() + seconds)
    # Not of what it says: two of one second are two credentials.
    claims["jti"] = secrets.token_hex(16)
    head = _encoded(b'{"typ":"JWT","alg":"ed25519-nkey"}') + "." + _encoded(json.dumps(claims).encode())
    return f"{head}.{_encoded(issuer.sign(head.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def of_pool(entries: list[Any], namespace: str, pool: str = "") -> list[Any]:
    """What the list says, for a pool."""
    text = json.dumps(entries).replace("{namespace}", namespace).replace("{pool}", pool)
    return json.loads(text)


@dataclass(frozen=True)
class Pool:
    namespace: str
    name: str

    @property
    def publish(self) -> list[str]:
        return of_pool(REACH["pool"]["publish"], self.namespace, self.name)

    @property
    def subscribe(self) -> list[str]:
        return of_pool(REACH["pool"]["subscribe"], self.namespace, self.name)


MINE, NEIGHBOUR = Pool(NAMESPACE, POOL), Pool("other", "neighbour")


class Identities:
    """An operator, the account with the streams, and an account for each of two namespaces with one pool."""

    def __init__(self) -> None:
        self.operator, self.system, self.streams = Key("operator"), Key("account"), Key("account")
        self.namespaces = {pool: Key("account") for pool in (MINE, NEIGHBOUR)}
        self._users = {pool: Key("user") for pool in (MINE, NEIGHBOUR)}

    def trust(self) -> str:
        """The lines of the server's configuration that name whom it believes."""
        own = {"type": "operator", "system_account": self.system.id}
        accounts = {self.system.id: self._account(self.system, {}), self.streams.id: self._account_of_streams()}
        accounts |= {key.id: self.account(pool) for pool, key in self.namespaces.items()}
        preload = "\n".join(f"  {account}: {jwt}" for account, jwt in accounts.items())
        return (
            f"operator: {issue(self.operator, self.operator.id, 'test', own)}\n"
            f"system_account: {self.system.id}\nresolver_preload {{\n{preload}\n}}\n"
        )

    def account(self, pool: Pool, *, revoked: bool = False) -> str:
        """Of the pool's namespace; `revoked`: without the pool, whose credentials until now are worth nothing."""
        lists = of_pool(REACH["namespace"]["imports"], pool.namespace)
        if not revoked:
            lists += of_pool(REACH["pool"]["imports"], pool.namespace, pool.name)
        imports = [{"name": one["subject"], "account": self.streams.id} | one for one in lists]
        body: dict[str, Any] = {"imports": imports}
        if revoked:
            body["revocations"] = {self._users[pool].id: int(time.time())}
        return self._account(self.namespaces[pool], body)

    def _account_of_streams(self) -> str:
        exports = [{"name": one["subject"]} | one for one in REACH["streams"]["exports"]]
        return self._account(self.streams, {"exports": exports}, _STREAMS)

    def _account(self, key: Key, body: dict[str, Any], limits: dict[str, Any] | None = None) -> str:
        body = {"type": "account", "limits": _ACCOUNT_LIMITS | (limits or {})} | body
        return issue(self.operator, key.id, "account", body)

    def worker(self, pool: Pool = MINE, seconds: float = 0, *, among_the_streams: bool = False) -> str:
        """A worker's credential. `among_the_streams`: in the account that has them, where only permissions bound it."""
        may: dict[str, Any] = {
            "pub": {"allow": pool.publish}, "sub": {"allow": pool.subscribe}, "resp": ANSWER,
        }  # fmt: skip
        account = self.streams if among_the_streams else self.namespaces[pool]
        return self._credential(account, self._users[pool], may, seconds)

    def all_of_the_streams(self) -> str:
        return self._credential(self.streams, Key("user"), {})

    def all_of_the_system(self) -> str:
        return self._credential(self.system, Key("user"), {})

    def _credential(self, account: Key, user: Key, may: dict[str, Any], seconds: float = 0) -> str:
        jwt = issue(account, user.id, "user", {"type": "user"} | _NO_LIMITS | may, seconds)
        return (
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
        )
