"""The Anthropic Messages protocol: https://platform.claude.com/docs/en/api/messages"""

import base64
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame, InBandError, count, label, member, members, parsed, sse
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


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/v1/messages`. The protocol must have max_tokens; all else is sent only when it was asked for."""
    effort = None if request.effort == "none" else request.effort
    output = {"format": request.schema and {"type": "json_schema", "schema": request.schema}, "effort": effort}
    body = {
        "model": request.model,
        "max_tokens": request.max_tokens or dialect.default_max_tokens,
        "system": "\n\n".join(message.text for message in request.messages if message.role == "system") or None,
        "messages": [_message(message) for message in request.messages if message.role != "system"],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "thinking": {"type": "adaptive"} if effort else None,
        "output_config": {name: value for name, value in output.items() if value} or None,
        "stream": stream,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return Call("POST", "/v1/messages", {**given, **request.extra}, VERSION)


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
            case _ if data.get("error"):  # some servers of other makers send their own envelope
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
        self._details = member(message, "stop_details", dict) or self._details
        self._counts |= {name: figure for name, figure in member(message, "usage", dict).items() if figure}

    def finish(self) -> Finish:
        reason = FINISH.get(self._word, "error")
        detail = label(self._details, "explanation") or label(self._details, "category")
        word = self._word or "no stop_reason"
        return Finish(reason, self._usage(), self._model, self._id, detail or (word if reason == "error" else ""))

    def _usage(self) -> Usage | None:
        """Input tokens leave out what was cached here, so the three are added."""
        if not self._counts:
            return None
        read = count(self._counts, "cache_read_input_tokens")
        written = count(self._counts, "cache_creation_input_tokens")
        details = member(self._counts, "output_tokens_details", dict)
        return Usage(
            input_tokens=count(self._counts, "input_tokens") + read + written,
            output_tokens=count(self._counts, "output_tokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=count(details, "thinking_tokens") or count(details, "reasoning_tokens"),
        )


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
            return {"type": "document", "source": _source(data, media_type), "title": name}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_use", "id": id_, "name": name, "input": _input(arguments)}
        case ToolResult(id_, content):
            return {"type": "tool_result", "tool_use_id": id_, "content": content}
    raise TypeError(part)


def _input(arguments: str) -> dict[str, Any]:
    """The object that a tool was called with. What else a model may have written goes back as text in one."""
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(arguments or "{}")
        if isinstance(value, dict) and json.dumps(value, allow_nan=False):
            return value
    return {"arguments": arguments}


def _source(data: bytes, media_type: str) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
