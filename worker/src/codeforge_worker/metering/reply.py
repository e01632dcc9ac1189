"""Reads the tokens from a reply, complete or as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from .usage import ToldUsage

_LAST = frozenset({"message_stop", "response.completed", "response.failed", "response.incomplete"})


class Reply:
    """Takes a reply's parts in their order."""

    def __init__(self) -> None:
        self.usage = ToldUsage()
        # The model that answered; empty if the reply does not say.
        self.model = ""

    def take(self, body: bytes) -> dict[str, Any]:
        """A JSON document, or an event's data; returns it, empty when it is none."""
        try:
            document = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}
        if not isinstance(document, dict):
            return {}
        read = cast(dict[str, Any], document)
        for holder in (read, read.get("response"), read.get("message")):
            if isinstance(holder, dict):
                self._read(cast(dict[str, Any], holder))
        return read

    def _read(self, holder: dict[str, Any]) -> None:
        self.usage.take(holder.get("usage"))
        meta = holder.get("meta")
        if isinstance(meta, dict):
            # Cohere's format for the usage of reranking.
            for name in ("billed_units", "tokens"):
                self.usage.take(cast(dict[str, Any], meta).get(name))
        model = holder.get("model")
        self.model = model if isinstance(model, str) and model else self.model


class Events:
    """Cuts a stream into its events, each with the blank line that ends it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._rest += chunk
        while True:
            ends = [at + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (at := self._rest.find(mark)) >= 0]
            if not ends:
                return
            yield self._rest[: min(ends)]
            self._rest = self._rest[min(ends) :]

    def rest(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest


def data_of(event: bytes) -> bytes:
    lines = (line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(lines)


def is_last(data: bytes, document: dict[str, Any]) -> bool:
    """Whether no usage follows this event: the agent may send its next call as soon as it has it."""
    return data == b"[DONE]" or document.get("type") in _LAST


def only_usage(document: dict[str, Any]) -> bool:
    """The chunk that `stream_options.include_usage` adds. LiteLLM's has a choice, with nothing in it."""
    if not document.get("usage"):
        return False
    return not any(_says_something(choice) for choice in cast(list[dict[str, Any]], document.get("choices") or []))


def _says_something(choice: dict[str, Any]) -> bool:
    delta = cast(dict[str, Any], choice.get("delta") or {})
    return bool(choice.get("finish_reason") or choice.get("text") or any(delta.values()))
