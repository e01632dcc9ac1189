"""The processes of the machine by their parents."""

from __future__ import annotations

import os
from collections.abc import Iterator


def descendants(ancestor: int) -> list[int]:
    """All that live below a process, nearest first; one that has ended may be listed, until its parent asks for it."""
    children: dict[int, list[int]] = {}
    for process, parent in _parents():
        children.setdefault(parent, []).append(process)
    found = [ancestor]
    for process in found:
        found += children.get(process, ())
    return found[1:]


def children(parent: int) -> list[int]:
    return [process for process, its_parent in _parents() if its_parent == parent]


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):  # noqa: PTH208 (names are what is wanted)
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 (pathlib takes as long as all else)
                    # After the name, which may hold anything: state, parent.
                    yield int(name), int(file.read().rpartition(b") ")[2].split(maxsplit=2)[1])
            except (OSError, IndexError):
                # It has ended meanwhile.
                continue
