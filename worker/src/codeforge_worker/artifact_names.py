"""Which files a run may leave behind, and where."""

from __future__ import annotations

import re

# The folder in a run's scratch whose files are stored.
FOLDER = "artifacts"
PATCH, DIFFSTAT, OUTPUT = "changes.patch", "diffstat.txt", "output.log"
OWN = (PATCH, DIFFSTAT, OUTPUT)
COUNT = 20
# Limits of what an agent may add.
ADDED = COUNT - len(OWN)
FILE_BYTES = 256 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def refusal(name: str, size: int) -> str:
    """Why a file cannot be an artifact; empty when it can."""
    if not _NAME.fullmatch(name):
        return "a name has 1 to 128 letters, digits, '.', '_' or '-', and begins with neither '.' nor '-'"
    if name in OWN:
        return "the worker stores a file of its own by this name"
    if size > FILE_BYTES:
        return f"it has {size} bytes: at most {FILE_BYTES} (256 MiB) are stored"
    return ""
