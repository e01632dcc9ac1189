"""Where a run may go on from: kept in its events, so that whoever runs the task next finds it."""

from __future__ import annotations

from collections.abc import Callable

from . import wire


def _untold() -> None:
    pass


class Checkpoint:
    """`earlier` is what the runs before this one saved last, `last` what the next one will find; empty for nothing."""

    def __init__(self, earlier: str = "") -> None:
        self.earlier = self.last = earlier
        # Called after each save.
        self.on_save: Callable[[], None] = _untold

    def save(self, text: str) -> None:
        self.last = text
        self.on_save()


def carried_on(task: wire.Task, saved: str) -> str:
    """What a new run finds of what was saved: only where it continues the work of the one before."""
    return saved if task.delivery_mode == "AtLeastOnce" else ""
