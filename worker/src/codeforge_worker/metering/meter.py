"""What a run has used, and whether it may go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import wire
from ..outcome import Outcome
from ..spending import Budget, Spent, Usage, add, money
from . import refusals
from .reservations import Estimate, Left, Reservation, fits
from .tokens import Tokens


@dataclass(frozen=True)
class Call:
    """One answered call. None is what its reply did not tell; one that is not `whole` was cut off: it used more."""

    model: str
    tokens: Tokens | None
    cost: Decimal | None
    whole: bool = True


class Meter:
    """Counts on from `spent`, the task's usage before this run. `used` is the run's own."""

    def __init__(self, budget: Budget | None, spent: Spent, used: Usage) -> None:
        self._budget = budget or Budget()
        self._spent = spent
        self._over = asyncio.Event()
        self._failure: wire.Failure | None = None
        self._counted = False
        self.used = used
        # What the agent's own records say; it counts where no call has passed here.
        self.told = Usage()
        # Called after each call that was counted.
        self.on_call: Callable[[], None] = lambda: None
        self._reserved: list[Reservation] = []
        # Called when a call is in flight no longer.
        self.on_release: Callable[[], None] = lambda: None

    @property
    def limited(self) -> bool:
        return self._budget.max_tokens is not None or self._budget.max_cost_usd is not None

    def refusal(self) -> wire.Failure | None:
        """Why no further call is made; the run ends with it."""
        if self._failure is None:
            self._end(self._exceeded())
        return self._failure

    def reserve(self, most: Estimate) -> Reservation | None:
        """Keeps for a call what it may use until it is released; None while it has to wait for others."""
        if not fits(most, self._reserved, self._left()):
            return None
        reservation = Reservation(most, self._release)
        self._reserved.append(reservation)
        return reservation

    def _release(self, reservation: Reservation) -> None:
        self._reserved.remove(reservation)
        self.on_release()

    def count(self, call: Call) -> None:
        self._counted = True
        tokens = call.tokens or Tokens(0)
        self.used.tokens_in += tokens.input
        self.used.tokens_out += tokens.output
        self.used.cost += call.cost or Decimal(0)
        if call.tokens is None or call.cost is None or not call.whole:
            self.used.unmetered_calls += 1
        if self._failure is None:
            self._end(self._unknown(call))
        self.on_call()

    async def guard(
        self, work: Coroutine[Any, Any, Outcome], output: Callable[[], str], also_reached: str = ""
    ) -> Outcome:
        """Does the work until it ends, or a call was refused: then that is the run's failure.

        `also_reached` is a variable by which the agent may reach a model that is not counted; empty for none.
        """
        working, over = asyncio.create_task(work), asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({working, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            working.cancel()
            await asyncio.wait({working})
            self._settle(also_reached)
        if self._failure:
            # Asked for, lest asyncio complains that nobody did.
            _ = working.cancelled() or working.exception()
            return Outcome.failed(self._failure, output())
        return working.result()

    def _settle(self, also_reached: str) -> None:
        """What went past the meter is not claimed to be nothing."""
        told, used = self.told, self.used
        if not self._counted and (told.tokens_in or told.tokens_out or told.cost):
            used.tokens_in += told.tokens_in
            used.tokens_out += told.tokens_out
            used.cost += told.cost
            # An agent that knows no price says that it cost nothing.
            used.unmetered_calls += not told.cost
            if self._failure is None and self.limited:
                self._end(refusals.passed_by(told))
        elif also_reached and (self._counted or not (used.tokens_in or used.tokens_out or used.cost)):
            # Nobody tells what was asked there.
            used.unmetered_calls += 1

    def _end(self, why: wire.Failure | None) -> None:
        if why:
            self._failure = why
            self._over.set()

    def _since_begun(self) -> tuple[int, Decimal]:
        """What counts for the budget: tokens and US dollars."""
        now, since = add(self._spent, self.used), self._budget.since
        tokens = now.tokens_in + now.tokens_out - since.tokens_in - since.tokens_out
        return tokens, money(now.cost_usd) - money(since.cost_usd)

    def _left(self) -> Left:
        (tokens, cost), limits = self._since_begun(), self._budget
        return Left(
            None if limits.max_tokens is None else limits.max_tokens - tokens,
            None if limits.max_cost_usd is None else Decimal(limits.max_cost_usd) - cost,
        )

    def _exceeded(self) -> wire.Failure | None:
        (tokens, cost), limits = self._since_begun(), self._budget
        if limits.max_tokens is not None and tokens >= limits.max_tokens:
            return refusals.tokens_used(tokens, limits.max_tokens)
        if limits.max_cost_usd is not None and cost >= Decimal(limits.max_cost_usd):
            return refusals.cost_spent(cost, limits.max_cost_usd)
        return None

    def _unknown(self, call: Call) -> wire.Failure | None:
        """Why this call leaves a limit that cannot be kept."""
        model = call.model or "the model"
        if self.limited and not call.whole:
            return refusals.cut_off(model)
        if self._budget.max_cost_usd is not None and call.cost is None:
            return refusals.unpriced(model)
        if self._budget.max_tokens is not None and call.tokens is None:
            return refusals.uncounted(model)
        return None
