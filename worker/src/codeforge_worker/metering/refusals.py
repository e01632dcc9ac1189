"""Why a budget ends a run or prevents it; each message says what to do."""

from __future__ import annotations

from decimal import Decimal

from .. import wire
from ..outcome import RunError, failure
from ..spending import Usage


def tokens_used(tokens: int, limit: int) -> wire.Failure:
    return _exceeded(f"{tokens} of {limit} tokens are used: raise budget.maxTokens in a new task")


def cost_spent(cost: Decimal, limit: str) -> wire.Failure:
    return _exceeded(f"{cost} of {limit} US dollars are spent: raise budget.maxCostUSD in a new task")


def _exceeded(told: str) -> wire.Failure:
    return failure("BudgetExceeded", f"{told}, or give spec.rerun a new value to allow as much again")


def unpriced(model: str) -> wire.Failure:
    return failure(
        "UnpricedModel",
        f"a call of {model} has no known price, so budget.maxCostUSD cannot be kept: let LiteLLM price the "
        "model (model_info), or name its price in CODEFORGE_PRICES of the pool",
    )


def uncounted(model: str) -> wire.Failure:
    return failure(
        "Unmetered",
        f"a reply of {model} does not tell its tokens, so budget.maxTokens cannot be kept: let the server "
        "report usage, or leave budget out",
    )


def cut_off(model: str) -> wire.Failure:
    return failure(
        "Unmetered",
        f"an answer of {model} was cut off before it told what it used, so the budget cannot be kept: see why "
        "the model's server ends answers, or leave budget out",
    )


def passed_by(told: Usage) -> wire.Failure:
    return failure(
        "Unmetered",
        f"the agent used {told.tokens_in + told.tokens_out} tokens by its own records, and no call of it was counted: "
        "it reached its model past the server in OPENAI_API_BASE: see the pool's arguments and the model's name, or "
        "leave budget out",
    )


def unmetered() -> RunError:
    return RunError(
        "Unmetered",
        "the task has a budget, and the pool names no server whose calls can be counted: set OPENAI_API_BASE in its "
        "template, or leave budget out",
    )


def also_reached(variable: str) -> RunError:
    """`variable` opens a model to the agent whose calls are not metered."""
    return RunError(
        "Unmetered",
        f"the task has a budget, and {variable} of the pool opens a model whose calls are not counted: remove it from "
        f"the pool's template, let the server in OPENAI_API_BASE have that model too, name {variable} in "
        "CODEFORGE_NOT_FOR_MODELS of the pool if it opens none, or leave budget out",
    )
