"""Opens files that an agent may have replaced by links, pipes or devices."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

# Of a link, of a folder that is a link or a file, and of a socket.
_NO_FILE = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)


class NoFile(Exception):
    """A path that leads to no regular file, or over a link; the message names it."""


def regular(path: Path, agents: Path) -> int:
    """The regular file at an absolute path. Raises `NoFile`, or `OSError` with the path.

    Below `agents`, the folder of a run, no folder of the path may be a link either.
    """
    # What `..` leads to depends on the links before it.
    path = Path(os.path.normpath(path))
    folder: int | None = None
    steps: tuple[str, ...] = (str(path),)
    with contextlib.ExitStack() as folders:
        try:
            if path != agents and path.is_relative_to(agents):
                folder = os.open(agents, os.O_RDONLY | os.O_DIRECTORY)
                folders.callback(os.close, folder)
                steps = path.relative_to(agents).parts
            for step in steps[:-1]:
                folder = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                folders.callback(os.close, folder)
            file = os.open(steps[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise NoFile(f"{path} is a link, leads over one, or is no file") from error
            raise OSError(error.errno, error.strerror, str(path)) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NoFile(f"{path} is no regular file, but a folder, a pipe or a device")
    return file


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
