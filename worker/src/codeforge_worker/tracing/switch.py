"""Whether and where spans are exported: by OpenTelemetry's own variables, read once at the start."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Mapping

from .. import wire
from ..settings import Settings
from .span import OFF, Span

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


class Tracing:
    """Exports nothing."""

    def run(
        self, task: wire.Task, origin: wire.Origin, delivery: int, headers: Mapping[str, str]
    ) -> contextlib.AbstractContextManager[Span]:
        """The run's span; `headers` are those of the task's message."""
        return contextlib.nullcontext(OFF)

    async def close(self) -> None:
        """Exports the remaining spans, within a few seconds."""


def tracing_of(settings: Settings) -> Tracing:
    environment = settings.environment
    endpoint = next((environment[name] for name in _ENDPOINTS if environment.get(name)), "")
    unwanted = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not endpoint or unwanted or environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return Tracing()
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _SPOKEN)
    if protocol != _SPOKEN:
        log.warning("no traces: OTEL_EXPORTER_OTLP_PROTOCOL is %s, and only %s is spoken: unset it", protocol, _SPOKEN)
        return Tracing()
    if not _installed():
        log.warning("no traces: an OTLP endpoint is set, but the extra is missing: install codeforge-worker[otel]")
        return Tracing()
    from .otlp import OtlpTracing

    log.info("traces go to %s", endpoint)
    return OtlpTracing(settings)


def _installed() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:
        return False
