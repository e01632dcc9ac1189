"""Removing what an agent has left, whatever it did to the rights of its folders."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")


def remove(path: Path) -> None:
    """A folder with all that is in it. No link is followed. What cannot be removed stays."""
    with contextlib.suppress(OSError):
        path.chmod(0o700)
    # Each before it is looked into: go makes its folders of modules read-only.
    for folder, names, _ in os.walk(path):
        for name in names:
            inner = Path(folder, name)
            with contextlib.suppress(OSError):
                if not inner.is_symlink():
                    inner.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def empty(folder: Path) -> None:
    """All that is in it but for what is mounted there."""
    mounts = [Path(_unescaped(line.split()[4])) for line in _MOUNTS.read_text().splitlines()]
    for path in folder.iterdir() if folder.is_dir() else ():
        if any(mount.is_relative_to(path) for mount in mounts):
            continue
        if path.is_dir() and not path.is_symlink():
            remove(path)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _unescaped(path: str) -> str:
    return path.encode().decode("unicode_escape")
