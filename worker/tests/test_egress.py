"""What an agent reaches beside its model: names that its pool allows, by the proxy of its run."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
from conftest import StartWorker
from harness.operator import Operator
from harness.patience import PATIENCE

from codeforge_worker.egress import Egress, Unreadable, opened, parse
from codeforge_worker.egress.policy import may_connect
from codeforge_worker.server_of_run import Access


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server on the loopback that sends back what it gets."""

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(back, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


class Asked:
    """A gate, and what it has told."""

    def __init__(self, gate: Access, sentences: list[str], results: list[str]) -> None:
        self.gate = gate
        self.sentences = sentences
        self.results = results

    async def ask(self, line: str) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gate.ports[0])
        writer.write(f"{line}\r\nHost: anything\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        return head.split(b"\r\n")[0].decode(), reader, writer

    async def refusal(self, line: str) -> tuple[str, str]:
        status, reader, writer = await self.ask(line)
        body = (await reader.read()).decode()
        writer.close()
        return status, body


@contextlib.asynccontextmanager
async def gate(*allowed: str) -> AsyncGenerator[Asked]:
    sentences: list[str] = []
    results: list[str] = []
    egress = Egress(tuple(parse(entry) for entry in allowed))
    async with opened(egress, sentences.append, results.append) as one:
        yield Asked(one(), sentences, results)


async def test_a_way_out_that_nobody_asks_for_opens_nothing() -> None:
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir()))
    async with opened(Egress(()), lambda _: None, lambda _: None) as way_out:
        assert len(list(files.iterdir())) == before
        # A function that is not async runs on a thread.
        access = await asyncio.to_thread(way_out)
        assert access == way_out()
        reader, writer = await asyncio.open_connection("127.0.0.1", access.ports[0])
        writer.write(b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", access.ports[0])


async def test_an_allowed_server_is_carried_both_ways(echo: int) -> None:
    async with gate(f"localhost:{echo}") as asked:
        status, reader, writer = await asked.ask(f"CONNECT localhost:{echo} HTTP/1.1")
        assert status == "HTTP/1.1 200 Connection established"
        sent = b"x" * 1_000_000
        writer.write(sent)
        writer.write_eof()
        assert await reader.read(-1) == sent
        writer.close()
        assert asked.results == ["carried"] and not asked.sentences


async def test_a_name_that_is_not_allowed_is_refused_and_told_once() -> None:
    async with gate("packages.example.org") as asked:
        for _ in range(2):
            status, body = await asked.refusal("CONNECT evil.example.org:443 HTTP/1.1")
            assert status == "HTTP/1.1 403 Forbidden" and "spec.isolation.egress.allow" in body
        assert asked.sentences == [
            "evil.example.org:443 cannot be reached from here: add it to spec.isolation.egress.allow of the WorkerPool"
        ]
        assert asked.results == ["refused", "refused"]


async def test_an_allowed_name_that_leads_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the name may point it into the cluster."""

    async def lookup(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]

    async with gate("packages.example.org") as asked:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
        egress = asked.refusal("CONNECT packages.example.org:443 HTTP/1.1")
        status, body = await egress
        assert status == "HTTP/1.1 403 Forbidden" and "leads to 10.0.0.1, which is not a public address" in body


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET http://localhost/ HTTP/1.1", "405 Method Not Allowed"),
        ("CONNECT localhost HTTP/1.1", "400 Bad Request"),
        ("CONNECT localhost:0 HTTP/1.1", "400 Bad Request"),
        ("CONNECT localhost:22 HTTP/1.1", "403 Forbidden"),
        ("CONNECT 127.0.0.1:443 HTTP/1.1", "403 Forbidden"),
        ("CONNECT [::1]:443 HTTP/1.1", "403 Forbidden"),
        ("CONNECT localhost.example.org:443 HTTP/1.1", "403 Forbidden"),
    ],
)
async def test_what_is_not_asked_by_name_and_port_is_refused(line: str, status: str) -> None:
    async with gate("localhost") as asked:
        assert (await asked.refusal(line))[0] == f"HTTP/1.1 {status}"


async def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        async with gate(f"localhost:{port}") as asked:
            status, body = await asked.refusal(f"CONNECT localhost:{port} HTTP/1.1")
    assert status == "HTTP/1.1 502 Bad Gateway" and "cannot be connected to" in body


async def test_the_end_of_the_run_ends_its_connections(echo: int) -> None:
    async with gate(f"localhost:{echo}") as asked:
        _, reader, writer = await asked.ask(f"CONNECT localhost:{echo} HTTP/1.1")
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", asked.gate.ports[0])


@pytest.mark.parametrize(
    ("entry", "asked", "allowed"),
    [
        ("example.org", ("example.org", 443), True),
        ("Example.ORG", ("EXAMPLE.org.", 443), True),
        ("example.org", ("www.example.org", 443), False),
        ("example.org", ("example.org", 8443), False),
        ("example.org:8443", ("example.org", 8443), True),
        (".example.org", ("www.example.org", 443), True),
        (".example.org", ("a.b.example.org", 443), True),
        (".example.org", ("example.org", 443), False),
        (".example.org", ("evilexample.org", 443), False),
        ("example.org", ("example.org.evil.net", 443), False),
    ],
)
def test_an_entry_covers(entry: str, asked: tuple[str, int], allowed: bool) -> None:
    assert (Egress((parse(entry),)).entry(*asked) is not None) is allowed


@pytest.mark.parametrize("entry", ["", "*", "*.example.org", "10.0.0.1", "http://example.org", "a..b", "example.org:0",
                                   "example.org:x", "-a.org", "a" * 64 + ".org"])  # fmt: skip
def test_what_is_no_name_is_refused(entry: str) -> None:
    with pytest.raises(Unreadable):
        parse(entry)


@pytest.mark.parametrize(
    ("address", "public", "named"),
    [
        ("93.184.216.34", True, True), ("10.1.2.3", False, True), ("127.0.0.1", False, True), ("::1", False, True),
        ("100.64.0.1", False, True), ("192.168.0.1", False, True), ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True), ("169.254.169.254", False, False), ("::ffff:169.254.169.254", False, False),
        ("fe80::1%eth0", False, False), ("0.0.0.0", False, False),  # noqa: S104 (refused)
        ("224.0.0.1", False, False),
    ],
)  # fmt: skip
def test_addresses(address: str, public: bool, named: bool) -> None:
    """`named`: by an entry with a port. The addresses of the link, where clouds tell secrets, are open to none."""
    assert (may_connect(address, private=False), may_connect(address, private=True)) == (public, named)


async def test_an_agent_gets_out_by_its_runs_proxy_alone(
    operator: Operator, start_worker: StartWorker, echo: int
) -> None:
    script = (
        "exec 3<>/dev/tcp/127.0.0.1/${HTTPS_PROXY##*:}; "
        f"printf 'CONNECT localhost:{echo} HTTP/1.1\\r\\n\\r\\nhello from inside\\n' >&3; "
        "head -c 57 <&3 | tail -c 18; echo; "
        "exec 4<>/dev/tcp/127.0.0.1/${HTTPS_PROXY##*:}; "
        "printf 'CONNECT evil.example.org:443 HTTP/1.1\\r\\n\\r\\n' >&4; head -n 1 <&4"
    )
    worker = await start_worker("bash", "-c", script, CODEFORGE_EGRESS_ALLOW=f"localhost:{echo}")
    uid = await operator.submit()
    output = (await operator.until(uid))[-1].body["output"]
    assert "hello from inside" in output and "403 Forbidden" in output
    assert "evil.example.org:443 cannot be reached from here" in worker.log()
    _, metrics = await worker.get("/metrics")
    assert 'codeforge_worker_egress_connections_total{result="carried"} 1.0' in metrics
    assert 'codeforge_worker_egress_connections_total{result="refused"} 1.0' in metrics


async def test_an_open_pool_has_no_proxy(operator: Operator, start_worker: StartWorker) -> None:
    await start_worker("sh", "-c", "echo proxy=$HTTPS_PROXY", CODEFORGE_EGRESS="Open")
    uid = await operator.submit()
    assert (await operator.until(uid))[-1].body["output"].strip() == "proxy="
