"""The worker's own environment, which neither the worker nor PID 1 leaves readable for others."""

from __future__ import annotations

import json
import os
import signal

from . import kernel

_DESCRIPTOR = "CODEFORGE_ENVIRONMENT_FD"


def take() -> None:
    """Fills `os.environ` with what start.py has passed on, and unblocks the signals that start.py has blocked."""
    descriptor = os.environ.pop(_DESCRIPTOR, "")
    if descriptor:
        with open(int(descriptor), "rb") as pipe:  # noqa: PTH123 (it has no path)
            os.environ.update(json.loads(pipe.read()))
        # A worker that was told to stop before this point ends here.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


def hide() -> None:
    """Hides the initial environment and the memory from other processes of the same user."""
    kernel.hide_memory()
