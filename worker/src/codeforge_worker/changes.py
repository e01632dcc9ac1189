"""The changes of a task between two commits: file names, and a patch of limited size."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import plain
from .git import GitRepository

# Limit of a compared file, which git holds in memory.
FILE_BYTES = 32 << 20
# Before and after. A patch of what no compression helps is a quarter longer.
ALL_BYTES = 192 << 20
_NAMED = 5
_RAW = re.compile(r":(\d+) \d+ ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*")
_NOTHING = "0"
# The repository's settings may be the agent's.
_NO_PROGRAMS = ("--no-ext-diff", "--no-textconv")
_PATCH = b"diff --git "


@dataclass(frozen=True)
class Change:
    """`mode` and `before` are those of the earlier file, all zeros where there was none."""

    name: str
    mode: str
    before: str
    after: str


class Changes:
    def __init__(self, repository: GitRepository, base: str, end: str) -> None:
        self._repository = repository
        self._base = base
        self.end = end
        self._found: list[Change] | None = None
        # What a patch could not hold.
        self.problems: list[str] = []

    async def names(self) -> tuple[str, ...]:
        return tuple(plain.name_of(change.name) for change in await self._changes())

    async def write(self, patch: Path, diffstat: Path) -> bool:
        """False when nothing is left to write."""
        end = await self._without(await self._too_large(), patch)
        both = patch.with_name("both")
        options = ("-c", "core.bigFileThreshold=16m", "diff", *_NO_PROGRAMS)
        form = ("--no-color", "--stat", "--patch", "--binary")
        await self._repository.git(*options, *form, f"--output={both}", self._base, end)
        return await asyncio.to_thread(_split, both, patch, diffstat)

    async def _changes(self) -> list[Change]:
        if self._found is None:
            listing = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", self._base, self.end)
            fields = iter(await self._repository.fields(*listing))
            told = ((_RAW.fullmatch(entry), name) for entry, name in zip(fields, fields, strict=True))
            self._found = [Change(name, match[1], match[2], match[3]) for match, name in told if match]
        return self._found

    async def _too_large(self) -> list[tuple[Change, int]]:
        """The largest files, by the memory that git would need for them."""
        changes = await self._changes()
        objects = sorted({one for change in changes for one in (change.before, change.after) if one.strip(_NOTHING)})
        asked = "".join(f"{one}\n" for one in objects)
        told = await self._repository.git(
            "cat-file", "--buffer", "--batch-check=%(objectname) %(objectsize)", stdin=asked
        )
        # The commit of a submodule is not here, and has no size.
        sizes = {
            name: int(size) for name, _, size in (line.partition(" ") for line in told.split("\n")) if size.isdigit()
        }
        left_out: list[tuple[Change, int]] = []
        total = 0
        sized = [(change, sizes.get(change.before, 0) + sizes.get(change.after, 0)) for change in changes]
        for change, size in sorted(sized, key=lambda one: one[1]):
            total += size
            if size > FILE_BYTES or total > ALL_BYTES:
                left_out.append((change, size))
        return left_out

    async def _without(self, left_out: list[tuple[Change, int]], patch: Path) -> str:
        """The end commit with these files as they were at the start."""
        if not left_out:
            return self.end
        index = {"GIT_INDEX_FILE": str(patch.with_name("index"))}
        git = self._repository.git
        await git("read-tree", self.end, **index)
        entries = "".join(f"{change.mode} {change.before}\t{change.name}\0" for change, _ in left_out)
        await git("update-index", "-z", "--index-info", stdin=entries, **index)
        named = ", ".join(f"{plain.name_of(change.name)} ({size} bytes)" for change, size in left_out[-_NAMED:][::-1])
        more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        self.problems.append(
            f"{patch.name} is without {named}{more}: it has files of at most {FILE_BYTES >> 20} MiB, and "
            f"{ALL_BYTES >> 20} MiB in all, counted before and after; push the branch, or let git ignore such files"
        )
        return await git("write-tree", **index)


def _split(both: Path, patch: Path, diffstat: Path) -> bool:
    """One git command writes both: the numbers, an empty line, and the patch."""
    with both.open("rb") as file, diffstat.open("wb") as figures:
        for line in file:
            if line.startswith(_PATCH):
                break
            if line.strip():
                figures.write(line)
        else:
            return False
        with patch.open("wb") as rest:
            rest.write(line)
            shutil.copyfileobj(file, rest)
    both.unlink()
    return True
