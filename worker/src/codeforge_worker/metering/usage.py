"""What a server of models tells of a call's tokens and its cost, in the words of each provider."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from .prices import read_cost
from .tokens import Tokens

# Chat completions say prompt and completion; responses, messages and images say input and output.
_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
_DETAILS = ("completion_tokens_details", "output_tokens_details")


class ToldUsage:
    """A stream may tell its usage in parts, and again and again: counts only grow, so the highest of each holds."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._reasoning = 0
        # Whether cached tokens stand within input_tokens, as in responses, or beside them, as in messages.
        self._within = False
        self.cost: Decimal | None = None

    def take(self, usage: Any) -> None:
        told = _mapping(usage)
        for name in _COUNTS:
            count = _count(told.get(name))
            if count is not None:
                self._counts[name] = max(count, self._counts.get(name, 0))
        for name in _DETAILS:
            self._reasoning = max(self._reasoning, _count(_mapping(told.get(name)).get("reasoning_tokens")) or 0)
        self._within = self._within or "input_tokens_details" in told or "total_tokens" in told
        cost = _cost(told)
        if cost is not None:
            self.cost = max(cost, self.cost or cost)

    @property
    def tokens(self) -> Tokens | None:
        """None when they are not told. An embedding has nothing out, and some tell its total alone."""
        counts = self._counts
        told_in = _first(counts.get("prompt_tokens"), counts.get("input_tokens"))
        told_out = _first(counts.get("completion_tokens"), counts.get("output_tokens"))
        total = counts.get("total_tokens", 0)
        out = told_out or 0
        if told_in is None:
            return Tokens(max(0, total - out), out) if total else None
        into, written = told_in, counts.get("cache_creation_input_tokens", 0)
        cached = written + counts.get("cache_read_input_tokens", 0)
        if cached > into or ("prompt_tokens" not in counts and not self._within):
            into, cached = into + cached, 0
        # What a total has beyond its parts stands beside them: cached tokens, and else what was thought.
        beside = max(0, total - into - out)
        thought = min(beside, self._reasoning)
        read = min(beside - thought, cached)
        into, out = into + read, out + beside - read
        if self._reasoning > out:
            # More than all that was said, and no total tells of it.
            out += self._reasoning
        return Tokens(into, out, min(written, into))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    """None for what is no number of tokens: then the server has not told it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
        return None
    return int(value)


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    """OpenRouter tells it as a number, and what a key of one's own paid beside it; Perplexity as an object."""
    told = usage.get("cost")
    cost = read_cost(_mapping(told).get("total_cost") if isinstance(told, dict) else told)
    own = read_cost(_mapping(usage.get("cost_details")).get("upstream_inference_cost"))
    return cost + own if cost is not None and own is not None and usage.get("is_byok") is True else cost


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
