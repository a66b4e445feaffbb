"""Bytes in, frames out. No network.

Lines end at CR, LF and CRLF and nowhere else: U+2028, U+0085 and their like are ordinary letters of a model's text.
Splitting happens on bytes, so a letter that is cut by two reads is whole again before it is decoded.
"""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aix.errors import ProviderError

MAX_LINE = 1024 * 1024
MAX_BODY = 64 * 1024 * 1024

JSON = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as a protocol wants it: `path` is joined to the provider's base URL, a whole URL stays itself.

    Where a provider answers with a promise instead of an answer, `follow` makes the next call of what it said, and
    None once that is the answer. `delay` is how many seconds to wait before this call.
    """

    method: str
    path: str
    body: JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    follow: "Callable[[JSON], Call | None] | None" = field(default=None, compare=False)
    delay: float = 0.0

    @property
    def content(self) -> bytes:
        """The body exactly as it is sent."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def asked_for(fields: JSON, extra: JSON | None = None) -> dict[str, Any]:
    """The fields that have a value, and last what else is to stand in a body, as it is."""
    return {name: value for name, value in fields.items() if value is not None} | dict(extra or {})


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream: `data` is what its `data:` lines say, joined."""

    data: bytes
    event: str = ""


class InBandError(Exception):
    """An answer that began well (HTTP 200) carries an error: `value` is the JSON that holds it.

    A protocol raises it; whoever knows which provider was asked turns it into an AixError.
    """

    def __init__(self, value: JSON) -> None:
        super().__init__("an error inside an answer")
        self.value = value


def lines(chunks: Iterable[bytes], max_line: int = MAX_LINE) -> Iterator[bytes]:
    """Whole lines without their ends. What follows the last line end is not a line: it was cut off.

    Raises ProviderError for a line longer than `max_line` bytes.
    """
    begun: list[bytes] = []  # joined once: a line that comes in many small reads must not cost the square of its length
    size, after_return = 0, False
    for chunk in chunks:
        if not chunk:
            continue
        rest = chunk.removeprefix(b"\n") if after_return else chunk
        after_return = chunk.endswith(b"\r")
        for piece in rest.splitlines(keepends=True):  # those of bytes end at CR, LF and CRLF only
            text = piece.rstrip(b"\r\n")
            begun.append(text)
            size += len(text)
            if size > max_line:
                raise ProviderError(f"the provider sent a line of more than {max_line} bytes")
            if len(text) < len(piece):
                yield b"".join(begun)
                begun, size = [], 0


def sse(chunks: Iterable[bytes], max_line: int = MAX_LINE, max_event: int = MAX_BODY) -> Iterator[Frame]:
    """The frames of a server-sent event stream. One that no empty line ended was cut, and is not a frame.

    Raises ProviderError for a line or an event that is longer than it may be.
    """
    data: list[bytes] = []
    size, event, first = 0, "", True
    for line in lines(chunks, max_line):
        if first:
            line, first = line.removeprefix(b"\xef\xbb\xbf"), False
        if not line:
            if data:
                yield Frame(b"\n".join(data), event)
            data, size, event = [], 0, ""
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
            size += len(value) + 1
            if size > max_event:
                raise ProviderError(f"the provider sent an event of more than {max_event} bytes")
        elif name == b"event":
            event = value.decode("utf-8", "replace")


def ndjson(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """The frames of newline-delimited JSON, one a line. A last line that no line end closes was cut, and is none.

    Raises ProviderError for a line that is longer than it may be.
    """
    return (Frame(line) for line in lines(chunks, MAX_LINE) if line.strip())


def parsed(data: bytes, what: str = "the provider") -> JSON:
    """A JSON object. Raises ProviderError, which names `what` sent something else."""
    try:
        value = json.loads(data, parse_constant=lambda _: None)  # NaN is no JSON, and servers send it
    except (ValueError, RecursionError):
        raise ProviderError(f"{what} sent something that is not JSON", cause=clip(data)) from None
    if not isinstance(value, dict):
        raise ProviderError(f"{what} sent JSON that is not an object", cause=clip(data))
    return value


def until_done(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames that say something, up to the `[DONE]` with which many servers end whatever they stream."""
    said = (Frame(data, frame.event) for frame in frames if (data := frame.data.strip()))
    return itertools.takewhile(lambda frame: frame.data != b"[DONE]", said)


def opened(frame: Frame) -> JSON:
    """What a frame says. Raises ProviderError, as `parsed` does, and InBandError for a frame that is named an error."""
    value = parsed(frame.data)
    if frame.event == "error":
        raise InBandError(value)
    return value


def items(data: bytes, what: str) -> Iterator[Frame]:
    """The frames of a stream that came as one JSON array. Raises ProviderError, as `parsed` does."""
    listed = parsed(b'{"items":%b}' % data, what)["items"]
    if not listed or not all(isinstance(item, dict) for item in listed):
        raise ProviderError(f"{what} sent JSON that is not an object", cause=clip(data))
    return (Frame(json.dumps(item).encode()) for item in listed)


KINDS: Mapping[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "an object"}
LARGEST = 1e15
"""Above every count and sum that can be meant, and exact as a float."""


def member(value: JSON, name: str, kind: type[T]) -> T:
    """`value[name]`, or an empty one where it is absent, null or empty. Raises ProviderError for another kind."""
    found = value.get(name)
    if isinstance(found, kind):
        return found
    if found:
        raise ProviderError(f"the provider sent an answer in which '{name}' is not {KINDS[kind]}")
    return kind()


def members(value: JSON, name: str) -> list[JSON]:
    """The objects of a list, with the same leniency. Raises ProviderError."""
    return [member({name: item}, name, dict) for item in member(value, name, list)]


def number(value: JSON, name: str) -> int | float | None:
    """A figure; None where there is none that can be meant, as no answer is worth less for a wrong one."""
    found = value.get(name)
    meant = isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < LARGEST
    return found if meant else None


def count(value: JSON, name: str) -> int:
    return int(number(value, name) or 0)


def needed_count(value: JSON, name: str) -> int:
    """A count that was asked for. Raises ProviderError where there is none, which is not the same as 0."""
    if number(value, name) is None:
        raise ProviderError(f"the provider sent an answer in which '{name}' is not a number")
    return count(value, name)


def figures(value: JSON, name: str) -> JSON:
    """An object that only holds figures and notes; empty for anything else, as no answer is worth less for it."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def label(value: JSON, name: str) -> str:
    """Text that is only shown; empty where there is none, and where it is anything else."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def arguments_object(arguments: str) -> dict[str, Any]:
    """The object that a tool was called with. What else a model may have written goes back as text in one."""
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(arguments or "{}")
        if isinstance(value, dict) and json.dumps(value, allow_nan=False):
            return value
    return {"arguments": arguments}


def clip(data: bytes | str, limit: int = 300) -> str:
    """The beginning of some untrusted text, on one line; what was cut ends in `…`, so that it can be seen."""
    text = data[: limit * 4].decode("utf-8", "replace") if isinstance(data, bytes) else data
    line = " ".join(text.split())
    cut = len(line) > limit or (isinstance(data, bytes) and len(data) > limit * 4)
    return line[:limit] + "…" if cut else line
