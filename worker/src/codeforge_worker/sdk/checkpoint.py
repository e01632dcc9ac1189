"""`context.checkpoint`: what a function saves for whoever runs its task after it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

BYTES = 16_384

log = logging.getLogger(__name__)


class Checkpoint:
    """Safe to use from any thread."""

    def __init__(self, earlier: str, keep: Callable[[str], None]) -> None:
        self._earlier = earlier
        self._keep = keep

    @property
    def earlier(self) -> dict[str, Any] | None:
        """What an earlier run of this task saved last; None when there is nothing to go on from. A new copy each time.

        A run that follows a lost worker, a worker that had to stop, a failed attempt or a suspension has it. The first
        run has none, nor has one after a rerun, or with a delivery other than AtLeastOnce.
        """
        if not self._earlier:
            return None
        try:
            read = json.loads(self._earlier)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            log.warning("the checkpoint of an earlier run is no JSON object: passed over")
            return None
        return cast(dict[str, Any], read)

    def save(self, state: Mapping[str, Any]) -> None:
        """Keeps a JSON object of at most 16,384 bytes in place of what was saved before.

        It is told by an event at once or up to 2 s later, and with the end of the run. It outlives a crash of the
        worker as soon as that event is stored, which may be some time after this returns: a run must be able to go on
        from the checkpoint before. What cannot be JSON is a TypeError, what is too large or no text a ValueError.
        """
        if not isinstance(state, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a checkpoint is a mapping, such as {{'done': 3}}, and no {type(state).__name__}")
        text = json.dumps(dict(state), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
        if size > BYTES:
            raise ValueError(
                f"the checkpoint has {size} bytes as JSON and may have {BYTES}: save where the work is, not the work"
            )
        self._keep(text)
