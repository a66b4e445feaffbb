"""The Chat Completions protocol: https://platform.openai.com/docs/api-reference/chat

It is the field's common tongue, spoken with an accent by everybody: reasoning under two names, content that is null or
a list of chunks, usage in a chunk without choices, errors inside a 200. All of that is accepted here.
"""

import base64
import itertools
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from aix.errors import AixError
from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame, InBandError, parsed
from aix.messages import (
    Event,
    File,
    Finish,
    FinishReason,
    Image,
    Message,
    Part,
    ReasoningDelta,
    Request,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)

FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/chat/completions`. Fields that were not asked for are not sent."""
    schema = request.schema and {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": request.schema},
    }
    body = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        dialect.max_tokens_field: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "reasoning_effort": request.effort,
        "response_format": schema,
        "stream": stream,
        "stream_options": {"include_usage": True} if stream and dialect.stream_options else None,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return Call("POST", "/chat/completions", {**given, **request.extra})


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return _events([body], "message")


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. `[DONE]` or a chunk with a finish_reason ends it; nothing else does."""
    data = itertools.takewhile(lambda data: data != b"[DONE]", (frame.data.strip() for frame in frames))
    return _events((parsed(item) for item in data if item), "delta")


def _events(chunks: Iterable[JSON], part: str) -> Iterator[Event]:
    end = _End()
    try:
        for chunk in chunks:
            _raise_error(chunk)
            end.note(chunk)
            for choice in chunk.get("choices") or []:
                if choice.get("index", 0) == 0:
                    _raise_error(choice)
                    delta = choice.get(part) or choice.get("message") or {}
                    yield from _delta(delta)
                    end.choice(choice, delta)
    except AixError:
        if end.word is None:
            raise  # after the end mark only the usage can be lost, and the answer is whole without it
    if end.word is not None:
        yield end.finish(end.word)


class _End:
    """What is to be said in the Finish; `word` is the provider's finish_reason once it came."""

    def __init__(self) -> None:
        self.word: str | None = None
        self.refusal = ""
        self.usage: Usage | None = None
        self.model = ""
        self.id = ""

    def note(self, chunk: JSON) -> None:
        self.model = chunk.get("model") or self.model
        self.id = chunk.get("id") or self.id
        if usage := chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"):
            self.usage = _usage(usage)

    def choice(self, choice: JSON, delta: JSON) -> None:
        self.word = choice.get("finish_reason") or self.word
        self.refusal += delta.get("refusal") or ""

    def finish(self, word: str) -> Finish:
        if self.refusal:
            return Finish("content_filter", self.usage, self.model, self.id, self.refusal)
        reason = FINISH.get(word, "error")
        return Finish(reason, self.usage, self.model, self.id, word if reason == "error" else "")


def _delta(delta: JSON) -> Iterator[Event]:
    if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
        yield ReasoningDelta(str(reasoning))
    yield from _content(delta.get("content"))
    for position, call in enumerate(delta.get("tool_calls") or []):
        function = call.get("function") or {}
        yield ToolCallDelta(
            index=call.get("index", position),
            arguments=function.get("arguments") or "",
            id=call.get("id") or "",
            name=function.get("name") or "",
        )
    if function := delta.get("function_call"):
        yield ToolCallDelta(0, function.get("arguments") or "", "", function.get("name") or "")


def _content(content: Any) -> Iterator[Event]:
    """Text, null, or a list of chunks of which some are thinking."""
    if isinstance(content, str):
        if content:
            yield TextDelta(content)
        return
    for piece in content or []:
        if piece.get("type") == "thinking":
            thinking = piece.get("thinking")
            texts = [thinking] if isinstance(thinking, str) else [part.get("text", "") for part in thinking or []]
            yield from (ReasoningDelta(text) for text in texts if text)
        elif text := piece.get("text"):
            yield TextDelta(text)


def _usage(usage: JSON) -> Usage:
    """Here input contains what was cached and output contains reasoning already."""
    asked, answered = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    cost = usage.get("cost")
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        cache_read_tokens=asked.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0,
        cache_write_tokens=asked.get("cache_write_tokens") or 0,
        reasoning_tokens=answered.get("reasoning_tokens") or 0,
        reported_cost=Decimal(str(cost)) if isinstance(cost, int | float) else None,
    )


def _raise_error(value: JSON) -> None:
    if value.get("error"):
        raise InBandError(value)


def _message(message: Message) -> dict[str, Any]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    if results:
        return {"role": "tool", "tool_call_id": results[0].id, "content": results[0].content}
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    parts = [part for part in message.parts if isinstance(part, Text | Image | File)]
    plain = all(isinstance(part, Text) for part in parts)
    said: dict[str, Any] = {"role": message.role}
    said["content"] = message.text if plain else [_part(part) for part in parts]
    if calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return said


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(data, media_type):
            return {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}
        case File(data, media_type, name):
            return {"type": "file", "file": {"filename": name, "file_data": data_url(data, media_type)}}
    raise TypeError(part)


def data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
