"""The worker's own environment, of which neither it nor PID 1 leaves anything for others to read."""

from __future__ import annotations

import json
import os
import signal

from . import kernel

_DESCRIPTOR = "CODEFORGE_ENVIRONMENT_FD"


def take() -> None:
    """Fills `os.environ` with what start.py has handed over, and hears the signals that it holds back, if it has."""
    descriptor = os.environ.pop(_DESCRIPTOR, "")
    if descriptor:
        with open(int(descriptor), "rb") as pipe:  # noqa: PTH123 (it has no path)
            os.environ.update(json.loads(pipe.read()))
        # Who was told to stop before this ends here.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


def hide() -> None:
    """What was in the environment at the start, and what is in memory, is not for other processes of the same user."""
    kernel.hide_memory()
