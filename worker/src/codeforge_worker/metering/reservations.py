"""Possible usage of calls in flight: a call waits while all of them together could exceed what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .prices import Prices
from .tokens import Tokens

# An agent sends one call, or a few at once. Each call in flight may exceed its estimate, and holds its request in
# memory; this limit bounds both.
CALLS_IN_FLIGHT = 8
# A token has four bytes in English, and three in most other languages.
_BYTES_A_TOKEN = 3
# For a request without a limit of its answer. Few answers are longer.
_ANSWER_TOKENS = 16_384
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_WITHOUT_ANSWER = ("embeddings", "rerank")


@dataclass(frozen=True)
class Estimate:
    """The largest possible usage of a call, by its request. The cost is None if the answer determines the price."""

    tokens: int
    cost: Decimal | None


def estimate(path: str, question: Mapping[str, Any], size: int, model: str, prices: Prices) -> Estimate:
    """`size` is that of the whole request in bytes."""
    answer = 0
    if not path.endswith(_WITHOUT_ANSWER):
        limits = [count for name in _LIMITS if (count := _whole(question.get(name))) is not None]
        answer = max(limits, default=_ANSWER_TOKENS) * max(1, _whole(question.get("n")) or 1)
    tokens = Tokens(-(-size // _BYTES_A_TOKEN), answer)
    return Estimate(tokens.input + tokens.output, prices.cost(model, tokens))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class Reservation:
    """Reserves a call's possible usage until it is counted or fails."""

    def __init__(self, most: Estimate, release: Callable[[Reservation], None]) -> None:
        self.most = most
        self._release: Callable[[Reservation], None] | None = release

    def release(self) -> None:
        release, self._release = self._release, None
        if release:
            release(self)


@dataclass(frozen=True)
class Left:
    """What is left of a budget; None for no limit."""

    tokens: int | None = None
    cost: Decimal | None = None


def fits(most: Estimate, others: list[Reservation], left: Left) -> bool:
    """Whether a call may be sent beside the others. Alone it always may: otherwise it would wait for ever."""
    if not others:
        return True
    all_of_them = [most, *(other.most for other in others)]
    if len(all_of_them) > CALLS_IN_FLIGHT:
        return False
    if left.tokens is not None and sum(each.tokens for each in all_of_them) > left.tokens:
        return False
    if left.cost is None:
        return True
    costs = [each.cost for each in all_of_them if each.cost is not None]
    return len(costs) == len(all_of_them) and sum(costs) <= left.cost
