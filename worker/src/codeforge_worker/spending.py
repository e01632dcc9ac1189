"""A task's usage of its model, and its budget. Money is US dollars, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


@dataclass
class Usage:
    """One run's usage so far; it counts however the run ends."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    unmetered_calls: int = 0


class Spent(msgspec.Struct, frozen=True):
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: str = "0"
    # Answered calls with unknown tokens or price: the real usage is higher.
    unmetered_calls: int = 0


class Budget(msgspec.Struct, frozen=True):
    """`since` is the usage when the budget started, at the last rerun: earlier usage does not count."""

    max_tokens: AtLeastOne | None = None
    max_cost_usd: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")] | None = None
    since: Spent = Spent()


def add(spent: Spent, used: Usage) -> Spent:
    # Prices are floats at their source: what is below a tenth of a billionth of a dollar is their noise.
    total = format(round(money(spent.cost_usd) + used.cost, 10).normalize(), "f")
    return Spent(
        spent.tokens_in + used.tokens_in,
        spent.tokens_out + used.tokens_out,
        total,
        spent.unmetered_calls + used.unmetered_calls,
    )


def money(text: str) -> Decimal:
    """Text from outside may be no amount."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
