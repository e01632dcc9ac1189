"""The worker's credential is renewed, comes late, or is taken away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import nats
import pytest
from conftest import StartWorker, count, until, written
from harness.flushing import flushed
from harness.jwt_server import JwtServer
from harness.nats_identity import MINE, NEIGHBOUR
from harness.operator import HOLDER, LOGS, STREAM, Operator, kinds
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from nats.errors import Error as NatsError

pytestmark = pytest.mark.parametrize("server", ["jwt"], indirect=True)
RENEWED = "the NATS credential was renewed: connecting anew"
SECRET = "the operator renews Secret pool-workers"


async def test_a_run_outlives_its_credential_over_renewals(
    server: JwtServer, operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    ack_wait, lifetime = 6, 6
    await operator.add_consumer(ack_wait)
    runs, go = marker("runs"), marker("go")
    script = f"echo >> {runs}; n=0; while [ ! -e {go} ]; do n=$((n+1)); echo line $n; sleep 0.1; done; echo end $n"
    # Each line is one that a reconnect could lose.
    worker = await start_worker("sh", "-c", script, CODEFORGE_ACK_WAIT_SECONDS=str(ack_wait))
    server.secret.put(server.identities.worker(seconds=lifetime))
    uid = await operator.submit()
    await operator.until(uid, "running")
    began = time.monotonic()
    while time.monotonic() < began + max(ack_wait, lifetime) + 1:
        await asyncio.sleep(lifetime / 3)
        server.secret.put(server.identities.worker(seconds=lifetime))
        assert await _holder(operator, uid) == "worker-1"
    go.touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()
    assert worker.log().count(RENEWED) >= 3 and "NATS refuses" not in worker.log()
    consumer = await operator.js.consumer_info(STREAM, "workers")
    assert consumer.delivered and (consumer.delivered.consumer_seq, consumer.num_redelivered) == (1, 0)
    lines = [json.loads(message.data or b"") for message in await operator.messages("LOGS", LOGS + uid)]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert f"end {len(lines) - 1}" in events[-1].body["output"]


async def _holder(operator: Operator, uid: str) -> str:
    """A question that meets the reconnect is lost, and is asked again by whoever has to know."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(NatsError):
                return (await operator.ask(HOLDER + uid, seconds=1))["worker"]
            await asyncio.sleep(0.1)


async def test_a_credential_is_renewed_between_two_pulls(
    server: JwtServer, operator: Operator, start_worker: StartWorker
) -> None:
    """The server may deliver to a pull whose connection is gone: the task would come again after the ack wait."""
    worker = await start_worker("true")
    async with asyncio.timeout(PATIENCE):
        while not (await operator.js.consumer_info(STREAM, "workers")).num_waiting:
            await asyncio.sleep(0.02)
    server.secret.put(server.identities.worker())
    # Longer than until the file is read again.
    await asyncio.sleep(1)
    assert RENEWED not in worker.log()
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    await worker.logged(RENEWED)
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    consumer = await operator.js.consumer_info(STREAM, "workers")
    assert consumer.delivered and consumer.delivered.consumer_seq == 2


async def test_a_run_outlives_a_credential_that_expires_before_the_next_one_comes(
    server: JwtServer, operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    runs, go = marker("runs"), marker("go")
    worker = await start_worker("sh", "-c", f"echo >> {runs}; {until(go)}; echo done")
    uid = await operator.submit()
    await written(runs)
    server.secret.put(server.identities.worker(seconds=8))
    await worker.logged(RENEWED)
    await worker.logged("valid until 2")
    status, said = await worker.get("/readyz")
    # Who is not ready would be removed first.
    assert status == 200 and said.startswith("ready\n") and SECRET in said, said
    # Until the message is handed out again to whoever asks.
    await asyncio.sleep(3)
    server.secret.put(server.identities.worker())
    await worker.logged("NATS is back")
    go.touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()
    assert (await worker.get("/readyz"))[1] == "ready\n"


async def test_an_idle_worker_waits_for_a_credential_and_says_which(
    server: JwtServer, operator: Operator, tmp_path: Path
) -> None:
    server.secret.put(server.identities.worker(seconds=-60))
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["true"], server.worker_settings)
    await worker.start()
    try:
        await worker.logged(SECRET)
        status, said = await worker.get("/readyz")
        assert status == 503 and f"{server.secret.path}, which is valid until 2" in said and SECRET in said, said
        server.secret.put("half of a fi")
        await worker.logged("does not hold a user's JWT")
        server.secret.put(server.identities.worker())
        await worker.ready()
        assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    finally:
        await worker.kill()


async def test_a_revoked_credential_ends_at_once(
    server: JwtServer, operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = await start_worker("true")
    mine, neighbours = tmp_path / "mine", tmp_path / "neighbours"
    mine.write_text(server.identities.worker())
    neighbours.write_text(server.identities.worker(NEIGHBOUR))
    connected = await nats.connect(server.url, user_credentials=mine, allow_reconnect=False, connect_timeout=PATIENCE)
    other = await nats.connect(server.url, user_credentials=neighbours, allow_reconnect=False, connect_timeout=PATIENCE)
    await server.push(server.identities.account(MINE, revoked=True))
    async with asyncio.timeout(PATIENCE):
        while not connected.is_closed:
            await asyncio.sleep(0.01)
    with pytest.raises(NatsError, match="Authorization Violation"):
        await nats.connect(server.url, user_credentials=mine, allow_reconnect=False, connect_timeout=PATIENCE)
    await flushed(other)
    await other.close()
    await worker.answers("/readyz", 503)
    await worker.logged("NATS refuses the credential in")
    # Its pool is being deleted.
    worker.terminate()
    assert await worker.end() == 0, worker.log()
