"""System calls that Python has no function for, on x86-64 and arm64."""

from __future__ import annotations

import ctypes
import os
import struct

_ARM = os.uname().machine == "aarch64"

AUDIT_ARCH = 0xC00000B7 if _ARM else 0xC000003E
SECCOMP = 277 if _ARM else 317
_CAPSET = 91 if _ARM else 126
# The same on every architecture.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
IO_URING_SETUP = 425
SOCKET = 198 if _ARM else 41
SENDTO = 206 if _ARM else 44
SENDMSG = 211 if _ARM else 46
SENDMMSG = 269 if _ARM else 307
PRLIMIT64 = 261 if _ARM else 302

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

# Of capabilities in two words.
_CAPABILITY_VERSION = 0x20080522

_LIBC = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """Integers among the arguments must have a type of ctypes, or the upper half of their register is undefined."""
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def descriptor_of(process: int) -> int | None:
    """A pidfd, by which the end can be awaited and no other process is meant; None where a sandbox has none."""
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def adopt_descendants() -> None:
    """Makes this process the parent of descendants that lose theirs."""
    _set(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(signal: int) -> None:
    """The signal comes when the thread that started this process ends."""
    _set(_PR_SET_PDEATHSIG, signal)


def hide_memory() -> None:
    """Prevents processes of the same user from reading this process's environment and memory; execve undoes it."""
    _set(_PR_SET_DUMPABLE, 0)


def give_up_privileges() -> None:
    """No program that is executed from now on gains any; without it an unprivileged process cannot be confined."""
    _set(_PR_SET_NO_NEW_PRIVS, 1)


def give_up_capabilities() -> None:
    """Root's capabilities in a container: with one of them, Landlock does not protect other processes' memory."""
    call(_CAPSET, struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(2 * struct.calcsize("=III")))


def _set(option: int, value: int) -> None:
    if _LIBC.prctl(ctypes.c_int(option), *map(ctypes.c_ulong, (value, 0, 0, 0))) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
