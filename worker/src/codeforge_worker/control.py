"""Requests to a run on its control subject."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Order(msgspec.Struct, frozen=True):
    """`type` and `reason` become those of the terminal event's failure; an `attempt` of 0 is any."""

    action: str
    attempt: int = 0
    type: Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Za-z]+$", max_length=64)] = "Cancelled"
    reason: str = ""

    def concerns(self, attempt: int) -> bool:
        """An order for an earlier attempt must not stop a later one."""
        return self.attempt in (0, attempt)


def parse_order(body: bytes) -> Order | None:
    """The order to cancel, or None for anything else."""
    try:
        order = msgspec.json.decode(body, type=Order)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return order if order.action == "cancel" else None
