"""The Anthropic Messages protocol: https://platform.claude.com/docs/en/api/messages"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aix.llm.effort import BUDGET, nearest
from aix.llm.parts import base64_text
from aix.llm.providers import Dialect
from aix.llm.wire import (
    JSON,
    Call,
    Frame,
    InBandError,
    arguments_object,
    asked_for,
    figures,
    label,
    member,
    members,
    needed_count,
    parsed,
    sse,
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
    Reasoning,
    ReasoningDelta,
    Request,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
    in_letters,
    system_text,
)

UNSAID: frozenset[str] = frozenset({"seed"})
frames = sse

VERSION = {"anthropic-version": "2023-06-01"}
"""The version that every compatible server knows; a provider row may ask for another in its headers."""

FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}

LEVELS = ("low", "medium", "high", "xhigh", "max")
"""The levels for which the protocol has a word."""

LEAST_BUDGET = 1024
"""The tokens with which it can think at all."""

COUNTED = ("model", "messages", "system", "thinking", "output_config", "tools", "tool_choice", "cache_control")
"""The fields that bear on how many tokens a request is."""


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/v1/messages`. The protocol must have max_tokens; all else is sent only when it was asked for."""
    return Call("POST", "/v1/messages", _body(request, dialect, stream=stream), VERSION)


def count(request: Request, dialect: Dialect) -> Call:
    """One POST to `/v1/messages/count_tokens`."""
    body = _body(request, dialect, stream=False)
    return Call("POST", "/v1/messages/count_tokens", {name: body[name] for name in COUNTED if name in body}, VERSION)


def counted(body: JSON) -> int:
    """How many tokens it says the request is. Raises ProviderError."""
    return needed_count(body, "input_tokens")


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return in_letters(_answered(body))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `message_stop` ends it."""
    return in_letters(_streamed(frames))


def _answered(body: JSON) -> Iterator[Event]:
    if body.get("type") == "error" or body.get("error"):
        raise InBandError(body)
    end = _End()
    end.message(body)
    for index, block in enumerate(members(body, "content")):
        yield from _block(index, block)
    if body.get("stop_reason"):
        yield end.finish()


def _streamed(frames: Iterable[Frame]) -> Iterator[Event]:
    end, kinds = _End(), dict[int, Any]()
    for frame in frames:
        data = parsed(frame.data.strip() or b"{}")
        index = member(data, "index", int)
        match data.get("type") or frame.event:
            case "message_start":
                end.message(member(data, "message", dict))
            case "content_block_start":
                block = member(data, "content_block", dict)
                kinds[index] = block.get("type")
                yield from _block(index, block, starting=True)
            case "content_block_delta":
                yield from _delta(index, member(data, "delta", dict), kinds.get(index))
            case "message_delta":
                end.message({**member(data, "delta", dict), "usage": data.get("usage")})
            case "message_stop":
                yield end.finish()
                return
            case "error":
                raise InBandError(data)
            case _ if data.get("error") or frame.event == "error":  # servers of other makers have their own envelope
                raise InBandError(data)


class _End:
    """What is to be said in the Finish. Counts are cumulative, and may come early, late or twice: the last holds."""

    def __init__(self) -> None:
        self._word = ""
        self._details: Mapping[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._model = ""
        self._id = ""

    def message(self, message: JSON) -> None:
        self._model = label(message, "model") or self._model
        self._id = label(message, "id") or self._id
        self._word = member(message, "stop_reason", str) or self._word
        self._details = figures(message, "stop_details") or self._details
        self._counts |= {name: figure for name, figure in figures(message, "usage").items() if figure}

    def finish(self) -> Finish:
        reason = FINISH.get(self._word, "error")
        detail = label(self._details, "explanation") or label(self._details, "category")
        word = self._word or "no stop_reason"
        return Finish(reason, self._usage(), self._model, self._id, detail or (word if reason == "error" else ""))

    def _usage(self) -> Usage | None:
        """Input tokens leave out what was cached here, so the three are added."""
        if not self._counts:
            return None
        read = tokens(self._counts, "cache_read_input_tokens")
        written = tokens(self._counts, "cache_creation_input_tokens")
        details = figures(self._counts, "output_tokens_details")
        return Usage(
            input_tokens=tokens(self._counts, "input_tokens") + read + written,
            output_tokens=tokens(self._counts, "output_tokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=tokens(details, "thinking_tokens") or tokens(details, "reasoning_tokens"),
        )


def longest(request: Request, dialect: Dialect) -> int:
    """How many tokens the answer may have: the protocol wants that to be said."""
    return _max_tokens(request.max_tokens or dialect.default_max_tokens, _thinking(request, dialect))


def _thinking(request: Request, dialect: Dialect) -> dict[str, Any]:
    return EFFORT.get(dialect.effort, _adaptive)(request.effort) if request.effort else {}


def _body(request: Request, dialect: Dialect, *, stream: bool) -> dict[str, Any]:
    thinking = _thinking(request, dialect)
    shape = {"type": "json_schema", "schema": request.schema} if request.schema and dialect.schema == "native" else None
    output = {"format": shape, **thinking.get("output_config", {})}
    body = {
        "model": request.model,
        "max_tokens": longest(request, dialect),
        "system": system_text(request.messages) or None,
        "messages": [_message(message) for message in request.messages if message.role != "system"],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "thinking": thinking.get("thinking"),
        "output_config": {name: value for name, value in output.items() if value} or None,
        "stream": stream,
    }
    return asked_for(body, request.extra)


def _adaptive(effort: str) -> dict[str, Any]:
    """The model thinks as much as it needs, within a level. It has no word for "none", and does not think unasked."""
    if effort == "none":
        return {}
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": nearest(effort, LEVELS)}}


def _budget(effort: str) -> dict[str, Any]:
    """Models from before that are told how many tokens they may think."""
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled", "budget_tokens": max(LEAST_BUDGET, BUDGET.get(effort, LEAST_BUDGET))}}


EFFORT: Mapping[str, Callable[[str], dict[str, Any]]] = {"": _adaptive, "budget": _budget}
"""How it is said how hard to think, by the dialect's `effort`."""


def _max_tokens(asked: int, thinking: Mapping[str, Any]) -> int:
    """What was asked for; above it what goes to thinking, where that would leave nothing to answer with."""
    budget: int = thinking.get("thinking", {}).get("budget_tokens", 0)
    return asked if asked > budget else asked + budget


def _block(index: int, block: JSON, *, starting: bool = False) -> Iterator[Event]:
    """A content block: whole in a plain answer; at the start of a streamed one it is empty but for a tool's name."""
    match block.get("type"):
        case "text" if text := member(block, "text", str):
            yield TextDelta(text)
        case "thinking" if text := member(block, "thinking", str):
            yield ReasoningDelta(text)
        case "tool_use":
            given = member(block, "input", dict)
            arguments = "" if starting and not given else json.dumps(given, ensure_ascii=False, separators=(",", ":"))
            yield ToolCallDelta(index, arguments, member(block, "id", str), member(block, "name", str))


def _delta(index: int, delta: JSON, kind: Any) -> Iterator[Event]:
    """A piece of a block of that kind: the provider's own tools have input too, and are not for us to call."""
    match delta.get("type"):
        case "text_delta" if text := member(delta, "text", str):
            yield TextDelta(text)
        case "thinking_delta" if text := member(delta, "thinking", str):
            yield ReasoningDelta(text)
        case "input_json_delta" if kind == "tool_use" and (text := member(delta, "partial_json", str)):
            yield ToolCallDelta(index, text)


def _message(message: Message) -> dict[str, Any]:
    role = "user" if message.role == "tool" else message.role
    parts = [part for part in message.parts if not isinstance(part, Reasoning)]
    plain = all(isinstance(part, Text) for part in parts)
    return {"role": role, "content": message.text if plain else [_part(part) for part in parts]}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(data, media_type):
            return {"type": "image", "source": _source(data, media_type)}
        case File(data, media_type, name):
            return {"type": "document", "source": _document(data, media_type), "title": name}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_use", "id": id_, "name": name, "input": arguments_object(arguments)}
        case ToolResult(id_, content):
            return {"type": "tool_result", "tool_use_id": id_, "content": content}
    raise TypeError(part)


def _source(data: bytes, media_type: str) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64_text(data)}


def _document(data: bytes, media_type: str) -> dict[str, str]:
    """Text goes as text: what is encoded it takes of PDF alone."""
    if media_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": data.decode("utf-8", "replace")}
    return _source(data, media_type)
