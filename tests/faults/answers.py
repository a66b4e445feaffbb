"""HTTP answers as bytes, and the scripts that send them well or badly.

Nothing here knows what aix makes of an answer: it only knows which of its bytes carry which text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from steps import Drip, Script, Send, Stall

Framing = Literal["length", "chunked", "close"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a body. `text` is what a reader of it has learnt, `whole` whether the provider's end mark is in it."""

    data: bytes
    text: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and scripts that send it well or badly."""

    parts: tuple[Part, ...]
    status: str = "200 OK"
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = "chunked"

    def framed(self, framing: Framing) -> "Answer":
        return replace(self, framing=framing)

    def with_headers(self, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def with_replaced(self, old: bytes, new: bytes) -> "Answer":
        return replace(self, parts=tuple(replace(part, data=part.data.replace(old, new)) for part in self.parts))

    def preceded_by(self, data: bytes) -> "Answer":
        return replace(self, parts=(Part(data), *self.parts))

    @property
    def head(self) -> bytes:
        size = sum(len(part.data) for part in self.parts)
        framed = {
            "length": {"Content-Length": str(size)},
            "chunked": {"Transfer-Encoding": "chunked"},
            "close": {"Connection": "close"},
        }
        lines = [f"{name}: {value}\r\n" for name, value in {**self.headers, **framed[self.framing]}.items()]
        return f"HTTP/1.1 {self.status}\r\n{''.join(lines)}\r\n".encode()

    @property
    def body(self) -> bytes:
        """The body as it is framed."""
        framed = b"".join(self._framed(part.data) for part in self.parts)
        return framed + b"0\r\n\r\n" if self.framing == "chunked" else framed

    @property
    def raw(self) -> bytes:
        return self.head + self.body

    @property
    def script(self) -> Script:
        return [Send(self.raw)]

    def cut_at(self, size: int) -> Script:
        """The first `size` bytes, then the end of the connection; below 0 it counts from the end."""
        return [Send(self.raw[:size])]

    def stalled_at(self, size: int) -> Script:
        return [Send(self.raw[:size]), Stall()]

    def dripped_from(self, start: int, size: int = 1, seconds: float = 0.0) -> Script:
        return [Send(self.raw[:start]), Drip(self.raw[start:], size, seconds)]

    def after(self, count: int) -> int:
        """How many bytes there are up to the end of the first `count` parts, without what closes a chunk."""
        *before, last = self.parts[:count]
        opening = self._framed(last.data).index(last.data)
        return len(self.head) + sum(len(self._framed(part.data)) for part in before) + opening + len(last.data)

    def text_within(self, size: int) -> str:
        """The text that the first `size` bytes carry."""
        return "".join(part.text for part in self._within(size))

    def whole_within(self, size: int) -> bool:
        """Whether the first `size` bytes hold the end mark."""
        return any(part.whole for part in self._within(size))

    def _within(self, size: int) -> list[Part]:
        return [part for count, part in enumerate(self.parts, 1) if self.after(count) <= size]

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.framing == "chunked" else data


def chat(*texts: str, done: bool = True) -> Answer:
    """A Chat Completions stream, a chunk for each text."""
    parts = [_event({"choices": [{"index": 0, "delta": {"content": text}}]}, text=text) for text in texts]
    parts.append(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, whole=True))
    return _stream(*parts, *([Part(b"data: [DONE]\n\n")] if done else []))


def messages(*texts: str) -> Answer:
    """An Anthropic Messages stream, a delta for each text."""
    delta = {"type": "content_block_delta", "index": 0}
    return _stream(
        _named({"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}}),
        _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        *(_named({**delta, "delta": {"type": "text_delta", "text": text}}, text=text) for text in texts),
        _named({"type": "content_block_stop", "index": 0}),
        _named({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        _named({"type": "message_stop"}, whole=True),
    )


STREAMS = {"openai-chat": chat, "anthropic-messages": messages}
"""A whole stream of each protocol."""


def plain_chat(text: str) -> Answer:
    """A Chat Completions answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return answer({"id": "c", "model": "m", "choices": [choice]}, text=text)


def plain_messages(text: str) -> Answer:
    """An Anthropic Messages answer in one piece."""
    content = [{"type": "text", "text": text}]
    body = {"type": "message", "id": "m", "model": "m", "content": content, "stop_reason": "end_turn"}
    return answer(body, text=text)


PLAIN = {"openai-chat": plain_chat, "anthropic-messages": plain_messages}
"""A whole answer of each protocol that is not a stream."""


def answer(body: Any, status: str = "200 OK", *, text: str = "", **headers: str) -> Answer:
    """Any answer: bytes as they are, everything else as JSON. With a `text` it is a whole one."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
    return Answer((Part(data, text, bool(text)),), status, kind, "length").with_headers(**headers)


def error(status: int, type_: str = "", message: str = "it said no", **headers: str) -> Answer:
    """A refusal in OpenAI's envelope."""
    return answer({"error": {"message": message, "type": type_}}, f"{status} No", **headers)


def _stream(*parts: Part) -> Answer:
    return Answer(parts, headers={"Content-Type": "text/event-stream"})


def _event(value: Any, *, text: str = "", whole: bool = False) -> Part:
    return Part(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n", text, whole)


def _named(value: Mapping[str, Any], *, text: str = "", whole: bool = False) -> Part:
    part = _event(value, text=text, whole=whole)
    return replace(part, data=b"event: " + str(value["type"]).encode() + b"\n" + part.data)
