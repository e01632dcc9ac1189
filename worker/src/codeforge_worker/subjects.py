"""The subjects of a worker; each contains its pool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subjects:
    namespace: str
    pool: str

    @property
    def _pool(self) -> str:
        return f"{self.namespace}.{self.pool}"

    def events(self, task_id: str) -> str:
        return f"events.{self._pool}.{task_id}"

    def lines(self, task_id: str) -> str:
        return f"logs.{self._pool}.{task_id}"

    def control(self, task_id: str) -> str:
        """Requests to end a run."""
        return f"control.{self._pool}.{task_id}"

    def holder(self, task_id: str) -> str:
        """The holder of a task answers here."""
        return f"holder.{self._pool}.{task_id}"

    def worker(self, pod: str) -> str:
        """Requests to the worker, such as a drain."""
        return f"control.{self._pool}.worker.{pod}"

    @property
    def settings_changed(self) -> str:
        return f"control.{self._pool}.pool"

    @property
    def settings(self) -> str:
        """The pool's key in the bucket `config`."""
        return f"$KV.config.{self._pool}"

    @property
    def dead_letters(self) -> str:
        return f"deadletters.{self._pool}"

    @property
    def inbox(self) -> str:
        """The prefix of the worker's inboxes."""
        return f"_INBOX.{self._pool}"
