"""A worker for one task: its pod remembers the task, so that a restarted container knows of it."""

from __future__ import annotations

import logging

from .settings import Settings

log = logging.getLogger(__name__)


class OneTask:
    """On a worker for many tasks, no task counts as begun."""

    def __init__(self, settings: Settings) -> None:
        # Named after the pod: several pods may share a volume of the template as their workspace.
        self._mark = settings.workspace / f".{settings.pod_name}.spent" if settings.worker_per_task else None
        self._begun = self._mark is not None and self._mark.exists()

    @property
    def begun(self) -> bool:
        """Whether a run was started in this pod, which is its last one in any case."""
        return self._begun

    def begin(self) -> None:
        """Call this before the first instruction of a run."""
        if self._mark is None:
            return
        self._begun = True
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
        except OSError as error:
            log.warning("a container of this pod that starts again will take another task: %s", error)
