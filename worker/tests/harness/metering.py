"""An agent behind its run's proxy, and a server of models that answers as a test says."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from codeforge_worker.metering import Meter, Upstream, proxied
from codeforge_worker.spending import Budget, Spent, Usage

from .ports import free_port

KEY = "the-pools-own-key"
PRICES = '{"coder": {"input_cost_per_token": 0.000003, "output_cost_per_token": "0.000015"}}'
QUESTION = {"model": "coder", "messages": [{"role": "user", "content": "Hello?"}]}
# By the request's JSON, at once or later: a document, a list of a stream's events, or a response as it is.
Answer = Callable[[dict[str, Any]], Any]


class Agent:
    """What an agent does with the variables that it is given."""

    def __init__(self, variables: dict[str, str], session: aiohttp.ClientSession) -> None:
        self.variables = variables
        self._session = session

    async def ask(self, key: str = "", path: str = "/chat/completions", **more: Any) -> tuple[int, Any]:
        async with self.post(key, path, **more) as answer:
            return answer.status, await answer.json()

    def post(self, key: str = "", path: str = "/chat/completions", **more: Any) -> Any:
        return self.send("POST", path, key, json=QUESTION | more)

    def send(self, method: str, path: str, key: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {key or self.variables['OPENAI_API_KEY']}"}
        return self._session.request(method, self.variables["OPENAI_API_BASE"] + path, headers=headers, **more)

    async def status(self, path: str = "/chat/completions", **more: Any) -> int:
        """Of an answer that is read to its end."""
        async with self.post(path=path, **more) as answer:
            await answer.read()
            return answer.status

    async def stream(self, **more: Any) -> list[Any]:
        async with self.post(stream=True, **more) as answer:
            return [line async for line in told(answer)]

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.send("GET", path) as answer:
            return answer.status, await answer.json()


async def told(answer: aiohttp.ClientResponse) -> AsyncIterator[Any]:
    """A stream's chunks; [DONE] as it is."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            data = line[6:].strip()
            yield json.loads(data) if data != b"[DONE]" else "[DONE]"


class Server(Protocol):
    @property
    def url(self) -> str: ...


class Scene:
    def __init__(self, llm: Server) -> None:
        self.pool = {"OPENAI_API_BASE": llm.url, "OPENAI_API_KEY": KEY}
        self.budget = Budget()
        self.used = Usage()
        self._open = AsyncExitStack()

    async def agent(self, **pool: str) -> Agent:
        environment = self.pool | pool
        upstream = Upstream.of(environment)
        assert upstream
        meter = Meter(self.budget, Spent(), self.used)
        access = await self._open.enter_async_context(proxied(upstream, meter, environment))
        variables = dict(access.variables)
        return Agent(variables, await self._open.enter_async_context(aiohttp.ClientSession()))

    async def close(self) -> None:
        await self._open.aclose()

    def counted(self) -> tuple[int, int, Decimal, int]:
        return self.used.tokens_in, self.used.tokens_out, self.used.cost, self.used.unmetered_calls


class ModelServer:
    """`answers` by path without /v1, any other is not found. `asked`: method, path with its query, body."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, bytes]] = []
        # A stream stays open after its last word until this is set.
        self.lingers = asyncio.Event()
        self.lingers.set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    async def start(self) -> None:
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    def questions(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.asked]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append((request.method, request.raw_path, body))
        made = self.answers.get(request.path.removeprefix("/v1"))
        if not made:
            return web.json_response({"error": {"message": "no such path"}}, status=404)
        answer = made(_document(body))
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, web.StreamResponse):
            return answer
        if not isinstance(answer, list):
            return web.json_response(answer)
        response = await _stream(request, answer)
        await self.lingers.wait()
        return response


async def _stream(request: web.Request, events: list[Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        name = f"event: {event['type']}\n" if "type" in event else ""
        data = event if isinstance(event, str) else json.dumps(event)
        await response.write(f"{name}data: {data}\n\n".encode())
    return response


def _document(body: bytes) -> dict[str, Any]:
    try:
        return json.loads(body)
    except ValueError:
        return {}


def chat(usage: dict[str, Any] | None) -> Answer:
    """Chat completions that tell this usage, whole or streamed."""
    told = {"usage": usage} if usage else {}

    def answer(question: dict[str, Any]) -> Any:
        if question.get("stream"):
            said = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}
            return [said, {"choices": []} | told, "[DONE]"]
        message = {"role": "assistant", "content": "hi"}
        return {"id": "1", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]} | told

    return answer
