"""Git tasks on one worker, and the git commands that no such task can do without, on the same server."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.git_server import GitServer, git
from harness.nats_server import NatsServer
from harness.operator import EVENTS, TERMINAL, Operator
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from usage import seconds_of

AGENT = ("sh", "-c", 'echo "$CODEFORGE_TASK_ID" >>file.txt')
FILES = 200


@dataclass(frozen=True)
class Measured:
    """Of one task, in milliseconds; `cpu` is that of the worker and of all that it has started."""

    wall: float
    cpu: float


async def main(tasks: int, commit: str) -> None:
    figures: dict[str, Measured] = {}
    for at_once in (1, 4):
        with tempfile.TemporaryDirectory() as folder:
            figures[f"worker, {at_once} at once"] = await by_worker(Path(folder), tasks, at_once)
        with tempfile.TemporaryDirectory() as folder:
            figures[f"bare git, {at_once} at once"] = await by_git(Path(folder), tasks, at_once)
    with tempfile.TemporaryDirectory() as folder:
        report(figures, await started(Path(folder)), tasks, commit)


async def by_worker(folder: Path, tasks: int, at_once: int, **settings: str) -> Measured:
    server, repository = NatsServer(folder), seeded(folder)
    await server.start()
    await repository.start()
    operator = Operator(server.url)
    settings = {"CODEFORGE_CONCURRENCY": str(at_once), "CODEFORGE_ACK_WAIT_SECONDS": "30"} | settings
    worker = WorkerProcess(folder, server.url, "worker", list(AGENT), settings)
    try:
        await operator.start(ack_wait=30)
        await worker.start()
        await worker.ready()
        await batch(operator, repository, "warm", at_once, at_once)
        before, began = seconds_of(worker.pid), time.monotonic()
        await batch(operator, repository, "task", tasks, at_once)
        wall, cpu = time.monotonic() - began, seconds_of(worker.pid) - before
        return Measured(wall * 1000 / tasks, cpu * 1000 / tasks)
    finally:
        await worker.kill()
        await operator.close()
        await repository.stop()
        await server.kill()


async def batch(operator: Operator, repository: GitServer, name: str, tasks: int, at_once: int) -> None:
    """Each place has its next task as soon as the one before has ended."""

    async def place(number: int) -> None:
        for task in range(number, tasks, at_once):
            workspace = {"git": {"url": repository.url, "ref": "main", "push": {"branch": f"codeforge/{name}-{task}"}}}
            ended = await end_of(operator, workspace)
            if ended["event"] != "completed" or not ended["result"]["git"]["pushed"]:
                raise RuntimeError(f"a task has failed: {ended['error']}")

    await asyncio.gather(*(place(number) for number in range(at_once)))


async def end_of(operator: Operator, workspace: dict[str, Any]) -> dict[str, Any]:
    """Heard, and not looked for: that would be part of the time."""
    uid = str(uuid.uuid4())
    heard = await operator.nats.subscribe(EVENTS + uid)
    await operator.submit(uid=uid, workspace=workspace)
    while True:
        told = (await heard.next_msg(PATIENCE)).data
        # Empty where the worker asks for the last sequence.
        event = json.loads(told or b"{}")
        if event.get("event") in TERMINAL:
            await heard.unsubscribe()
            return event


async def by_git(folder: Path, tasks: int, at_once: int) -> Measured:
    """What any task needs: the files of the branch, a change, a commit, a push."""
    repository = seeded(folder)
    await repository.start()
    script = f"""set -e
git clone --quiet --depth 1 --branch main {repository.url} "$1"
cd "$1"
CODEFORGE_TASK_ID=$1 {AGENT[0]} {AGENT[1]} '{AGENT[2]}'
git add --all
git -c user.name=A -c user.email=a@localhost commit --quiet --message Change
git push --quiet origin "HEAD:refs/heads/codeforge/$1"
"""

    async def place(number: int) -> None:
        for task in range(number, tasks, at_once):
            shell = await asyncio.create_subprocess_exec("sh", "-c", script, "sh", f"task-{task}", cwd=folder)
            if await shell.wait():
                raise RuntimeError("git has failed")

    try:
        before, began = os.times(), time.monotonic()
        await asyncio.gather(*(place(number) for number in range(at_once)))
        wall, after = time.monotonic() - began, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Measured(wall * 1000 / tasks, cpu * 1000 / tasks)
    finally:
        await repository.stop()


async def started(folder: Path) -> Counter[str]:
    """The processes of git that a task starts, each with what has started it: git itself tells."""
    told = folder / "told"
    told.mkdir()
    shim = folder / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nGIT_TRACE2_EVENT={told} exec {shutil.which("git")} "$@"\n')
    shim.chmod(0o755)
    tasks = 5
    # Within the walls of a run it could not tell. One task goes before those that are counted.
    path = f"{shim.parent}:{os.environ['PATH']}"
    await by_worker(folder, tasks - 1, 1, CODEFORGE_ISOLATION="Off", PATH=path)
    found: Counter[str] = Counter()
    for file in told.iterdir():
        for line in file.read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "cmd_name":
                found[event["hierarchy"]] += 1
    return Counter({name: round(count / tasks) for name, count in found.items()})


def seeded(folder: Path) -> GitServer:
    """A repository of some files, as a small project has."""
    server = GitServer(folder)
    clone = folder / "clone"
    git(folder, "clone", "--quiet", str(server.bare), str(clone))
    for number in range(FILES):
        file = clone / f"src/part{number % 10}/file{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n" * 50)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Files")
    git(clone, "push", "--quiet", "origin", "main")
    return server


def report(figures: dict[str, Measured], starts: Counter[str], tasks: int, commit: str) -> None:
    print("# What a git task costs\n")
    print(
        f"{tasks} tasks that clone {FILES} files from a `git daemon`, have `sh` change one, and push a branch. Each\n"
        "is submitted when the one before has ended. Bare git does the same by clone, add, commit and push. The\n"
        "worker reads the pushed branch first, tries the push, keeps what the agent has written apart from the\n"
        "credential, stores a patch and a diffstat, and tells of it by two durable events.\n"
    )
    print(f"{os.cpu_count()} cores, commit {commit}.\n")
    print("| | ms a task | CPU ms a task |\n|---|---|---|")
    for name, measured in figures.items():
        print(f"| {name} | {measured.wall:.0f} | {measured.cpu:.0f} |")
    for at_once in (1, 4):
        own = figures[f"worker, {at_once} at once"].wall - figures[f"bare git, {at_once} at once"].wall
        print(f"\nThe worker's own part, {at_once} at once: {own:.0f} ms a task.")
    direct = sum(count for name, count in starts.items() if "/" not in name)
    print(
        f"\nThe worker starts git {direct} times a task, {sum(starts.values())} processes with those that git starts:"
    )
    print(", ".join(f"{count} {name}" for name, count in sorted(starts.items()) if count) + ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--commit", default="")
    given = parser.parse_args()
    asyncio.run(main(given.tasks, given.commit))
