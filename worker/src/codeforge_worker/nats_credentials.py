"""The NATS credentials file: it is renewed during a run, and read at each connect."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import nkeys

_FORM = re.compile(
    rb"-+BEGIN NATS USER JWT-+\s+(?P<jwt>[\w-]+\.(?P<claims>[\w-]+)\.[\w-]+)\s.*?"
    rb"-+BEGIN USER NKEY SEED-+\s+(?P<seed>[A-Z2-7]+)\s",
    re.DOTALL,
)


class Unreadable(OSError):
    """The file has no credential; nats-py tries again after it, as after any error of a file."""


class _Claims(msgspec.Struct):
    exp: int = 0


@dataclass(frozen=True)
class Login:
    """`expires` is in seconds since 1970, 0 for never."""

    jwt: bytes
    seed: bytes
    expires: int

    @property
    def until(self) -> str:
        """Its end in words. Nothing is compared with it: the time is of the operator's clock."""
        if not self.expires:
            return ""
        return f", which is valid until {datetime.fromtimestamp(self.expires, UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def options(self) -> dict[str, Any]:
        """Of nats-py."""
        return {"user_jwt_cb": self.jwt, "signature_cb": self.sign}

    def sign(self, nonce: str) -> bytes:
        key = nkeys.from_seed(bytearray(self.seed))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return base64.b64encode(key.sign(nonce.encode()))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def read(path: Path) -> Login:
    """The file's current content; `Unreadable` with a sentence if it is no credential."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    found = _FORM.search(text)
    if found is None:
        raise Unreadable(f"{path} does not hold a user's JWT and the seed of its key, as NATS's clients read them")
    try:
        claims = found["claims"]
        claimed = msgspec.json.decode(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)), type=_Claims)
        login = Login(found["jwt"], found["seed"], claimed.exp)
        login.sign("")
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError, nkeys.NkeysError) as error:
        raise Unreadable(f"{path} holds a damaged JWT or seed") from error
    return login


class NatsCredentials:
    def __init__(self, path: Path, secret: str) -> None:
        """`secret` says which Secret is mounted there."""
        self._path = path
        self._secret = secret
        self._used: Login | None = None
        self._unreadable = ""

    @property
    def options(self) -> dict[str, Any]:
        """Of nats-py."""
        return {"user_jwt_cb": self.jwt, "signature_cb": self.sign}

    def sign(self, nonce: str) -> bytes:
        """Called first at a connect, so that JWT and signature come from one read."""
        self._used = self._read()
        return self._used.sign(nonce)

    def jwt(self) -> bytearray:
        return bytearray(self._used.jwt if self._used else b"")

    @property
    def renewed(self) -> bool:
        """Whether the file has another credential than the one that was used last."""
        try:
            return self._read() != self._used
        except Unreadable:
            return False

    def problem(self, *, refused: bool) -> str:
        """A sentence if no connection is possible with the file's content; otherwise empty."""
        if self._unreadable:
            what = self._unreadable
        elif refused:
            what = f"NATS refuses the credential in {self._path}{self._used.until if self._used else ''}"
        else:
            return ""
        return f"{what}: the operator renews {self._secret}, see the pool's conditions; runs go on meanwhile"

    def _read(self) -> Login:
        try:
            login = read(self._path)
        except Unreadable as error:
            self._unreadable = str(error)
            raise
        self._unreadable = ""
        return login
