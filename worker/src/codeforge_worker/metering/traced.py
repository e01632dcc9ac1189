"""A model call as a span, in OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..tracing import Span, Value
from .meter import Call

# The operation by the last part of the path; for other paths that part itself.
_OPERATIONS = {"completions": "text_completion", "responses": "chat", "messages": "chat"}


def begin_call(agent: Span, server: str, traceparent: str, path: str, model: str) -> Span:
    """`traceparent` is the agent's own span that calls; empty or of another trace: the agent as a whole."""
    operation = "chat" if path.endswith("/chat/completions") else path.rsplit("/", 1)[-1]
    operation = _OPERATIONS.get(operation, operation)
    place = urlsplit(server)
    told: dict[str, Value] = {
        "gen_ai.operation.name": operation,
        # The provider whose API is used; only the server knows whose model answers.
        "gen_ai.provider.name": "openai",
        "server.address": place.hostname or server,
    }
    if place.port:
        told["server.port"] = place.port
    if model:
        told["gen_ai.request.model"] = model
    return agent.child(f"{operation} {model}".rstrip(), told, kind="client", within=traceparent)


def tell_call(span: Span, call: Call) -> None:
    """The usage of an answered call; unknown values are left out."""
    told: dict[str, Value] = {}
    if call.tokens:
        told["gen_ai.usage.input_tokens"] = call.tokens.input
        told["gen_ai.usage.output_tokens"] = call.tokens.output
    if call.cost is not None:
        told["codeforge.cost_usd"] = float(call.cost)
    span.set(told)
    span.end()
