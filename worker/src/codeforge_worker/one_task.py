"""A worker for one task: that it has had it is remembered in its pod, so that a container that starts again knows."""

from __future__ import annotations

import logging

from .settings import Settings

log = logging.getLogger(__name__)


class OneTask:
    """Of a worker for many tasks it says that none was begun."""

    def __init__(self, settings: Settings) -> None:
        # By the pod's name: a volume of the template may be several pods' workspace.
        self._mark = settings.workspace / f".{settings.pod_name}.spent" if settings.worker_per_task else None
        self._begun = self._mark is not None and self._mark.exists()

    @property
    def begun(self) -> bool:
        """Whether a run was begun in this pod: it is the last one, however it ends."""
        return self._begun

    def begin(self) -> None:
        """To be called before the first instruction of a run."""
        if self._mark is None:
            return
        self._begun = True
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
        except OSError as error:
            log.warning("a container of this pod that starts again will take another task: %s", error)
