"""A TCP proxy that can cut its connections, or freeze them: nothing passes any more and nobody is told.

It keeps what clients sent through it.
"""

from __future__ import annotations

import asyncio

from .ports import free_port


class TcpProxy:
    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._passing = asyncio.Event()
        self._passing.set()
        self._server: asyncio.Server | None = None
        self.sent = bytearray()
        # Connections since the last cut.
        self.accepted = 0
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        # Of connections: those of an earlier one pass nothing.
        self._generation = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Ends every connection and refuses new ones."""
        self.accepted = 0
        if self._server:
            self._server.close()
        for connection in self._connections:
            connection.cancel()

    def freeze(self) -> None:
        """New connections are accepted and hear nothing."""
        self._passing.clear()

    def strand(self) -> None:
        """Nothing passes any more over the connections of now, which stay open; new ones do pass."""
        self._generation += 1

    def say(self, words: bytes) -> None:
        """To every client, as if the server had said it."""
        for writer in self._connections.values():
            writer.write(words)

    async def resume(self) -> None:
        """What was sent meanwhile over a frozen connection arrives now."""
        self._passing.set()
        if self._server and not self._server.is_serving():
            await self.start()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections[task] = writer
        self.accepted += 1
        try:
            await self._passing.wait()
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                async with asyncio.TaskGroup() as both:
                    generation = self._generation
                    both.create_task(self._pump(reader, there_writer, self.sent, generation))
                    both.create_task(self._pump(there_reader, writer, bytearray(), generation))
            finally:
                there_writer.transport.abort()
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            del self._connections[task]

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, seen: bytearray, generation: int
    ) -> None:
        while data := await source.read(65536):
            seen.extend(data)
            await self._passing.wait()
            if generation != self._generation:
                # Until the proxy ends: it is stranded.
                await asyncio.Event().wait()
            sink.write(data)
            await sink.drain()
        # The other direction ends with this one.
        raise ConnectionError("the other side closed")
