"""The server that a run's agent takes for the model's: passes each call on with the pool's key, and counts it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

import aiohttp
import yarl
from aiohttp import web

from ..tracing import current
from .allowed import SENTENCE, Kind, kind_of
from .call import ModelCall
from .meter import Meter
from .traced import begin_call
from .upstream import Upstream

log = logging.getLogger(__name__)

_BODY_BYTES = 256 * 2**20
_CONNECT_SECONDS = 30.0
_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length", "content-encoding",
})  # fmt: skip
_REPLACED = _HOP | {"authorization", "x-api-key", "api-key", "cookie", "accept-encoding"}
_AWAY = (aiohttp.ClientError, TimeoutError, OSError)


@contextlib.asynccontextmanager
async def proxied(upstream: Upstream, meter: Meter, pool: Mapping[str, str]) -> AsyncGenerator[dict[str, str]]:
    """The variables by which an agent finds its model while this lasts. `pool` is the worker's own environment."""
    key = f"cf-{secrets.token_urlsafe(32)}"
    # No limit on a reply: the run has one.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        application = web.Application(client_max_size=_BODY_BYTES)
        proxy = _Proxy(upstream, meter, key, session)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        # Whoever is still answered when the run is over has nobody to read it.
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield upstream.environment(pool, f"http://{host}:{port}", key)
        finally:
            await proxy.stop()
            await runner.cleanup()


class _Proxy:
    def __init__(self, upstream: Upstream, meter: Meter, key: str, session: aiohttp.ClientSession) -> None:
        self._upstream = upstream
        self._meter = meter
        self._key = key
        self._session = session
        self._calls: set[asyncio.Task[Any]] = set()
        self._span = current()

    async def stop(self) -> None:
        """Ends what is under way, also for an agent that has gone: the server would let that go on."""
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _error(401, "invalid_api_key", "this is not the run's key: use the agent's OPENAI_API_KEY")
        kind = kind_of(request.method, request.rel_url.raw_path)
        if not isinstance(kind, Kind):
            return _not_passed_on(request, kind)
        refusal = self._meter.refusal()
        if refusal:
            code = "budget_exceeded" if refusal.type == "BudgetExceeded" else "budget_not_kept"
            return _error(400, code, f"{refusal.type}: {refusal.message}")
        call = asyncio.create_task(self._pass_on(request, kind))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await call

    def _may(self, request: web.Request) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        given = bearer or request.headers.get("x-api-key", "") or request.headers.get("api-key", "")
        return hmac.compare_digest(given.encode(), self._key.encode())

    async def _pass_on(self, request: web.Request, kind: Kind) -> web.StreamResponse:
        told = partial(begin_call, self._span, self._upstream.base, request.headers.get("traceparent", ""))
        body = await request.read()
        call = ModelCall(self._meter, self._upstream.prices, kind, request.path, body, told)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _REPLACED}
        if self._upstream.key:
            headers["Authorization"] = f"Bearer {self._upstream.key}"
        if call.span.traceparent:
            headers["traceparent"] = call.span.traceparent
        url, query = self._upstream.url(request.rel_url.raw_path), request.rel_url.raw_query_string
        address = yarl.URL(f"{url}?{query}" if query else url, encoded=True)
        try:
            async with self._session.request(
                request.method, address, data=call.body or None, headers=headers, allow_redirects=False
            ) as answer:
                call.answered(answer.status, answer.headers)
                if answer.content_type == "text/event-stream":
                    return await self._stream(request, call, answer)
                body = await answer.read()
                call.whole(body)
                return web.Response(status=answer.status, reason=answer.reason, body=body, headers=_kept(answer))
        except asyncio.CancelledError:
            # The run was stopped in the middle: what the call costs nobody will tell.
            call.span.fail("Stopped", "the run ended before the answer did")
            call.cut_off()
            raise
        except _AWAY as error:
            log.warning("the model's server at %s does not answer: %s", self._upstream.base, error)
            why = f"the model's server does not answer ({type(error).__name__}): check OPENAI_API_BASE of the pool"
            call.unanswered(type(error).__name__, why)
            return _error(502, "upstream_unreachable", why, kind="api_error")

    async def _stream(
        self, request: web.Request, call: ModelCall, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_kept(answer))
        await response.prepare(request)
        gone = False
        try:
            async for part in call.parts(answer.content.iter_any()):
                try:
                    if not gone:
                        await response.write(part)
                except ConnectionError:
                    # The rest is read all the same: it is paid for, and its end tells how much.
                    gone = True
        except _AWAY as error:
            log.warning("the model's server at %s stopped in the middle of an answer: %s", self._upstream.base, error)
            call.cut_off()
            if request.transport:
                # Not ended properly either: the agent must not take it for whole.
                request.transport.abort()
        finally:
            call.settle()
        return response


def _kept(answer: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]


def _not_passed_on(request: web.Request, methods: Sequence[str]) -> web.Response:
    """`methods` are those that the path is passed on with."""
    said = f"{request.method} {request.path} is no call of a model: {SENTENCE}"
    if not methods:
        return _error(404, "unknown_path", said)
    refused = _error(405, "unknown_method", said)
    refused.headers["Allow"] = ", ".join(methods)
    return refused


def _error(status: int, code: str, message: str, *, kind: str = "invalid_request_error") -> web.Response:
    """In OpenAI's shape, which every client shows. A 400 or 401 is not tried again by any."""
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": code}}, status=status)
