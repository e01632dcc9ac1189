"""What is asked of a run on control.<task_id>."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Order(msgspec.Struct, frozen=True):
    """`type` and `reason` become those of the terminal event's failure."""

    action: str
    type: Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Za-z]+$", max_length=64)] = "Cancelled"
    reason: str = ""


def parse_order(body: bytes) -> Order | None:
    """The order to cancel, or None for anything else."""
    try:
        order = msgspec.json.decode(body, type=Order)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return order if order.action == "cancel" else None
