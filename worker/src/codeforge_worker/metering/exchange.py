"""Passes one call from the agent to the server, and its answer back."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import yarl
from aiohttp import web

from .answers import refused
from .call import ModelCall
from .upstream import Upstream

log = logging.getLogger(__name__)

_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length", "content-encoding",
})  # fmt: skip
_REPLACED = _HOP | {"authorization", "x-api-key", "api-key", "cookie", "accept-encoding"}
# A server that does not know stream_options answers with one of these.
_REFUSED, _ADDED = frozenset({400, 422}), b"stream_options"
_AWAY = (aiohttp.ClientError, TimeoutError, OSError)


class Exchange:
    def __init__(
        self,
        upstream: Upstream,
        session: aiohttp.ClientSession,
        request: web.Request,
        call: ModelCall,
        without_usage: set[str],
    ) -> None:
        """`without_usage` are the models that refuse stream_options, as learned during the run."""
        self._upstream = upstream
        self._session = session
        self._request = request
        self._call = call
        self._without_usage = without_usage

    async def run(self) -> web.StreamResponse:
        call = self._call
        try:
            async with await self._answer() as answer:
                call.answered(answer.status, answer.headers)
                if answer.content_type == "text/event-stream":
                    return await self._stream(answer)
                body = await answer.read()
                call.whole(body)
                return web.Response(status=answer.status, reason=answer.reason, body=body, headers=_kept(answer))
        except asyncio.CancelledError:
            # The run was stopped during the call, whose cost stays unknown.
            call.span.fail("Stopped", "the run ended before the answer did")
            raise
        except _AWAY as error:
            log.warning("the model's server at %s does not answer: %s", self._upstream.base, error)
            why = f"the model's server does not answer ({type(error).__name__}): check OPENAI_API_BASE of the pool"
            call.unanswered(type(error).__name__, why)
            return refused(502, "upstream_unreachable", why, kind="api_error")

    async def _answer(self) -> aiohttp.ClientResponse:
        """Repeats the agent's original request if the server refuses what was added."""
        call = self._call
        if call.model in self._without_usage:
            call.leave_as_asked()
        answer = await self._ask()
        if call.asks_for_usage and answer.status in _REFUSED and _ADDED in await answer.read():
            self._without_usage.add(call.model)
            call.leave_as_asked()
            return await self._ask()
        return answer

    async def _ask(self) -> aiohttp.ClientResponse:
        request, call = self._request, self._call
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _REPLACED}
        if self._upstream.key:
            headers["Authorization"] = f"Bearer {self._upstream.key}"
        if call.span.traceparent:
            headers["traceparent"] = call.span.traceparent
        url, query = self._upstream.url(request.rel_url.raw_path), request.rel_url.raw_query_string
        address = yarl.URL(f"{url}?{query}" if query else url, encoded=True)
        return await self._session.request(
            request.method, address, data=call.body or None, headers=headers, allow_redirects=False
        )

    async def _stream(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_kept(answer))
        parts: asyncio.Queue[bytes] = asyncio.Queue()
        # At the server's pace and not the agent's: an agent that sends its next call before it has read would wait for
        # itself. The rest of the answer is read anyway, because it is paid for and its end has the usage.
        reading = asyncio.create_task(self._read(answer, parts))
        try:
            try:
                await response.prepare(self._request)
                while part := await parts.get():
                    await response.write(part)
            except ConnectionError:
                log.debug("the agent reads no further")
            whole = await reading
        finally:
            reading.cancel()
        if not whole and self._request.transport:
            # Closed without a proper end, so that the agent does not take the answer for complete.
            self._request.transport.abort()
        return response

    async def _read(self, answer: aiohttp.ClientResponse, parts: asyncio.Queue[bytes]) -> bool:
        """Whether the answer was complete."""
        try:
            async for part in self._call.parts(answer.content.iter_any()):
                parts.put_nowait(part)
        except _AWAY as error:
            log.warning("the model's server at %s stopped in the middle of an answer: %s", self._upstream.base, error)
            self._call.cut_off()
            return False
        finally:
            parts.put_nowait(b"")
        self._call.settle()
        return True


def _kept(answer: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
