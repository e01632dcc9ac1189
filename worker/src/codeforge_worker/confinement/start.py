"""PID 1 of the container: passes its environment to the worker through a pipe, and executes tini with almost none.

`start.py PROGRAM [ARGUMENT…]`. /proc/1/environ then has no secret. The pipe is empty once the worker has read it,
although tini keeps its end. SIGTERM is blocked until the worker handles it. It imports nothing of the package, because
it is beside the package in the image.
"""

from __future__ import annotations

import signal

# Before the rest is imported: the kernel drops signals that the first process of a container neither handles nor
# blocks, and a worker that never hears SIGTERM takes tasks until it is killed.
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))

import contextlib  # noqa: E402
import fcntl  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

# Read by own_environment.py.
_DESCRIPTOR = "CODEFORGE_ENVIRONMENT_FD"
_KEPT = ("PATH", "LANG", "HOSTNAME")


def main() -> None:
    told = json.dumps(dict(os.environ)).encode()
    reading, writing = os.pipe()
    with contextlib.suppress(PermissionError):
        # At least what a pipe holds anyway.
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, max(len(told), 1 << 16))
    os.set_blocking(writing, False)
    if os.write(writing, told) < len(told):
        sys.exit(f"the environment has {len(told)} bytes, which is more than a pipe holds: give the container less")
    os.close(writing)
    os.set_inheritable(reading, True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.execvpe("tini", ["tini", "-s", "--", *sys.argv[1:]], kept | {_DESCRIPTOR: str(reading)})  # noqa: S606


if __name__ == "__main__":
    main()
