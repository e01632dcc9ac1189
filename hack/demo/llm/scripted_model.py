"""A LiteLLM provider that answers from replies.yaml, with tokens counted as for a real model."""
# LiteLLM's own types have gaps.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import json
import uuid
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
class Turn(NamedTuple):
    """One answer: words, and a call of a tool where one is named."""

    say: str
    tool: str = ""
    arguments: str = ""

    def calls(self) -> Conversation:
        function = {"name": self.tool, "arguments": self.arguments}
        return [{"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function}] if self.tool else []


class Entry(NamedTuple):
    when: tuple[str, ...]
    turns: tuple[Turn, ...]

    def fits(self, text: str, tools: set[str]) -> bool:
        return all(part in text for part in self.when) and {turn.tool for turn in self.turns if turn.tool} <= tools


def read_replies(path: Path) -> tuple[Entry, ...]:
    entries = cast(list[dict[str, Any]], yaml.safe_load(path.read_text(encoding="utf-8")))
    return tuple(Entry(tuple(part.lower() for part in entry["when"]), turns_of(entry)) for entry in entries)


def turns_of(entry: dict[str, Any]) -> tuple[Turn, ...]:
    turns = cast(Conversation, entry.get("turns") or [{"say": entry["reply"]}])
    return tuple(Turn(turn["say"], turn.get("tool", ""), json.dumps(turn.get("arguments", {}))) for turn in turns)


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in cast(Conversation, content))


def choose(replies: tuple[Entry, ...], call: dict[str, Any]) -> Turn:
    conversation = cast(Conversation, call["messages"])
    offered = cast(Conversation, (call.get("optional_params") or {}).get("tools") or [])
    tools = {str(tool["function"]["name"]) for tool in offered}
    text = "\n".join(text_of(message) for message in conversation).lower()
    for entry in replies:
        if entry.fits(text, tools):
            answers = sum(message["role"] == "assistant" for message in conversation)
            return entry.turns[min(answers, len(entry.turns) - 1)]
    raise BadRequestError(
        message="no scripted reply fits this request: add one to replies.yaml, or give the proxy OPENAI_API_KEY",
        model="coder",
        llm_provider="scripted",
    )


def usage_of(conversation: Conversation, turn: Turn) -> Usage:
    prompt = litellm.token_counter(model=TOKENIZER, messages=cast(Any, conversation))
    completion = litellm.token_counter(model=TOKENIZER, text=turn.say + turn.tool + turn.arguments)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


class ScriptedModel(CustomLLM):
    def __init__(self, replies: tuple[Entry, ...]) -> None:
        super().__init__()
        self._replies = replies

    def completion(self, *_args: Any, **call: Any) -> ModelResponse:
        turn = choose(self._replies, call)
        response = cast(ModelResponse, call["model_response"])
        message = Message(content=turn.say, role="assistant", tool_calls=turn.calls() or None)
        response.choices = [Choices(finish_reason="tool_calls" if turn.tool else "stop", message=message)]
        response.model = call["model"]
        response.usage = usage_of(call["messages"], turn)  # pyright: ignore[reportAttributeAccessIssue]
        return response

    async def acompletion(self, *args: Any, **call: Any) -> ModelResponse:
        return self.completion(*args, **call)

    def streaming(self, *_args: Any, **call: Any) -> Iterator[GenericStreamingChunk]:
        turn = choose(self._replies, call)
        for line in turn.say.splitlines(keepends=True):
            yield chunk(line)
        for tool_call in turn.calls():
            yield chunk("", tool_use={"index": 0, **tool_call})
        yield chunk("", usage=usage_of(call["messages"], turn), finish_reason="tool_calls" if turn.tool else "stop")

    async def astreaming(self, *args: Any, **call: Any) -> AsyncIterator[GenericStreamingChunk]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for part in self.streaming(*args, **call):
            yield part


def chunk(
    text: str, tool_use: dict[str, Any] | None = None, usage: Usage | None = None, finish_reason: str = ""
) -> GenericStreamingChunk:
    """A piece of the reply; the one with the usage ends it."""
    counts = None if usage is None else cast(Any, usage.model_dump())
    return GenericStreamingChunk(
        text=text,
        is_finished=usage is not None,
        finish_reason=finish_reason,
        usage=counts,
        index=0,
        tool_use=cast(Any, tool_use),
    )


scripted_model = ScriptedModel(read_replies(Path(__file__).with_name("replies.yaml")))
