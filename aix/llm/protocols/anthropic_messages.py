"""The Anthropic Messages protocol: https://platform.claude.com/docs/en/api/messages"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
    Reasoning,
    ReasoningDelta,
    Request,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)

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
    output = {"format": request.schema and {"type": "json_schema", "schema": request.schema}, "effort": request.effort}
    body = {
        "model": request.model,
        "max_tokens": request.max_tokens or dialect.default_max_tokens,
        "system": "\n\n".join(message.text for message in request.messages if message.role == "system") or None,
        "messages": [_message(message) for message in request.messages if message.role != "system"],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "thinking": {"type": "adaptive"} if request.effort and request.effort != "none" else None,
        "output_config": {name: value for name, value in output.items() if value} or None,
        "stream": stream,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return Call("POST", "/v1/messages", {**given, **request.extra}, VERSION)


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    if body.get("type") == "error" or body.get("error"):
        raise InBandError(body)
    end = _End()
    end.message(body)
    for index, block in enumerate(body.get("content") or []):
        yield from _block(index, block)
    if body.get("stop_reason"):
        yield end.finish()


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `message_stop` ends it."""
    end = _End()
    for frame in frames:
        data = parsed(frame.data)
        match data.get("type") or frame.event:
            case "message_start":
                end.message(data.get("message") or {})
            case "content_block_start":
                yield from _block(data.get("index", 0), data.get("content_block") or {}, starting=True)
            case "content_block_delta":
                yield from _delta(data.get("index", 0), data.get("delta") or {})
            case "message_delta":
                end.message({**(data.get("delta") or {}), "usage": data.get("usage")})
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
        self._model = message.get("model") or self._model
        self._id = message.get("id") or self._id
        self._word = message.get("stop_reason") or self._word
        self._details = message.get("stop_details") or self._details
        self._counts |= {name: count for name, count in (message.get("usage") or {}).items() if count}

    def finish(self) -> Finish:
        reason = FINISH.get(self._word, "error")
        detail = str(self._details.get("explanation") or self._details.get("category") or "")
        word = self._word or "no stop_reason"
        return Finish(reason, self._usage(), self._model, self._id, detail or (word if reason == "error" else ""))

    def _usage(self) -> Usage | None:
        """Input tokens leave out what was cached here, so the three are added."""
        if not self._counts:
            return None
        read = self._counts.get("cache_read_input_tokens", 0)
        written = self._counts.get("cache_creation_input_tokens", 0)
        details = self._counts.get("output_tokens_details") or {}
        return Usage(
            input_tokens=self._counts.get("input_tokens", 0) + read + written,
            output_tokens=self._counts.get("output_tokens", 0),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=details.get("thinking_tokens") or details.get("reasoning_tokens") or 0,
        )


def _block(index: int, block: JSON, *, starting: bool = False) -> Iterator[Event]:
    """A content block: whole in a plain answer; at the start of a streamed one it is empty but for a tool's name."""
    match block.get("type"):
        case "text" if block.get("text"):
            yield TextDelta(block["text"])
        case "thinking" if block.get("thinking"):
            yield ReasoningDelta(block["thinking"])
        case "tool_use":
            arguments = (
                "" if starting and not block.get("input") else json.dumps(block.get("input") or {}, ensure_ascii=False)
            )
            yield ToolCallDelta(index, arguments, block.get("id") or "", block.get("name") or "")


def _delta(index: int, delta: JSON) -> Iterator[Event]:
    match delta.get("type"):
        case "text_delta" if delta.get("text"):
            yield TextDelta(delta["text"])
        case "thinking_delta" if delta.get("thinking"):
            yield ReasoningDelta(delta["thinking"])
        case "input_json_delta" if delta.get("partial_json"):
            yield ToolCallDelta(index, delta["partial_json"])


def _message(message: Message) -> dict[str, Any]:
    role = "user" if message.role == "tool" else message.role
    if all(isinstance(part, Text) for part in message.parts):
        return {"role": role, "content": message.text}
    return {"role": role, "content": [_part(part) for part in message.parts if not isinstance(part, Reasoning)]}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(data, media_type):
            return {"type": "image", "source": _source(data, media_type)}
        case File(data, media_type, name):
            return {"type": "document", "source": _source(data, media_type), "title": name}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_use", "id": id_, "name": name, "input": parsed(arguments.encode() or b"{}")}
        case ToolResult(id_, content):
            return {"type": "tool_result", "tool_use_id": id_, "content": content}
    raise TypeError(part)


def _source(data: bytes, media_type: str) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
