"""A call of a model as a span, in OpenTelemetry's words for generative AI."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..tracing import Span, Value
from .meter import Call

# What is done, by the last part of the path; of others that part is the word.
_OPERATIONS = {"completions": "text_completion", "responses": "chat", "messages": "chat"}


def begin_call(agent: Span, server: str, traceparent: str, path: str, model: str) -> Span:
    """`traceparent` is the agent's own word on which of its spans asks; empty or foreign: the agent as a whole."""
    operation = "chat" if path.endswith("/chat/completions") else path.rsplit("/", 1)[-1]
    operation = _OPERATIONS.get(operation, operation)
    place = urlsplit(server)
    told: dict[str, Value] = {
        "gen_ai.operation.name": operation,
        # Whose way of asking it is; whose model answers the server knows.
        "gen_ai.provider.name": "openai",
        "server.address": place.hostname or server,
    }
    if place.port:
        told["server.port"] = place.port
    if model:
        told["gen_ai.request.model"] = model
    return agent.child(f"{operation} {model}".rstrip(), told, kind="client", within=traceparent)


def tell_call(span: Span, call: Call) -> None:
    """What an answered call has used; what is not known is left out."""
    told: dict[str, Value] = {}
    if call.tokens:
        told["gen_ai.usage.input_tokens"] = call.tokens.input
        told["gen_ai.usage.output_tokens"] = call.tokens.output
    if call.cost is not None:
        told["codeforge.cost_usd"] = float(call.cost)
    span.set(told)
    span.end()
