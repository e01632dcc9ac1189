"""Opens files that an agent may have replaced by links, pipes or devices."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def opened(folder: Path, steps: tuple[str, ...]) -> int | None:
    """A file below the folder, None if it does not exist. Follows no link, which could lead to another run's file."""
    with contextlib.ExitStack() as opened:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        for step in steps[:-1]:
            opened.callback(os.close, number)
            try:
                number = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=number)
            except OSError:
                return None
        opened.callback(os.close, number)
        return opened_in(number, steps[-1])


def opened_in(folder: int, name: str) -> int | None:
    """A file in an open folder, None if it does not exist, or is a link, a pipe or a device."""
    try:
        # Opening a pipe would block.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    return file
