"""What a function returns when it has done its task."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """`summary` is one line of at most 1,024 characters; of `output` the last 4,096 bytes are kept.

    An empty output is what the function logged, an empty summary the output's first line.
    """

    summary: str = ""
    output: str = ""
