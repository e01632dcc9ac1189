"""A run's part of its task's trace, as an OTLP receiver gets it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, written
from harness.collector import Collector
from harness.git_server import GitServer
from harness.llm_server import LlmServer
from harness.operator import CONTROL, STREAM, SUBJECT, Operator, kinds
from harness.patience import PATIENCE
from harness.ports import free_port

from codeforge_worker import wire
from codeforge_worker.tracing import identity

GOLDEN = Path(__file__).parents[2] / "schemas" / "golden"
ASK = (
    "import json, os, urllib.request as r; q = json.dumps({'model': 'coder', 'messages': []}).encode(); "
    "h = {'Authorization': 'Bearer ' + os.environ['OPENAI_API_KEY'], 'traceparent': %s}; "
    "r.urlopen(r.Request(os.environ['OPENAI_API_BASE'] + '/chat/completions', q, h)).read(); "
    "print(os.environ['TRACEPARENT']); open('made', 'w').write('x')"
)
OWN_SPAN = "os.environ['TRACEPARENT'].replace(os.environ['TRACEPARENT'].split('-')[2], 'abcdefabcdefabcd')"
# Half a second between two exports, in place of five.
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "500"}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    await collector.start()
    yield collector
    await collector.stop()


def exporting(collector: Collector, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} | SOON | more


def model(llm: LlmServer) -> dict[str, str]:
    llm.cost = "0.0125"
    return {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": "the-pools-own-key"}


async def test_a_run_and_its_parts_are_one_trace_under_the_publish(
    operator: Operator, start_worker: StartWorker, code: GitServer, llm: LlmServer, collector: Collector
) -> None:
    await start_worker(sys.executable, "-c", ASK % "''", **exporting(collector), **model(llm))
    git = {"git": {"url": code.url, "push": {"branch": "mine"}}}
    uid = await operator.submit(attempt=2, model="coder", workspace=git)
    ended = (await operator.until(uid))[-1].body
    run = await collector.named("run 2.1")
    assert ended["event"] == "completed", ended
    trace = uid.replace("-", "")
    assert {span.trace_id for span in collector.spans} == {trace}
    assert collector.tree().splitlines() == [
        "run 2.1 [consumer]",
        "  clone [internal]",
        "  agent [internal]",
        "    chat coder [client]",
        "  push [internal]",
    ]
    assert run.span_id == identity.span_id(trace, "run/2/1")
    assert run.parent_id == identity.span_id(trace, "publish/2")
    assert run.attributes == {
        "codeforge.task.id": uid,
        "codeforge.namespace": "team",
        "codeforge.pool": "pool",
        "codeforge.backend": "command",
        "codeforge.attempt": 2,
        "codeforge.delivery": 1,
        "codeforge.outcome": "completed",
        "codeforge.cost_usd": 0.0125,
        "gen_ai.request.model": "coder",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "run",
        "messaging.destination.name": STREAM,
        "messaging.message.id": "1",
    }
    assert run.resource["service.name"] == "codeforge-worker"
    assert run.resource["k8s.pod.name"] == "worker-1"
    call = await collector.named("chat coder")
    assert call.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "coder",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "codeforge.cost_usd": 0.0125,
        "server.address": "127.0.0.1",
        "server.port": llm.port,
    }
    agent = await collector.named("agent")
    assert ended["output"].strip() == f"00-{trace}-{agent.span_id}-01", "the agent is told its own span"
    assert llm.traceparents == [f"00-{trace}-{call.span_id}-01"], "and the model's server that of the call"


async def test_a_call_is_part_of_the_agents_own_span_where_it_names_one(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, collector: Collector
) -> None:
    await start_worker(sys.executable, "-c", ASK % OWN_SPAN, **exporting(collector), **model(llm))
    await operator.until(await operator.submit())
    assert (await collector.named("chat coder")).parent_id == "abcdefabcdefabcd"


async def test_a_call_that_fails_says_so(
    operator: Operator, start_worker: StartWorker, llm: LlmServer, collector: Collector
) -> None:
    llm.status = 429
    await start_worker(sys.executable, "-c", ASK % "''", **exporting(collector), **model(llm))
    await operator.until(await operator.submit())
    await collector.named("run 1.1")
    assert collector.tree().splitlines() == [
        "run 1.1 [consumer] CommandFailed",
        "  agent [internal] CommandFailed",
        "    chat coder [client] 429",
    ]


@pytest.mark.parametrize(
    ("script", "fields", "told"),
    [
        ("exit 3", {}, ["run 1.1 [consumer] CommandFailed", "  agent [internal] CommandFailed"]),
        ("sleep 9", {"run_timeout_seconds": 1}, ["run 1.1 [consumer] RunTimeout", "  agent [internal] Stopped"]),
        (
            "true",
            {"workspace": {"git": {"url": "http://127.0.0.1:9/none.git"}}},
            ["run 1.1 [consumer] GitCloneFailed", "  clone [internal] GitCloneFailed"],
        ),
    ],
)
async def test_a_failure_has_its_type(
    operator: Operator,
    start_worker: StartWorker,
    collector: Collector,
    script: str,
    fields: dict[str, Any],
    told: list[str],
) -> None:
    await start_worker("sh", "-c", script, **exporting(collector))
    events = await operator.until(await operator.submit(**fields))
    run = await collector.named("run 1.1")
    assert collector.tree().splitlines() == told
    assert run.error == events[-1].body["error"]
    assert run.attributes["codeforge.outcome"] == "failed"


async def test_a_run_that_is_cancelled_is_no_error(
    operator: Operator, start_worker: StartWorker, collector: Collector
) -> None:
    await start_worker("sleep", "30", **exporting(collector))
    uid = await operator.submit()
    await operator.until(uid, "running")
    await operator.ask(CONTROL + uid, b'{"action":"cancel","reason":"enough"}')
    run = await collector.named("run 1.1")
    assert (run.error, run.attributes["codeforge.outcome"]) == (None, "cancelled")


async def test_a_later_delivery_is_another_span_of_the_same_trace(
    operator: Operator, start_worker: StartWorker, collector: Collector, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    script = f"[ -e {first} ] || {{ echo > {first}; sleep 30; }}"
    lost = await start_worker("sh", "-c", script, name="lost", **exporting(collector))
    uid = await operator.submit()
    await written(first)
    await lost.kill()
    await start_worker("sh", "-c", script, **exporting(collector))
    await operator.until(uid)
    run = await collector.named("run 1.2")
    assert run.span_id == identity.span_id(run.trace_id, "run/1/2")
    assert run.parent_id == identity.span_id(run.trace_id, "publish/1")


async def test_what_was_not_sent_is_sent_at_the_end(
    operator: Operator, start_worker: StartWorker, collector: Collector
) -> None:
    worker = await start_worker("true", **exporting(collector, OTEL_BSP_SCHEDULE_DELAY="600000"))
    await operator.until(await operator.submit())
    assert collector.spans == []
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert collector.tree().splitlines() == ["run 1.1 [consumer]", "  agent [internal]"]


@pytest.mark.parametrize("dead", ["nobody listens", "nobody answers"])
async def test_a_dead_collector_holds_up_nothing(
    operator: Operator, start_worker: StartWorker, collector: Collector, dead: str
) -> None:
    collector.answers = False
    endpoint = collector.url if dead == "nobody answers" else f"http://127.0.0.1:{free_port()}"
    # A queue that is full at once: what does not fit is dropped.
    settings = exporting(collector, OTEL_BSP_MAX_QUEUE_SIZE="2", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="1")
    worker = await start_worker("true", **settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    uids = [await operator.submit() for _ in range(10)]
    for uid in uids:
        assert kinds(await operator.until(uid))[-1] == "completed"
    assert collector.asked == 0 or dead == "nobody answers"
    worker.signal(signal.SIGTERM)
    began = time.monotonic()
    assert await worker.end(30) == 0
    # Five seconds each for the server's last word and for the collector; the pod's grace has a minute beyond its run.
    assert time.monotonic() - began < 25
    assert worker.log().count("Transient error") <= 1, "a collector that is away does not fill the log"


async def test_a_plain_function_hands_the_trace_to_the_programs_that_it_starts(
    operator: Operator, start_worker: StartWorker, collector: Collector, tmp_path: Path
) -> None:
    """It runs on a thread of its own, which has no span under way."""
    module = tmp_path / "plain.py"
    module.write_text(
        "from codeforge_worker import Context, backend\n\n\n"
        '@backend("plain")\ndef plain(context: Context) -> None:\n'
        '    """Tells its trace."""\n'
        '    context.log(context.environment["TRACEPARENT"])\n'
    )
    await start_worker(**exporting(collector), CODEFORGE_BACKEND="plain", CODEFORGE_MODULE=str(module))
    uid = await operator.submit()
    ended = (await operator.until(uid))[-1].body
    agent = await collector.named("agent")
    assert ended["event"] == "completed", ended
    assert ended["output"].strip() == f"00-{agent.trace_id}-{agent.span_id}-01"


async def test_a_trace_that_is_not_wanted_is_not_told(
    operator: Operator, start_worker: StartWorker, collector: Collector
) -> None:
    await start_worker("sh", "-c", "echo $TRACEPARENT", **exporting(collector))
    body = {"task_id": "outside", "prompt": "work"}
    await send(operator, body, f"00-{'1' * 32}-{'2' * 16}-00")
    ended = (await operator.until("outside"))[-1].body
    await operator.until(await operator.submit())
    kept = await collector.named("run 1.1")
    assert kept.trace_id != "1" * 32
    assert ended["output"].endswith("-00"), "and whoever continues it knows"


async def test_a_message_from_outside_continues_its_senders_trace(
    operator: Operator, start_worker: StartWorker, collector: Collector
) -> None:
    await start_worker("true", **exporting(collector))
    # Two messages of one id in one trace are two runs.
    for _ in range(2):
        await send(operator, {"task_id": "order-7", "prompt": "work"}, f"00-{'1' * 32}-{'2' * 16}-01")
        await operator.queue_is_empty()
    worker_spans = await runs(collector, 2)
    assert {(span.trace_id, span.parent_id) for span in worker_spans} == {("1" * 32, "2" * 16)}
    assert {span.span_id for span in worker_spans} == {
        identity.span_id("1" * 32, f"run/{STREAM}/{sequence}/1") for sequence in (1, 2)
    }


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{'2' * 16}-01", f"ff-{'1' * 32}-{'2' * 16}-01"])
async def test_a_message_from_outside_without_a_trace_begins_one(
    operator: Operator, start_worker: StartWorker, collector: Collector, header: str
) -> None:
    await start_worker("true", **exporting(collector))
    await send(operator, {"task_id": "order-7", "prompt": "work"}, header)
    run = await collector.named("run 1.1")
    assert run.parent_id == "" and run.trace_id not in ("0" * 32, "1" * 32)


async def test_without_an_endpoint_nothing_is_loaded(operator: Operator, start_worker: StartWorker) -> None:
    # What the program imports is seen at its end.
    change = (
        "import atexit; atexit.register(lambda: print('loaded', [name for name in sys.modules "
        "if name.split('.')[0] in ('opentelemetry', 'requests', 'google') or name.endswith('tracing.otlp')]))"
    )
    worker = await start_worker("sh", "-c", "echo [$TRACEPARENT]", change=change, OTEL_SERVICE_NAME="mine")
    ended = (await operator.until(await operator.submit()))[-1].body
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert ended["output"] == "[]"
    assert "loaded []" in worker.log()


@pytest.mark.parametrize(
    ("settings", "change", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", "only http/protobuf is spoken: unset it"),
        ({}, "sys.modules['opentelemetry'] = None", "install codeforge-worker[otel]"),
        ({"OTEL_SDK_DISABLED": "true"}, "", ""),
        ({"OTEL_TRACES_EXPORTER": "none"}, "", ""),
    ],
)
async def test_what_keeps_traces_off_keeps_no_task_from_running(
    operator: Operator,
    start_worker: StartWorker,
    collector: Collector,
    settings: dict[str, str],
    change: str,
    said: str,
) -> None:
    worker = await start_worker("true", change=change, **exporting(collector, **settings))
    assert kinds(await operator.until(await operator.submit()))[-1] == "completed"
    worker.signal(signal.SIGTERM)
    assert await worker.end() == 0
    assert said in worker.log() and "traces go to" not in worker.log()
    assert collector.asked == 0


async def test_the_collectors_key_is_kept_from_the_agent(
    operator: Operator, start_worker: StartWorker, collector: Collector
) -> None:
    keys = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20s3cret"}
    await start_worker("env", **exporting(collector, **keys))
    ended = (await operator.until(await operator.submit()))[-1].body
    await collector.named("run 1.1")
    assert collector.headers["authorization"] == "Bearer s3cret"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in ended["output"] and "s3cret" not in ended["output"]


@pytest.mark.parametrize("vector", json.loads((GOLDEN / "spans.json").read_text()), ids=lambda vector: vector["name"])
def test_ids_are_the_golden_ones(vector: dict[str, str]) -> None:
    trace = identity.trace_id(vector["uid"])
    assert trace == vector["trace_id"]
    assert identity.span_id(trace, vector["name"]) == vector["span_id"]


def test_the_golden_messages_header_names_its_publish() -> None:
    headers = json.loads((GOLDEN / "task-message.headers.json").read_text())
    task = wire.parse_task((GOLDEN / "task-message.json").read_bytes(), headers, "team", "aider")
    assert identity.parent_of(task, headers["traceparent"]) == identity.parent_of(task, "")


async def send(operator: Operator, body: dict[str, Any], traceparent: str) -> None:
    headers = {"Nats-Msg-Id": str(uuid.uuid4())} | ({"traceparent": traceparent} if traceparent else {})
    await operator.js.publish(SUBJECT, json.dumps(body).encode(), headers=headers)


async def runs(collector: Collector, number: int) -> list[Any]:
    async with asyncio.timeout(PATIENCE):
        while len(found := [span for span in collector.spans if span.kind == "consumer"]) < number:
            await asyncio.sleep(0.05)
    return found
