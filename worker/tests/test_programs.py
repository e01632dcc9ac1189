"""`context.run`: a program of a function is kept to its run as an agent is."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import StartWorker
from harness.agents import are_gone, slow_command
from harness.asking_agent import PROGRAM, calls
from harness.llm_server import LlmServer
from harness.operator import Operator

from codeforge_worker import CommandFailed, Context, Stopped, backend
from codeforge_worker.testing import Failed, run_backend

MODULE = str(Path(__file__).parent / "harness" / "functions.py")


def test_its_lines_are_the_runs_and_its_output_the_functions() -> None:
    @backend("plain")
    def plain(context: Context) -> str:
        ran = context.run(["sh", "-c", 'cat; pwd; echo "$GREETING" >&2'], stdin="in\n", environment={"GREETING": "hi"})
        assert context.run(["pwd"], cwd="sub").output == f"{context.workspace}/sub"
        return ran.output.replace(str(context.workspace), "here")

    @backend("other")
    async def other(context: Context) -> str:
        first, second = await asyncio.gather(
            context.run_async(["echo", "a"]), context.run_async([Path("/bin/echo"), "b"])
        )
        return first.output + second.output

    ran = run_backend(plain, files={"sub/x": ""})
    assert ran.failure is None and ran.output == "in\nhere" and ran.log[0] == "in" and "hi" in ran.log
    ran = run_backend(other)
    assert ran.output == "ab" and sorted(ran.log) == ["a", "b"]


def test_an_exit_code_is_a_failure_or_an_answer() -> None:
    @backend("strict")
    def strict(context: Context) -> None:
        context.run(["sh", "-c", "echo no such file; exit 3"])

    @backend("lenient")
    def lenient(context: Context) -> str:
        with pytest.raises(CommandFailed, match="cannot be started") as missing:
            context.run(["/nonexistent"], check=False)
        assert missing.value.code is None
        return str(context.run(["sh", "-c", "exit 3"], check=False).code)

    message = "sh exited with code 3; its last line: no such file"
    assert run_backend(strict).failure == Failed("CommandFailed", message, True)
    ran = run_backend(lenient)
    assert (ran.failure, ran.output) == (None, "3")


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_the_end_of_a_run_takes_programs_and_what_they_have_started_along(tmp_path: Path, kind: str) -> None:
    pids, learned = tmp_path / "pids", list[str]()

    @backend("plain")
    def plain(context: Context) -> None:
        try:
            context.run(["sh", "-c", slow_command(pids)])
        except Stopped:
            learned.append("gone" if are_gone(pids) else "there")
        with pytest.raises(Stopped):
            context.run(["true"])

    @backend("other")
    async def other(context: Context) -> None:
        try:
            await context.run_async(["sh", "-c", slow_command(pids)])
        except asyncio.CancelledError:
            learned.append("gone" if are_gone(pids) else "there")
            raise

    begun = time.monotonic()
    ran = run_backend(plain if kind == "plain" else other, cancel_after_seconds=3, grace_seconds=5)
    assert ran.status == "cancelled" and ran.ended_in_time and learned == ["gone"] and are_gone(pids)
    assert time.monotonic() - begun < 30


def test_a_program_that_is_deaf_is_killed_and_its_function_ends_in_time(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    @backend("deaf")
    def deaf(context: Context) -> None:
        context.run(["sh", "-c", f"trap '' TERM; echo $$ >{pids}; while :; do sleep 1; done"])

    ran = run_backend(deaf, cancel_after_seconds=2, grace_seconds=0.2)
    assert ran.status == "cancelled" and ran.ended_in_time and are_gone(pids)


def test_a_program_that_nobody_waits_for_ends_with_its_function(tmp_path: Path) -> None:
    pids, gone = tmp_path / "pids", list[bool]()

    # Before the end of the loop, which would end them as well.
    @backend("careless", stop=lambda: gone.append(are_gone(pids)))
    def careless(context: Context) -> str:
        def aside() -> None:
            with contextlib.suppress(Stopped):
                context.run(["sh", "-c", slow_command(pids)])

        threading.Thread(target=aside, daemon=True).start()
        while not pids.exists():
            time.sleep(0.05)
        return "done"

    ran = run_backend(careless)
    assert (ran.status, ran.output, gone) == ("completed", "done", [True])


def test_what_would_block_the_loop_or_is_no_list_is_refused() -> None:
    @backend("blocking")
    async def blocking(context: Context) -> None:
        with pytest.raises(RuntimeError, match=r"await context\.run_async"):
            context.run(["true"])
        with pytest.raises(TypeError, match=r'\["git", "status"\]'):
            await context.run_async("git status")

    assert run_backend(blocking).failure is None


def test_of_a_long_output_the_end_is_kept() -> None:
    @backend("long")
    def long(context: Context) -> str:
        script = "print('x' * 2_000_000); print('y' * 500_000); print('z')"
        return str(len(context.run([sys.executable, "-c", script]).output))

    size = int(run_backend(long).output)
    assert 500_000 < size <= 1 << 20


async def test_a_call_of_the_model_is_counted(operator: Operator, start_worker: StartWorker, llm: LlmServer) -> None:
    llm.cost = "0.01"
    model = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "the-pools-own"}
    await start_worker(CODEFORGE_BACKEND="runner", CODEFORGE_MODULE=MODULE, PROGRAM=PROGRAM[2], **model)
    last = (await operator.until(await operator.submit(calls(2))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert (last["usage"]["tokens_in"], last["usage"]["cost_usd"], last["output"]) == (200, "0.02", "0")
    assert llm.keys == ["Bearer the-pools-own"] * 2
