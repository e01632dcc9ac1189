"""Puts the current process within walls before it executes another program."""

from __future__ import annotations

from . import kernel, landlock, seccomp
from .order import Walls


def confine(walls: Walls) -> None:
    """Puts this process within the walls, as far as the kernel supports them."""
    if walls.abi >= landlock.FIRST_ABI:
        rules = landlock.Ruleset(walls.abi, connect=not walls.open_network)
        for path in walls.read:
            rules.read(path)
        for path in walls.write:
            rules.write(path)
        for path in walls.devices:
            rules.use_device(path)
        for first, last in walls.ports:
            for port in range(first, last + 1):
                rules.connect(port)
        rules.enforce()
    kernel.give_up_privileges()
    kernel.give_up_capabilities()
    if walls.filter:
        seccomp.enforce(only_tcp=not walls.open_network)
