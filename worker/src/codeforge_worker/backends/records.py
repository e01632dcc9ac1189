"""Reads an agent's records of its run. They may contain anything, and are read in a thread."""

from __future__ import annotations

import os
from pathlib import Path

from ..no_link import opened

# Parsing takes the interpreter for a second or two at this size, and with it the heartbeats.
RECORD_BYTES = 64 << 20


class NoRecord(Exception):
    """The record cannot be read; the message says why."""


def read(folder: Path, name: str) -> str:
    """A file in a folder of the run; empty where there is none. Raises `NoRecord`, and never waits."""
    # Opened from the run's own folder, which no agent can replace.
    number = opened(folder.parent, (folder.name, name))
    if number is None:
        if os.path.lexists(folder / name):
            raise NoRecord(f"{name} is a link, or no file")
        return ""
    with os.fdopen(number, "rb") as file:
        content = file.read(RECORD_BYTES + 1)
    if len(content) > RECORD_BYTES:
        raise NoRecord(f"{name} is larger than {RECORD_BYTES >> 20} MiB")
    return content.decode("utf-8", "replace")
