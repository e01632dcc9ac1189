"""The tokens of a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """`cache_written` is a part of `input`, which some providers price higher than the rest."""

    input: int
    output: int = 0
    cache_written: int = 0
