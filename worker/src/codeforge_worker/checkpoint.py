"""Where a run can continue from: kept in its events, so that the task's next run finds it."""

from __future__ import annotations

from collections.abc import Callable

from . import wire


def _untold() -> None:
    pass


class Checkpoint:
    """`earlier` is what previous runs saved last, `last` what the next run will find; empty for none."""

    def __init__(self, earlier: str = "") -> None:
        self.earlier = self.last = earlier
        # Called after each save.
        self.on_save: Callable[[], None] = _untold

    def save(self, text: str) -> None:
        self.last = text
        self.on_save()


def carried_on(task: wire.Task, saved: str) -> str:
    """The checkpoint for a new run: only if it continues the work of the previous one."""
    return saved if task.delivery_mode == "AtLeastOnce" else ""
