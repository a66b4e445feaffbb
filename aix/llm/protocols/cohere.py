"""Cohere's Chat protocol, version 2: https://docs.cohere.com/v2/reference/chat

Its options and finish reasons have names of its own; its messages and tools are those of Chat Completions. What a model
says of its plan before it calls a tool is reasoning here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aix.errors import ProviderError
from aix.llm.effort import BUDGET
from aix.llm.parts import chat_call, chat_part, chat_result, is_text, named_text, text_of
from aix.llm.providers import Dialect
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
from aix.llm.wire import count as tokens
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
    in_letters,
)

UNSAID: frozenset[str] = frozenset()
frames = sse

FINISH: Mapping[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_call",
    "ERROR_TOXIC": "content_filter",
}
"""All else is an error with its word kept: ERROR, TIMEOUT, and what is still to come."""


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/v2/chat`. Fields that were not asked for are not sent."""
    body = {
        "model": request.model,
        "messages": [said for message in request.messages for said in _messages(message)],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "seed": request.seed,
        "thinking": _thinking(request.effort) if request.effort else None,
        "response_format": _format(request.schema, dialect.schema) if request.schema else None,
        "stream": stream,
    }
    return Call("POST", "/v2/chat", asked_for(body, request.extra))


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return in_letters(_answered(body))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `message-end` ends it."""
    return in_letters(_streamed(frames))


def count(request: Request, dialect: Dialect) -> Call:  # noqa: ARG001 - every counter is given one
    """One POST to `/v1/tokenize` with all that is text. The model's template around the messages is not in it, so the
    count is a few tokens short for each of them."""
    texts = [text_of(part) for message in request.messages for part in message.parts]
    return Call("POST", "/v1/tokenize", {"text": "\n".join(text for text in texts if text), "model": request.model})


def counted(body: JSON) -> int:
    """How many tokens the answer to `count` lists. Raises ProviderError for one that lists none."""
    if listed := member(body, "tokens", list):
        return len(listed)
    raise ProviderError("the provider did not say how many tokens the text is")


def _answered(body: JSON) -> Iterator[Event]:
    _raise_error(body)
    message = member(body, "message", dict)
    if plan := member(message, "tool_plan", str):
        yield ReasoningDelta(plan)
    yield from (event for piece in _pieces(message) for event in _content(piece))
    for index, call in enumerate(members(message, "tool_calls")):
        yield _call(index, call)
    if body.get("finish_reason"):
        yield _finish(body, label(body, "id"))


def _streamed(frames: Iterable[Frame]) -> Iterator[Event]:
    id_ = ""
    for frame in until_done(frames):
        data = opened(frame)
        delta = member(data, "delta", dict)
        message = member(delta, "message", dict)
        match data.get("type") or frame.event:
            case "message-start":
                id_ = label(data, "id")
            case "message-end":
                yield _finish(delta, label(data, "id") or id_)
                return
            case "content-start" | "content-delta":
                yield from _content(member(message, "content", dict))
            case "tool-plan-delta" if plan := member(message, "tool_plan", str):
                yield ReasoningDelta(plan)
            case "tool-call-start" | "tool-call-delta":
                yield _call(member(data, "index", int), member(message, "tool_calls", dict))
            case _:
                _raise_error(data)


def _raise_error(value: JSON) -> None:
    """Its own errors say what is wrong in `message`, where an answer has an object."""
    if value.get("error") or isinstance(value.get("message"), str):
        raise InBandError(value)


def _pieces(message: JSON) -> list[JSON]:
    """Text, null, or a list of blocks: as blocks."""
    if isinstance(message.get("content"), str):
        return [{"text": message["content"]}]
    return members(message, "content")


def _content(content: JSON) -> Iterator[Event]:
    if thinking := member(content, "thinking", str):
        yield ReasoningDelta(thinking)
    if text := member(content, "text", str):
        yield TextDelta(text)


def _call(index: int, call: JSON) -> ToolCallDelta:
    function = member(call, "function", dict)
    return ToolCallDelta(index, member(function, "arguments", str), member(call, "id", str), label(function, "name"))


def _finish(end: JSON, id_: str) -> Finish:
    word = member(end, "finish_reason", str) or "no finish_reason"
    reason = FINISH.get(word, "error")
    usage, why = figures(end, "usage"), label(end, "error")
    detail = f"{word}: {why}" if why else word
    explained = reason in ("content_filter", "error")
    return Finish(reason, _usage(usage) if usage else None, "", id_, detail if explained else "")


def _usage(usage: JSON) -> Usage:
    """The billed counts, where they are said: the price is on them, and they leave out what Cohere adds to a prompt.
    `tokens`, what the model has seen, stands in for them. Cached ones are of what was seen, so at most all the input.
    """
    billed = asked_for(figures(usage, "billed_units"))
    counts = {**figures(usage, "tokens"), **billed}
    asked = tokens(counts, "input_tokens")
    return Usage(
        input_tokens=asked,
        output_tokens=tokens(counts, "output_tokens"),
        cache_read_tokens=min(asked, tokens(usage, "cached_tokens")),
    )


def _thinking(effort: str) -> dict[str, Any]:
    if effort == "none":
        return {"type": "disabled"}
    budget = {"token_budget": BUDGET[effort]} if effort in BUDGET else {}
    return {"type": "enabled", **budget}


def _format(schema: Mapping[str, Any], way: str) -> dict[str, Any] | None:
    """JSON of that shape, or of any; None where all of it stands in words."""
    shape = {"json_schema": schema} if way == "native" else {}
    return None if way == "words" else {"type": "json_object", **shape}


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    """One message as the protocol's own: each result of a tool is a message here, before what else was said."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    yield from map(chat_result, results)
    parts = [part for part in message.parts if isinstance(part, Text | Image | File)]
    calls = [chat_call(part) for part in message.parts if isinstance(part, ToolCall)]
    if results and not (parts or calls):
        return
    plain = all(isinstance(part, Text) for part in parts)
    content = message.text if plain else [_part(part) for part in parts]
    said = {"role": "user" if message.role == "tool" else message.role, "content": content, "tool_calls": calls}
    yield {name: value for name, value in said.items() if value or (name == "content" and not calls)}


def _part(part: Part) -> dict[str, Any]:
    """As in Chat Completions, but that a text file is text."""
    return chat_part(Text(named_text(part)) if is_text(part) else part)
