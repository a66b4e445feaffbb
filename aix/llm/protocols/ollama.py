"""Ollama's own protocol: https://docs.ollama.com/api/chat

It is asked natively because only here a request says how large a window the model gets: a server that is not told cuts
a long prompt to its own size and answers the rest.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aix.llm.effort import nearest
from aix.llm.parts import base64_text, is_text, named_text, text_of, tool_names
from aix.llm.providers import Dialect
from aix.llm.wire import (
    JSON,
    Call,
    Frame,
    InBandError,
    arguments_object,
    asked_for,
    count,
    label,
    member,
    members,
    ndjson,
    parsed,
)
from aix.messages import (
    Event,
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

UNSAID: frozenset[str] = frozenset()
frames = ndjson

FINISH: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
"""All else is an error: after `load` and `unload` a model was only moved into memory or out of it."""

LEVELS = ("low", "medium", "high")
"""What some models take for `think`; the others think or do not."""

DENSE = re.compile(r"[^A-Za-z\s]")
SMALLEST_WINDOW = 4096
IMAGE_TOKENS = 1000
ANSWER_TOKENS = 2048
"""What is kept free for an answer on which no limit was set."""


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to `/api/chat`. It streams unless it is told not to, so that is always said."""
    options = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "num_ctx": window(request, dialect),
    }
    names = tool_names(request.messages)
    body = {
        "model": request.model,
        "messages": [said for message in request.messages for said in _messages(message, names)],
        "format": _format(request.schema, dialect.schema) if request.schema else None,
        "think": _think(request.effort, dialect.effort) if request.effort else None,
        "options": asked_for(options),
        "stream": stream,
    }
    return Call("POST", "/api/chat", asked_for(body, request.extra))


def window(request: Request, dialect: Dialect) -> int:
    """How many tokens the model is to hold: as many as the dialect says; else the smallest power of two, from 4,096 up,
    with room for an estimate of the prompt that may be a quarter short, and for the answer."""
    if dialect.num_ctx:
        return dialect.num_ctx
    asked = sum(_estimate(part) for message in request.messages for part in message.parts)
    needed = asked + asked // 4 + (request.max_tokens or ANSWER_TOKENS)
    return max(SMALLEST_WINDOW, 1 << (needed - 1).bit_length())


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: it is a stream of one line."""
    return in_letters(_events([body]))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only a line that says `done` ends it."""
    return in_letters(_events(parsed(frame.data) for frame in frames))


def _events(lines: Iterable[JSON]) -> Iterator[Event]:
    calls = 0
    for line in lines:
        if line.get("error"):
            raise InBandError(line)
        message = member(line, "message", dict)
        if thinking := member(message, "thinking", str):
            yield ReasoningDelta(thinking)
        if text := member(message, "content", str):
            yield TextDelta(text)
        for call in members(message, "tool_calls"):
            yield _call(calls, call)
            calls += 1
        if line.get("done"):
            yield _finish(line, called=calls > 0)
            return


def _call(index: int, call: JSON) -> ToolCallDelta:
    """A call is never in pieces here, and its arguments are an object; the text of one is taken too."""
    function = member(call, "function", dict)
    given = function.get("arguments")
    arguments = given if isinstance(given, str) else _dumped(member(function, "arguments", dict))
    return ToolCallDelta(index, arguments, label(call, "id"), member(function, "name", str))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _finish(line: JSON, *, called: bool) -> Finish:
    """Ollama says `stop` also of a model that waits for its tools; servers that say no reason mean it."""
    word = member(line, "done_reason", str) or "stop"
    reason = FINISH.get(word, "error")
    if called and reason == "stop":
        reason = "tool_call"
    return Finish(reason, _usage(line), label(line, "model"), "", word if reason == "error" else "")


def _usage(line: JSON) -> Usage | None:
    """None where nothing was counted. A prompt that was still in memory may be missing from the counts."""
    asked, answered = count(line, "prompt_eval_count"), count(line, "eval_count")
    return Usage(input_tokens=asked, output_tokens=answered) if asked or answered else None


def _format(schema: Mapping[str, Any], way: str) -> Any:
    return {"native": schema, "json_object": "json"}.get(way)


def _think(effort: str, way: str) -> bool | str:
    if effort == "none":
        return False
    return nearest(effort, LEVELS) if way == "levels" else True


def _messages(message: Message, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One message as the protocol's own: each result of a tool is a message here, before what else was said.

    `names` are those of the tools by the id of their call, as a result knows only that. Files that are no text are
    not said.
    """
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        tool = {"tool_name": names[result.id]} if names.get(result.id) else {}
        yield {"role": "tool", "content": result.content, **tool}
    parts = [part for part in message.parts if not isinstance(part, ToolResult | Reasoning)]
    if results and not parts:
        return
    said = {
        "role": "user" if message.role == "tool" else message.role,
        "content": _content(parts),
        "images": [base64_text(part.data) for part in parts if isinstance(part, Image)],
        "tool_calls": [_tool_call(part) for part in parts if isinstance(part, ToolCall)],
    }
    yield {name: value for name, value in said.items() if value or name == "content"}


def _content(parts: Sequence[Part]) -> str:
    """The texts as one, then each file that is text, under its name."""
    texts = "".join(part.text for part in parts if isinstance(part, Text))
    return "\n\n".join(text for text in (texts, *(named_text(part) for part in parts if is_text(part))) if text)


def _tool_call(call: ToolCall) -> dict[str, Any]:
    return {"function": {"name": call.name, "arguments": arguments_object(call.arguments)}}


def _estimate(part: Part) -> int:
    """How many tokens of the window a part takes, rather too many than too few: four letters of English each, and each
    figure, sign and letter of other scripts one."""
    if isinstance(part, Image):
        return IMAGE_TOKENS
    text = text_of(part)
    plain = len(DENSE.sub("", text))
    return len(text) - plain + (plain + 3) // 4
