"""The Responses protocol: https://platform.openai.com/docs/api-reference/responses

Its events are told apart by the `type` in their JSON, and by the name of the frame where that is missing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from aix.llm.parts import data_url
from aix.llm.protocols.responses_answer import Answer
from aix.llm.providers import Dialect
from aix.llm.strict import is_strict
from aix.llm.wire import JSON, Call, Frame, InBandError, asked_for, member, needed_count, opened, sse, until_done
from aix.messages import (
    Event,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    ToolCall,
    ToolResult,
    in_letters,
    system_text,
)

UNSAID: frozenset[str] = frozenset({"stop", "seed"})
frames = sse

COUNTED = ("model", "input", "instructions", "reasoning", "text", "tools", "tool_choice", "truncation")
"""The fields that bear on how many tokens a request is."""


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/responses`, of which the provider is to keep nothing."""
    return Call("POST", "/responses", _body(request, dialect, stream=stream))


def count(request: Request, dialect: Dialect) -> Call:
    """One POST to `/responses/input_tokens`."""
    body = _body(request, dialect, stream=False)
    return Call("POST", "/responses/input_tokens", {name: body[name] for name in COUNTED if name in body})


def counted(body: JSON) -> int:
    """How many tokens it says the request is. Raises ProviderError."""
    return needed_count(body, "input_tokens")


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return in_letters(Answer().whole(body))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `response.completed` and `response.incomplete` end it."""
    return in_letters(_streamed(frames))


def _streamed(frames: Iterable[Frame]) -> Iterator[Event]:
    answer = Answer()
    for frame in until_done(frames):
        data = opened(frame)
        kind = data.get("type") or frame.event
        if kind == "error" or data.get("error"):
            raise InBandError(data)
        match kind:
            case "response.completed" | "response.incomplete" | "response.failed":
                yield from answer.last(member(data, "response", dict), kind.removeprefix("response."))
                return
            case "response.created" | "response.in_progress" | "response.queued":
                answer.note(member(data, "response", dict))
            case _:
                yield from answer.event(kind, data)


def _body(request: Request, dialect: Dialect, *, stream: bool) -> dict[str, Any]:
    body = {
        "model": request.model,
        "instructions": system_text(request.messages) or None,
        "input": [item for message in request.messages if message.role != "system" for item in _items(message)],
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "reasoning": _reasoning(request.effort) if request.effort else None,
        "text": _format(request.schema, dialect.schema) if request.schema else None,
        "store": False,
        "stream": stream,
    }
    return asked_for(body, request.extra)


def _reasoning(effort: str) -> dict[str, str]:
    return {"effort": effort} if effort == "none" else {"effort": effort, "summary": "auto"}


def _format(schema: JSON, way: str) -> dict[str, Any] | None:
    """The shape of the answer, by the dialect's `schema`; where only words can say it, they stand in the messages."""
    answer = {"type": "json_schema", "name": "answer", "strict": is_strict(schema), "schema": schema}
    formats: dict[str, dict[str, Any]] = {"native": answer, "json_object": {"type": "json_object"}}
    return {"format": formats[way]} if way in formats else None


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """One message as items: each result of a tool is one, then what was said, then each call of a tool."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield {"type": "function_call_output", "call_id": part.id, "output": part.content}
    parts = [part for part in message.parts if isinstance(part, Text | Image | File)]
    if parts or all(isinstance(part, Reasoning) for part in message.parts):
        yield _said("user" if message.role == "tool" else message.role, parts)
    for part in message.parts:
        if isinstance(part, ToolCall):
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments}


def _said(role: str, parts: list[Text | Image | File]) -> dict[str, Any]:
    texts = [part.text for part in parts if isinstance(part, Text)]
    plain = len(texts) == len(parts)
    return {"role": role, "content": "".join(texts) if plain else [_part(part, role) for part in parts]}


def _part(part: Part, role: str) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
        case Image(data, media_type):
            return {"type": "input_image", "image_url": data_url(data, media_type), "detail": "auto"}  # vLLM needs it
        case File(data, media_type, name):
            return {"type": "input_file", "filename": name, "file_data": data_url(data, media_type)}
    raise TypeError(part)
