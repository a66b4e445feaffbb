"""The Chat Completions protocol: https://platform.openai.com/docs/api-reference/chat

It is the field's common tongue, spoken with an accent by everybody: reasoning under two names, content that is null or
a list of chunks, usage in a chunk without choices, errors inside a 200. All of that is accepted here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aix.errors import AixError
from aix.llm.effort import nearest
from aix.llm.parts import chat_call, chat_part, chat_result
from aix.llm.providers import Dialect
from aix.llm.strict import is_strict
from aix.llm.usage import openai_usage
from aix.llm.wire import (
    JSON,
    Call,
    Frame,
    InBandError,
    asked_for,
    figures,
    label,
    member,
    members,
    opened,
    sse,
    until_done,
)
from aix.messages import (
    Event,
    File,
    Finish,
    FinishReason,
    Image,
    Message,
    ReasoningDelta,
    Request,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
    in_letters,
)

UNSAID: frozenset[str] = frozenset()
frames = sse

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
    body = {
        "model": request.model,
        "messages": [said for message in request.messages for said in _messages(message, dialect.system_role)],
        dialect.max_tokens_field: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        dialect.seed_field: request.seed,
        **(EFFORT.get(dialect.effort, _level)(request.effort) if request.effort else {}),
        "response_format": _response_format(request.schema, dialect.schema) if request.schema else None,
        "stream": stream,
        "stream_options": {"include_usage": True} if stream and dialect.stream_options else None,
    }
    return Call("POST", "/chat/completions", asked_for(body, request.extra))


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return in_letters(_events([body], "message"))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. A finish_reason makes it whole, with or without a `[DONE]`; nothing else does."""
    return in_letters(_events(map(opened, until_done(frames)), "delta"))


def _events(chunks: Iterable[JSON], part: str) -> Iterator[Event]:
    end = _End()
    try:
        for chunk in chunks:
            _raise_error(chunk)
            end.note(chunk)
            for choice in members(chunk, "choices"):
                if not choice.get("index"):
                    _raise_error(choice)
                    delta = member(choice, part, dict) or member(choice, "message", dict)
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
        self.model = label(chunk, "model") or self.model
        self.id = label(chunk, "id") or self.id
        if usage := figures(chunk, "usage") or figures(figures(chunk, "x_groq"), "usage"):
            self.usage = openai_usage(usage, "prompt", "completion")

    def choice(self, choice: JSON, delta: JSON) -> None:
        self.word = member(choice, "finish_reason", str) or self.word
        self.refusal += member(delta, "refusal", str)

    def finish(self, word: str) -> Finish:
        if self.refusal:
            return Finish("content_filter", self.usage, self.model, self.id, self.refusal)
        reason = FINISH.get(word, "error")
        return Finish(reason, self.usage, self.model, self.id, word if reason == "error" else "")


def _delta(delta: JSON) -> Iterator[Event]:
    if reasoning := member(delta, "reasoning_content", str) or member(delta, "reasoning", str):
        yield ReasoningDelta(reasoning)
    for piece in _pieces(delta, "content"):
        if piece.get("type") == "thinking":
            texts = [member(part, "text", str) for part in _pieces(piece, "thinking")]
            yield from (ReasoningDelta(text) for text in texts if text)
        elif text := member(piece, "text", str):
            yield TextDelta(text)
    for position, call in enumerate(members(delta, "tool_calls")):
        index = position if call.get("index") is None else member(call, "index", int)
        yield _call(index, member(call, "function", dict), member(call, "id", str))
    if function := member(delta, "function_call", dict):
        yield _call(0, function)


def _call(index: int, function: JSON, id_: str = "") -> ToolCallDelta:
    return ToolCallDelta(index, member(function, "arguments", str), id_, member(function, "name", str))


def _pieces(value: JSON, name: str) -> list[JSON]:
    """Text, null, or a list of chunks: as chunks."""
    if isinstance(value.get(name), list):
        return members(value, name)
    return [{"type": "text", "text": member(value, name, str)}]


def _raise_error(value: JSON) -> None:
    if value.get("error") or value.get("object") == "error":
        raise InBandError(value)


def _level(effort: str) -> dict[str, Any]:
    return {"reasoning_effort": effort}


def _object(effort: str) -> dict[str, Any]:
    return {"reasoning": {"enabled": False} if effort == "none" else {"effort": effort}}


def _enabled(effort: str) -> dict[str, Any]:
    return {"reasoning": {"enabled": effort != "none"}}


def _thinking(effort: str) -> dict[str, Any]:
    return {"thinking": {"type": "disabled" if effort == "none" else "enabled"}}


def _thinking_and_effort(effort: str) -> dict[str, Any]:
    level = {} if effort == "none" else {"reasoning_effort": nearest(effort, ("high", "max"))}
    return _thinking(effort) | level


EFFORT: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "": _level,
    "object": _object,
    "enabled": _enabled,
    "thinking": _thinking,
    "thinking_and_effort": _thinking_and_effort,
}
"""How it is said how hard to think, by the dialect's `effort`."""


def _response_format(schema: JSON, way: str) -> dict[str, Any] | None:
    """The shape of the answer, by the dialect's `schema`; where only words can say it, they stand in the messages."""
    answer = {"name": "answer", "strict": is_strict(schema), "schema": schema}
    formats: dict[str, dict[str, Any]] = {
        "native": {"type": "json_schema", "json_schema": answer},
        "json_object": {"type": "json_object"},
    }
    return formats.get(way)


def _messages(message: Message, system_role: str) -> Iterator[dict[str, Any]]:
    """One message as the protocol's own: each result of a tool is a message here, before what else was said."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    yield from map(chat_result, results)
    parts = [part for part in message.parts if isinstance(part, Text | Image | File)]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if results and not (parts or calls):
        return
    plain = all(isinstance(part, Text) for part in parts)
    roles = {"tool": "user", "system": system_role}
    said: dict[str, Any] = {"role": roles.get(message.role, message.role)}
    said["content"] = message.text if plain else [chat_part(part) for part in parts]
    if calls:
        said["tool_calls"] = [chat_call(call) for call in calls]
    yield said
