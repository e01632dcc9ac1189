"""What authors of backends test theirs with; and the README's examples, run as they stand there."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import re
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from harness import functions

from codeforge_worker import Context, Fatal, Result, Retry, backend
from codeforge_worker.testing import Failed, Used, run_backend

ROOT = Path(__file__).parents[2]
README = (ROOT / "worker" / "README.md").read_text()
OWN = ROOT / "examples" / "own-backend"
GREETER = OWN / "greeter.py"


def example(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    backends, tests = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert backends == GREETER.read_text()
    monkeypatch.setitem(sys.modules, "greeter", example(GREETER))
    known: dict[str, Callable[[], None]] = {}
    exec(tests, known)  # noqa: S102 (it is what is tested)
    ran = [function() for name, function in known.items() if name.startswith("test_")]
    assert len(ran) == 2


def test_what_a_function_gets_and_tells() -> None:
    ran = run_backend(
        functions.teller, "the prompt", title="T", model="m", attempt=2, delivery=3, config={"times": "2"}
    )
    assert (ran.status, ran.summary, ran.output, ran.failure) == ("completed", "told all", "m: the prompt", None)
    assert ran.log == ("line 0", "line 1") and ran.progress == ("step 0", "step 1")
    assert ran.usage == Used(1201, 80, Decimal("0.25"))
    assert ran.files == {"made.txt": "T 2 3"}


def test_the_workspace_is_filled() -> None:
    @backend("reader")
    async def reader(context: Context) -> str:
        (context.workspace / "a" / "b.txt").unlink()
        return (context.workspace / "c.txt").read_text()

    ran = run_backend(reader, files={"a/b.txt": "1", "c.txt": "2"})
    assert ran.output == ran.summary == "2" and ran.files == {"c.txt": "2"}


def test_what_returns_nothing_has_its_lines_as_output() -> None:
    @backend("logger")
    def logger(context: Context) -> None:
        context.log("one\ntwo \udcff\r\n")
        context.log("x" * 10_000)

    ran = run_backend(logger)
    assert ran.log == ("one", "two �", "", "x" * 8192, "x" * 1808)
    assert ran.output.endswith("x" * 1808) and ran.summary


@pytest.mark.parametrize(
    ("how", "failed"),
    [
        ("retry", Failed("RateLimited", "the model is busy", True)),
        ("later", Failed("RateLimited", "the model is busy", True, delay=7)),
        ("fatal", Failed("AgentFailed", "there is no such branch", False)),
        ("raise", Failed("LookupError", "backend failing raised LookupError: no such thing", True)),
    ],
)
def test_failures(how: str, failed: Failed) -> None:
    ran = run_backend(functions.failing, config={"how": how})
    assert (ran.status, ran.failure) == ("failed", failed)
    # From the function's own frame on.
    assert ("Traceback (most recent call last):" in ran.log) == (how == "raise")
    assert how != "raise" or "functions.py" in ran.log[1]


class Cancelled(Exception):
    """Named as one of the ends that others decide on."""


@pytest.mark.parametrize("error", [Cancelled("x"), asyncio.CancelledError(), StopIteration(), KeyboardInterrupt()])
def test_no_exception_passes_for_something_else(error: BaseException) -> None:
    @backend("plain")
    def plain(_: Context) -> None:
        raise error

    @backend("other")
    async def other(_: Context) -> None:
        raise error

    for function in (plain, other):
        ran = run_backend(function)
        assert ran.status == "failed" and ran.failure and ran.failure.type != "Cancelled"


def test_a_value_that_is_no_result() -> None:
    @backend("odd")
    def odd(_: Context) -> Result:
        return {"summary": "x"}  # pyright: ignore[reportReturnType]

    failure = run_backend(odd).failure
    assert failure and (failure.type, failure.retryable) == ("InvalidResult", False) and "type dict" in failure.message


@pytest.mark.parametrize("kind", [Retry, Fatal])
@pytest.mark.parametrize("type", ["Cancelled", "RunTimeout", "lower", "With Space", "X", "Number1", "A" * 65])
def test_types_that_cannot_be_chosen(kind: Callable[..., Exception], type: str) -> None:
    with pytest.raises(ValueError, match="cannot be a failure's"):
        kind("message", type=type)


@pytest.mark.parametrize("delay", [-1, 3601, float("nan"), float("inf")])
def test_delays_that_cannot_be_chosen(delay: float) -> None:
    with pytest.raises(ValueError, match="give seconds, 0 to 3600"):
        Retry("message", delay=delay)


@pytest.mark.parametrize("function", [functions.polite, functions.waiter])
def test_cancelled(function: Callable[[Context], object], tmp_path: Path) -> None:
    begun = time.monotonic()
    ran = run_backend(function, cancel_after_seconds=0.2, environment={"MARKERS": str(tmp_path)})
    assert ran.status == "cancelled" and ran.failure and ran.failure.type == "Cancelled" and ran.ended_in_time
    assert time.monotonic() - begun < 20 and (tmp_path / "tidied").exists()


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_what_goes_on_after_its_grace_is_left_behind(kind: str) -> None:
    let_go = threading.Event()

    @backend("deaf")
    def deaf(context: Context) -> None:
        let_go.wait(10)
        context.log("nobody hears this")

    @backend("deaf")
    async def deaf_async(_: Context) -> None:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    function = deaf if kind == "plain" else deaf_async
    ran = run_backend(function, run_timeout_seconds=1, grace_seconds=0.2)
    let_go.set()
    assert ran.failure and ran.failure.type == "RunTimeout" and not ran.ended_in_time and not ran.log


def test_nothing_of_the_task_can_be_changed() -> None:
    @backend("vandal", config={"a": "1"})
    def vandal(context: Context) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            context.task.prompt = "x"  # pyright: ignore[reportAttributeAccessIssue]
        with pytest.raises(TypeError):
            context.task.config["a"] = "2"  # pyright: ignore[reportIndexIssue]
        with pytest.raises(TypeError, match="pass a Decimal"):
            context.usage(cost=0.1)  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValueError, match="only adds up"):
            context.usage(tokens_in=-1)

    assert run_backend(vandal).failure is None


async def test_inside_of_an_event_loop() -> None:
    assert run_backend(functions.teller).status == "completed"


def test_the_workers_secrets_are_not_for_its_programs() -> None:
    @backend("shower")
    def shower(context: Context) -> str:
        return " ".join(sorted(set(context.environment) - {"HOME", "TMPDIR"}))

    shown = run_backend(shower, environment={"NATS_PASSWORD": "x", "OPENAI_API_KEY": "y"}).output.split()
    assert "OPENAI_API_KEY" in shown and "NATS_PASSWORD" not in shown


def test_what_is_no_backend() -> None:
    with pytest.raises(TypeError, match=r'put @backend\("name"\) on it'):
        run_backend(len)
