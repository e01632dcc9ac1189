"""The worker of CodeForge: pulls tasks, runs an agent for each, reports by events."""

__version__ = "0.1.0"
