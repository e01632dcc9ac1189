"""A run's usage, and whether it may continue."""

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
    """One answered call. None is a value that its reply did not have; a call that is not `whole` was cut off."""

    model: str
    tokens: Tokens | None
    cost: Decimal | None
    whole: bool = True


class Meter:
    """Continues from `spent`, the task's usage before this run. `used` is the run's own."""

    def __init__(self, budget: Budget | None, spent: Spent, used: Usage) -> None:
        self._budget = budget or Budget()
        self._spent = spent
        self._over = asyncio.Event()
        self._failure: wire.Failure | None = None
        self._counted = False
        self.used = used
        # The agent's own records, which count if no call has passed the proxy.
        self.told = Usage()
        # Called after each counted call.
        self.on_call: Callable[[], None] = lambda: None
        self._reserved: list[Reservation] = []
        # Called when a call is no longer in flight.
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
        """Reserves a call's possible usage until it is released; None while the call has to wait for others."""
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
        """Runs the work until it ends or a call is refused, which is then the run's failure.

        `also_reached` is a variable by which the agent may reach an unmetered model; empty for none.
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
            # Retrieved, because asyncio logs an error otherwise.
            _ = working.cancelled() or working.exception()
            return Outcome.failed(self._failure, output())
        return working.result()

    def _settle(self, also_reached: str) -> None:
        """Marks usage that may have bypassed the meter as unknown."""
        told, used = self.told, self.used
        if not self._counted and (told.tokens_in or told.tokens_out or told.cost):
            used.tokens_in += told.tokens_in
            used.tokens_out += told.tokens_out
            used.cost += told.cost
            # An agent that knows no price reports a cost of zero.
            used.unmetered_calls += not told.cost
            if self._failure is None and self.limited:
                self._end(refusals.passed_by(told))
        elif also_reached and (self._counted or not (used.tokens_in or used.tokens_out or used.cost)):
            # The calls to the second provider are unknown.
            used.unmetered_calls += 1

    def _end(self, why: wire.Failure | None) -> None:
        if why:
            self._failure = why
            self._over.set()

    def _since_begun(self) -> tuple[int, Decimal]:
        """The usage that counts for the budget: tokens and US dollars."""
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
        """Why a limit cannot be checked after this call."""
        model = call.model or "the model"
        if self.limited and not call.whole:
            return refusals.cut_off(model)
        if self._budget.max_cost_usd is not None and call.cost is None:
            return refusals.unpriced(model)
        if self._budget.max_tokens is not None and call.tokens is None:
            return refusals.uncounted(model)
        return None
