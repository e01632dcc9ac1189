"""Counts what an agent's calls of a model use, whatever the agent is: each run has a proxy of its own."""

from __future__ import annotations

from .meter import Meter, unmetered
from .proxy import proxied
from .upstream import Upstream

__all__ = ["Meter", "Upstream", "proxied", "unmetered"]
