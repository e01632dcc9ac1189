"""Log lines are read from any place again, none lost and none twice; what was never stored is seen to be missing."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import pytest
from conftest import StartWorker, until
from harness.flushing import flushed
from harness.nats_server import NatsServer
from harness.operator import LOGS, Operator
from harness.patience import PATIENCE
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from codeforge_worker import line_sender, logs, wire
from codeforge_worker.logs import RunLog
from codeforge_worker.outlet import STDOUT, Outlet
from codeforge_worker.refusals import Refusals, Refused
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


async def test_a_function_cannot_speak_for_another_task_either(capfd: pytest.CaptureFixture[str]) -> None:
    broker = _Server(connected=False)
    log = RunLog(broker, wire.Task("task", "prompt"), 1)  # pyright: ignore[reportArgumentType]
    for end in ("\r", "\n", "\r\n", "\u2028", "\x85", "\x1e"):
        log.line(f"first{end}[other-task] text")
    log.stop()
    STDOUT.finish()
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 9 and all(line.startswith("[task] ") for line in lines)


class _Server:
    """NATS as the sender sees it: it stores each line at once, unless it is away, silent or refuses."""

    subjects = Subjects("team", "pool")
    reconnects = 0
    max_payload = 1 << 20

    def __init__(self, *, connected: bool = True) -> None:
        self.connected = connected
        self.stored: dict[str, dict[str, Any]] = {}
        self.sizes: list[int] = []
        self.refuses = 0
        self.answers = True
        # What it answers to each line, if it refuses all: data and headers.
        self.refusal: tuple[bytes, dict[str, str]] | None = None
        self.permits = True
        self.asked = 0
        self.refusals = Refusals()
        self._take: Callable[[Msg], Awaitable[None]] = self._nobody

    async def serve(self, _: str, take: Callable[[Msg], Awaitable[None]]) -> _Server:
        self._take = take
        return self

    async def unsubscribe(self) -> None:
        self._take = self._nobody

    def forbidden(self, subject: str) -> Refused | None:
        return None if self.permits else Refused(f"the user may not publish to {subject}")

    async def publish(self, _: str, body: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        self.asked += 1
        if not self.permits:
            return
        if self.refusal:
            await self._answer(reply, *self.refusal)
            return
        if self.refuses:
            self.refuses -= 1
            await self._answer(reply, b'{"error":{"code":503,"description":"too many pending"}}')
            return
        self.sizes.append(len(body))
        self.stored.setdefault((headers or {}).get("Nats-Msg-Id", "last"), json.loads(body))
        if self.answers:
            await self._answer(reply, b'{"stream":"LOGS","seq":1}')

    async def _answer(self, reply: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        if not reply:
            return
        message = Msg(_client=None, subject=reply, data=data, headers=headers)  # pyright: ignore[reportArgumentType]
        await self._take(message)

    async def _nobody(self, _: Msg) -> None: ...

    @property
    def lines(self) -> list[str]:
        return [line["line"] for line in self.stored.values()]

    @property
    def numbers(self) -> list[int]:
        return [line["seq"] for line in self.stored.values()]


def _log(server: _Server) -> RunLog:
    return RunLog(server, wire.Task("task", "prompt"), 1)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for few lines, and little patience."""
    for name, value in {"BUFFER_BYTES": 1000, "OVERSHOOT_BYTES": 1000, "STALLED_SECONDS": 0.5, "IN_FLIGHT": 3}.items():
        monkeypatch.setattr(line_sender, name, value)
    monkeypatch.setattr(line_sender, "UNANSWERED_SECONDS", 0.3)
    monkeypatch.setattr(line_sender, "SILENT_SECONDS", 1.0)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_line_made_for_another_server_is_cut_to_what_the_server_of_now_takes() -> None:
    """After a reconnect: sent as it is, it would be refused for ever, and all that follow it."""
    server = _Server(connected=False)
    log = _log(server)
    log.line("x" * 8000)
    log.line("after it")
    server.max_payload, server.connected = 4096, True
    await _until(lambda: len(server.stored) == 2)
    log.stop()
    cut, whole = server.lines
    assert cut.startswith("x" * 1000) and cut.endswith("(cut: max_payload of NATS)") and whole == "after it"
    assert all(size <= server.max_payload - 1024 for size in server.sizes)


@pytest.mark.usefixtures("small")
async def test_lines_that_are_lost_are_counted() -> None:
    server, lost = _Server(connected=False), list[int]()
    log = RunLog(server, wire.Task("task", "prompt"), 1, lost.append)  # pyright: ignore[reportArgumentType]
    await asyncio.sleep(1)
    for number in range(40):
        log.line(f"line {number}")
    kept = log._sender.unsent
    assert 0 < kept < 40 and sum(lost) == 40 - kept
    server.answers = False
    await log.close()
    assert sum(lost) == 40


@pytest.mark.usefixtures("small")
async def test_who_can_wait_is_slowed_down_and_no_line_is_lost() -> None:
    server = _Server()
    log = _log(server)
    for number in range(1, 501):
        log.line(f"line {number}")
        await log.room()
        assert log._sender.size <= 1000 + 300
    await log.flush(PATIENCE)
    assert server.numbers == list(range(1, 501)) and server.lines == [f"line {number}" for number in range(1, 501)]
    log.stop()


@pytest.mark.usefixtures("small")
async def test_a_short_outage_loses_no_line_of_who_can_wait() -> None:
    server = _Server(connected=False)
    log = _log(server)

    async def prints() -> None:
        for number in range(1, 31):
            log.line(f"line {number}")
            await log.room()

    printing = asyncio.create_task(prints())
    await asyncio.sleep(0.2)
    assert not printing.done()
    server.connected = True
    await printing
    await log.flush(PATIENCE)
    assert server.numbers == list(range(1, 31))
    log.stop()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("more", [True, False])
async def test_lines_dropped_in_an_outage_leave_a_gap_and_are_counted_with_their_reason(more: bool) -> None:
    server = _Server(connected=False)
    log = _log(server)
    log.line("first")
    await asyncio.sleep(0.6)
    for number in range(2, 12):
        # It waits for nobody: NATS is away.
        log.line(f"line {number}")
        await log.room()
    kept = log._sender.unsent
    assert 1 < kept < 11
    server.connected = True
    if more:
        await _until(lambda: len(server.stored) == kept)
        log.line("afterwards")
    await log.flush(PATIENCE)
    assert server.numbers == [*range(1, kept + 1), 12, *([13] if more else [])]
    size = sum(len(f"line {number}") for number in range(kept + 1, 12))
    assert server.lines[kept] == f"({11 - kept} lines, {size} bytes were dropped: NATS was away for 1 s)"
    log.stop()


@pytest.mark.usefixtures("small")
async def test_who_cannot_wait_and_is_too_fast_is_told_so() -> None:
    server = _Server()
    log = _log(server)
    for number in range(1, 101):
        log.line(f"line {number}")
    await log.flush(PATIENCE)
    assert server.lines[-1].endswith("bytes were dropped: they came faster than NATS takes them)")
    assert server.numbers[-1] == 101 and server.numbers[:-1] == list(range(1, len(server.numbers)))
    log.stop()


@pytest.mark.usefixtures("small")
async def test_what_the_server_refuses_or_does_not_answer_is_sent_again_and_stored_once() -> None:
    server = _Server()
    server.refuses = 2
    log = _log(server)
    for number in range(1, 8):
        log.line(f"line {number}")
    await _until(lambda: len(server.stored) == 7)
    server.answers = False
    log.line("line 8")
    await _until(lambda: len(server.stored) == 8)
    server.answers = True
    await log.flush(PATIENCE)
    assert sorted(server.numbers) == list(range(1, 9)) and log._sender.unsent == 0
    log.stop()


def _full(server: _Server) -> str:
    error = b'{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LOGS","seq":0}'
    server.refusal = (error, {})
    return "503 maximum bytes exceeded"


def _missing(server: _Server) -> str:
    server.refusal = (b"", {"Status": "503"})
    return "503 there is no stream LOGS"


def _forbidden(server: _Server) -> str:
    server.permits = False
    return "the user may not publish to logs.team.pool.task"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("refuse", [_full, _missing, _forbidden])
async def test_lines_that_nats_refuses_are_asked_ever_later_and_dropped_with_its_words(
    refuse: Callable[[_Server], str], caplog: pytest.LogCaptureFixture
) -> None:
    server = _Server()
    words = refuse(server)
    log = _log(server)
    log.line("line 1")
    begun = time.monotonic()
    await _until(lambda: server.asked >= 3)
    # After 0.5 s, and 1 s after that.
    assert time.monotonic() - begun >= 1.4
    await _until(lambda: server.refusals.count == 1)
    assert server.refusals.sentence == f"NATS refuses lines of output: {words}"
    for number in range(2, 20):
        log.line(f"line {number}")
        await log.room()
    kept = log._sender.unsent
    server.refusal, server.permits = None, True
    # It ends the pause.
    await log.flush(PATIENCE)
    await _until(lambda: not log._sender.unsent)
    # What NATS drops without an answer is sent again behind what follows it; each line has its number.
    stored = {line for line in server.lines if line.startswith("line ")}
    assert stored >= {f"line {number}" for number in range(1, kept + 1)}
    assert any(line.endswith(f"bytes were dropped: NATS refused them: {words})") for line in server.lines)
    assert server.refusals.count == 0 and caplog.text.count("NATS refuses lines of output") == 1
    log.stop()


@pytest.mark.usefixtures("small")
async def test_a_refusal_ends_with_its_run(caplog: pytest.LogCaptureFixture) -> None:
    server = _Server()
    words = _missing(server)
    log = _log(server)
    log.line("one")
    await log.close()
    assert server.refusals.count == 0 and f"the run has ended, and NATS refused them: {words})" in caplog.text


async def test_a_worker_shows_that_its_lines_are_refused(
    operator: Operator, start_worker: StartWorker, marker: Callable[[str], Path]
) -> None:
    worker = await start_worker("sh", "-c", f"echo one; {until(marker('end'))}")
    stream = (await operator.js.stream_info("LOGS")).config
    await operator.js.delete_stream("LOGS")
    uid = await operator.submit()
    said = "NATS refuses lines of output: 503 there is no stream LOGS"
    await worker.logged(said)
    assert said in (await worker.get("/readyz"))[1]
    assert "codeforge_worker_nats_refusals 1.0" in (await worker.get("/metrics"))[1]
    await operator.js.add_stream(stream)
    async with asyncio.timeout(PATIENCE):
        while not await operator.messages("LOGS", LOGS + uid):
            await asyncio.sleep(0.1)
    marker("end").touch()
    await operator.until(uid)
    assert "codeforge_worker_nats_refusals 0.0" in (await worker.get("/metrics"))[1]
    assert worker.log().count("NATS refuses lines") == 1


@pytest.mark.usefixtures("small")
async def test_the_end_of_a_run_says_what_is_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    server = _Server()
    server.answers = False
    log = _log(server)
    log.line("one")
    log.line("two")
    await log.flush(PATIENCE)
    await log.close()
    assert server.lines[-1].startswith("(2 lines, ") and "were not stored: the run has ended" in caplog.text


async def test_a_pods_log_that_nobody_reads_keeps_no_line_from_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(logs, "STDOUT", Outlet(writing))
    server = _Server()
    log = _log(server)
    for number in range(20_000):
        log.line(f"{number:0100}")
        await log.room()
    await log.flush(PATIENCE)
    assert server.numbers == list(range(1, 20_001))
    log.stop()
    os.close(reading)


@pytest.mark.parametrize("script", ["seq 1 100000", "yes 2>/dev/null | head -100000"])
async def test_a_flood_arrives_whole_and_in_order(operator: Operator, start_worker: StartWorker, script: str) -> None:
    """As it is stored: LOGS publishes again what it has."""
    stored: list[bytes] = []

    async def take(message: Msg) -> None:
        stored.append(message.data)

    await operator.nats.subscribe("results.*.log", cb=take)
    await start_worker("sh", "-c", script)
    await operator.until(await operator.submit(run_timeout_seconds=int(4 * PATIENCE)), seconds=4 * PATIENCE)
    await flushed(operator.nats)
    await _until(lambda: len(stored) >= 100_000)
    lines = [json.loads(body) for body in stored]
    assert [line["seq"] for line in lines] == list(range(1, 100_001))
    assert [line["line"] for line in lines] == [str(n) if "seq" in script else "y" for n in range(1, 100_001)]
