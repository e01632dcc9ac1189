"""The proxy of a run: it connects to the servers that the pool allows, by CONNECT, and to no others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncGenerator, Callable

from ..server_of_run import HOST, Access, bound, port_of
from .policy import Egress, may_connect

_ASKED_BYTES = 16_384
_ASK_SECONDS = 30.0
_CONNECT_SECONDS = 30.0
_PIECE_BYTES = 64 * 1024
# Concurrent connections of one run: a package manager opens some dozens.
_CONNECTIONS = 256
# How many refused names a run's log shows.
_TOLD = 100


@contextlib.asynccontextmanager
async def opened(
    egress: Egress, on_refused: Callable[[str], None], count: Callable[[str], None]
) -> AsyncGenerator[Callable[[], Access]]:
    """A proxy for the duration of the block, created on first use: functions often need none.

    `on_refused` gets a sentence for each server, once; `count` gets each result.
    """
    proxy = _Proxy(egress, on_refused, count)
    try:
        yield proxy.access
    finally:
        await proxy.close()


def _variables(address: str) -> dict[str, str]:
    # Not HTTP_PROXY: clients would use it for the loopback, where the model's proxy is.
    own = "127.0.0.1,localhost,::1"
    return {
        "HTTPS_PROXY": address, "https_proxy": address, "NO_PROXY": own, "no_proxy": own, "NODE_USE_ENV_PROXY": "1",
    }  # fmt: skip


class _Refused(Exception):
    """The answer's status, and a sentence."""

    def __init__(self, status: str, sentence: str, result: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.result = result


class _Proxy:
    def __init__(self, egress: Egress, on_refused: Callable[[str], None], count: Callable[[str], None]) -> None:
        self._egress = egress
        self._on_refused = on_refused
        self._count = count
        self._told: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._opening = threading.Lock()
        self._access: Access | None = None
        self._server: asyncio.Task[asyncio.Server] | None = None
        self._closed = False

    def access(self) -> Access:
        """From any thread: a function may run on one of its own."""
        with self._opening:
            if self._access is None:
                listening = bound()
                # A connection waits until the proxy is served.
                listening.listen(_CONNECTIONS)
                self._loop.call_soon_threadsafe(self._begin, listening)
                port = port_of(listening)
                self._access = Access(_variables(f"http://{HOST}:{port}"), (port,))
            return self._access

    def _begin(self, listening: socket.socket) -> None:
        if self._closed:
            listening.close()
        else:
            self._server = self._loop.create_task(
                asyncio.start_server(self.serve, sock=listening, limit=_ASKED_BYTES, backlog=_CONNECTIONS)
            )

    async def close(self) -> None:
        self._closed = True
        if self._server is not None:
            (await self._server).close()
        for connection in self._under_way:
            connection.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._under_way.add(connection)
        connection.add_done_callback(self._under_way.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._carry(reader, writer)
        except _Refused as refused:
            self._count(refused.result)
            body = f"{refused}\n".encode()
            head = f"HTTP/1.1 {refused.status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            with contextlib.suppress(OSError):
                writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # The client has disconnected, or sent no valid request.
            pass
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_ASK_SECONDS):
            asked = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0].decode("latin-1")
        if len(self._under_way) > _CONNECTIONS:
            raise _Refused("503 Service Unavailable", f"a run may have {_CONNECTIONS} connections at once", "full")
        name, port = _target(asked)
        there, back = await self._connect(name, port)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            self._count("carried")
            async with asyncio.TaskGroup() as both:
                both.create_task(_pipe(reader, back))
                both.create_task(_pipe(there, writer))
        except* OSError:
            # One of the two sides has closed the connection.
            pass
        finally:
            back.close()

    async def _connect(self, name: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connects to the address that the name resolves to now; the address is not resolved again."""
        entry = self._egress.entry(name, port)
        if entry is None:
            sentence = (
                f"{name}:{port} cannot be reached from here: add it to spec.isolation.egress.allow of the WorkerPool"
            )
            self._tell(f"{name}:{port}", sentence)
            raise _Refused("403 Forbidden", sentence, "refused")
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
                public = [address for address in addresses if may_connect(address, private=entry.private)]
                if not public:
                    sentence = (
                        f"{name} leads to {addresses[0]}, which is not a public address: an entry of "
                        f"spec.isolation.egress.allow with a port ({name}:{port}) allows it"
                    )
                    self._tell(f"{name}:{port}", sentence)
                    raise _Refused("403 Forbidden", sentence, "refused")
                return await _first(public, port)
        except (OSError, TimeoutError) as error:
            why = str(error) or f"no answer within {_CONNECT_SECONDS:.0f} s"
            raise _Refused("502 Bad Gateway", f"{name}:{port} cannot be connected to: {why}", "failed") from error

    def _tell(self, server: str, sentence: str) -> None:
        if server not in self._told and len(self._told) < _TOLD:
            self._told.add(server)
            self._on_refused(sentence)


def _target(asked: str) -> tuple[str, int]:
    method, _, rest = asked.partition(" ")
    target, _, _ = rest.partition(" ")
    name, colon, port = target.rpartition(":")
    if method != "CONNECT":
        sentence = f"{method[:32]} is not carried: this proxy takes CONNECT alone, for https"
        raise _Refused("405 Method Not Allowed", sentence, "refused")
    if not (colon and name and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise _Refused(
            "400 Bad Request", "CONNECT needs a host and a port, such as packages.example.org:443", "refused"
        )
    return name.strip("[]"), int(port)


async def _first(addresses: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    last = OSError("no address")
    for address in addresses:
        try:
            return await asyncio.open_connection(address, port)
        except OSError as error:
            last = error
    raise last


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE_BYTES):
        sink.write(piece)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
