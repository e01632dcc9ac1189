"""A filter of system calls, for what goes round Landlock's rule for TCP: UDP, MPTCP, fast open, io_uring."""

from __future__ import annotations

import ctypes
import errno
import struct

from . import kernel

_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
_RETURN_ERRNO, _RETURN_ALLOW = 0x0005_0000, 0x7FFF_0000
# Codes of the kernel's classic BPF: load a word, jump if equal, at least, or any bit is set, and, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
# Where struct seccomp_data has them. An argument's lower half is first on both architectures.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

# Calls of the x32 interface, which has numbers of its own for what is refused here.
_X32 = 1 << 30
_MSG_FASTOPEN = 1 << 29
# Without SOCK_CLOEXEC and SOCK_NONBLOCK.
_TYPE_OF_SOCKET = 0xF
# Numbers of their own: Python's module takes as long to import as all else of the supervisor.
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM = 1
_TCP = 6

_Step = tuple[int, int, int, int]


class _Is:
    """A condition on an argument: it, or the bits of `mask`, is one of the values."""

    def __init__(self, argument: int, *values: int, mask: int = 0) -> None:
        self.argument, self.values, self.mask = argument, values, mask

    def steps(self, rest: int) -> list[_Step]:
        """Passes over the `rest` of its rule where it does not hold."""
        others = len(self.values) - 1
        jumps = [(_EQUAL, others - at, 0, value) for at, value in enumerate(self.values[:-1])]
        return [*_loaded(self), *jumps, (_EQUAL, 0, rest, self.values[-1])]


class _IsNot(_Is):
    def steps(self, rest: int) -> list[_Step]:
        last = len(self.values) - 1
        return [*_loaded(self), *((_EQUAL, last - at + rest, 0, value) for at, value in enumerate(self.values))]


class _Has(_Is):
    """Any of the bits of its only value."""

    def steps(self, rest: int) -> list[_Step]:
        return [*_loaded(self), (_ANY_BIT, 0, rest, self.values[0])]


def _loaded(condition: _Is) -> list[_Step]:
    masked = [(_AND, 0, 0, condition.mask)] if condition.mask else []
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * condition.argument), *masked]


def _refuse(error: int, call: int, *conditions: _Is) -> list[_Step]:
    """The call fails with this error where all conditions hold."""
    steps = [_failure(error)]
    for condition in reversed(conditions):
        steps = condition.steps(len(steps)) + steps
    return [(_LOAD, 0, 0, _NUMBER), (_EQUAL, 0, len(steps), call), *steps]


def _failure(error: int) -> _Step:
    return (_RETURN, 0, 0, _RETURN_ERRNO | error)


def _always() -> list[_Step]:
    return [
        # A call of 32-bit programs has another number.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, kernel.AUDIT_ARCH),
        _failure(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _failure(errno.EPERM),
        # It makes sockets and connects them without a call that is seen here.
        *_refuse(errno.ENOSYS, kernel.IO_URING_SETUP),
        # Of another process: a limit on processor time ends it.
        *_refuse(errno.EPERM, kernel.PRLIMIT64, _IsNot(0, 0)),
        *_refuse(errno.EAFNOSUPPORT, kernel.SOCKET, _IsNot(0, _UNIX, _INET, _INET6, _NETLINK)),
    ]


def _only_tcp() -> list[_Step]:
    steps: list[_Step] = []
    internet = _Is(0, _INET, _INET6)
    steps += _refuse(errno.EACCES, kernel.SOCKET, internet, _IsNot(1, _STREAM, mask=_TYPE_OF_SOCKET))
    # 0 is the family's own, which is TCP; MPTCP and SCTP are streams as well.
    steps += _refuse(errno.EACCES, kernel.SOCKET, internet, _IsNot(2, 0, _TCP))
    for call, flags in ((kernel.SENDTO, 3), (kernel.SENDMSG, 2), (kernel.SENDMMSG, 3)):
        steps += _refuse(errno.EOPNOTSUPP, call, _Has(flags, _MSG_FASTOPEN))
    return steps


def is_there() -> bool:
    """Whether the kernel takes such a filter."""
    action = struct.pack("=I", _RETURN_ERRNO)
    try:
        kernel.call(kernel.SECCOMP, ctypes.c_uint(_GET_ACTION_AVAIL), ctypes.c_uint(0), action)
    except OSError:
        return False
    return True


def enforce(*, only_tcp: bool) -> None:
    """For this thread and what it starts from now on. `only_tcp`: no other sockets lead out of the process."""
    steps = [*_always(), *(_only_tcp() if only_tcp else ()), (_RETURN, 0, 0, _RETURN_ALLOW)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    filter = struct.pack("@HP", len(steps), ctypes.addressof(program))
    kernel.give_up_privileges()
    kernel.call(kernel.SECCOMP, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), filter)
