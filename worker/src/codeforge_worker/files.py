"""The pool's object store: objects are written once, and read and verified message by message.

A worker may create no consumer. An object is what every NATS client understands (ADR-20), except that each chunk has a
subject of its own, `$O.<bucket>.C.<id>.<n>`, and the id in its info is `<id>.*`. So a chunk can be read by its subject,
and the bucket can have one message per subject: an object is never overwritten.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import msgspec
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NoStreamResponseError

from . import wire
from .broker import AWAY, Broker
from .fitting import BESIDE_BYTES

CHUNK_BYTES = 512 * 1024
# Concurrent writes: enough for a fast server, without the whole file in memory.
_AHEAD = 4
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_NAME_CHARACTERS = 512
_NO_MESSAGE = "404"
_TRIES = 5


class NotKept(Exception):
    """A file that cannot be stored; the sentence says what to do."""


class NotFound(Exception):
    """There is no such file, or no such bucket."""


class Damaged(Exception):
    """The stored object differs from what was written, or is no file of a worker's."""


@dataclass(frozen=True)
class Stored:
    """`size` in bytes; `digest` is `sha-256:` and 64 hexadecimal digits."""

    name: str
    size: int
    digest: str


class _Options(msgspec.Struct):
    max_chunk_size: int = CHUNK_BYTES


class _Info(msgspec.Struct):
    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str
    mtime: str = ""
    options: _Options = msgspec.field(default_factory=_Options)


class Files:
    """The files of one pool."""

    def __init__(self, broker: Broker, namespace: str, pool: str) -> None:
        self._broker = broker
        self.bucket = f"files_{namespace}_{pool}"

    async def put(self, name: str, source: Path | bytes | IO[bytes]) -> Stored:
        """Stores under an unused name; raises `NotKept`, or one of `AWAY` when NATS does not answer.

        The file is visible once all of it is stored: an interrupted write only uses space until the bucket expires it.
        """
        if not 0 < len(name) <= _NAME_CHARACTERS:
            raise NotKept(f"{name!r} is no name for a file: give one of 1 to {_NAME_CHARACTERS} characters")
        identity = uuid.uuid4().hex
        hashed, size, chunks = hashlib.sha256(), 0, 0
        chunk_bytes = min(CHUNK_BYTES, max(1, self._broker.max_payload - BESIDE_BYTES))
        async for batch in _batches(source, chunk_bytes):
            subjects = [f"$O.{self.bucket}.C.{identity}.{chunks + i}" for i in range(1, len(batch) + 1)]
            chunks += len(batch)
            for chunk in batch:
                hashed.update(chunk)
                size += len(chunk)
            await asyncio.gather(*(self._write(*pair) for pair in zip(subjects, batch, strict=True)))
        info = _Info(
            name=name,
            bucket=self.bucket,
            nuid=f"{identity}.*",
            size=size,
            chunks=chunks,
            digest="SHA-256=" + base64.urlsafe_b64encode(hashed.digest()).decode(),
            mtime=wire.now(),
            options=_Options(chunk_bytes),
        )
        await self._write(self._meta(name), msgspec.json.encode(info), name)
        return Stored(name, size, f"sha-256:{hashed.hexdigest()}")

    async def _write(self, subject: str, body: bytes, name: str = "") -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await self._broker.jetstream().publish(subject, body, headers={"Nats-Expected-Stream": self.stream})
                return
            except NoStreamResponseError as error:
                raise NotKept(
                    f"the pool has no bucket {self.bucket}: the operator's log says why it cannot make it"
                ) from error
            except APIError as error:
                told = error.description or ""
                if "per subject" in told:
                    # The first try, whose answer was lost, or another worker's file.
                    if await self._read(subject) == body:
                        return
                    raise NotKept(f"a file {name or subject} is there already: take a new name") from error
                if "maximum" in told or "insufficient" in told or "resource" in told:
                    raise NotKept(
                        f"bucket {self.bucket} is full: raise files.sizePerPool of the chart, or wait until its oldest "
                        "files are 30 days old"
                    ) from error
                if attempt == _TRIES:
                    raise NotKept(f"NATS refuses to store in {self.bucket}: {told}") from error
            except AWAY:
                if attempt == _TRIES:
                    raise
            await asyncio.sleep(0.2 * attempt)

    async def get(self, name: str, into: Path) -> Stored:
        """Writes the file to a path, which exists only if its checksum is right; raises `NotFound` or `Damaged`."""
        info = await self._info(name)
        hashed, size = hashlib.sha256(), 0
        part = into.with_name(f"{into.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with part.open("wb") as file:
                for number in range(1, info.chunks + 1):
                    chunk = await self._read(f"$O.{self.bucket}.C.{info.nuid.removesuffix('.*')}.{number}")
                    if chunk is None:
                        raise Damaged(f"chunk {number} of {info.chunks} of {name} in {self.bucket} is missing")
                    hashed.update(chunk)
                    size += len(chunk)
                    await asyncio.to_thread(file.write, chunk)
            digest = "SHA-256=" + base64.urlsafe_b64encode(hashed.digest()).decode()
            if size != info.size or digest.rstrip("=") != info.digest.rstrip("="):
                raise Damaged(f"{name} in {self.bucket} is not what was stored: its checksum differs")
            part.replace(into)
        finally:
            part.unlink(missing_ok=True)
        return Stored(name, size, f"sha-256:{hashed.hexdigest()}")

    async def _info(self, name: str) -> _Info:
        body = await self._read(self._meta(name))
        if body is None:
            raise NotFound(f"there is no file {name} in {self.bucket}")
        try:
            info = msgspec.json.decode(body, type=_Info)
        except msgspec.MsgspecError as error:
            raise Damaged(f"what is stored about {name} in {self.bucket} cannot be read: {error}") from error
        # It becomes part of a subject.
        if not (info.nuid.endswith(".*") and _ID.fullmatch(info.nuid.removesuffix(".*"))):
            raise Damaged(f"{name} in {self.bucket} was not stored by a worker: its chunks cannot be read one by one")
        return info

    async def _read(self, subject: str) -> bytes | None:
        """The message on the subject; None when there is none, or no bucket."""
        absent = 0
        for attempt in range(1, _TRIES + 1):
            try:
                answer = await self._broker.request(f"$JS.API.DIRECT.GET.{self.stream}.{subject}", b"")
            except NoRespondersError:
                return None
            except AWAY:
                if attempt == _TRIES:
                    raise
            else:
                headers = answer.headers or {}
                if "Nats-Sequence" in headers:
                    return answer.data
                # A replica of the bucket may lag behind the one that confirmed.
                absent += headers.get("Status") == _NO_MESSAGE
                if absent == 2:
                    return None
            await asyncio.sleep(0.2 * attempt)
        return None

    @property
    def stream(self) -> str:
        return f"OBJ_{self.bucket}"

    def _meta(self, name: str) -> str:
        return f"$O.{self.bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


async def _batches(source: Path | bytes | IO[bytes], chunk_bytes: int) -> AsyncIterator[list[bytes]]:
    with contextlib.ExitStack() as opened:
        match source:
            case bytes():
                file: IO[bytes] = BytesIO(source)
            case Path():
                file = opened.enter_context(source.open("rb"))
            case _:
                file = source
        while batch := await asyncio.to_thread(_next, file, chunk_bytes):
            yield batch


def _next(file: IO[bytes], chunk_bytes: int) -> list[bytes]:
    return [chunk for chunk in (file.read(chunk_bytes) for _ in range(_AHEAD)) if chunk]
