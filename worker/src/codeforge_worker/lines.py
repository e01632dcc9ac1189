"""A line of a run's output."""

from __future__ import annotations

from typing import Literal

Stream = Literal["stdout", "stderr"]
LINE_BYTES = 8192
