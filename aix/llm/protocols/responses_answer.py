"""An answer of the Responses protocol, as it comes in events or in one piece.

Places in it have numbers, which some servers leave out: then a call is known by its id.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aix.llm.usage import openai_usage
from aix.llm.wire import JSON, InBandError, figures, label, member, members
from aix.llm.wire import count as tokens
from aix.messages import Event, Finish, FinishReason, ReasoningDelta, TextDelta, ToolCallDelta

FINISH: Mapping[str, FinishReason] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}
"""By the reason why it is incomplete, else by its status."""

UNFINISHED = frozenset({"", "queued", "in_progress"})
"""What a status says of an answer that has not ended."""


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


class Answer:
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
        said = figures(response, "usage")
        usage = openai_usage(said, "input", "output") if said else None
        reason = FINISH.get(word, "error")
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
