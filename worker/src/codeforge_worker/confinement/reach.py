"""What the runs of a worker may touch: the image, their own folders, and their own proxy's port."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .order import Walls
from .probe import Kernel

# Nothing in them is of the image: secrets are mounted below /run, the rest is written to by everybody.
_NEVER_READ = ("/run", "/var/run", "/tmp", "/dev")  # noqa: S108 (not to be used)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
# Drivers of agents are in it: they start within the walls, wherever it is installed.
_PACKAGE = Path(__file__).resolve().parents[1]
# One run can write into another's.
_TERMINALS = ("/dev/ptmx", "/dev/pts")


class Isolation(Enum):
    """`isolation.agent` of the pool."""

    REQUIRED = "Required"
    PREFERRED = "Preferred"
    OFF = "Off"


@dataclass(frozen=True)
class Granted:
    """What a pool grants beside: folders to read, folders to write to, and pairs of a first and a last port.

    `temporary` are folders that are the worker's alone: it may empty them.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()
    temporary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reach:
    """The same for all runs of a worker. `is_alone`: one runs at a time. `in_worker`: the worker itself runs them."""

    kernel: Kernel
    read: tuple[str, ...]
    granted: Granted
    open_network: bool
    is_alone: bool
    in_worker: bool

    @classmethod
    def of(
        cls,
        kernel: Kernel,
        granted: Granted,
        apart: Iterable[Path],
        *,
        open_network: bool,
        is_alone: bool,
        in_worker: bool,
    ) -> Reach:
        """`apart` are the worker's own folders, which hold more than one run's, or secrets."""
        hidden = frozenset(os.path.realpath(path) for path in (*_NEVER_READ, *apart))
        read = (*_readable("/", hidden), str(_PACKAGE))
        return cls(kernel, read, granted, open_network, is_alone, in_worker)

    def walls(self, *own: Path, ports: Sequence[int] = (), terminals: bool = False) -> Walls:
        """For a program of one run. `own` are folders of the run; `terminals`: it cannot do without."""
        return Walls(
            read=(*self.read, *self.granted.read),
            write=(*map(str, own), *self.temporary, *self.granted.write),
            devices=_DEVICES + (_TERMINALS if self.is_alone or terminals else ()),
            ports=(*((port, port) for port in ports), *self.granted.ports),
            open_network=self.open_network,
            abi=self.kernel.abi,
            filter=self.kernel.filter,
        )

    def walls_of_git(self, *own: Path, read: tuple[Path, ...] = ()) -> Walls:
        """For git over what an agent has left: it needs no network, and runs what the agent's settings name."""
        return Walls(
            read=(*self.read, *map(str, read)),
            write=tuple(map(str, own)),
            devices=_DEVICES,
            ports=(),
            open_network=False,
            abi=self.kernel.abi,
            filter=self.kernel.filter,
        )

    @property
    def temporary(self) -> tuple[str, ...]:
        """Folders that are the run's while it lasts: only where one runs at a time, since all know their names."""
        return self.granted.temporary if self.is_alone and not self.in_worker else ()

    @property
    def needs_other_temporary(self) -> bool:
        return not self.temporary and not self.in_worker


def _readable(folder: str, hidden: frozenset[str]) -> Iterator[str]:
    """What lies in a folder but for what is hidden: a grant cannot be taken back further below."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = os.path.realpath(entry.path)
        if any(_is_within(path, kept) for kept in hidden):
            continue
        if any(_is_within(kept, path) for kept in hidden):
            # A link would lead to where its target is listed anyway.
            if not entry.is_symlink():
                yield from _readable(path, hidden)
        else:
            yield path


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
