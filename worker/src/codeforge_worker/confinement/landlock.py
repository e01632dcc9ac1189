"""Landlock: files, ports and signals that a process and its descendants may reach, kept by the kernel."""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from . import kernel

# What each version of the interface added. A kernel refuses a right that it does not know.
FIRST_ABI, TRUNCATE_ABI, NETWORK_ABI, DEVICES_ABI, SCOPES_ABI = 1, 3, 4, 5, 6
_REFER_ABI = 2

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_FIRST_RIGHTS = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# A rule for a file that is no folder may hold these only.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_CONNECT_TCP = 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1

_VERSION = 1 << 0
_PATH_BENEATH, _NET_PORT = 1, 2
_NO_FLAGS = ctypes.c_uint(0)


def abi() -> int:
    """The version of the kernel's Landlock; `OSError` where there is none."""
    return kernel.call(kernel.LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))


class Ruleset:
    """The rights that this process keeps; the rest of each kind that the kernel's version knows is refused."""

    def __init__(self, abi: int, *, connect: bool = True, only_signals: bool = False) -> None:
        """`connect`: TCP is left to the ports that are named. `only_signals`: nothing else is refused."""
        self._files = _REFER if only_signals else _rights(abi)
        network = _CONNECT_TCP if connect and abi >= NETWORK_ABI and not only_signals else 0
        scopes = (_SIGNALS if only_signals else _SIGNALS | _ABSTRACT_SOCKETS) if abi >= SCOPES_ABI else 0
        self._network = bool(network)
        attributes = struct.pack("=QQQ", self._files, network, scopes)
        size = ctypes.c_size_t(len(attributes))
        self._descriptor = kernel.call(kernel.LANDLOCK_CREATE_RULESET, attributes, size, _NO_FLAGS)
        if only_signals:
            # Any ruleset refuses to move files between folders, unless it says that they may be.
            self._beneath("/", _REFER)

    def read(self, path: str) -> None:
        self._beneath(path, _READ)

    def write(self, path: str) -> None:
        """All rights except creating and using devices: a process that may create one can read disks with it."""
        self._beneath(path, ~(_IOCTL_DEV | _MAKE_CHAR | _MAKE_BLOCK))

    def use_device(self, path: str) -> None:
        self._beneath(path, _READ | _WRITE_FILE | _IOCTL_DEV)

    def connect(self, port: int) -> None:
        """On any host: a rule has no address."""
        if self._network:
            self._add(_NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port))

    def enforce(self) -> None:
        """Applies to this thread and its children from now on; it cannot be undone."""
        kernel.give_up_privileges()
        kernel.call(kernel.LANDLOCK_RESTRICT_SELF, ctypes.c_int(self._descriptor), _NO_FLAGS)
        os.close(self._descriptor)

    def _beneath(self, path: str, rights: int) -> None:
        """A path that does not exist, or that this process may not find, is left out."""
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            of_its_kind = -1 if stat.S_ISDIR(os.fstat(descriptor).st_mode) else _OF_FILES
            self._add(_PATH_BENEATH, struct.pack("=Qi", rights & self._files & of_its_kind, descriptor))
        finally:
            os.close(descriptor)

    def _add(self, kind: int, rule: bytes) -> None:
        number = ctypes.c_int(self._descriptor)
        kernel.call(kernel.LANDLOCK_ADD_RULE, number, ctypes.c_int(kind), rule, _NO_FLAGS)


def _rights(abi: int) -> int:
    added = ((_REFER_ABI, _REFER), (TRUNCATE_ABI, _TRUNCATE), (DEVICES_ABI, _IOCTL_DEV))
    return _FIRST_RIGHTS | sum(right for since, right in added if abi >= since)
