"""Backends for the tests, one function each; the worker loads this file as a user's module."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

from codeforge_worker import Context, Fatal, Result, Retry, backend


@backend("sleeper")
def sleeper(context: Context) -> str:
    """Blocks for the seconds that the prompt says, deaf to everything."""
    _mark(context, "begun")
    time.sleep(float(context.task.prompt))
    _mark(context, "ended")
    return "slept"


@backend("polite")
def polite(context: Context) -> str:
    context.log("begun")
    while not context.wait_cancelled(30):
        pass
    _mark(context, "tidied")
    return "nobody hears this"


@backend("waiter")
async def waiter(context: Context) -> None:
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        _mark(context, "tidied" if context.cancelled else "not told")
        raise


@backend("offloader")
async def offloader(context: Context) -> None:
    await asyncio.to_thread(time.sleep, float(context.task.prompt))


@backend("blocker")
async def blocker(context: Context) -> None:
    time.sleep(2)  # noqa: ASYNC251 (what must not be done is what is tested)


@backend("teller", config={"times": "1"})
def teller(context: Context) -> Result:
    for number in range(int(context.task.config["times"])):
        context.progress(f"step {number}")
        context.log(f"line {number}")
    context.usage(tokens_in=1200, tokens_out=80, cost=Decimal("0.25"))
    context.usage(tokens_in=1)
    (context.workspace / "made.txt").write_text(f"{context.task.title} {context.task.attempt} {context.task.delivery}")
    return Result(summary="told all", output=f"{context.task.model}: {context.task.prompt}")


@backend("runner")
def runner(context: Context) -> str:
    """A Python program that the pool's variable PROGRAM has, with the prompt on its stdin."""
    return str(context.run([sys.executable, "-c", context.environment["PROGRAM"]], stdin=context.task.prompt).code)


@backend("speaker")
def speaker(context: Context) -> None:
    print("printed:", context.task.prompt)
    logging.getLogger("speaker").warning("logged: %s", context.task.prompt)


def _hook(what: str) -> None:
    with Path(os.environ["HOOKS"]).open("a") as file:
        file.write(f"{what}\n")


@backend("hooked", start=lambda: _hook("start"), stop=lambda: _hook("stop"))
def hooked(_: Context) -> None:
    _hook("run")


@backend("stepper")
def stepper(context: Context) -> None:
    context.progress("half of it")
    time.sleep(1.5)


@backend("saver")
def saver(context: Context) -> str:
    """Counts its runs in the checkpoint. The first of a task that is to wait is to be ended."""
    done = (context.checkpoint.earlier or {"done": 0})["done"] + 1
    context.checkpoint.save({"done": done})
    if context.task.prompt == "wait" and done == 1:
        context.wait_cancelled(30)
    if context.task.prompt == "fail":
        raise Retry("not yet")
    return f"run {done}"


@backend("failing", config={"how": "retry"})
def failing(context: Context) -> None:
    match context.task.config["how"]:
        case "retry":
            raise Retry("the model is busy", type="RateLimited")
        case "later":
            raise Retry("the model is busy", type="RateLimited", delay=6.5)
        case "fatal":
            raise Fatal("there is no such branch")
        case "exit":
            raise SystemExit(3)
        case _:
            raise LookupError("no such thing")


def _mark(context: Context, what: str) -> None:
    folder = context.environment.get("MARKERS")
    if folder:
        with (Path(folder) / what).open("a") as file:
            file.write("x\n")
