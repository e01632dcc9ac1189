"""The servers that agents may reach beside their model: each run has a proxy with a list of names."""

from .policy import Egress, Entry, Unreadable, parse
from .proxy import opened

__all__ = ["Egress", "Entry", "Unreadable", "opened", "parse"]
