"""An OTLP receiver: keeps the spans that it is sent over HTTP as protobuf."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .ports import free_port

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class Seen:
    """A span as it came; `error` is its status' message, None for a status that is none."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    seconds: float
    attributes: dict[str, Any]
    error: str | None
    resource: dict[str, Any] = field(default_factory=dict[str, Any])


class Collector:
    """`answers` false: it takes requests and never answers one."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answers = True
        self.asked = 0
        self.spans: list[Seen] = []
        self.headers: Mapping[str, str] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def named(self, name: str, seconds: float = 15) -> Seen:
        """The span of this name, as soon as it has come."""
        async with asyncio.timeout(seconds):
            while not (found := [span for span in self.spans if span.name == name]):
                await asyncio.sleep(0.05)
        assert len(found) == 1, found
        return found[0]

    def tree(self) -> str:
        """The spans, each under its parent, in the order in which they came."""
        ids = {span.span_id for span in self.spans}
        return "\n".join(line for span in self.spans if span.parent_id not in ids for line in self._lines(span, 0))

    def _lines(self, span: Seen, depth: int) -> Iterator[str]:
        yield f"{'  ' * depth}{span.name} [{span.kind}]" + (f" {span.attributes['error.type']}" if span.error else "")
        for child in self.spans:
            if child.parent_id == span.span_id:
                yield from self._lines(child, depth + 1)

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.headers = request.headers
        if not self.answers:
            await asyncio.sleep(600)
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(_seen(span, _values(resource.resource.attributes)) for span in scope.spans)
        return web.Response(content_type="application/x-protobuf")


def _seen(span: Any, resource: dict[str, Any]) -> Seen:
    return Seen(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=KINDS[span.kind],
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        attributes=_values(span.attributes),
        error=span.status.message if span.status.code == 2 else None,
        resource=resource,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}
