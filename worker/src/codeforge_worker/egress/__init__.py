"""What the agents of a pool may reach beside their model: a proxy of the run's own, which asks a list of names."""

from .policy import Egress, Entry, Unreadable, parse
from .proxy import opened

__all__ = ["Egress", "Entry", "Unreadable", "opened", "parse"]
