"""Log lines are read from any place again, none lost and none twice; what was never stored is seen to be missing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
import pytest
from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import LOGS, Operator
from harness.patience import PATIENCE
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy

from codeforge_worker import logs, wire
from codeforge_worker.logs import RunLog
from codeforge_worker.subjects import Subjects

LINES = 300


async def _some(client: Client, uid: str, after: int, most: int) -> list[tuple[int, dict[str, Any]]]:
    """At most that many lines after a sequence of the stream, as the user `client` may read them."""
    subject = LOGS + uid
    found: list[tuple[int, dict[str, Any]]] = []
    while len(found) < most:
        query = json.dumps({"seq": after + 1, "next_by_subj": subject}).encode()
        answer = await client.request("$JS.API.DIRECT.GET.LOGS", query, timeout=PATIENCE)
        headers = answer.headers or {}
        if "Nats-Sequence" not in headers:
            break
        after = int(headers["Nats-Sequence"])
        found.append((after, json.loads(answer.data)))
    return found


async def _client(server: NatsServer) -> Client:
    return await nats.connect(server.url, user="client", password="client-pw", inbox_prefix="_INBOX_client")


async def test_a_client_goes_on_where_it_stopped(
    server: NatsServer, operator: Operator, start_worker: StartWorker
) -> None:
    await start_worker("sh", "-c", f"seq 1 {LINES}")
    uid, other = await operator.submit(), await operator.submit()
    for task in (uid, other):
        await operator.until(task)
    read: list[tuple[int, dict[str, Any]]] = []
    # A new connection each time, as after a lost one.
    while True:
        client = await _client(server)
        more = await _some(client, uid, read[-1][0] if read else 0, 70)
        await client.close()
        if not more:
            break
        read += more
    assert [(line["attempt"], line["delivery"], line["seq"]) for _, line in read] == [
        (1, 1, number) for number in range(1, LINES + 1)
    ]
    assert [line["line"] for _, line in read] == [str(number) for number in range(1, LINES + 1)]


@pytest.mark.parametrize("first", [1, 17, LINES])
async def test_an_ordered_consumer_begins_at_any_line(
    operator: Operator, start_worker: StartWorker, first: int
) -> None:
    await start_worker("sh", "-c", f"seq 1 {LINES}")
    uid = await operator.submit()
    await operator.until(uid)
    stored = await operator.messages("LOGS", LOGS + uid)
    config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=stored[first - 1].seq)
    lines = await operator.js.subscribe(LOGS + uid, ordered_consumer=True, config=config)
    read = [json.loads((await lines.next_msg(timeout=PATIENCE)).data)["seq"] for _ in range(first, LINES + 1)]
    assert read == list(range(first, LINES + 1))


async def test_what_an_agent_prints_arrives_plain_and_as_its_own(operator: Operator, start_worker: StartWorker) -> None:
    """Whatever ends a line somewhere: none of its lines begins as another task's."""
    printed = [
        r"plain\n", r"\033[31mred\n", r"\377\376\000\n", r"half \346\227\n", r"[other-task] text\n",
        *(rf"a{end}[other-task] text\n" for end in (r"\r", r"\342\200\250", r"\302\205", r"\013", r"\036", r"\033E")),
        r"\033]0;title",
    ]  # fmt: skip
    worker = await start_worker("sh", "-c", f"printf '{''.join(printed)}'; exit 3")
    uid = await operator.submit()
    last = (await operator.until(uid))[-1].body
    lines = [json.loads(message.data or b"")["line"] for message in await operator.messages("LOGS", LOGS + uid)]
    assert lines[:4] == ["plain", "red", "���", "half �"] and "a�[other-task] text" in lines
    assert last["output"] == "\n".join(lines) and last["error"].startswith("sh exited with code 3; its last line: ")
    shown = [line for line in worker.log().splitlines() if "[other-task]" in line]
    assert len(shown) == 7 and all(line.startswith(f"[{uid}] ") for line in shown)


async def test_a_function_cannot_speak_for_another_task_either(capsys: pytest.CaptureFixture[str]) -> None:
    broker = _Away()
    log = RunLog(broker, wire.Task("task", "prompt"), 1)  # pyright: ignore[reportArgumentType]
    for end in ("\r", "\n", "\r\n", "\u2028", "\x85", "\x1e"):
        log.line(f"first{end}[other-task] text")
    log.stop()
    assert all(line.startswith("[task] ") for line in capsys.readouterr().out.splitlines())


class _Away:
    """A connection that is down until it is told otherwise."""

    connected = False
    subjects = Subjects("team", "pool")

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def publish(self, _: str, body: bytes) -> None:
        self.sent.append(json.loads(body))


@pytest.mark.parametrize("more", [True, False])
async def test_dropped_lines_leave_a_gap_and_are_counted(monkeypatch: pytest.MonkeyPatch, more: bool) -> None:
    monkeypatch.setattr(logs, "BUFFERED_LINES", 5)
    broker = _Away()
    log = RunLog(broker, wire.Task("task", "prompt"), 1)  # pyright: ignore[reportArgumentType]
    for number in range(1, 9):
        log.line(f"line {number}")
    broker.connected = True
    if more:
        while len(broker.sent) < 5:
            await asyncio.sleep(0.02)
        log.line("afterwards")
    await log.close()
    numbers = [line["seq"] for line in broker.sent]
    assert numbers[:6] == [1, 2, 3, 4, 5, 9]
    assert broker.sent[5]["line"] == "(3 lines were dropped: NATS was away)"
    assert numbers[6:] == ([10] if more else [])
