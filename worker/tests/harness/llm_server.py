"""An OpenAI-compatible server that gives the answers it was told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from .ports import free_port

GOOD_EDIT = """I set the answer.

answer.py
```python
<<<<<<< SEARCH
ANSWER = 0
=======
ANSWER = 42
>>>>>>> REPLACE
```
"""
EDIT_THAT_MATCHES_NOTHING = GOOD_EDIT.replace("ANSWER = 0", "QUESTION = 7")
ONLY_WORDS = "There is nothing to do here."
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


Message = dict[str, Any]


def words(text: str) -> Message:
    return {"role": "assistant", "content": text}


def call(tool: str, say: str = "", **arguments: Any) -> Message:
    """The model wants a tool to be run."""
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return words(say) | {"tool_calls": [{"id": "call_1", "type": "function", "function": function}]}


class LlmServer:
    """`turns`, where given, come instead of `reply`: the next after each answer, and the last for ever."""

    def __init__(self) -> None:
        self.port = free_port()
        self.reply = GOOD_EDIT
        self.turns: list[Message] = []
        self.status = 200
        self.answers = 1000
        # What the server says of a call: LiteLLM's header, and the tokens.
        self.cost = ""
        self.tells_tokens = True
        # A stream waits for this before its last word.
        self.gate = asyncio.Event()
        self.gate.set()
        # Seconds that a stream stays open after its last word.
        self.lingers = 0.0
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.traceparents: list[str] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        application = web.Application(client_max_size=2**24)
        for path in ("/v1/chat/completions", "/chat/completions", "/v1/responses"):
            application.router.add_post(path, self._answer)
        application.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        self.traceparents.append(request.headers.get("traceparent", ""))
        if len(self.asked) > self.answers:
            await asyncio.sleep(60)
        if self.status != 200:
            return web.json_response({"error": {"message": "no such key"}}, status=self.status)
        if self.asked[-1].get("stream"):
            return await self._stream(request, self._turn() if self.turns else None)
        message = self._turn()
        finish = "tool_calls" if "tool_calls" in message else "stop"
        usage = {"usage": USAGE} if self.tells_tokens else {}
        return web.json_response(
            usage
            | {
                "id": "1", "object": "chat.completion", "created": 1, "model": self.asked[-1]["model"],
                "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            },
            headers={"x-litellm-response-cost": self.cost} if self.cost else {},
        )  # fmt: skip

    def _turn(self) -> Message:
        given = sum(message["role"] == "assistant" for message in self.asked[-1]["messages"])
        return self.turns[min(given, len(self.turns) - 1)] if self.turns else words(self.reply)

    async def _stream(self, request: web.Request, turn: Message | None) -> web.StreamResponse:
        """Tells its tokens only when asked to, in a chunk with nothing else, as LiteLLM does."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first, last = _parts(turn) if turn else ({"content": "Hel"}, {"content": "lo"})
        await _send(response, {"choices": [{"index": 0, "delta": first}]})
        await self.gate.wait()
        finish = "tool_calls" if "tool_calls" in last else "stop"
        await _send(response, {"choices": [{"index": 0, "delta": last, "finish_reason": finish}]})
        if (self.asked[-1].get("stream_options") or {}).get("include_usage") and self.tells_tokens:
            await _send(response, {"choices": [{"index": 0, "delta": {}}], "usage": USAGE})
        await response.write(b"data: [DONE]\n\n")
        await asyncio.sleep(self.lingers)
        return response


def _parts(turn: Message) -> tuple[Message, Message]:
    """Its words, then its calls."""
    calls = [{"index": index} | made for index, made in enumerate(turn.get("tool_calls") or [])]
    return words(turn["content"]), {"tool_calls": calls} if calls else {}


async def _send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
