"""The Gemini protocol: https://ai.google.dev/api/generate-content

A stream is a row of plain answers that each add to the one before, so one way of reading serves both. Whether the model
thinks or calls a tool is told by what a part holds, not by a type; a call may come without an id.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from aix.errors import AixError
from aix.llm.effort import BUDGET, nearest
from aix.llm.parts import base64_text, tool_names
from aix.llm.providers import Dialect
from aix.llm.usage import whole
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

UNSAID: frozenset[str] = frozenset()
frames = sse

COLLECTIONS = ("models", "tunedModels")
"""Where models are; an id that names one of these is kept as it is."""

FINISH: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
            *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
        ),
        "content_filter",
    ),
}
"""All else is an error with its word kept: OTHER, MALFORMED_FUNCTION_CALL, and what is still to come."""

UNSPECIFIED = frozenset({"FINISH_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})
"""Words for nothing, which some servers write where others leave the field out."""

LEVELS = ("minimal", "low", "medium", "high", "xhigh")
"""The levels for which the protocol has a word."""


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST to the model's own address, which says whether the answer is streamed."""
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return Call("POST", f"/v1beta/{_model(request.model)}:{verb}", _body(request, dialect))


def count(request: Request, dialect: Dialect) -> Call:
    """One POST to the model's `countTokens`, with all that would be sent."""
    body = {"model": _model(request.model, quoted=False), **_body(request, dialect)}
    return Call("POST", f"/v1beta/{_model(request.model)}:countTokens", {"generateContentRequest": body})


def counted(body: JSON) -> int:
    """How many tokens it says the request is. Raises ProviderError."""
    return needed_count(body, "totalTokens")


def decode(body: JSON) -> Iterator[Event]:
    """The events of a plain answer: they are the ones that the same answer would have streamed."""
    return in_letters(_events([body]))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. A finishReason makes it whole, or a word that the prompt is blocked; nothing else."""
    return in_letters(_events(map(opened, until_done(frames))))


def _events(chunks: Iterable[JSON]) -> Iterator[Event]:
    end = _End()
    try:
        for chunk in chunks:
            if chunk.get("error"):
                raise InBandError(chunk)
            end.note(chunk)
            for candidate in members(chunk, "candidates"):
                if not candidate.get("index"):
                    parts = members(member(candidate, "content", dict), "parts")
                    yield from (event for part in parts for event in _said(part, end))
                    end.candidate(candidate)
    except AixError:
        if not end.word:
            raise  # after the end mark only the usage can be lost, and the answer is whole without it
    if end.word:
        yield end.finish()


class _End:
    """What is to be said in the Finish; `word` is the provider's own for why it ended. Counts are cumulative."""

    def __init__(self) -> None:
        self.word = ""
        self.calls = 0
        self._detail = ""
        self._blocked = False
        self._counts: dict[str, Any] = {}
        self._model = ""
        self._id = ""

    def note(self, chunk: JSON) -> None:
        self._model = label(chunk, "modelVersion") or self._model
        self._id = label(chunk, "responseId") or self._id
        self._counts |= {name: figure for name, figure in figures(chunk, "usageMetadata").items() if figure}
        feedback = figures(chunk, "promptFeedback")
        if word := _word(feedback, "blockReason"):
            self.word, self._blocked, self._detail = word, True, label(feedback, "blockReasonMessage")

    def candidate(self, candidate: JSON) -> None:
        if word := _word(candidate, "finishReason"):
            self.word, self._detail = word, label(candidate, "finishMessage")

    def finish(self) -> Finish:
        reason = "content_filter" if self._blocked else FINISH.get(self.word.upper(), "error")
        if reason == "stop" and self.calls:
            reason = "tool_call"
        explained = reason in ("content_filter", "error")
        return Finish(reason, self._usage(), self._model, self._id, (self._detail or self.word) if explained else "")

    def _usage(self) -> Usage | None:
        """Input contains what was cached already; what was thought is counted beside the output, and added to it."""
        if not self._counts:
            return None
        thought, read = (tokens(self._counts, f"{name}TokenCount") for name in ("thoughts", "cachedContent"))
        given = tokens(self._counts, "promptTokenCount") + tokens(self._counts, "toolUsePromptTokenCount")
        return Usage(
            input_tokens=whole(given, read),
            output_tokens=tokens(self._counts, "candidatesTokenCount") + thought,
            cache_read_tokens=read,
            reasoning_tokens=thought,
        )


def _word(value: JSON, name: str) -> str:
    word = member(value, name, str)
    return "" if word in UNSPECIFIED else word


def _said(part: JSON, end: _End) -> Iterator[Event]:
    """What a part says: the words of a tool that the provider itself ran are not for us."""
    if text := member(part, "text", str):
        yield ReasoningDelta(text) if part.get("thought") else TextDelta(text)
    if call := member(part, "functionCall", dict):
        arguments = json.dumps(member(call, "args", dict), ensure_ascii=False, separators=(",", ":"))
        yield ToolCallDelta(end.calls, arguments, member(call, "id", str), member(call, "name", str))
        end.calls += 1


def _model(name: str, *, quoted: bool = True) -> str:
    """The path of a model. Its id is one step of it, whatever stands in the id."""
    collection, slash, rest = name.partition("/")
    place, id_ = (collection, rest) if slash and collection in COLLECTIONS else (COLLECTIONS[0], name)
    return f"{place}/{quote(id_, safe='', errors='replace') if quoted else id_}"


def _body(request: Request, dialect: Dialect) -> dict[str, Any]:
    system = system_text(request.messages)
    names = tool_names(request.messages)
    body = {
        "systemInstruction": {"parts": [{"text": system}]} if system else None,
        "contents": [_content(message, names) for message in request.messages if message.role != "system"],
        "generationConfig": _options(request, dialect) or None,
    }
    return asked_for(body, request.extra)


def _options(request: Request, dialect: Dialect) -> dict[str, Any]:
    options = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
        "seed": request.seed,
        **(_shape(request.schema, dialect.schema) if request.schema else {}),
        "thinkingConfig": EFFORT.get(dialect.effort, _level)(request.effort) if request.effort else None,
    }
    return asked_for(options)


def _shape(schema: JSON, way: str) -> dict[str, Any]:
    """The shape of the answer, by the dialect's `schema`; where only words can say it, they stand in the messages."""
    kind = {"responseMimeType": "application/json"}
    ways: dict[str, dict[str, Any]] = {"native": {**kind, "responseJsonSchema": schema}, "json_object": kind}
    return ways.get(way, {})


def _level(effort: str) -> dict[str, Any]:
    if effort == "none":
        return {"thinkingBudget": 0}
    return {"thinkingLevel": nearest(effort, LEVELS).upper(), "includeThoughts": True}


def _budget(effort: str) -> dict[str, Any]:
    """Models from before that are told how many tokens they may think; -1 leaves it to them."""
    if effort == "none":
        return {"thinkingBudget": 0}
    return {"thinkingBudget": BUDGET.get(effort, -1), "includeThoughts": True}


EFFORT: Mapping[str, Callable[[str], dict[str, Any]]] = {"": _level, "level": _level, "budget": _budget}
"""How it is said how hard to think, by the dialect's `effort`."""


def _content(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    """One message; `names` are those of the tools that were called, by the id of the call."""
    parts = [_part(part, names) for part in message.parts if not isinstance(part, Reasoning)]
    return {"role": "model" if message.role == "assistant" else "user", "parts": parts or [{"text": ""}]}


def _part(part: Part, names: Mapping[str, str]) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"text": text}
        case Image(data, media_type) | File(data, media_type):
            return {"inlineData": {"mimeType": media_type, "data": base64_text(data)}}
        case ToolCall(id_, name, arguments):
            return {"functionCall": _with_id(id_, {"name": name, "args": arguments_object(arguments)})}
        case ToolResult(id_, content):
            result = {"name": names.get(id_, id_), "response": _result(content)}
            return {"functionResponse": _with_id(id_, result)}
    raise TypeError(part)


def _with_id(id_: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": id_, **value} if id_ else value


def _result(content: str) -> dict[str, Any]:
    """What a tool answered, as the object that it must be."""
    value = arguments_object(content)
    return {"output": content} if value == {"arguments": content} or not content else value
