"""Prices per token, in the format of LiteLLM's price list, whose other entries are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

import msgspec

from .tokens import Tokens

# Agents name models with or without a provider in front.
_TEXT, _FILES = "CODEFORGE_PRICES", ("AIDER_MODEL_METADATA_FILE", "LITELLM_MODEL_REGISTRY_PATH")


class PricesUnreadable(ValueError):
    """The pool's price list is invalid; the sentence says what to write."""


class _Entry(msgspec.Struct, frozen=True):
    input_cost_per_token: Decimal | None = None
    output_cost_per_token: Decimal | None = None
    cache_creation_input_token_cost: Decimal | None = None

    def prices(self) -> tuple[Decimal | None, ...]:
        return self.input_cost_per_token, self.output_cost_per_token, self.cache_creation_input_token_cost


class Prices:
    """US dollars a token, by model."""

    def __init__(self, entries: Mapping[str, _Entry]) -> None:
        self._entries = dict(entries)
        for name, entry in entries.items():
            self._entries.setdefault(name.rpartition("/")[2], entry)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Prices:
        text, source = environment.get(_TEXT, ""), _TEXT
        file = next((name for name in _FILES if environment.get(name)), "")
        if not text and file:
            source = f"{file} {environment[file]}"
            try:
                text = Path(environment[file]).read_text()
            except OSError as error:
                raise PricesUnreadable(f"{source} cannot be read: {error}") from error
        try:
            entries = msgspec.json.decode(text or "{}", type=dict[str, _Entry])
        except msgspec.MsgspecError as error:
            raise PricesUnreadable(
                f"{source} is no price list: {error}; write JSON such as "
                '{"gpt-4.1-mini": {"input_cost_per_token": 4e-7, "output_cost_per_token": 1.6e-6}}'
            ) from error
        for name, entry in entries.items():
            if any(price is not None and not _is_price(price) for price in entry.prices()):
                raise PricesUnreadable(f"{source}: a price of {name} is negative or no number")
        return cls(entries)

    def cost(self, model: str, tokens: Tokens) -> Decimal | None:
        """None if the price is not known. Tokens from a cache cost as much as others: rather too much."""
        entry = self._entries.get(model) or self._entries.get(model.rpartition("/")[2])
        if entry is None:
            return None
        written = entry.cache_creation_input_token_cost
        dearer = tokens.cache_written if written is not None else 0
        parts = (
            (tokens.input - dearer, entry.input_cost_per_token),
            (dearer, written),
            (tokens.output, entry.output_cost_per_token),
        )
        if any(count and price is None for count, price in parts):
            return None
        return sum((count * cast(Decimal, price) for count, price in parts if count), Decimal(0))


def _is_price(price: Decimal) -> bool:
    return price.is_finite() and price >= 0


def read_cost(told: object) -> Decimal | None:
    """The cost that a server reports, as text or number; None for anything else."""
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        return None
    try:
        cost = Decimal(str(told))
    except InvalidOperation:
        return None
    return cost if _is_price(cost) else None
