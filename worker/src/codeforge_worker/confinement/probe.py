"""Which walls the kernel has, and what is open for want of the others."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from . import landlock, seccomp

_WHY_NONE = {
    errno.ENOSYS: "this kernel, or the sandbox that stands in for it, has no Landlock",
    errno.EOPNOTSUPP: "Landlock is not in the node's boot parameter lsm=",
    errno.EPERM: "the pod's seccomp profile refuses Landlock: use RuntimeDefault of a newer container runtime",
}
# What a version brings, the kernel that has it, and what is open without it.
_BROUGHT = (
    (landlock.TRUNCATE_ABI, "6.2", "agents can empty files outside of their run"),
    (landlock.NETWORK_ABI, "6.7", "agents can connect to any server by TCP"),
    (landlock.DEVICES_ABI, "6.10", "agents can control the devices that they are given"),
    (landlock.SCOPES_ABI, "6.12", "agents can end the worker and each other"),
)


@dataclass(frozen=True)
class Kernel:
    """`abi` is the version of Landlock, 0 for none, and then `why` there is none; `filter`: calls can be filtered."""

    abi: int
    filter: bool
    why: str = ""

    def lacks(self) -> tuple[str, ...]:
        """What is open, in sentences without a full stop; nothing where all walls are there."""
        return (*self._of_landlock(), *(() if self.filter else (_NO_FILTER,)))

    def _of_landlock(self) -> tuple[str, ...]:
        if self.abi < landlock.FIRST_ABI:
            return (f"agents can read all that the worker can, and end it: {self.why}",)
        return tuple(f"{what}: that needs Linux {since}" for abi, since, what in _BROUGHT if self.abi < abi)


_NO_FILTER = "agents can send by UDP, and connect to any server by MPTCP: system calls cannot be filtered here"


def kernel_of_this_machine() -> Kernel:
    filter = seccomp.is_there()
    try:
        return Kernel(landlock.abi(), filter)
    except OSError as error:
        return Kernel(0, filter, _WHY_NONE.get(error.errno or 0, f"Landlock does not answer: {error}"))
