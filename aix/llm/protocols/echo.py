"""The echo protocol: no network and no key. It answers with a readable account of the request that it was given."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame, parsed, sse
from aix.messages import Event, File, Finish, Image, Message, Part, Request, Text, TextDelta, Usage

UNSAID: frozenset[str] = frozenset()
frames = sse

OPTIONS = ("max_tokens", "temperature", "top_p", "stop", "seed", "effort", "schema")


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:  # noqa: ARG001 - every protocol's shape
    """A Call that is never sent: the client hands it to `answer`."""
    asked = {name: getattr(request, name) for name in OPTIONS if getattr(request, name) not in (None, ())}
    body = {"model": request.model, "messages": [_message(message) for message in request.messages], **asked}
    return Call("ECHO", "", {**body, **request.extra, "stream": stream})


def answer(call: Call) -> Iterator[bytes]:
    """The stream that a server would have sent, a word at a time."""
    for word in re.findall(r"\S+\s*|\s+", _account(call.body)):
        yield b"data: " + json.dumps({"text": word}).encode() + b"\n\n"
    counts = {"input": _words(call.body), "output": len(_account(call.body).split())}
    yield b"data: " + json.dumps({"done": counts, "model": call.body["model"]}).encode() + b"\n\n"


def decode(body: JSON) -> Iterator[Event]:
    """One frame's events."""
    if text := body.get("text"):
        yield TextDelta(text)
    if counts := body.get("done"):
        usage = Usage(input_tokens=counts["input"], output_tokens=counts["output"])
        yield Finish("stop", usage, body.get("model", ""))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    for frame in frames:
        yield from decode(parsed(frame.data))


def _account(body: JSON) -> str:
    options = {key: value for key, value in body.items() if key not in ("model", "messages", "stream")}
    heading = "echo was asked" + (f" with {_options(options)}" if options else "") + ":"
    said = [f"[{message['role']}]\n{message['content']}" for message in body["messages"]]
    return "\n\n".join([heading, *said]) + "\n"


def _options(options: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in options.items()
    )


def _words(body: JSON) -> int:
    return sum(len(message["content"].split()) for message in body["messages"])


def _message(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": "".join(_shown(part) for part in message.parts)}


def _shown(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case Image(data, media_type):
            return f"[{media_type}, {len(data)} bytes]"
        case File(data, media_type, name):
            return f"[{name}: {media_type}, {len(data)} bytes]"
    return f"[{type(part).__name__}]"
