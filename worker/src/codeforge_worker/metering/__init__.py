"""Counts what an agent's calls of a model use, whatever the agent is: each run has a proxy of its own."""

from __future__ import annotations

from .meter import Meter
from .proxy import proxied
from .refusals import also_reached, unmetered
from .upstream import Upstream

__all__ = ["Meter", "Upstream", "also_reached", "proxied", "unmetered"]
