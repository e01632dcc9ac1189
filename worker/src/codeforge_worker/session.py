"""The conversation of a session: fetched before a run, and stored as a new object after it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path
from typing import Protocol

from nats.errors import Error as NatsError

from . import wire
from .files import Damaged, Files, NotFound
from .files import NotKept as FileNotKept
from .outcome import RunError
from .refusals import Refusals
from .session_archive import BadArchive, TooLarge, pack, unpack
from .shortage import fullness_by

log = logging.getLogger(__name__)

# Limit for storing a conversation, during which the outcome waits.
KEEP_SECONDS = 60.0
# Not every OSError: a full disk does not get better by waiting.
_AWAY = (NatsError, TimeoutError, ConnectionError)


class NotKept(Exception):
    """The conversation could not be stored; the reason."""


class Conversation(Protocol):
    async def begin(self, folder: Path) -> None:
        """Fills the empty folder with what the session's last success left; `RunError` if that is lost."""
        ...

    async def keep(self, folder: Path) -> wire.SessionObject:
        """Stores the folder for the session's next task, or raises `NotKept`."""
        ...


class PoolConversation:
    """Each run stores an object of its own: no object is overwritten, and a repeated run does no harm."""

    def __init__(self, files: Files, session: wire.Session, run: str, refusals: Refusals) -> None:
        """`run` identifies the run within the pool."""
        digest = hashlib.sha256(session.name.encode()).hexdigest()
        self._files = files
        self._session = session
        self._refusals = refusals
        self._object = f"sessions/{digest}/{run}"

    async def begin(self, folder: Path) -> None:
        history = self._session.history
        if history is None:
            return
        archive = folder.with_suffix(".tar.gz")
        try:
            await self._fetch(history, archive)
            await asyncio.to_thread(unpack, archive, folder)
        except (NotFound, Damaged, BadArchive) as error:
            raise RunError(
                "SessionLost",
                f"what session {self._session.name} has come to, {history.object}, cannot be read: {error}; nothing "
                "was spent. Create the task with another session, or let an administrator forget this one's history",
            ) from error
        finally:
            await asyncio.to_thread(archive.unlink, missing_ok=True)

    async def _fetch(self, history: wire.SessionObject, archive: Path) -> None:
        """Waits as long as NATS is away: an object that cannot be read now is not lost."""
        with self._refusals.tries(f"session {self._session.name}") as tries:
            while True:
                try:
                    stored = await self._files.get(history.object, archive)
                    break
                except _AWAY as error:
                    log.info("session %s not read yet: %s", self._session.name, error)
                    await tries.pause(error)
        if (stored.digest, stored.size) != (history.digest, history.size):
            raise Damaged("another object has its name")

    async def keep(self, folder: Path) -> wire.SessionObject:
        archive = folder.with_suffix(".tar.gz")
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await asyncio.to_thread(pack, folder, archive)
                stored = await self._store(archive)
        except TimeoutError as error:
            raise NotKept(f"the pool's bucket did not take it within {KEEP_SECONDS:.0f} s") from error
        except (TooLarge, FileNotKept, OSError) as error:
            raise NotKept(fullness_by(error, folder) or str(error)) from error
        return stored

    async def _store(self, archive: Path) -> wire.SessionObject:
        with self._refusals.tries(f"session {self._session.name}") as tries:
            while True:
                try:
                    stored = await self._files.put(self._object, archive)
                    return wire.SessionObject(stored.name, stored.digest, stored.size)
                except _AWAY as error:
                    log.info("session %s not kept yet: %s", self._session.name, error)
                    await tries.pause(error)


def conversation_of(files: Files, task: wire.Task, delivery: int, refusals: Refusals) -> PoolConversation | None:
    """The conversation that a run continues; None for a task without a session."""
    if task.session is None:
        return None
    return PoolConversation(files, task.session, f"{task.task_id}-{task.attempt}-{delivery}", refusals)
