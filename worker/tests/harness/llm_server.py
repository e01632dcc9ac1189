"""An OpenAI-compatible server that gives the answers it was told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
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


class LlmServer:
    def __init__(self) -> None:
        self.port = free_port()
        self.reply = GOOD_EDIT
        self.status = 200
        self.answers = 1000
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        if len(self.asked) > self.answers:
            await asyncio.sleep(60)
        if self.status != 200:
            return web.json_response({"error": {"message": "no such key"}}, status=self.status)
        return web.json_response(
            {
                "id": "1", "object": "chat.completion", "created": 1, "model": self.asked[-1]["model"],
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.reply}}
                ],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }
        )  # fmt: skip
