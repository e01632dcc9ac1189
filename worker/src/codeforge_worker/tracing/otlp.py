"""Exports spans over OTLP, in a thread of the SDK: without a collector only the spans are lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import replace

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from .. import __version__, wire
from ..settings import Settings
from . import facts
from .identity import Parent, parent_of, parse, run_id
from .span import NOTHING, Kind, Span, Value, under_way
from .switch import Tracing

# How long the end of the worker waits for a collector.
CLOSE_SECONDS = 5.0
# Interval of log lines about a missing collector.
_SAID_AGAIN_SECONDS = 60.0
_KINDS = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}


class OtlpTracing(Tracing):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = _Ids()
        # The variables take precedence.
        resource = Resource(
            {
                "service.name": "codeforge-worker",
                "service.version": __version__,
                "service.instance.id": settings.pod_name,
                "k8s.namespace.name": settings.namespace,
                "k8s.pod.name": settings.pod_name,
            }
        ).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("codeforge-worker", __version__)
        logging.getLogger("opentelemetry").setLevel(logging.WARNING)
        for name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal"):
            logging.getLogger(name).addFilter(_Seldom())

    @contextlib.contextmanager
    def run(self, task: wire.Task, origin: wire.Origin, delivery: int, headers: Mapping[str, str]) -> Generator[Span]:
        parent = parent_of(task, headers.get("traceparent", ""))
        if parent:
            self._ids.take(run_id(parent.trace_id, task, origin, delivery))
        started = self._tracer.start_span(
            f"run {task.attempt}.{delivery}",
            context=_context(parent),
            kind=SpanKind.CONSUMER,
            attributes=facts.begun(self._settings, task, origin, delivery),
        )
        with under_way(_Exported(self._tracer, started)) as span:
            yield span

    async def close(self) -> None:
        # A daemon: it may wait for the collector for longer than the worker does.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        end = time.monotonic() + CLOSE_SECONDS
        while ending.is_alive() and time.monotonic() < end:
            await asyncio.sleep(0.02)


class _Exported(Span):
    def __init__(self, tracer: Tracer, span: SdkSpan) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def traceparent(self) -> str:
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def child(
        self, name: str, attributes: Mapping[str, Value] = NOTHING, *, kind: Kind = "internal", within: str = ""
    ) -> Span:
        context = set_span_in_context(self._span)
        foreign = parse(within)
        own = self._span.get_span_context()
        if foreign and int(foreign.trace_id, 16) == own.trace_id:
            context = _context(replace(foreign, sampled=own.trace_flags.sampled))
        started = self._tracer.start_span(name, context=context, kind=_KINDS[kind], attributes=attributes)
        return _Exported(self._tracer, started)

    def set(self, attributes: Mapping[str, Value]) -> None:
        if self._span.is_recording():
            self._span.set_attributes(attributes)

    def fail(self, type: str, message: str) -> None:
        if self._span.is_recording():
            self._span.set_attribute("error.type", type)
            self._span.set_status(Status(StatusCode.ERROR, message))

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end()


class _Ids(RandomIdGenerator):
    """Random ids, except for the one span whose id was set just before."""

    def __init__(self) -> None:
        self._next = ""

    def take(self, span_id: str) -> None:
        self._next = span_id

    def generate_span_id(self) -> int:
        taken, self._next = self._next, ""
        return int(taken, 16) if taken else super().generate_span_id()


class _Seldom(logging.Filter):
    """Lets one line a minute pass."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _SAID_AGAIN_SECONDS
        return True


def _context(parent: Parent | None) -> Context:
    """With that span as the parent of what begins in it; else the beginning of a trace."""
    if parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    told = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(told), Context())
