"""A hostile worker with the credential of its pool reaches nothing of others, whatever it tries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from harness.attacks import Row, World, world
from harness.jwt_server import Cluster, JwtServer
from harness.nats_identity import MINE, NEIGHBOUR
from harness.operator import BUCKET, NAMESPACE, POOL, STREAM, SUBJECT
from test_permissions import REFUSED

ACK_WAIT = 60
_API = "$JS.API"
OTHERS = [subject for subject, _ in REFUSED] + [
    # Whole streams, and streams of others, by their sequence.
    f"{_API}.DIRECT.GET.EVENTS", f"{_API}.DIRECT.GET.{STREAM}", f"{_API}.DIRECT.GET.LOGS",
    f"{_API}.DIRECT.GET.KV_config", f"{_API}.DIRECT.GET.OBJ_{BUCKET}", f"{_API}.STREAM.MSG.GET.EVENTS",
    f"{_API}.STREAM.MSG.GET.tasks_other_neighbour", f"{_API}.DIRECT.GET.LOGS.logs.other.neighbour.u",
    f"{_API}.STREAM.LIST", f"{_API}.STREAM.NAMES", f"{_API}.STREAM.CREATE.loot", f"{_API}.STREAM.UPDATE.EVENTS",
    f"{_API}.CONSUMER.CREATE.EVENTS.spy", f"{_API}.CONSUMER.DURABLE.CREATE.EVENTS.spy", f"{_API}.CONSUMER.LIST.EVENTS",
    f"{_API}.CONSUMER.INFO.{STREAM}.workers", f"{_API}.CONSUMER.PAUSE.{STREAM}.workers", f"{_API}.INFO",
    f"{_API}.STREAM.LEADER.STEPDOWN.EVENTS", f"{_API}.META.LEADER.STEPDOWN",
    f"$O.{BUCKET}.M.a.b", f"$KV.config.{NAMESPACE}.{POOL}", f"{SUBJECT}.made-up", "tasks.other.neighbour.made-up",
    "results.u", "answers.other.guessed", f"answers.{NAMESPACE}.guessed", f"control.{NAMESPACE}.{POOL}.u",
    "control.other.neighbour.u", f"agents.run.{NAMESPACE}.{POOL}", "agents.submit.other.neighbour",
    "_INBOX.other.neighbour.guessed", "_INBOX_client.guessed", "$SYS.REQ.SERVER.PING", "$SYS.REQ.CLAIMS.UPDATE",
    "$SRV.PING", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.x.y", "_R_.guessed",
]  # fmt: skip
LISTENED_TO = [
    ">", "_INBOX.>", "_INBOX.other.neighbour.>", "_INBOX_client.>", "control.>", "control.other.neighbour.>",
    "holder.>", "holder.*.*.*", "events.>", "results.>", "logs.>", "deadletters.>", "tasks.>", "answers.>", "agents.>",
    "$JS.>", "$KV.>", "$O.>", "$SYS.>", "_R_.>",
]  # fmt: skip


def _named(subjects: Iterable[str]) -> list[str]:
    """Subjects for patterns of subjects."""
    return [".".join("x" if token in "*>" else token for token in subject.split(".")) for subject in subjects]


async def _everything(tried: World) -> list[Row]:
    return [
        *await tried.answers_sent_elsewhere(),
        *await tried.requests([*_named(NEIGHBOUR.publish), *OTHERS]),
        *await tried.subscriptions([*NEIGHBOUR.subscribe, *LISTENED_TO]),
    ]


@pytest.fixture(params=["one server", "three servers"])
async def servers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[JwtServer]]:
    made = JwtServer(tmp_path) if request.param == "one server" else Cluster(tmp_path)
    await made.start()
    yield [made] if isinstance(made, JwtServer) else made.servers
    await made.kill()


async def test_no_row_of_the_table_succeeds(servers: list[JwtServer]) -> None:
    async with world(servers, ACK_WAIT) as tried:
        rows = await _everything(tried)
        own = [*await tried.requests(_named(MINE.publish)), *await tried.subscriptions(MINE.subscribe)]
    print(*rows, sep="\n")
    print(f"{len(rows)} attempts on {len(servers)} servers")
    assert [str(row) for row in rows if row.succeeded] == []
    # The same way of trying sees what is allowed.
    assert [str(row) for row in own if not row.succeeded] == []


@pytest.mark.parametrize("servers", ["one server"], indirect=True)
async def test_without_an_account_of_its_own_it_reaches_everything(servers: list[JwtServer]) -> None:
    """With the same permissions, in the account that has the streams."""
    async with world(servers, ACK_WAIT, walled=False) as tried:
        rows = await _everything(tried)
    print(*rows, sep="\n")
    done = {row.what.partition(": ")[0] for row in rows if row.succeeded}
    assert done >= {
        "the answer to a pull of an empty queue deletes a stream",
        "the answer to a sign of life deletes a stream",
        "an event of its own, read purges a stream",
        "an event of its own, read mirrors the neighbour's tasks",
        "an event of its own, read has all events sent to itself",
        "a task of its own, pulled is in the neighbour's queue",
        "an event of its own, read is the neighbour's event",
        "the answer to a dead letter is the neighbour's dead letter",
        "the answer to a file is the neighbour's file",
        "the answer to an event is an order to the neighbour's run",
        "the pool's settings, read is a pool's settings",
        "a task of its own, pulled is the neighbour's answer",
    }
    assert len(done) > 90, len(done)
    # What permissions do bind.
    assert not [row for row in rows if row.succeeded and row.what.startswith(("asks", "listens"))]
