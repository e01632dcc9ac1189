"""What an agent reaches that tries to get out of its run, on this kernel. Without its walls each attempt succeeds."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import StartWorker, until, written
from harness.git_server import GitServer
from harness.jwt_server import JwtServer
from harness.nats_server import NatsServer
from harness.operator import WORKER, Operator
from harness.patience import PATIENCE
from harness.worker_process import WorkerProcess
from test_startup import GOOD

from codeforge_worker.confinement.of_worker import isolated
from codeforge_worker.confinement.probe import Kernel
from codeforge_worker.settings import Settings

# Not by its path: the repository may lie where an agent does not read.
HOSTILE = (Path(__file__).parent / "harness" / "hostile.py").read_text()
# Closed by the worker's own doing too, unless it is root: nobody of its user reads its memory.
BY_NO_MEANS = {"environ", "supervisor_environ", "nursery_environ", "memory", "memory_by_call", "descriptor"}


@dataclass
class Surroundings:
    """What lies around a run: `secret` is a file of the worker's, `port` a server's, `name` an abstract socket's."""

    secret: Path
    port: int
    name: str

    def attempts(self) -> list[str]:
        mine = self.secret.with_name("of-others")
        mine.write_text("precious")
        return [
            "environ=", "supervisor_environ=", "nursery_environ=", "memory=", "memory_by_call=", "descriptor=",
            "end=", "end_supervisor=", "end_nursery=", "limit=",
            f"tcp={self.port}", f"mptcp={self.port}", f"fast_open={self.port}", f"udp={self.port}",
            "packets=", "frames=", "ring=", f"abstract_socket={self.name}",
            f"read={self.secret}", f"by_link={self.secret}", f"names={self.secret.parent}", "device=/dev/null",
            f"write={self.secret}-2", f"truncate={mine}", f"remove={mine}",
        ]  # fmt: skip


@pytest.fixture
async def around(tmp_path: Path, server: NatsServer) -> AsyncIterator[Surroundings]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "password").write_text("s3cret")
    name = f"codeforge-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        yield Surroundings(secrets / "password", server.port, name)


Tried = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def tried(operator: Operator, start_worker: StartWorker) -> Tried:
    """Runs the attempts as the program of a pool, and returns what became of each."""

    async def run(attempts: list[str], change: str = "", **settings: str) -> dict[str, str]:
        kept = {"CODEFORGE_AGENT_WRITES": ""} | settings
        await start_worker("python3", "-I", "-c", HOSTILE, *attempts, change=change, **kept)
        last = (await operator.until(await operator.submit()))[-1].body
        assert last["event"] == "completed", last
        return json.loads(last["output"])

    return run


def refused(told: dict[str, str]) -> set[str]:
    return {name for name, what in told.items() if what != "done"}


async def test_an_agent_reaches_nothing_but_its_run(around: Surroundings, tried: Tried) -> None:
    told = await tried(around.attempts())
    assert refused(told) == set(told) and len(told) == len(around.attempts()), told


@pytest.mark.parametrize("server", ["jwt"], indirect=True)
async def test_an_agent_does_not_read_what_the_worker_signs_in_to_nats_with(server: JwtServer, tried: Tried) -> None:
    """It lies in a Secret that is mounted below /run, which is shut as /tmp is."""
    attempts = [f"read={server.secret.path}", f"by_link={server.secret.path}", f"names={server.secret.path.parent}"]
    told = await tried(attempts)
    assert refused(told) == {"read", "by_link", "names"}, told


def test_the_folder_of_the_workers_credential_is_shut_wherever_it_is() -> None:
    kernel = Kernel(6, True, "")
    settings = Settings.from_environment(GOOD, ())
    assert "/etc" in walled(settings, kernel)
    secret = replace(settings, nats_credentials=Path("/etc/ssl/nats.creds"))
    readable = walled(secret, kernel)
    assert "/etc" not in readable and "/etc/ssl" not in readable and "/etc/passwd" in readable


def walled(settings: Settings, kernel: Kernel) -> tuple[str, ...]:
    """What agents may read."""
    reach = isolated(settings, kernel, in_worker=False).reach
    assert reach
    return reach.read


async def test_without_walls_it_reaches_all_of_that(around: Surroundings, tried: Tried) -> None:
    told = await tried(around.attempts(), CODEFORGE_ISOLATION="Off")
    assert refused(told) <= (set() if os.geteuid() == 0 else BY_NO_MEANS | {"packets", "frames", "device"}), told


@pytest.mark.parametrize("isolation", ["Preferred", "Off"])
async def test_git_after_the_agent_runs_nothing_that_the_agent_named(
    around: Surroundings,
    operator: Operator,
    start_worker: StartWorker,
    repository: GitServer,
    tmp_path: Path,
    isolation: str,
) -> None:
    stolen = tmp_path / "stolen"
    filter = f"cat {around.secret} >{stolen}; cat"
    script = f"echo '* filter=own' >.gitattributes; git config filter.own.clean '{filter}'; echo changed >answer"
    await start_worker("sh", "-c", script, CODEFORGE_AGENT_WRITES="", CODEFORGE_ISOLATION=isolation)
    git = {"url": repository.url, "push": {"branch": "b"}}
    last = (await operator.until(await operator.submit(workspace={"git": git})))[-1].body
    assert last["event"] == "completed" and repository.content("b", "answer") == "changed", last
    assert not stolen.exists()


async def test_runs_of_one_worker_are_apart(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    """The first waits, and tells where it is; the second tries to reach it."""
    place, end = tmp_path / "shared" / "place", tmp_path / "shared" / "end"
    place.parent.mkdir()
    first = f"echo secret >file; echo $$ $PWD/file >{place}.part; mv {place}.part {place}; {until(end)}"
    second = f'set -- $(cat {place}); exec python3 -I -c "$HOSTILE" environ=$1 end=$1 read=$2 by_link=$2 write=$2'
    await start_worker(
        "sh", "-c", f"if mkdir {place.parent}/first 2>/dev/null; then {first}; else {second}; fi",
        CODEFORGE_CONCURRENCY="2", CODEFORGE_AGENT_WRITES=str(place.parent), HOSTILE=HOSTILE,
    )  # fmt: skip
    waiting = await operator.submit()
    await written(place)
    told = json.loads((await operator.until(await operator.submit()))[-1].body["output"])
    end.touch()
    assert (await operator.until(waiting))[-1].body["event"] == "completed"
    assert len(told) == 5 and refused(told) == set(told), told


@pytest.mark.parametrize(("concurrency", "is_granted"), [("1", True), ("2", False)])
async def test_the_temporary_folder_is_one_runs_at_a_time(
    operator: Operator, start_worker: StartWorker, tmp_path: Path, concurrency: str, is_granted: bool
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (temporary / "of-a-lost-run").touch()
    script = (
        f"ls {temporary} | wc -l; cd {temporary} && mkdir left && touch left/x && chmod 0 left && echo written;"
        "mktemp >/dev/null && echo $JAVA_TOOL_OPTIONS"
    )
    await start_worker(
        "sh", "-c", script, CODEFORGE_CONCURRENCY=concurrency, CODEFORGE_TEMPORARY=str(temporary),
        CODEFORGE_AGENT_WRITES="",
    )  # fmt: skip
    for _ in range(2):
        output = (await operator.until(await operator.submit()))[-1].body["output"]
        if is_granted:
            assert output.strip() == "0\nwritten"
        else:
            assert output.startswith("0\n-Djava.io.tmpdir=") and "/scratch" in output
    # After its end was told.
    async with asyncio.timeout(PATIENCE):
        while is_granted and list(temporary.iterdir()):
            await asyncio.sleep(0.05)


async def test_a_pool_may_grant_more(around: Surroundings, tried: Tried) -> None:
    told = await tried(
        [f"read={around.secret}", f"write={around.secret}-2", f"tcp={around.port}", f"mptcp={around.port}"],
        CODEFORGE_AGENT_READS=str(around.secret.parent), CODEFORGE_AGENT_CONNECTS=f"1,{around.port}-{around.port + 2}",
    )  # fmt: skip
    assert refused(told) == {"write", "mptcp"}, told


def on_a_kernel(abi: int, filter: bool = True) -> str:
    """Has the worker take this kernel for an older one, which refuses what this one knows."""
    return (
        "import codeforge_worker.confinement.probe as probe\n"
        f"probe.kernel_of_this_machine = lambda: probe.Kernel({abi}, {filter}, 'it is too old')"
    )


@pytest.mark.parametrize(
    ("abi", "sentence", "opened"),
    [
        (0, "agents can read all that the worker can, and end it: it is too old", {"read", "write"}),
        (2, "agents can empty files outside of their run: that needs Linux 6.2", {"truncate"}),
        (3, "agents can connect to any server by TCP: that needs Linux 6.7", {"tcp"}),
        (5, "agents can end the worker and each other: that needs Linux 6.12", {"end", "abstract_socket"}),
    ],
)
async def test_what_an_older_kernel_leaves_open_is_told(
    around: Surroundings, tried: Tried, start_worker: StartWorker, abi: int, sentence: str, opened: set[str]
) -> None:
    told = await tried(around.attempts(), change=on_a_kernel(abi), CODEFORGE_ISOLATION="Preferred")
    assert opened <= set(told) - refused(told) and "mptcp" in refused(told), told
    other = await start_worker("true", name="worker-2", change=on_a_kernel(abi))
    assert sentence in other.log()
    walls = (await other.get("/metrics"))[1]
    assert "codeforge_worker_open_walls 0.0" not in walls and "codeforge_worker_open_walls " in walls


async def test_what_is_missing_is_answered(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("true", change=on_a_kernel(6, filter=False))
    answer = await operator.ask(WORKER + "worker-1", b'{"action":"look"}')
    assert [wall.partition(",")[0] for wall in answer["openWalls"]] == ["agents can send by UDP"]
    worker = await start_worker("true", name="worker-2")
    assert (await operator.ask(WORKER + "worker-2", b'{"action":"look"}'))["openWalls"] == []
    assert "codeforge_worker_open_walls 0.0" in (await worker.get("/metrics"))[1]


async def test_a_worker_that_lacks_a_required_wall_does_not_start(
    start_worker: StartWorker, tmp_path: Path, server: NatsServer
) -> None:
    required = {"CODEFORGE_ISOLATION": "Required"}
    worker = WorkerProcess(tmp_path, server.url, "lacking", ["true"], required, change=on_a_kernel(5))
    await worker.start()
    assert await worker.end() == 64
    assert "isolation.agent of the pool is Required, but agents can end the worker and each other" in worker.log()
    # This kernel has them all.
    assert "not kept apart" not in (await start_worker("true", name="whole", CODEFORGE_ISOLATION="Required")).log()


async def test_a_second_provider_opens_the_network_and_no_more(around: Surroundings, tried: Tried) -> None:
    told = await tried(around.attempts(), ANTHROPIC_API_KEY="k")
    assert set(told) - refused(told) == {"tcp", "mptcp", "fast_open", "udp"}, told
