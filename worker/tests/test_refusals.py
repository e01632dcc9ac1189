"""What NATS refuses for good is asked ever later, said once, and shown."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from conftest import ACK_WAIT, StartWorker
from harness.nats_server import NatsServer
from harness.operator import STREAM, Operator, kinds
from harness.worker_process import WorkerProcess
from nats.errors import TimeoutError as NatsTimeout
from nats.js.errors import APIError, BadRequestError, NoStreamResponseError, ServiceUnavailableError

from codeforge_worker.refusals import Refusals, Refused, is_refusal

REFUSED = "NATS refuses a task of the pool"


def test_a_refusal_is_tried_ever_later_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    with caplog.at_level(logging.WARNING), refusals.tries("this") as tries:
        assert [tries.seconds_after(Refused("no")) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
        assert (refusals.count, refusals.sentence) == (1, "NATS refuses this: no")
        tries.seconds_after(Refused("never"))
        assert [record.message.partition(";")[0] for record in caplog.records] == [
            "NATS refuses this: no",
            "NATS refuses this: never",
        ]
        # It is not there: what it will say is not known.
        assert tries.seconds_after(NatsTimeout()) == 0.5 and refusals.count == 0
        assert tries.seconds_after(Refused("no")) == 0.5 and refusals.count == 1
    assert (refusals.count, refusals.sentence) == (0, "")


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (BadRequestError(400, "maximum messages exceeded", 10077), True),
        (ServiceUnavailableError(503, "maximum bytes exceeded", 10077), True),
        (ServiceUnavailableError(503, "insufficient storage resources available", 10047), True),
        (APIError(429, "too many requests", 10167), False),
        (NoStreamResponseError(), True),
        (ServiceUnavailableError(503, "JetStream system temporarily unavailable", 10008), False),
        (NatsTimeout(), False),
        (ConnectionError(), False),
    ],
)
def test_what_may_get_better_by_itself_is_no_refusal(error: Exception, refused: bool) -> None:
    assert is_refusal(error) is refused


async def test_a_new_connection_ends_a_pause() -> None:
    refusals = Refusals()
    with refusals.tries("this", first=3600) as tries:
        pausing = asyncio.create_task(tries.pause(Refused("no")))
        await asyncio.sleep(0.01)
        refusals.try_again()
        async with asyncio.timeout(1):
            await pausing


async def test_a_worker_without_its_consumer_shows_it_and_takes_tasks_again(
    operator: Operator, start_worker: StartWorker
) -> None:
    worker = await start_worker("true")
    await operator.js.delete_consumer(STREAM, "workers")
    await worker.logged(f"{REFUSED}: 503 its stream or consumer is not there;")
    assert REFUSED in (await worker.get("/readyz"))[1]
    assert "codeforge_worker_nats_refusals 1.0" in (await worker.get("/metrics"))[1]
    await asyncio.sleep(4)
    # That it was deleted, and that it is not there.
    assert worker.log().count(REFUSED) <= 2, worker.log()
    await operator.add_consumer(ACK_WAIT)
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    await operator.until_idle()
    assert "codeforge_worker_nats_refusals 0.0" in (await worker.get("/metrics"))[1]


async def test_a_worker_that_may_not_read_says_what_its_user_lacks(
    server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    login = {"NATS_USER": "console", "NATS_PASSWORD": "console-pw"}
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["true"], login)
    await worker.start()
    try:
        await worker.logged("NATS refuses to read KV_config: the worker's user may not publish to $JS.API.DIRECT.GET.")
        status, said = await worker.get("/readyz")
        assert status == 503 and "may not publish" in said
    finally:
        await worker.kill()


async def test_a_login_that_is_refused_is_tried_ever_later_and_said_once(
    server: NatsServer, operator: Operator, tmp_path: Path
) -> None:
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["true"], {"NATS_PASSWORD": "another"})
    await worker.start()
    try:
        await worker.logged("NATS does not take the worker's user and password")
        await asyncio.sleep(5)
        assert worker.log().count("NATS does not take") == 1, worker.log()
        assert "user and password" in (await worker.get("/readyz"))[1]
    finally:
        await worker.kill()
