"""A server that takes little: what is larger arrives cut and says so, whatever it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import BUCKET, LOGS, SUBJECT, Operator
from harness.patience import PATIENCE

from codeforge_worker import fitting, wire

MOST = 16_384


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path)
    configuration = tmp_path / "nats.conf"
    configuration.write_text(f"{configuration.read_text()}\nmax_payload: {MOST}\n")
    await server.start()
    yield server
    await server.kill()


async def test_a_run_that_prints_and_leaves_much_arrives(operator: Operator, start_worker: StartWorker) -> None:
    script = (
        "head -c 9000 /dev/zero | tr '\\0' '\"'; echo; seq 1 2000; "
        'head -c 100000 /dev/urandom >"$CODEFORGE_ARTIFACTS/data.bin"; exit 1'
    )
    await start_worker("sh", "-c", script)
    uid = await operator.submit()
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "failed" and last["failure"]["type"] == "CommandFailed"
    assert last["output"].endswith("1999\n2000") and not last["result"].get("artifacts_problem")
    stored = {one["name"]: one for one in last["result"]["artifacts"]}
    assert stored["data.bin"]["size"] == 100_000
    kept = (await (await operator.js.object_store(BUCKET)).get(stored["data.bin"]["object"])).data or b""
    assert len(kept) == 100_000
    lines = [json.loads(message.data or b"")["line"] for message in await operator.messages("LOGS", LOGS + uid)]
    assert "".join(lines[:3]) == '"' * 9000 and lines[-1] == "2000"


async def test_a_dead_letter_is_cut(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("true")
    body = b'{"task_id": "bad id", "prompt": "' + b"x" * 12_000 + b'"}'
    await operator.js.publish(f"{SUBJECT}.any", body, timeout=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not (letters := await operator.dead_letters()):
            await asyncio.sleep(0.02)
    (letter,) = letters
    assert letter.data == body[: MOST - 8192]
    assert (letter.headers or {})["Codeforge-Truncated"] == str(len(body))


def _event(kind: wire.Kind, **more: Any) -> wire.Event:
    text = 'a "quoted" 日本\n' * 4000
    fields: dict[str, Any] = {
        "output": wire.tail(text), "error": text[:1024], "files": tuple(f"{n}/{'f' * 4000}" for n in range(50)),
        "progress": text[:1024], "cost_usd": Decimal("0.1"),
        **more,
    }  # fmt: skip
    if kind in wire.TERMINAL:
        artifacts = tuple(wire.Artifact(f"{n}{'a' * 100}", 1, "sha-256:" + "0" * 64, "o" * 200) for n in range(20))
        fields["result"] = wire.Result(text[:1024], 50, None, artifacts, text[:1024])
        fields["failure"] = wire.Failure("AgentFailed", text[:1024], True)
    return wire.Event(
        task_id="t", project_id="", status=wire.status_of(kind), event=kind, event_id="id", attempt=1, delivery=1,
        stream="s", sequence=1, worker="w", time=wire.now(), start_time=wire.now(), **fields,
    )  # fmt: skip


@pytest.mark.parametrize("max_payload", [6000, 8192, 16_384, 65_536, 262_144])
@pytest.mark.parametrize("kind", ["running", "progress", "released", "completed", "failed", "cancelled"])
def test_every_event_fits_and_what_is_cut_is_marked(kind: wire.Kind, max_payload: int) -> None:
    earlier = tuple(wire.Earlier("s", n, "running", checkpoint="c" * 16_000) for n in range(20))
    event = _event(kind, checkpoint="k" * 16_000, earlier=earlier)
    body = fitting.fitted(event, max_payload)
    assert len(body) + fitting.BESIDE_BYTES <= max_payload
    read = json.loads(body)
    assert (read["event_id"], read["event"], read["attempt"]) == ("id", kind, 1)
    assert "(cut: max_payload of NATS)" in read["output"]
    told = read["result"]["artifacts_problem"] if kind in wire.TERMINAL else read["progress"]
    assert f"max_payload of NATS is {max_payload}: raise it" in told and "checkpoint" not in read
    assert [one["sequence"] for one in read["earlier"]] == list(range(20))


def test_what_fits_is_as_it_was() -> None:
    event = _event("completed")
    assert fitting.fitted(event, 1 << 20) == wire.encode(event)


def test_texts_go_before_a_checkpoint_does() -> None:
    read = json.loads(fitting.fitted(_event("progress", checkpoint="k" * 12_000), 16_384))
    assert read["checkpoint"] == "k" * 12_000 and "(cut: " in read["progress"]
