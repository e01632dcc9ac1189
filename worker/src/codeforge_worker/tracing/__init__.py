"""What a run does, as spans of OpenTelemetry: part of the task's trace, which begins and ends at the operator.

Off unless an OTLP endpoint is named: then nothing of this package but `Span` and its context is used.
"""

from __future__ import annotations

from .span import OFF, Span, Value, current, part

__all__ = ["OFF", "Span", "Value", "current", "part"]
