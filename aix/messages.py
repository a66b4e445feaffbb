"""What is said to a model and what comes back: pure values, no behaviour beyond putting them together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_call", "content_filter", "error"]

WHOLE: frozenset[FinishReason] = frozenset({"stop", "tool_call"})
"""The reasons after which an answer is all that the model meant to say."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """`name` is that of its file, for people; no provider is told."""

    data: bytes = field(repr=False)
    media_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    data: bytes = field(repr=False)
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is JSON text, exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    id: str
    content: str


Part = Text | Image | File | Reasoning | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts joined; images and files are not in it."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one model. `extra` is merged last into the body, as it is."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    effort: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, counted inclusively: input contains what was cached, output contains reasoning, for every provider."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    reported_cost: Decimal | None = None

    def __bool__(self) -> bool:
        """Whether it says anything: no answer takes nothing at all."""
        return bool(self.input_tokens or self.output_tokens) or self.reported_cost is not None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the tool call number `index`; `id` and `name` come with its first piece."""

    index: int
    arguments: str = ""
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The provider's own end mark. `detail` keeps its word where `reason` cannot say it: an unknown one, a refusal."""

    reason: FinishReason
    usage: Usage | None = None
    model: str = ""
    id: str = ""
    detail: str = ""


Event = TextDelta | ReasoningDelta | ToolCallDelta | Finish
"""A stream of events has exactly one Finish, its last; without one the answer is not whole."""


@dataclass(frozen=True, slots=True)
class Response:
    """All that came. `finish` is None when the provider's end mark never arrived."""

    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish: Finish | None

    @property
    def whole(self) -> bool:
        return self.finish is not None and self.finish.reason in WHOLE


class Collector:
    """Puts events together as they pass. `text` and `response` can be read at any time, also after a failure."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, tuple[str, str, list[str]]] = {}
        self._finish: Finish | None = None

    def passing(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, each noted before it is handed on."""
        for event in events:
            self.note(event)
            yield event

    def note(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case ToolCallDelta(index, arguments, id_, name):
                known_id, known_name, pieces = self._calls.get(index, ("", "", []))
                pieces.append(arguments)
                self._calls[index] = (known_id or id_, known_name or name, pieces)
            case Finish():
                self._finish = event

    @property
    def response(self) -> Response:
        calls = tuple(self._call(*self._calls[index]) for index in sorted(self._calls))
        return Response("".join(self._text), "".join(self._reasoning), calls, self._finish)

    def _call(self, id_: str, name: str, pieces: Sequence[str]) -> ToolCall:
        """A call that came to its end without a word for arguments has none."""
        return ToolCall(id_, name, letters("".join(pieces)) or ("{}" if self._finish else ""))


def collect(events: Iterable[Event]) -> Response:
    """One Response from a whole stream of events: the plain answer is the streamed one, put together."""
    collector = Collector()
    for event in events:
        collector.note(event)
    return collector.response


def letters(text: str) -> str:
    """The text with surrogate pairs joined to letters; half a letter that stands alone becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def in_letters(events: Iterable[Event]) -> Iterator[Event]:
    """The same events in whole letters: servers that count as JavaScript does send one in halves, a delta each."""
    half: dict[type[TextDelta] | type[ReasoningDelta], str] = {}
    for event in events:
        match event:
            case TextDelta(text) | ReasoningDelta(text):
                kind, text = type(event), half.pop(type(event), "") + text
                if "\ud800" <= text[-1:] <= "\udbff":
                    half[kind], text = text[-1], text[:-1]
                if text:
                    yield kind(letters(text))
            case Finish():
                yield from (kind("\ufffd") for kind in half)
                yield event
            case _:
                yield event


def system_text(messages: Sequence[Message]) -> str:
    """What all system messages say, for a protocol that has one place for it; empty where there is none."""
    return "\n\n".join(message.text for message in messages if message.role == "system")


def with_system(messages: Sequence[Message], text: str) -> tuple[Message, ...]:
    """The conversation with its system message replaced by `text`, or given one where it had none."""
    rest = tuple(message for message in messages if message.role != "system")
    return (Message("system", (Text(text),)), *rest)


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is: four characters each, one each for scripts that are written without spaces."""
    dense = 0 if text.isascii() else sum(map("\u2e80".__lt__, text))
    return dense + (len(text) - dense + 3) // 4
