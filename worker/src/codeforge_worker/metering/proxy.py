"""The server that a run's agent uses as its model: it adds the pool's key to each call and counts it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web

from .. import wire
from ..server_of_run import HOST, Access, bound, port_of
from ..tracing import current
from .allowed import Kind, kind_of
from .answers import not_passed_on, over_budget, refused
from .call import ModelCall
from .exchange import Exchange
from .meter import Meter
from .reservations import CALLS_IN_FLIGHT
from .traced import begin_call
from .upstream import Upstream

_BODY_BYTES = 256 * 2**20
_CONNECT_SECONDS = 30.0


@contextlib.asynccontextmanager
async def proxied(upstream: Upstream, meter: Meter, pool: Mapping[str, str]) -> AsyncGenerator[Access]:
    """The run's access to its model within the block. `pool` is the worker's own environment."""
    key = f"cf-{secrets.token_urlsafe(32)}"
    # No limit on a reply: the run has one.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        application = web.Application(client_max_size=_BODY_BYTES)
        proxy = _Proxy(upstream, meter, key, session)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        # When the run is over, no agent reads the remaining answers.
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            server = bound()
            await web.SockSite(runner, server).start()
            port = port_of(server)
            yield Access(upstream.environment(pool, f"http://{HOST}:{port}", key), (port,))
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
        # Paid calls start one by one, in order: no call starves, and a waiting call is not read yet.
        self._door = asyncio.Lock()
        self._freed = asyncio.Event()
        meter.on_release = self._freed.set
        self._without_usage: set[str] = set()
        self._free = asyncio.Semaphore(CALLS_IN_FLIGHT)

    async def stop(self) -> None:
        """Ends calls in progress, also of an agent that has disconnected; the server would continue them."""
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return refused(401, "invalid_api_key", "this is not the run's key: use the agent's OPENAI_API_KEY")
        kind = kind_of(request.method, request.rel_url.raw_path)
        if not isinstance(kind, Kind):
            return not_passed_on(request, kind)
        call = asyncio.create_task(self._paid(request) if kind is Kind.PAID else self._for_nothing(request))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await call

    def _may(self, request: web.Request) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        given = bearer or request.headers.get("x-api-key", "") or request.headers.get("api-key", "")
        return hmac.compare_digest(given.encode(), self._key.encode())

    async def _for_nothing(self, request: web.Request) -> web.StreamResponse:
        async with self._free:
            if refusal := self._meter.refusal():
                return over_budget(refusal)
            return await self._exchange(request, await self._read(request, Kind.FREE))

    async def _paid(self, request: web.Request) -> web.StreamResponse:
        async with self._door:
            call = await self._read(request, Kind.PAID)
            refusal = await self._reserve(call)
        return over_budget(refusal) if refusal else await self._exchange(request, call)

    async def _read(self, request: web.Request, kind: Kind) -> ModelCall:
        return ModelCall(self._meter, self._upstream.prices, kind, request.path, await request.read())

    async def _reserve(self, call: ModelCall) -> wire.Failure | None:
        """Waits until the call may be sent; the refusal if the budget is used by then."""
        while True:
            refusal = self._meter.refusal()
            if refusal or call.reserve():
                return refusal
            self._freed.clear()
            await self._freed.wait()

    async def _exchange(self, request: web.Request, call: ModelCall) -> web.StreamResponse:
        call.begin(partial(begin_call, self._span, self._upstream.base, request.headers.get("traceparent", "")))
        try:
            return await Exchange(self._upstream, self._session, request, call, self._without_usage).run()
        finally:
            # After any error: a call that was sent is counted.
            call.cut_off()
