"""The processor time of processes that run yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(process: int) -> float:
    """The processor time of a process, of all below it, and of those of them that have ended."""
    return sum(sum(map(int, stat[11:15])) for stat in family(process)) / _TICKS


def family(ancestor: int) -> Iterator[list[str]]:
    stats: dict[int, list[str]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(file.parent.name)] = file.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
    found = [ancestor]
    for process in found:
        if process in stats:
            yield stats[process]
        found += [child for child, stat in stats.items() if int(stat[1]) == process]
