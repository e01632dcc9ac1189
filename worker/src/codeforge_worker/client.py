"""Requests tasks from pools over NATS and waits for their outcomes, without any right in Kubernetes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError

__all__ = ["Client", "Ended", "News", "NotAnswered", "Pool", "Refused", "Submitted"]

# Silence after which a request is repeated: an operator that was killed has lost its list of callers.
ASK_AGAIN_SECONDS = 300.0
_PAUSE_SECONDS = 1.0
_SUBMIT_SECONDS = 60.0
_PROGRESS = "Codeforge-Progress"
_CODE, _ERROR = "Nats-Service-Error-Code", "Nats-Service-Error"
# The operator stops, or the task takes longer than the operator waits: a repeated request finds the task.
_LATER = frozenset({503, 504})


@dataclass(frozen=True)
class Submitted:
    """A task that was created."""

    name: str
    namespace: str
    uid: str
    phase: str


@dataclass(frozen=True)
class Ended(Submitted):
    """A task that has ended, from its status; `error` has `type` and `message` if it did not succeed."""

    result: dict[str, Any] = field(default_factory=dict[str, Any])
    usage: dict[str, Any] = field(default_factory=dict[str, Any])
    error: dict[str, Any] | None = None

    @property
    def succeeded(self) -> bool:
        return self.phase == "Succeeded"


@dataclass(frozen=True)
class News:
    """`kind` is `accepted`, whose body names the task, or the kind of an event, whose JSON is the body."""

    kind: str
    body: dict[str, Any]


T = TypeVar("T", bound=Submitted)


class Refused(Exception):
    """The request is invalid or cannot be served now; `type` and `code` as in docs/protocol.md, Asking and waiting."""

    def __init__(self, code: int, type: str, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.code = code
        self.type = type
        self.retryable = retryable


class NotAnswered(TimeoutError):
    """No outcome in time. The task may continue: the same `key` finds the same task and outcome."""

    def __init__(self, subject: str, key: str, why: str) -> None:
        super().__init__(f"{subject} was not answered in time ({why}): ask again with key {key!r}")
        self.key = key


class Client:
    """`credentials` is a file such as `client.creds`, whose user receives answers below `inbox_prefix` alone."""

    def __init__(
        self,
        url: str,
        *,
        credentials: str | Path | None = None,
        user: str | None = None,
        password: str | None = None,
        inbox_prefix: str = "_INBOX_client",
    ) -> None:
        self._url = url
        self._login: dict[str, Any] = {"user": user, "password": password}
        if credentials is not None:
            self._login = {"user_credentials": str(credentials)}
        self._inbox_prefix = inbox_prefix
        self._nats = Nats()

    async def __aenter__(self) -> Client:
        await self._nats.connect(  # pyright: ignore[reportUnknownMemberType]
            self._url, inbox_prefix=self._inbox_prefix.encode(), max_reconnect_attempts=-1, **self._login
        )
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._nats.close()

    def pool(self, namespace: str, name: str) -> Pool:
        return Pool(self._nats, f"{namespace}.{name}")


class Pool:
    """What may be asked of one pool, which has to allow it by `taskRequests: {allowedFrom: NATS}`.

    `spec` are other fields of an AgentTask's spec, such as `config={…}` or `workspace={…}`. `key` names the request:
    asked again with it, a task is not run twice. Each request has one, so that it is asked again by itself when the
    operator was away. `timeout` is in seconds, None for ever.
    """

    def __init__(self, nats: Nats, name: str) -> None:
        self._nats = nats
        self._name = name

    async def submit(
        self, prompt: str, *, key: str = "", timeout: float | None = _SUBMIT_SECONDS, **spec: Any
    ) -> Submitted:
        """Creates the task, and does not wait for its end."""
        request = self._request("submit", prompt, key, spec)
        async with contextlib.aclosing(self._answers(request, timeout, news=False)) as answers:
            async for answer in answers:
                return _read(Submitted, answer)
        raise AssertionError("a series of answers ends with one that is none of the news")

    async def run(self, prompt: str, *, key: str = "", timeout: float | None = None, **spec: Any) -> Ended:
        """Creates the task and waits until it has ended; a failed task is an outcome, not an exception."""
        request = self._request("run", prompt, key, spec)
        async with contextlib.aclosing(self._answers(request, timeout, news=False)) as answers:
            async for answer in answers:
                return _read(Ended, answer)
        raise AssertionError("a series of answers ends with one that is none of the news")

    async def progress(
        self, prompt: str, *, key: str = "", timeout: float | None = None, **spec: Any
    ) -> AsyncGenerator[News | Ended]:
        """As `run`, with progress; the last item is the outcome."""
        request = self._request("run", prompt, key, spec)
        async with contextlib.aclosing(self._answers(request, timeout, news=True)) as answers:
            async for answer in answers:
                kind = (answer.headers or {}).get(_PROGRESS)
                yield News(kind, json.loads(answer.data)) if kind else _read(Ended, answer)

    def _request(self, verb: str, prompt: str, key: str, spec: dict[str, Any]) -> _Request:
        body = json.dumps({"prompt": prompt, **spec}).encode()
        return _Request(f"agents.{verb}.{self._name}", body, key or uuid.uuid4().hex)

    async def _answers(self, request: _Request, timeout: float | None, *, news: bool) -> AsyncGenerator[Msg]:
        """Progress if requested, and one answer; the request is repeated until there is one."""
        until = None if timeout is None else time.monotonic() + timeout
        accepted = False
        # Keep the last refusal as the reason: the last request may have too little time left for an answer.
        why = "nothing was heard"
        while True:
            async with contextlib.aclosing(self._series(request, until, news=news)) as series:
                async for message in series:
                    headers = message.headers or {}
                    kind = headers.get(_PROGRESS)
                    if kind == "accepted" and accepted:
                        continue
                    if kind:
                        accepted = accepted or kind == "accepted"
                        yield message
                        continue
                    refused = _refusal(message)
                    if refused is None:
                        yield message
                        return
                    if refused.code not in _LATER:
                        raise refused
                    why = str(refused)
            if until is not None and time.monotonic() + _PAUSE_SECONDS >= until:
                raise NotAnswered(request.subject, request.key, why)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _series(self, request: _Request, until: float | None, *, news: bool) -> AsyncGenerator[Msg]:
        """The messages for one request, until a long silence."""
        inbox = self._nats.new_inbox()
        heard = await self._nats.subscribe(inbox)  # pyright: ignore[reportUnknownMemberType]
        try:
            headers = {"Nats-Msg-Id": request.key} | ({_PROGRESS: "true"} if news else {})
            await self._nats.publish(request.subject, request.body, reply=inbox, headers=headers)
            while True:
                left = ASK_AGAIN_SECONDS if until is None else min(ASK_AGAIN_SECONDS, until - time.monotonic())
                try:
                    message = await heard.next_msg(max(0.001, left))
                except NatsTimeoutError:
                    return
                yield message
                if not (message.headers or {}).get(_PROGRESS):
                    return
        finally:
            with contextlib.suppress(Exception):
                await heard.unsubscribe()


@dataclass(frozen=True)
class _Request:
    subject: str
    body: bytes
    key: str


def _refusal(message: Msg) -> Refused | None:
    headers = message.headers or {}
    if headers.get("Status") == "503":
        return Refused(503, "Unavailable", "no operator works at the moment", retryable=True)
    if _CODE not in headers:
        return None
    try:
        error: dict[str, Any] = json.loads(message.data)["error"]
    except (ValueError, KeyError, TypeError):
        error = {}
    code = int(headers[_CODE]) if headers[_CODE].isdecimal() else 0
    retryable = bool(error.get("retryable"))
    return Refused(code, str(error.get("type", "Unknown")), headers.get(_ERROR, "no reason"), retryable=retryable)


def _read(kind: type[T], answer: Msg) -> T:
    body = cast(dict[str, Any], json.loads(answer.data))
    # A newer operator may send more fields.
    known = {name: body[name] for name in kind.__dataclass_fields__ if body.get(name) is not None}
    return kind(**known)
