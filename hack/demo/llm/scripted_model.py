"""A LiteLLM provider that answers from replies.yaml, with tokens counted as for a real model."""
# LiteLLM's own types have gaps.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import litellm
import yaml
from litellm.exceptions import BadRequestError
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import Choices, GenericStreamingChunk, Message, ModelResponse, Usage

TOKENIZER = "gpt-4o"
Conversation = list[dict[str, Any]]


# No dataclass: LiteLLM loads this file without naming it in sys.modules, where a dataclass looks itself up.
class Reply(NamedTuple):
    when: tuple[str, ...]
    text: str


def read_replies(path: Path) -> tuple[Reply, ...]:
    entries = cast(list[dict[str, Any]], yaml.safe_load(path.read_text(encoding="utf-8")))
    return tuple(Reply(tuple(part.lower() for part in entry["when"]), entry["reply"]) for entry in entries)


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in cast(Conversation, content))


def choose(replies: tuple[Reply, ...], conversation: Conversation) -> str:
    text = "\n".join(text_of(message) for message in conversation).lower()
    for reply in replies:
        if all(part in text for part in reply.when):
            return reply.text
    raise BadRequestError(
        message="no scripted reply fits this request: add one to replies.yaml, or give the proxy OPENAI_API_KEY",
        model="coder",
        llm_provider="scripted",
    )


def usage_of(conversation: Conversation, reply: str) -> Usage:
    prompt = litellm.token_counter(model=TOKENIZER, messages=cast(Any, conversation))
    completion = litellm.token_counter(model=TOKENIZER, text=reply)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


class ScriptedModel(CustomLLM):
    def __init__(self, replies: tuple[Reply, ...]) -> None:
        super().__init__()
        self._replies = replies

    def completion(self, *_args: Any, **call: Any) -> ModelResponse:
        reply = choose(self._replies, call["messages"])
        response = cast(ModelResponse, call["model_response"])
        response.choices = [Choices(finish_reason="stop", message=Message(content=reply, role="assistant"))]
        response.model = call["model"]
        response.usage = usage_of(call["messages"], reply)  # pyright: ignore[reportAttributeAccessIssue]
        return response

    async def acompletion(self, *args: Any, **call: Any) -> ModelResponse:
        return self.completion(*args, **call)

    def streaming(self, *_args: Any, **call: Any) -> Iterator[GenericStreamingChunk]:
        reply = choose(self._replies, call["messages"])
        usage = usage_of(call["messages"], reply)
        for line in reply.splitlines(keepends=True):
            yield chunk(line)
        yield chunk("", usage)

    async def astreaming(self, *args: Any, **call: Any) -> AsyncIterator[GenericStreamingChunk]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for part in self.streaming(*args, **call):
            yield part


def chunk(text: str, usage: Usage | None = None) -> GenericStreamingChunk:
    """A piece of the reply; the one with the usage ends it."""
    counts = None if usage is None else cast(Any, usage.model_dump())
    return GenericStreamingChunk(
        text=text,
        is_finished=usage is not None,
        finish_reason="stop" if usage is not None else "",
        usage=counts,
        index=0,
        tool_use=None,
    )


scripted_model = ScriptedModel(read_replies(Path(__file__).with_name("replies.yaml")))
