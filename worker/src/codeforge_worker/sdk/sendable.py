"""Text of a function as it can travel: JSON has no place for half a surrogate pair."""

from __future__ import annotations


def sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
