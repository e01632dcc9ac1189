"""The pool's object store with the rights of a worker: written once, verified, and as other clients read it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import nats
import pytest
from harness.connected import connected
from harness.nats_server import NatsServer
from harness.operator import BUCKET, NAMESPACE, POOL, Operator
from harness.programs import program
from nats.js.errors import APIError

from codeforge_worker.broker import Broker
from codeforge_worker.files import CHUNK_BYTES, Damaged, Files, NotFound, NotKept

LARGE = os.urandom(5 * CHUNK_BYTES + 7)


@pytest.fixture
async def files(server: NatsServer, operator: Operator) -> AsyncIterator[Files]:
    async with connected(Broker, server.url) as broker:
        yield Files(broker, NAMESPACE, POOL)


@pytest.mark.parametrize("content", [b"", b"x", LARGE[:CHUNK_BYTES], LARGE])
async def test_what_is_put_comes_back(files: Files, tmp_path: Path, content: bytes) -> None:
    stored = await files.put("task/1-1/a file", content)
    assert (stored.size, stored.digest) == (len(content), "sha-256:" + hashlib.sha256(content).hexdigest())
    assert await files.get("task/1-1/a file", tmp_path / "back") == stored
    assert (tmp_path / "back").read_bytes() == content


async def test_a_file_on_disk_is_put_by_pieces(files: Files, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(LARGE)
    assert (await files.put("large", tmp_path / "source")).size == len(LARGE)
    await files.get("large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == LARGE


async def test_other_clients_read_it(files: Files, operator: Operator) -> None:
    await files.put("task/1-1/large", LARGE)
    bucket = await operator.js.object_store(BUCKET)
    assert [info.name for info in await bucket.list()] == ["task/1-1/large"]
    back = BytesIO()
    await bucket.get("task/1-1/large", writeinto=back)
    assert back.getvalue() == LARGE


async def test_the_nats_program_reads_it(files: Files, server: NatsServer, tmp_path: Path) -> None:
    await files.put("task/1-1/large", LARGE)
    # The program asks for the user's name, and /etc/passwd has none for the user that runs the tests.
    environment = os.environ | {"USER": "tests"}

    def nats_object(*arguments: str) -> str:
        sign_in = ["--server", server.url, "--user", "operator", "--password", "operator-pw"]
        call = [program("nats"), *sign_in, "object", *arguments]
        return subprocess.run(call, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    assert "task/1-1/large" in nats_object("ls", BUCKET)
    nats_object("get", BUCKET, "task/1-1/large", "--output", str(tmp_path / "back"), "--no-progress")
    assert (tmp_path / "back").read_bytes() == LARGE


async def test_a_name_is_taken_once(files: Files, tmp_path: Path) -> None:
    await files.put("name", b"first")
    with pytest.raises(NotKept, match="there already"):
        await files.put("name", b"second")
    await files.get("name", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"first"


async def test_what_is_missing_is_not_found(files: Files, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file name"):
        await files.get("name", tmp_path / "back")


async def test_what_was_changed_is_not_handed_out(files: Files, operator: Operator, tmp_path: Path) -> None:
    await files.put("name", b"true")
    await operator.js.purge_stream(f"OBJ_{BUCKET}", subject=f"$O.{BUCKET}.C.>")
    with pytest.raises(Damaged, match="chunk 1 of 1"):
        await files.get("name", tmp_path / "back")
    (info,) = await (await operator.js.object_store(BUCKET)).list()
    await operator.js.publish(f"$O.{BUCKET}.C.{(info.nuid or '').removesuffix('*')}1", b"fals")
    with pytest.raises(Damaged, match="checksum"):
        await files.get("name", tmp_path / "back")
    assert not list(tmp_path.glob("back*"))


async def test_a_full_bucket_says_so_and_shows_nothing(files: Files, operator: Operator) -> None:
    await operator.js.delete_stream(f"OBJ_{BUCKET}")
    await operator.add_files(max_bytes=3 * CHUNK_BYTES)
    with pytest.raises(NotKept, match=r"full: raise files\.sizePerPool"):
        await files.put("large", LARGE)
    with pytest.raises(NotFound):
        await files.get("large", Path("/nowhere"))


async def test_a_missing_bucket_says_so(files: Files, operator: Operator) -> None:
    await operator.js.delete_stream(f"OBJ_{BUCKET}")
    with pytest.raises(NotKept, match="no bucket"):
        await files.put("name", b"x")


async def test_a_worker_cannot_sweep_files_away(files: Files, server: NatsServer, tmp_path: Path) -> None:
    await files.put("name", b"x")
    worker = await nats.connect(server.url, user="worker", password="worker-pw", inbox_prefix="_INBOX.team.pool")
    with pytest.raises(APIError, match="rollup not permitted"):
        await worker.jetstream().publish(f"$O.{BUCKET}.M.b", b"x", headers={"Nats-Rollup": "all"})
    await worker.close()
    await files.get("name", tmp_path / "back")
