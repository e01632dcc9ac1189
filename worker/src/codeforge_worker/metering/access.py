"""How the agent of a run finds its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """Variables and ports; none where no call is counted."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: tuple[int, ...] = ()
