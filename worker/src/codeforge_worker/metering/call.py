"""One request of an agent: its content, and how its answer is counted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Any, cast

import msgspec

from ..tracing import OFF, Span
from .allowed import Kind
from .meter import Call, Meter
from .prices import Prices, read_cost
from .reply import Events, Reply, data_of, is_last, only_usage
from .reservations import Reservation, estimate
from .tokens import Tokens
from .traced import tell_call

_COST_HEADER = "x-litellm-response-cost"
_FORM_MODEL = re.compile(rb'; ?name="?model"?(?:\r\n[^\r\n]+)*\r\n\r\n([^\r\n]{1,256})\r\n')


class ModelCall:
    """`body` goes to the server. It asks a stream for its usage; an agent that did not ask does not see the usage."""

    def __init__(self, meter: Meter, prices: Prices, kind: Kind, path: str, body: bytes) -> None:
        self.body = body
        self.span = OFF
        self._meter = meter
        self._prices = prices
        self._kind = kind
        self._path = path
        self._reply = Reply()
        self._cost_told: str | None = None
        self._open, self._whole, self._answered = False, True, False
        self._held: Reservation | None = None
        self._hides_usage = False
        question = _document(body)
        self.model = str(question.get("model") or "") or _model_of_form(body)
        self._most = estimate(path, question, len(body), self.model, prices)
        options = question.get("stream_options")
        asked = cast(dict[str, Any], options) if isinstance(options, dict) else {}
        if path.endswith("/completions") and question.get("stream") and not asked.get("include_usage"):
            self._hides_usage = True
            self.body = msgspec.json.encode({**question, "stream_options": {**asked, "include_usage": True}})
        self._as_asked = body

    @property
    def asks_for_usage(self) -> bool:
        """Whether `body` asks for more than the agent did."""
        return self._hides_usage

    def leave_as_asked(self) -> None:
        """Removes that for a server that does not support the usage of a stream."""
        self._hides_usage = False
        self.body = self._as_asked

    def reserve(self) -> bool:
        """Whether the call's possible usage is reserved; otherwise it has to wait."""
        self._held = self._meter.reserve(self._most)
        return self._held is not None

    def _release(self) -> None:
        if self._held:
            self._held.release()

    def begin(self, told: Callable[[str, str], Span]) -> None:
        """The call is sent now. `told` starts the span of a paid call, by its path and model."""
        self._open = True
        if self._kind is Kind.PAID:
            self.span = told(self._path, self.model)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The answer has started. A failure and a redirect cost nothing."""
        if status >= 300:
            self.unanswered(str(status), f"the model's server answered {status}")
        self._answered = True
        self._cost_told = headers.get(_COST_HEADER)

    def unanswered(self, type: str, message: str) -> None:
        """Costs nothing unless an answer has started."""
        if self._answered:
            return self.cut_off()
        self._open = False
        self._release()
        self.span.fail(type, message)
        self.span.end()

    def whole(self, body: bytes) -> None:
        self._reply.take(body)
        self.settle()

    async def parts(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """A stream's events, each as soon as it is complete."""
        events = Events()
        async for chunk in chunks:
            for event in events.feed(chunk):
                if self._shows(event):
                    yield event
        if (rest := events.rest()) and self._shows(rest):
            yield rest

    def cut_off(self) -> None:
        """The answer is incomplete, so its usage is too."""
        self._whole = False
        self.settle()

    def settle(self) -> None:
        """Counts what is known so far, once."""
        if self._open:
            self._open = False
            try:
                self._count()
            finally:
                self._release()

    def _count(self) -> None:
        tokens, cost = self._reply.usage.tokens, read_cost(self._cost_told)
        if cost is None:
            cost = self._reply.usage.cost
        if self._kind is Kind.FREE:
            if not cost:
                return
            tokens = tokens or Tokens(0)
        model = self.model or self._reply.model
        if cost is None and tokens is not None:
            cost = self._prices.cost(model, tokens)
        call = Call(model, tokens, cost, self._whole)
        tell_call(self.span, call)
        self._meter.count(call)

    def _shows(self, event: bytes) -> bool:
        data = data_of(event)
        document = self._reply.take(data)
        if is_last(data, document):
            # Before the agent can send its next call.
            self.settle()
        return not (self._hides_usage and only_usage(document))


def _document(body: bytes) -> dict[str, Any]:
    """Empty for anything else: such a call is counted nevertheless."""
    try:
        read = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return cast(dict[str, Any], read) if isinstance(read, dict) else {}


def _model_of_form(body: bytes) -> str:
    """Of files that are sent as a form; empty when there is none."""
    found = _FORM_MODEL.search(body)
    return found[1].decode(errors="replace") if found else ""
