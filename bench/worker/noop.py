"""No-op tasks on one worker of ten slots, and on a bare loop of ten coroutines."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import uuid
from datetime import datetime
from pathlib import Path

from harness.nats_server import NatsServer
from harness.operator import NAMESPACE, POOL, STREAM, SUBJECT, Operator
from harness.worker_process import WorkerProcess
from nats.errors import TimeoutError as NatsTimeout
from nats.js.client import JetStreamContext

SLOTS = 10
BACKEND = '''from codeforge_worker import Context, backend


@backend("noop")
async def noop(context: Context) -> None:
    """Nothing is done."""
'''


async def main(tasks: int, rounds: int, commit: str) -> None:
    taken: dict[str, list[float]] = {"worker": [], "bare": []}
    for number in range(rounds):
        # Whoever is first has it no better in the long run.
        for what in ("worker", "bare") if number % 2 else ("bare", "worker"):
            with tempfile.TemporaryDirectory() as folder:
                taken[what].append(await measure(what, tasks, Path(folder)))
    report(taken, tasks, commit)


async def measure(what: str, tasks: int, folder: Path) -> float:
    """Seconds from the first event in the stream to the last, on a server of its own."""
    server = NatsServer(folder)
    await server.start()
    operator = Operator(server.url)
    try:
        await operator.start(ack_wait=30)
        for at in range(0, tasks, 50):
            await asyncio.gather(*(operator.submit(backend="noop") for _ in range(at, min(at + 50, tasks))))
        await (by_worker if what == "worker" else by_loop)(server, operator, folder)
        await operator.queue_is_empty(seconds=300)
        return await seconds(operator.js)
    finally:
        await operator.close()
        await server.kill()


async def by_worker(server: NatsServer, operator: Operator, folder: Path) -> None:
    (folder / "noop.py").write_text(BACKEND)
    settings = {
        "CODEFORGE_BACKEND": "noop", "CODEFORGE_MODULE": str(folder / "noop.py"),
        "CODEFORGE_CONCURRENCY": str(SLOTS), "CODEFORGE_ACK_WAIT_SECONDS": "30",
    }  # fmt: skip
    worker = WorkerProcess(folder, server.url, "worker", [], settings)
    await worker.start()
    try:
        await operator.queue_is_empty(seconds=300)
    finally:
        await worker.kill()


async def by_loop(server: NatsServer, operator: Operator, folder: Path) -> None:
    async def slot() -> None:
        subscription = await operator.js.pull_subscribe_bind(durable="workers", stream=STREAM)
        while True:
            try:
                (message,) = await subscription.fetch(1, timeout=1)
            except NatsTimeout:
                return
            await operator.js.publish(f"events.team.pool.{uuid.uuid4()}", b"{}")
            await message.ack_sync()

    await asyncio.gather(*(slot() for _ in range(SLOTS)))


async def seconds(js: JetStreamContext) -> float:
    state = (await js.stream_info("EVENTS")).state
    first = await js.get_msg("EVENTS", seq=state.first_seq)
    last = await js.get_msg("EVENTS", seq=state.last_seq)
    if not (isinstance(first.time, datetime) and isinstance(last.time, datetime)):
        raise RuntimeError("EVENTS answered without times: is the nats-server older than 2.10?")
    return (last.time - first.time).total_seconds()


def report(taken: dict[str, list[float]], tasks: int, commit: str) -> None:
    ratios = [worker / bare for worker, bare in zip(taken["worker"], taken["bare"], strict=True)]
    own = [(worker - bare) / tasks * 1000 for worker, bare in zip(taken["worker"], taken["bare"], strict=True)]
    print("# What the worker costs\n")
    print(
        f"{tasks} no-op tasks, {SLOTS} at once, queued before the start, on one nats-server that syncs each write as\n"
        "the chart's does. The worker runs an SDK function that does nothing: it reads the last event, writes\n"
        "`running` and `completed`, serves `control` and `holder`, makes and removes a workspace. The bare nats-py\n"
        "loop fetches, publishes one result and acknowledges. From the first event in the stream to the last.\n"
    )
    print(f"{os.cpu_count()} cores, commit {commit}, {len(ratios)} rounds, {POOL} of {NAMESPACE} on {SUBJECT}.\n")
    print("| | tasks a second: median | lowest | highest |\n|---|---|---|---|")
    for what, name in (("worker", "worker"), ("bare", "bare loop")):
        rates = sorted(tasks / took for took in taken[what])
        print(f"| {name} | {statistics.median(rates):.0f} | {rates[0]:.0f} | {rates[-1]:.0f} |")
    print(
        f"\nThe worker takes {statistics.median(ratios):.1f} times as long ({min(ratios):.1f} to {max(ratios):.1f}): "
        f"{statistics.median(own):.1f} ms more a task."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commit", default="")
    given = parser.parse_args()
    asyncio.run(main(given.tasks, given.rounds, given.commit))
