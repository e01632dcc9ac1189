"""Cuts events to NATS's max_payload; a cut event says so."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from . import wire

# Room for headers and subject: the server's limit covers the whole message.
BESIDE_BYTES = 1024
_MARK = "(cut: max_payload of NATS)"
# The lengths to which texts are cut, until the event fits.
_LIMITS = (2048, 512, 128)


def fitted(event: wire.Event, max_payload: int) -> bytes:
    """The event as JSON: whole, otherwise with its texts cut, otherwise also without what later runs need."""
    most = max_payload - BESIDE_BYTES
    body = wire.encode(event)
    if len(body) <= most:
        return body
    for limit in _LIMITS:
        body = wire.encode(_cut(event, limit))
        if len(body) <= most:
            return body
    smaller = _cut(_without_checkpoints(event, len(wire.encode(event)), max_payload), _LIMITS[-1])
    body = wire.encode(smaller)
    return body if len(body) <= most else wire.encode(_without_artifacts(smaller, max_payload))


def _cut(event: wire.Event, limit: int) -> wire.Event:
    result, failure = event.result, event.failure
    if result is not UNSET:
        problem = first_of(result.artifacts_problem, max(limit, 512))
        result = replace(result, summary=first_of(result.summary, limit), artifacts_problem=problem)
    if failure is not UNSET:
        failure = replace(failure, message=first_of(failure.message, max(limit, 512)))
    return replace(
        event,
        output=_last(event.output, limit),
        files=_fewer(event.files, limit),
        error=first_of(event.error, max(limit, 512)),
        progress=event.progress if event.progress is UNSET else first_of(event.progress, max(limit, 512)),
        result=result,
        failure=failure,
    )


def _without_checkpoints(event: wire.Event, size: int, max_payload: int) -> wire.Event:
    """The event must show that a later run starts without a checkpoint."""
    said = (
        f"checkpoints are left out, a later run begins without: the event had {size} bytes and max_payload of NATS is "
        f"{max_payload}: raise it, or save less"
    )
    earlier = event.earlier
    if earlier is not UNSET:
        earlier = tuple(replace(one, checkpoint="") for one in earlier)
    event = replace(event, checkpoint=UNSET, earlier=earlier)
    return _told(event, said)


def _without_artifacts(event: wire.Event, max_payload: int) -> wire.Event:
    if event.result is UNSET or not event.result.artifacts:
        return event
    count = len(event.result.artifacts)
    said = f"the names of {count} artifacts are left out: max_payload of NATS is {max_payload}: raise it"
    return _told(replace(event, result=replace(event.result, artifacts=())), said)


def _told(event: wire.Event, sentence: str) -> wire.Event:
    if event.result is UNSET:
        return replace(event, progress=sentence)
    problem = "; ".join(filter(None, (sentence, event.result.artifacts_problem)))
    return replace(event, result=replace(event.result, artifacts_problem=problem))


def first_of(text: str, limit: int) -> str:
    raw = text.encode()
    return f"{raw[:limit].decode('utf-8', 'ignore')} {_MARK}" if len(raw) > limit else text


def _last(text: str, limit: int) -> str:
    raw = text.encode()
    return f"{_MARK} {raw[-limit:].decode('utf-8', 'ignore')}" if len(raw) > limit else text


def _fewer(names: tuple[str, ...], limit: int) -> tuple[str, ...]:
    """`files_total` of the result has the true number."""
    kept: list[str] = []
    for name in names:
        limit -= len(name.encode())
        if limit < 0:
            break
        kept.append(name)
    return tuple(kept)
