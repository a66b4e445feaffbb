"""Bytes in, frames out. No network.

Lines end at CR, LF and CRLF and nowhere else: U+2028, U+0085 and their like are ordinary letters of a model's text.
Splitting happens on bytes, so a letter that is cut by two reads is whole again before it is decoded.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aix.errors import ProviderError

MAX_LINE = 1024 * 1024
MAX_BODY = 64 * 1024 * 1024

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as a protocol wants it: `path` is joined to the provider's base URL."""

    method: str
    path: str
    body: JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body exactly as it is sent."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


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
    rest, after_return = b"", False
    for chunk in chunks:
        if after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if not chunk:
            continue
        after_return = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
        for line in (*whole, rest):
            if len(line) > max_line:
                raise ProviderError(f"the provider sent a line of more than {max_line} bytes")
        yield from whole


def sse(chunks: Iterable[bytes], max_line: int = MAX_LINE) -> Iterator[Frame]:
    """The frames of a server-sent event stream. One that no empty line ended was cut, and is not a frame."""
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
            size += len(value)
            if size > MAX_BODY:
                raise ProviderError(f"the provider sent an event of more than {MAX_BODY} bytes")
        elif name == b"event":
            event = value.decode("utf-8", "replace")


def parsed(data: bytes, what: str = "the provider") -> JSON:
    """A JSON object. Raises ProviderError, which names `what` sent something else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise ProviderError(f"{what} sent something that is not JSON", cause=clip(data)) from None
    if not isinstance(value, dict):
        raise ProviderError(f"{what} sent JSON that is not an object", cause=clip(data))
    return value


def clip(data: bytes | str, limit: int = 300) -> str:
    """The beginning of some untrusted text, on one line."""
    text = data[: limit * 4].decode("utf-8", "replace") if isinstance(data, bytes) else data
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit] + "…"
