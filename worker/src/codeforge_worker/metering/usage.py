"""Reads a call's tokens and cost from a server's answer, in each provider's format."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from .prices import read_cost
from .tokens import Tokens

# Chat completions use prompt and completion; responses, messages and images use input and output.
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
    """A stream may report its usage in parts and repeatedly. Counts only grow, so the highest of each holds."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._reasoning = 0
        # Whether cached tokens are within input_tokens, as in responses, or beside them, as in messages.
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
        """None if not reported. An embedding has no output, and some servers report its total only."""
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
        # A total above the sum of its parts includes tokens beside them: cached ones, otherwise reasoning.
        beside = max(0, total - into - out)
        thought = min(beside, self._reasoning)
        read = min(beside - thought, cached)
        into, out = into + read, out + beside - read
        if self._reasoning > out:
            # More than all reported parts, and no total includes it.
            out += self._reasoning
        return Tokens(into, out, min(written, into))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    """None for anything that is no number of tokens: the server has then not reported it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
        return None
    return int(value)


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    """OpenRouter reports a number, and the cost of the user's own key beside it; Perplexity an object."""
    told = usage.get("cost")
    cost = read_cost(_mapping(told).get("total_cost") if isinstance(told, dict) else told)
    own = read_cost(_mapping(usage.get("cost_details")).get("upstream_inference_cost"))
    return cost + own if cost is not None and own is not None and usage.get("is_byok") is True else cost


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
