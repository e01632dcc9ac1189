"""What a run has used, and whether it may go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import wire
from ..outcome import Outcome, RunError, failure
from ..spending import Budget, Spent, Usage, add, money
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
        self.used = used
        # Called after each call that was counted.
        self.on_call: Callable[[], None] = lambda: None

    @property
    def limited(self) -> bool:
        return self._budget.max_tokens is not None or self._budget.max_cost_usd is not None

    def refusal(self) -> wire.Failure | None:
        """Why no further call is made; the run ends with it."""
        if self._failure is None:
            self._end(self._exceeded())
        return self._failure

    def count(self, call: Call) -> None:
        tokens = call.tokens or Tokens(0)
        self.used.tokens_in += tokens.input
        self.used.tokens_out += tokens.output
        self.used.cost += call.cost or Decimal(0)
        if call.tokens is None or call.cost is None or not call.whole:
            self.used.unmetered_calls += 1
        if self._failure is None:
            self._end(self._unmetered(call))
        self.on_call()

    async def guard(self, work: Coroutine[Any, Any, Outcome], output: Callable[[], str]) -> Outcome:
        """Does the work until it ends, or a call was refused: then that is the run's failure."""
        working, over = asyncio.create_task(work), asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({working, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            working.cancel()
            await asyncio.wait({working})
        if self._failure:
            # Asked for, lest asyncio complains that nobody did.
            _ = working.cancelled() or working.exception()
            return Outcome.failed(self._failure, output())
        return working.result()

    def _end(self, why: wire.Failure | None) -> None:
        if why:
            self._failure = why
            self._over.set()

    def _exceeded(self) -> wire.Failure | None:
        now = add(self._spent, self.used)
        since, limits = self._budget.since, self._budget
        tokens = now.tokens_in + now.tokens_out - since.tokens_in - since.tokens_out
        cost = money(now.cost_usd) - money(since.cost_usd)
        if limits.max_tokens is not None and tokens >= limits.max_tokens:
            told = f"{tokens} of {limits.max_tokens} tokens are used: raise budget.maxTokens in a new task"
        elif limits.max_cost_usd is not None and cost >= Decimal(limits.max_cost_usd):
            told = f"{cost} of {limits.max_cost_usd} US dollars are spent: raise budget.maxCostUSD in a new task"
        else:
            return None
        return failure("BudgetExceeded", f"{told}, or raise spec.rerun to allow as much again")

    def _unmetered(self, call: Call) -> wire.Failure | None:
        model = call.model or "the model"
        if self.limited and not call.whole:
            return failure(
                "Unmetered",
                f"an answer of {model} was cut off before it told what it used, so the budget cannot be kept: see why "
                "the model's server ends answers, or leave budget out",
            )
        if self._budget.max_cost_usd is not None and call.cost is None:
            return failure(
                "UnpricedModel",
                f"a call of {model} has no known price, so budget.maxCostUSD cannot be kept: let LiteLLM price the "
                "model (model_info), or name its price in CODEFORGE_PRICES of the pool",
            )
        if self._budget.max_tokens is not None and call.tokens is None:
            return failure(
                "Unmetered",
                f"a reply of {model} does not tell its tokens, so budget.maxTokens cannot be kept: let the server "
                "report usage, or leave budget out",
            )
        return None


def unmetered() -> RunError:
    return RunError(
        "Unmetered",
        "the task has a budget, and the pool names no server whose calls can be counted: set OPENAI_API_BASE in its "
        "template, or leave budget out",
    )
