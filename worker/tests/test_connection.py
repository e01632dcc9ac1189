"""A worker's connection lasts as long as the worker, whatever NATS says and whatever becomes of the client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import StartWorker, count, until, written
from harness.nats_server import NatsServer
from harness.operator import HOLDER, Operator, kinds
from harness.ports import free_port
from harness.proxy import TcpProxy

# The client's first reconnect ends in this way.
ENDING = """
import codeforge_worker.nats_client as nats_client
attempt = nats_client.NatsClient._attempt_reconnect
ended = []
async def end(self):
    if ended:
        return await attempt(self)
    ended.append(self)
    {how}
nats_client.NatsClient._attempt_reconnect = end
"""
ENDS = {
    "an error": "raise ValueError('a line without an end')",
    "a close": "await self._close(self.CLOSED)",
}
REPLACED = "the client of NATS has ended, a new one takes its place"


@pytest.mark.parametrize("how", ENDS)
async def test_a_client_that_has_ended_is_replaced_under_a_run(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path], how: str
) -> None:
    runs, go = marker("runs"), marker("go")
    change = ENDING.format(how=ENDS[how])
    worker = await start_worker("sh", "-c", f"echo >> {runs}; {until(go)}", change=change, NATS_URL=proxy.url)
    uid = await operator.submit()
    await written(runs)
    await proxy.cut()
    await proxy.resume()
    await worker.logged(REPLACED)
    await worker.logged("NATS is back")
    # Whoever asks hears of the run, as before.
    assert (await operator.ask(HOLDER + uid))["worker"] == "worker-1"
    assert (await operator.look())["idle"] is False
    go.touch()
    events = await operator.until(uid)
    assert kinds(events) == ["running", "completed"] and events[-1].body["delivery"] == 1 and count(runs) == 1
    await operator.queue_is_empty()
    assert kinds(await operator.until(await operator.submit())) == ["running", "completed"]
    assert worker.log().count(REPLACED) == 1


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Maximum Connections Exceeded", "maximum connections exceeded"),
        ("Authorization Violation", "NATS does not take the worker's user and password"),
        ("Invalid Subject", "invalid subject"),
    ],
)
async def test_no_error_of_the_server_ends_a_run(
    operator: Operator,
    start_worker: StartWorker,
    proxy: TcpProxy,
    marker: Callable[[str], Path],
    said: str,
    logged: str,
) -> None:
    runs, go = marker("runs"), marker("go")
    worker = await start_worker("sh", "-c", f"echo >> {runs}; {until(go)}", NATS_URL=proxy.url)
    uid = await operator.submit()
    await written(runs)
    proxy.say(f"-ERR '{said}'\r\n".encode())
    await worker.logged("NATS is back")
    assert logged in worker.log() and REPLACED not in worker.log()
    assert (await operator.ask(HOLDER + uid))["worker"] == "worker-1"
    go.touch()
    assert kinds(await operator.until(uid)) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()


async def test_a_run_goes_on_over_another_server(
    server: NatsServer, operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path]
) -> None:
    """Of three servers one never answers, and the one in use goes away."""
    other = TcpProxy(server.port)
    await other.start()
    runs, go = marker("runs"), marker("go")
    urls = f"nats://127.0.0.1:{free_port()}, {proxy.url},{other.url},"
    worker = await start_worker("sh", "-c", f"echo >> {runs}; {until(go)}", NATS_URL=urls)
    uid = await operator.submit()
    await written(runs)
    used, unused = (proxy, other) if proxy.accepted else (other, proxy)
    assert not unused.accepted
    await used.cut()
    await worker.logged("NATS is back")
    assert unused.accepted and (await operator.ask(HOLDER + uid))["worker"] == "worker-1"
    go.touch()
    assert kinds(await operator.until(uid)) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()
    await other.cut()
