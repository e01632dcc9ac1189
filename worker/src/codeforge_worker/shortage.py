"""Whether a run failed for want of memory, by the kernel's count of the container, or of room on its volume."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from . import wire
from .git import GitError
from .outcome import failure

# A volume with less than this counts as full.
_ROOM_BYTES = 1 << 20
# A limit above this is none: cgroup v1 has no word for that.
_NO_LIMIT = 1 << 60
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SAID = tuple(os.strerror(number) for number in _FULL)


@dataclass(frozen=True)
class Memory:
    """Files of a cgroup: `events` has a line `oom_kill` with a count, `limit` the memory limit in bytes."""

    events: Path
    limit: Path

    def kills(self) -> int:
        """How many processes the kernel has killed so far for want of memory; 0 if the kernel does not count them."""
        lines = _text(self.events).splitlines()
        return int(next((line.split()[1] for line in lines if line.startswith("oom_kill ")), 0))

    def limit_in_words(self) -> str:
        text = _text(self.limit).strip()
        if not text.isdecimal() or int(text) > _NO_LIMIT:
            return "its node has"
        return f"its limit of {int(text) >> 20} MiB"


def memory_of_this_process(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Memory:
    """The cgroup that the kernel names, or the mounted root where a container does not see that path."""
    paths = {names: path for _, names, path in (line.split(":", 2) for line in _text(own).splitlines())}
    first = next((names for names in paths if "memory" in names.split(",")), "")
    if first:
        folder = _seen(groups / "memory", paths[first])
        return Memory(folder / "memory.oom_control", folder / "memory.limit_in_bytes")
    folder = _seen(groups, paths.get("", "/"))
    return Memory(folder / "memory.events", folder / "memory.max")


def _seen(mount: Path, path: str) -> Path:
    """A container may have its own cgroup mounted as the root, while the kernel names the path on the node."""
    folder = mount / path.lstrip("/")
    return folder if folder.is_dir() else mount


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


class Watch:
    """Counts from the start of a run's agent. `alone`: the container has no other run."""

    def __init__(self, memory: Memory, folder: Path, *, alone: bool) -> None:
        self._memory = memory
        self._folder = folder
        self._alone = alone
        self._before = memory.kills()

    def explained(self, failed: wire.Failure) -> wire.Failure:
        """The failure, with the type OutOfMemory or OutOfDisk if that explains it: the next run would fail alike."""
        if not failed.retryable:
            return failed
        if killed := self._memory.kills() - self._before:
            what = f"{killed} process{'es' if killed > 1 else ''} of the container"
            sentence = f"the kernel has killed {what}, which needed more memory than {self._memory.limit_in_words()}"
            if not self._alone:
                # It may have been another run's.
                return wire.msgspec.structs.replace(failed, message=_joined(failed.message, f"meanwhile {sentence}"))
            return failure("OutOfMemory", _joined(f"{sentence}: {_MORE_MEMORY}", failed.message))
        if full := fullness(self._folder):
            return failure("OutOfDisk", _joined(full, failed.message))
        return failed


_MORE_ROOM = "give volume workspace in spec.template of the pool more room, or ask for less"
_MORE_MEMORY = "raise resources.limits.memory in spec.template of the pool, or ask for less"


def fullness(folder: Path) -> str:
    """What to do, if the volume of a folder has no room left; else empty."""
    try:
        volume = os.statvfs(folder)
    except OSError:
        return ""
    if volume.f_bavail * volume.f_frsize >= _ROOM_BYTES and (volume.f_favail or not volume.f_files):
        return ""
    size = volume.f_blocks * volume.f_frsize >> 20
    what = "files" if volume.f_bavail * volume.f_frsize >= _ROOM_BYTES else f"{size} MiB"
    return f"the volume of the workspace is full, all of its {what} are used: {_MORE_ROOM}"


def fullness_by(error: BaseException, folder: Path) -> str:
    """What to do, if something of the worker's own failed for want of room on a folder's volume; else empty.

    There may be room again by now: git removes what it could not finish.
    """
    if not is_full(error):
        return ""
    return fullness(folder) or f"the volume of the workspace had no room left: {_MORE_ROOM}"


def is_full(error: BaseException) -> bool:
    """Whether that is the cause, by the kernel's word or by git's."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    # What the server says of its own volume is not about this one.
    lines = error.lines if isinstance(error, GitError) else ()
    if any(said in line for line in lines if not line.startswith("remote:") for said in _SAID):
        return True
    return error.__cause__ is not None and is_full(error.__cause__)


def _joined(first: str, second: str) -> str:
    """Within the length of a message, the second one cut first."""
    return f"{first}; {second}"[: wire.MESSAGE_CHARACTERS]
