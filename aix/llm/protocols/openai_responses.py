"""The Responses protocol: https://platform.openai.com/docs/api-reference/responses

Its events are told apart by the `type` in their JSON, and by the name of the frame where that is missing. Places in the
answer have numbers, which some servers leave out: then a call is known by its id.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aix.llm.protocols.openai_chat import data_url, is_strict
from aix.llm.providers import Dialect
from aix.llm.wire import (
    JSON,
    Call,
    Frame,
    InBandError,
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
)

UNSAID: frozenset[str] = frozenset({"stop", "seed"})
frames = sse

FINISH: Mapping[str, FinishReason] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}
"""By the reason why it is incomplete, else by its status."""

UNFINISHED = frozenset({"", "queued", "in_progress"})
"""What a status says of an answer that has not ended."""

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
    return in_letters(_Answer().whole(body))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `response.completed` and `response.incomplete` end it."""
    return in_letters(_streamed(frames))


def _streamed(frames: Iterable[Frame]) -> Iterator[Event]:
    answer = _Answer()
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


class _Calls:
    """The tool calls of an answer. One is known by an id, which some servers change or leave out, or by its place."""

    def __init__(self) -> None:
        self.number = 0
        self._known: dict[Any, int] = {}
        self._begun: set[int] = set()

    def begin(self, item: JSON, place: Any) -> Iterator[Event]:
        """A call, if it is a new one."""
        ids = _keys(item.get("id"), item.get("call_id"))
        if not any(key in self._known for key in ids or _keys(place)):
            self._known |= dict.fromkeys((*ids, *_keys(place)), self.number)
            id_ = member(item, "call_id", str) or member(item, "id", str)
            yield ToolCallDelta(self.number, "", id_, member(item, "name", str))
            self.number += 1

    def piece(self, keys: Iterable[Any], text: str, *, whole: bool = False) -> Iterator[Event]:
        """A piece of what a call is called with; the whole of it only where no piece came before."""
        number = next((self._known[key] for key in keys if key in self._known), self.number - 1)
        if text and number >= 0 and not (whole and number in self._begun):
            self._begun.add(number)
            yield ToolCallDelta(number, text)


class _Answer:
    """An answer as it comes. What was streamed is not said again when the whole of it comes at the end."""

    def __init__(self) -> None:
        self._calls = _Calls()
        self._said = False
        self._refusal = ""
        self._model = ""
        self._id = ""

    def note(self, response: JSON) -> None:
        self._model = label(response, "model") or self._model
        self._id = label(response, "id") or self._id

    def event(self, kind: Any, data: JSON) -> Iterator[Event]:
        """What one event of a stream adds."""
        for event in self._events(kind, data):
            self._said = True
            yield event

    def last(self, response: JSON, status: str) -> Iterator[Event]:
        """The end of a stream, which repeats the whole of it: that is used where there was nothing before."""
        output = [] if self._said or self._refusal else response.get("output")
        yield from self.whole({**response, "status": status, "output": output})

    def whole(self, response: JSON) -> Iterator[Event]:
        """An answer in one piece. Without a status that ends it, it has no Finish."""
        if response.get("error") or response.get("type") == "error":
            raise InBandError(response)
        self.note(response)
        for place, item in enumerate(members(response, "output")):
            yield from self._item(item, place)
        status = member(response, "status", str)
        if status == "failed":
            raise InBandError({"error": {"message": "the response failed, without a reason"}})
        if status not in UNFINISHED:
            yield self._finish(response, label(figures(response, "incomplete_details"), "reason") or status)

    def _events(self, kind: Any, data: JSON) -> Iterable[Event]:
        match kind:
            case "response.output_text.delta":
                return _text(data, "delta", TextDelta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return _text(data, "delta", ReasoningDelta)
            case "response.reasoning_summary_part.added" if tokens(data, "summary_index"):
                return [ReasoningDelta("\n\n")]
            case "response.function_call_arguments.delta":
                keys = _keys(data.get("item_id"), data.get("output_index"))
                return self._calls.piece(keys, member(data, "delta", str))
            case "response.output_item.added" | "response.output_item.done":
                item = member(data, "item", dict)
                return self._call(item, data.get("output_index"), ended=kind.endswith("done"))
            case "response.refusal.delta":
                self._refusal += member(data, "delta", str)
        return ()

    def _item(self, item: JSON, place: int) -> Iterator[Event]:
        if item.get("type") == "reasoning":
            yield from _thoughts(item)
        for part in members(item, "content") if item.get("type") == "message" else ():
            yield from _text(part, "text", TextDelta)
            self._refusal += member(part, "refusal", str)
        yield from self._call(item, place, ended=True)

    def _call(self, item: JSON, place: Any, *, ended: bool) -> Iterator[Event]:
        if item.get("type") == "function_call":
            yield from self._calls.begin(item, place)
            keys = _keys(item.get("id"), item.get("call_id"), place)
            yield from self._calls.piece(keys, member(item, "arguments", str) if ended else "", whole=True)

    def _finish(self, response: JSON, word: str) -> Finish:
        usage, reason = _usage(figures(response, "usage")), FINISH.get(word, "error")
        if self._refusal:
            return Finish("content_filter", usage, self._model, self._id, self._refusal)
        if reason == "stop" and self._calls.number:
            reason = "tool_call"
        return Finish(reason, usage, self._model, self._id, word if reason == "error" else "")


def _keys(*values: Any) -> list[Any]:
    """Those by which a call can be known."""
    return [value for value in values if isinstance(value, str | int) and value != ""]


def _text(value: JSON, name: str, kind: type[TextDelta] | type[ReasoningDelta]) -> Iterator[Event]:
    if text := member(value, name, str):
        yield kind(text)


def _thoughts(item: JSON) -> Iterator[Event]:
    """What is told of the model's reasoning: its own words, else a summary, in paragraphs."""
    parts = members(item, "content") or members(item, "summary")
    if text := "\n\n".join(member(part, "text", str) for part in parts):
        yield ReasoningDelta(text)


def _usage(usage: JSON) -> Usage | None:
    """Here input contains what was cached and output contains reasoning already."""
    if not usage:
        return None
    asked, answered = figures(usage, "input_tokens_details"), figures(usage, "output_tokens_details")
    return Usage(
        input_tokens=tokens(usage, "input_tokens"),
        output_tokens=tokens(usage, "output_tokens"),
        cache_read_tokens=tokens(asked, "cached_tokens"),
        cache_write_tokens=tokens(asked, "cache_write_tokens"),
        reasoning_tokens=tokens(answered, "reasoning_tokens"),
    )


def _body(request: Request, dialect: Dialect, *, stream: bool) -> dict[str, Any]:
    body = {
        "model": request.model,
        "instructions": "\n\n".join(message.text for message in request.messages if message.role == "system") or None,
        "input": [item for message in request.messages if message.role != "system" for item in _items(message)],
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "reasoning": _reasoning(request.effort) if request.effort else None,
        "text": _format(request.schema, dialect.schema) if request.schema else None,
        "store": False,
        "stream": stream,
    }
    return {name: value for name, value in body.items() if value is not None} | dict(request.extra)


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
