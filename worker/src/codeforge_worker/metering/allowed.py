"""The calls that pass to the model's server, whose key also opens its management endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from urllib.parse import unquote


class Kind(Enum):
    """A paid call is counted, whatever its body is; a free one counts only a price in its answer."""

    PAID = "paid"
    FREE = "free"


# By the path without /v1. A name that ends with /* matches any path below it: model names may have slashes.
_CALLS: dict[tuple[str, str], Kind] = {
    ("POST", "chat/completions"): Kind.PAID,
    ("POST", "completions"): Kind.PAID,
    ("POST", "responses"): Kind.PAID,
    ("POST", "responses/compact"): Kind.PAID,
    ("POST", "messages"): Kind.PAID,
    ("POST", "embeddings"): Kind.PAID,
    ("POST", "rerank"): Kind.PAID,
    ("POST", "images/generations"): Kind.PAID,
    ("POST", "images/edits"): Kind.PAID,
    ("POST", "images/variations"): Kind.PAID,
    ("POST", "audio/speech"): Kind.PAID,
    ("POST", "audio/transcriptions"): Kind.PAID,
    ("POST", "audio/translations"): Kind.PAID,
    ("POST", "moderations"): Kind.FREE,
    ("POST", "messages/count_tokens"): Kind.FREE,
    ("POST", "responses/input_tokens"): Kind.FREE,
    ("GET", "models"): Kind.FREE,
    ("GET", "models/*"): Kind.FREE,
}
SENTENCE = "passed on are " + ", ".join(f"{method} {name}" for method, name in _CALLS) + ", each also below /v1"


def kind_of(method: str, path: str) -> Kind | Sequence[str]:
    """The kind of a call by its path; otherwise the methods that are allowed on this path, if any."""
    name = _name(path)
    kinds = {allowed: kind for (allowed, known), kind in _CALLS.items() if known == name}
    return kinds[method] if method in kinds else sorted(kinds)


def _name(path: str) -> str:
    """The name in the table; empty for none."""
    parts = parts_of(path)
    # Also encoded as %2e%2e, or after a slash encoded as %2f: the server may resolve it.
    if any(step in (".", "..") for part in parts for step in unquote(part).split("/")):
        return ""
    parts = parts[1:] if parts[:1] == ["v1"] else parts
    return "models/*" if parts[:1] == ["models"] and len(parts) > 1 else "/".join(parts)


def parts_of(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
