"""The supervisor's order and report. Neither is in its arguments, which neighbours can read."""

from __future__ import annotations

import marshal  # json and what it imports take longer than all else of a supervisor's start
import os
from collections.abc import Mapping, Sequence


class Walls:
    """What is left to a run, and what the kernel has to keep it so.

    A path that is not there is passed over. `ports` are pairs of the first and the last port. `open_network`: any
    connection may be made, whatever `ports` says. `abi` is the version of Landlock, 0 for none; `filter`: whether
    system calls are filtered.
    """

    def __init__(
        self,
        *,
        read: Sequence[str],
        write: Sequence[str],
        devices: Sequence[str],
        ports: Sequence[Sequence[int]],
        open_network: bool,
        abi: int,
        filter: bool,
    ) -> None:
        self.read, self.write, self.devices = list(read), list(write), list(devices)
        self.ports, self.open_network = [tuple(pair) for pair in ports], open_network
        self.abi, self.filter = abi, filter


class Order:
    """A program to run in `cwd`: without walls it may do what the worker may. `grace` is in seconds."""

    def __init__(
        self, argv: Sequence[str], cwd: str, environment: Mapping[str, str], grace: float, walls: Walls | None
    ) -> None:
        self.argv, self.cwd, self.environment, self.grace, self.walls = list(argv), cwd, dict(environment), grace, walls

    def packed(self) -> bytes:
        """The content of a file for `read_order`."""
        return marshal.dumps(vars(self) | {"walls": self.walls and vars(self.walls)})

    def descriptor(self) -> int:
        """A file without a name that holds the order, for `read_order`."""
        descriptor = os.memfd_create("codeforge-order")
        with open(descriptor, "wb", closefd=False) as file:
            file.write(self.packed())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor


def read_order(descriptor: int) -> Order:
    with open(descriptor, "rb") as file:
        told = marshal.loads(file.read())  # noqa: S302 (from the worker)
    return Order(**told | {"walls": told["walls"] and Walls(**told["walls"])})


class Report:
    """How a run ended: by the exit code of its first process, or negative the signal that ended it; or not begun.

    `error` is the system's number for why the program could not be executed, 0 when that is not what went wrong.
    `failure` says why it was not begun, empty when it was.
    """

    def __init__(self, code: int = 0, error: int = 0, failure: str = "") -> None:
        self.code, self.error, self.failure = code, error, failure

    def send(self, descriptor: int) -> None:
        os.write(descriptor, marshal.dumps(vars(self)))


def read_report(told: bytes) -> Report | None:
    """None if the supervisor was ended before its report."""
    return Report(**marshal.loads(told)) if told else None  # noqa: S302 (no run has the other end)
