"""workerConfig of a pool reaches running workers without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from conftest import StartWorker
from harness.nats_server import NatsServer
from harness.operator import Operator
from harness.worker_process import WorkerProcess


async def aider(start_worker: StartWorker, tmp_path: Path) -> WorkerProcess:
    """A worker whose agent prints what it is called with, and does nothing."""
    program = tmp_path / "aider"
    for file in (program, tmp_path / "python3"):
        file.write_text('#!/bin/sh\necho "$@"\n')
        file.chmod(0o755)
    return await start_worker(CODEFORGE_BACKEND="aider", CODEFORGE_AIDER=str(program), CODEFORGE_MODEL="m")


async def edit_format(operator: Operator, **fields: Any) -> str:
    """How the agent was called for one more task."""
    event = (await operator.until(await operator.submit(**fields)))[-1].body
    assert event["failure"]["type"] == "AgentFailed", event
    return event["output"].partition("--edit-format ")[2].partition(" ")[0]


async def test_is_read_before_the_first_task(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    await operator.configure({"edit-format": "whole"}, tell=False)
    await aider(start_worker, tmp_path)
    assert await edit_format(operator) == "whole"


async def test_a_change_holds_for_the_next_task(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    worker = await aider(start_worker, tmp_path)
    assert await edit_format(operator) == "diff"
    await operator.configure({"edit-format": "whole"})
    await worker.logged("workerConfig of the pool: edit-format")
    assert await edit_format(operator) == "whole"
    await operator.configure({})
    await worker.logged("workerConfig of the pool: none")
    assert await edit_format(operator) == "diff"


async def test_what_the_task_names_wins(operator: Operator, start_worker: StartWorker, tmp_path: Path) -> None:
    await operator.configure({"edit-format": "whole", "map-tokens": "7"})
    await aider(start_worker, tmp_path)
    uid = await operator.submit(config={"edit-format": "udiff"})
    assert "--edit-format udiff --map-tokens 7" in (await operator.until(uid))[-1].body["output"]


async def test_what_was_said_while_nats_was_away_is_read_when_it_is_back(
    operator: Operator, server: NatsServer, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = await aider(start_worker, tmp_path)
    await operator.configure({"edit-format": "whole"}, tell=False)
    assert await edit_format(operator) == "diff"
    await server.kill()
    await server.start()
    await worker.logged("workerConfig of the pool: edit-format")
    assert await edit_format(operator) == "whole"


async def test_a_setting_that_the_backend_does_not_know_fails_the_task_and_names_its_place(
    operator: Operator, start_worker: StartWorker
) -> None:
    await operator.configure({"speed": "high"})
    await start_worker("cat")
    failure = (await operator.until(await operator.submit()))[-1].body["failure"]
    assert failure["type"] == "InvalidConfig" and not failure["retryable"]
    assert "does not know workerConfig of the pool: speed" in failure["message"]


async def test_a_worker_that_cannot_read_it_takes_no_task_and_is_not_ready(
    operator: Operator, server: NatsServer, tmp_path: Path
) -> None:
    deaf = (
        "import asyncio; from codeforge_worker.broker import Broker; "
        "Broker.settings_of_pool = lambda *_: asyncio.sleep(3600)"
    )
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["cat"], {}, deaf)
    uid = await operator.submit()
    await worker.start()
    try:
        await worker.answers("/readyz", 503)
        await asyncio.sleep(1)
        assert (await worker.get("/readyz"))[0] == 503
        assert not await operator.events(uid)
    finally:
        await worker.kill()


async def test_what_the_operator_does_not_write_changes_nothing(
    operator: Operator, start_worker: StartWorker, tmp_path: Path
) -> None:
    await operator.configure({"edit-format": "whole"})
    worker = await aider(start_worker, tmp_path)
    await operator.js.publish("$KV.config.team.pool", b"[1")
    await operator.nats.publish("control.team.pool.pool", b"")
    await worker.logged("is not what the operator writes")
    assert await edit_format(operator) == "whole"
