"""Replicate's predictions: https://replicate.com/docs/reference/http

A prediction is promised first and made later. What comes of it is read from its stream, or where it has none, by asking
again until it is there. It takes one prompt text, so a conversation is written as one.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aix.errors import ProviderError
from aix.llm.parts import data_url, text_of
from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame, InBandError, count, label, member, parsed, sse
from aix.messages import Event, Finish, FinishReason, Image, Message, Request, Text, TextDelta, Usage, in_letters

UNSAID: frozenset[str] = frozenset({"schema", "effort"})
frames = sse

FINISH: Mapping[str, FinishReason] = {"succeeded": "stop", "canceled": "error", "aborted": "error"}
"""What a prediction can come to, beside `failed`, which is raised. All else is on the way."""

WAIT = {"Prefer": "wait=60"}
"""The longest that a prediction may be waited for where it is asked for."""

STREAM = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
POLL_SECONDS = 1.0

OWNED = re.compile(r"(?P<folder>deployments/|)(?P<owner>[\w-][\w.-]*)/(?P<name>[\w-][\w.-]*)", re.ASCII)
"""A model, or a deployment, that has an address of its own; all else is the name of a version."""

HEADINGS: Mapping[str, str] = {"user": "User", "assistant": "Assistant", "tool": "Tool"}


def encode(request: Request, dialect: Dialect, *, stream: bool) -> Call:
    """One POST that creates a prediction, and the calls that follow it. A version goes into the body, without the
    model's name before it."""
    owned = OWNED.fullmatch(request.model)
    body = {"input": _input(request, dialect), **({"stream": True} if stream else {})}
    if not owned:
        body = {"version": request.model.rpartition(":")[2], **body}
    folder = (owned["folder"] or "models/") + f"{owned['owner']}/{owned['name']}/" if owned else ""
    return Call(
        method="POST",
        path=f"/{folder}predictions",
        body={**body, **request.extra},
        headers={} if stream else WAIT,
        follow=_streamed if stream else _polled,
    )


def decode(body: JSON) -> Iterator[Event]:
    """The events of a prediction that came to its end; one that is on the way says nothing yet."""
    return in_letters(_answered(body))


def decode_stream(frames: Iterable[Frame]) -> Iterator[Event]:
    """The events of a stream. Only `done` ends it; what it cost is not said there."""
    return in_letters(_events(frames))


def _streamed(prediction: JSON) -> Call | None:
    """What to ask after the prediction was promised; one whose model does not stream is asked for until it is there."""
    url = label(member(prediction, "urls", dict), "stream")
    return Call("GET", url, {}, STREAM) if url and not _ended(prediction) else _polled(prediction)


def _polled(prediction: JSON) -> Call | None:
    url = label(member(prediction, "urls", dict), "get")
    return None if _ended(prediction) or not url else Call("GET", url, {}, {}, _polled, POLL_SECONDS)


def _ended(prediction: JSON) -> bool:
    status = label(prediction, "status")
    return status in FINISH or status == "failed" or bool(prediction.get("error"))


def _answered(body: JSON) -> Iterator[Event]:
    status = label(body, "status")
    if status == "failed" or body.get("error"):
        raise InBandError({"error": body.get("error") or "the prediction failed, and does not say why"})
    if status in FINISH:
        yield from (TextDelta(text) for text in _texts(body.get("output")) if text)
        reason = FINISH[status]
        usage = _usage(member(body, "metrics", dict))
        yield Finish(reason, usage, label(body, "model"), label(body, "id"), status if reason == "error" else "")


def _texts(output: Any) -> list[str]:
    """What a model said, in its pieces; as JSON where it gives anything but text."""
    pieces = output if isinstance(output, list) else [output] if output is not None else []
    return pieces if all(isinstance(piece, str) for piece in pieces) else [json.dumps(output, ensure_ascii=False)]


def _usage(metrics: JSON) -> Usage | None:
    """Official models count tokens; the others are paid by the second."""
    asked, answered = count(metrics, "input_token_count"), count(metrics, "output_token_count")
    return Usage(input_tokens=asked, output_tokens=answered) if asked or answered else None


def _events(frames: Iterable[Frame]) -> Iterator[Event]:
    for frame in frames:
        match frame.event:
            case "output" if frame.data:
                yield TextDelta(frame.data.decode("utf-8", "replace"))
            case "error":
                raise InBandError(_object(frame.data) or {"error": frame.data.decode("utf-8", "replace")})
            case "done":
                word = label(_object(frame.data), "reason")
                yield Finish("error" if word else "stop", detail=word)
                return


def _object(data: bytes) -> JSON:
    """The JSON object that is said; an empty one where it is anything else."""
    with contextlib.suppress(ProviderError):
        return parsed(data)
    return {}


def _input(request: Request, dialect: Dialect) -> dict[str, Any]:
    """What a model is given, under the names that most of them use, or that its row says."""
    spoken = [message for message in request.messages if message.role != "system"]
    parts = [part for message in spoken for part in message.parts]
    images = [data_url(part.data, part.media_type) for part in parts if isinstance(part, Image)]
    given = {
        "prompt": _prompt(spoken),
        "system_prompt": "\n\n".join(_said(message) for message in request.messages if message.role == "system"),
        dialect.max_tokens_field: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        dialect.seed_field: request.seed,
        "stop_sequences": ",".join(request.stop),
        "image": images[0] if len(images) == 1 else None,
        "images": images if len(images) > 1 else None,
    }
    return {name: value for name, value in given.items() if value not in (None, "") or name == "prompt"}


def _prompt(messages: list[Message]) -> str:
    """One message as it is; several as a conversation, in which the model has the next word."""
    if [message.role for message in messages] == ["user"]:
        return _said(messages[0])
    said = [f"{HEADINGS[message.role]}: {_said(message)}" for message in messages]
    return "\n\n".join([*said, "Assistant:"]) if said else ""


def _said(message: Message) -> str:
    """The text of a message, then the files that are text, the tools and their results."""
    beside = (text_of(part) for part in message.parts if not isinstance(part, Text))
    return "\n\n".join(text for text in (message.text, *beside) if text)
