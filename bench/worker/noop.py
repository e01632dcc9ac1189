"""No-op tasks on one worker of ten slots, and on bare loops of ten coroutines."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.nats_server import NatsServer
from harness.operator import EVENTS, NAMESPACE, POOL, STREAM, SUBJECT, Operator
from harness.worker_process import WorkerProcess
from nats.errors import TimeoutError as NatsTimeout
from nats.js.client import JetStreamContext
from usage import seconds_of

SLOTS = 10
BACKEND = '''from codeforge_worker import Context, backend


@backend("noop")
async def noop(context: Context) -> None:
    """Nothing is done."""
'''


@dataclass(frozen=True)
class Measured:
    """Seconds, of the wall's clock and of processors."""

    wall: float
    cpu: float


async def main(tasks: int, rounds: int, commit: str) -> None:
    taken: dict[str, list[Measured]] = {what: [] for what in ("worker", "two events", "one result")}
    for number in range(rounds):
        # Whoever is first has it no better in the long run.
        for what in taken if number % 2 else reversed(taken):
            with tempfile.TemporaryDirectory() as folder:
                taken[what].append(await measure(what, tasks, Path(folder)))
    report(taken, tasks, commit)


async def measure(what: str, tasks: int, folder: Path) -> Measured:
    """From the first event in the stream to the last, on a server of its own."""
    server = NatsServer(folder)
    await server.start()
    operator = Operator(server.url)
    try:
        await operator.start(ack_wait=30)
        start = await cpu_of_a_start(server, folder) if what == "worker" else 0.0
        for at in range(0, tasks, 50):
            await asyncio.gather(*(operator.submit(backend="noop") for _ in range(at, min(at + 50, tasks))))
        cpu = await by_worker(server, operator, folder) if what == "worker" else await by_loop(operator, what)
        await operator.queue_is_empty(seconds=300)
        return Measured(await seconds(operator.js), cpu - start)
    finally:
        await operator.close()
        await server.kill()


def worker_of(server: NatsServer, folder: Path) -> WorkerProcess:
    (folder / "noop.py").write_text(BACKEND)
    settings = {
        "CODEFORGE_BACKEND": "noop", "CODEFORGE_MODULE": str(folder / "noop.py"),
        "CODEFORGE_CONCURRENCY": str(SLOTS), "CODEFORGE_ACK_WAIT_SECONDS": "30",
    }  # fmt: skip
    return WorkerProcess(folder, server.url, "worker", [], settings)


async def cpu_of_a_start(server: NatsServer, folder: Path) -> float:
    worker = worker_of(server, folder)
    await worker.start()
    try:
        await worker.ready()
        return seconds_of(worker.pid)
    finally:
        await worker.kill()


async def by_worker(server: NatsServer, operator: Operator, folder: Path) -> float:
    worker = worker_of(server, folder)
    await worker.start()
    try:
        await operator.queue_is_empty(seconds=300)
        return seconds_of(worker.pid)
    finally:
        await worker.kill()


async def by_loop(operator: Operator, what: str) -> float:
    """Ten coroutines, of which each fetches a message, publishes, and acknowledges."""

    async def slot() -> None:
        subscription = await operator.js.pull_subscribe_bind(durable="workers", stream=STREAM)
        while True:
            try:
                (message,) = await subscription.fetch(1, timeout=1)
            except NatsTimeout:
                return
            subject = EVENTS + message.subject.rpartition(".")[2]
            # Each is stored before what follows it, as the promise wants it: the start before the first instruction.
            for _ in range(2 if what == "two events" else 1):
                await operator.js.publish(subject, b"{}")
            await message.ack_sync()

    before = time.process_time()
    await asyncio.gather(*(slot() for _ in range(SLOTS)))
    return time.process_time() - before


async def seconds(js: JetStreamContext) -> float:
    state = (await js.stream_info("EVENTS")).state
    first = await js.get_msg("EVENTS", seq=state.first_seq)
    last = await js.get_msg("EVENTS", seq=state.last_seq)
    if not (isinstance(first.time, datetime) and isinstance(last.time, datetime)):
        raise RuntimeError("EVENTS answered without times: is the nats-server older than 2.10?")
    return (last.time - first.time).total_seconds()


def report(taken: dict[str, list[Measured]], tasks: int, commit: str) -> None:
    print("# What the worker costs\n")
    print(
        f"{tasks} no-op tasks, {SLOTS} at once, queued before the start, on one nats-server that syncs each write as\n"
        "the chart's does. The worker runs an SDK function that does nothing: it reads the last event, writes\n"
        "`running` and `completed`, serves `control` and `holder`, makes and removes a workspace. The loops on bare\n"
        "nats-py have as many in flight: one publishes two durable events a task, which is the price of the promise\n"
        "that no task is lost or paid twice, the other one result; both acknowledge. From the first event in the\n"
        "stream to the last; the processor time is without the worker's start.\n"
    )
    print(
        f"{os.cpu_count()} cores, commit {commit}, {len(taken['worker'])} rounds, {POOL} of {NAMESPACE} on {SUBJECT}.\n"
    )
    print("| | tasks a second: median | lowest | highest | CPU ms a task |\n|---|---|---|---|---|")
    for what, measured in taken.items():
        rates = sorted(tasks / one.wall for one in measured)
        cpu = statistics.median(one.cpu for one in measured) / tasks * 1000
        print(f"| {what} | {statistics.median(rates):.0f} | {rates[0]:.0f} | {rates[-1]:.0f} | {cpu:.1f} |")
    for what in ("two events", "one result"):
        pairs = list(zip(taken["worker"], taken[what], strict=True))
        ratios = [worker.wall / loop.wall for worker, loop in pairs]
        own = statistics.median((worker.wall - loop.wall) / tasks * 1000 for worker, loop in pairs)
        print(
            f"\nThe worker takes {statistics.median(ratios):.1f} times as long as the loop with {what} "
            f"({min(ratios):.1f} to {max(ratios):.1f}): {own:.1f} ms more a task."
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commit", default="")
    given = parser.parse_args()
    asyncio.run(main(given.tasks, given.rounds, given.commit))
