"""What a function prints and logs is in its run's log."""

from __future__ import annotations

import asyncio
import logging
import sys

import pytest
from conftest import StartWorker
from harness.operator import Operator
from test_functions import MODULE

from codeforge_worker import Context, backend
from codeforge_worker.testing import Ran, run_backend

log = logging.getLogger("author")


def test_what_is_printed_and_logged_is_in_the_log_in_order() -> None:
    @backend("plain")
    def plain(context: Context) -> None:
        print("one", "two")
        context.log("three")
        print("fo", end="")
        print("ur")
        log.info("five %d", 5)
        print("six", file=sys.stderr)
        log.debug("nobody hears this")
        print("seven", end="")

    before = (sys.stdout, sys.stderr, logging.getLogger().level, list(logging.getLogger().handlers))
    ran = run_backend(plain)
    assert ran.log == ("one two", "three", "four", "INFO author: five 5", "six", "seven")
    # What is logged is for people, and no output.
    assert ran.output == "one two\nthree\nfour\nseven" and ran.summary == "one two"
    assert before == (sys.stdout, sys.stderr, logging.getLogger().level, list(logging.getLogger().handlers))


def test_so_is_what_the_tasks_and_threads_of_an_async_function_say() -> None:
    @backend("other")
    async def other(_: Context) -> None:
        await asyncio.create_task(_aside())
        await asyncio.to_thread(print, "from a thread")

    assert run_backend(other).log == ("WARNING author: aside", "from a thread")


async def _aside() -> None:
    log.warning("aside")


def test_an_exception_is_logged_with_its_traceback() -> None:
    @backend("careful")
    def careful(_: Context) -> str:
        try:
            raise LookupError("no such thing")
        except LookupError:
            log.exception("went on")
        return "done"

    ran = run_backend(careful)
    assert ran.output == "done" and ran.log[:2] == ("ERROR author: went on", "Traceback (most recent call last):")
    assert ran.log[-1] == "LookupError: no such thing"


def test_two_runs_at_once_say_what_is_theirs() -> None:
    @backend("speaker")
    async def speaker(context: Context) -> None:
        for number in range(3):
            print(context.task.prompt, number)
            await asyncio.sleep(0.01)

    async def both() -> list[Ran]:
        return await asyncio.gather(*(asyncio.to_thread(run_backend, speaker, name) for name in ("a", "b")))

    ran = asyncio.run(both())
    assert [one.log for one in ran] == [tuple(f"{name} {number}" for number in range(3)) for name in ("a", "b")]


def test_a_line_without_an_end_is_said_in_pieces() -> None:
    @backend("endless")
    def endless(_: Context) -> None:
        for _number in range(20_000):
            print("x", end="")

    log = run_backend(endless).log
    assert "".join(log) == "x" * 20_000 and max(map(len, log)) <= 8192


async def test_in_a_worker_it_is_in_the_tasks_log_and_once_in_the_pods(
    operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker(CODEFORGE_BACKEND="speaker", CODEFORGE_MODULE=MODULE)
    uid = await operator.submit("hear me")
    last = (await operator.until(uid))[-1].body
    assert last["output"] == "printed: hear me", last
    await operator.queue_is_empty()
    for said in ("printed: hear me", "WARNING speaker: logged: hear me"):
        assert worker.log().count(said) == 1 and f"[{uid}] {said}" in worker.log()
    lines = [message.data or b"" for message in await operator.messages("LOGS", f"logs.team.pool.{uid}")]
    assert b"logged: hear me" in b"".join(lines)


@pytest.mark.parametrize("loud", [True, False])
def test_what_is_written_when_no_function_runs_is_left_alone(capsys: pytest.CaptureFixture[str], loud: bool) -> None:
    @backend("quiet")
    def quiet(_: Context) -> None:
        if loud:
            print("inside")

    run_backend(quiet)
    print("outside")
    assert capsys.readouterr().out == "outside\n"
