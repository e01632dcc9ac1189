"""A run as OpenTelemetry spans: part of the task's trace, which starts and ends at the operator.

Off unless an OTLP endpoint is set: then only `Span` and its context are used.
"""

from __future__ import annotations

from .span import OFF, Span, Value, current, part

__all__ = ["OFF", "Span", "Value", "current", "part"]
