"""A run of the log as one JSON object: its figures, and with them what was sent and said."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from aix.cli.figures import amount
from aix.errors import NotFoundError
from aix.llm.exchange import Attempt
from aix.runs.logged import ANSWER, LARGEST, Logged, Said
from aix.runs.run import COUNTS

CALL = "tool_call"
"""The kind of a part of it that calls a tool."""


def number_of(text: str) -> int | None:
    """The number of the run that is meant; None for `last`. Raises NotFoundError."""
    if text == "last":
        return None
    if text.isascii() and text.isdigit() and int(text) <= LARGEST:
        return int(text)
    raise NotFoundError(f"there is no run '{text}' in the log", hint="aix log list shows them", reason="run")


def figures(run: Logged) -> dict[str, Any]:
    """All that is kept of a run without its texts; times are UTC, amounts are texts, so that no digit is lost."""
    failure = {"name": run.error, "reason": run.reason, "message": run.message}
    return {
        "run": run.id,
        "ok": run.ended is not None and run.error is None,
        "started": _utc(run.started),
        "ended": None if run.ended is None else _utc(run.ended),
        "prompt": {"name": run.prompt, "layer": run.layer or None, "digest": run.digest, "revision": run.revision},
        "asked": run.asked,
        "provider": run.provider,
        "model": run.model,
        "finish": run.finish,
        "error": failure if run.error else None,
        "usage": {name: getattr(run, name) for name in COUNTS},
        "estimated": bool(run.estimated),
        "cost": amount(run.dollars),
        "reported": bool(run.reported),
        "unpriced": run.cost is None,
        "seconds": run.seconds,
        "first_token": run.first_token,
        "key_source": run.key_source,
    }


def whole(run: Logged, attempts: Iterable[Attempt], said: Sequence[Said]) -> dict[str, Any]:
    """All that is kept of a run; what was given, sent and said is null where no texts are kept."""
    return {**figures(run), **_given(run), "attempts": [_attempt(one) for one in attempts], **_said(run, said)}


def has_texts(run: Logged) -> bool:
    return run.arguments is not None


def answer_of(said: Iterable[Said]) -> str | None:
    """What the model answered, as it was printed: its text, then the calls of tools; None where nothing is kept."""
    parts = [part for part in said if part.role == ANSWER]
    text = "".join(part.text or "" for part in parts if part.kind == "text")
    calls = "".join(f"{part.name} {part.text}\n" for part in parts if part.kind == CALL)
    gap = "\n" if calls and text and not text.endswith("\n") else ""
    return f"{text}{gap}{calls}" if parts else None


def messages_of(said: Iterable[Said]) -> Iterator[tuple[str, str]]:
    """Who said what before the answer, in order; an image or a file is told of."""
    asked = (part for part in said if part.role != ANSWER)
    for (_, role), parts in groupby(asked, key=lambda part: (part.message, part.role)):
        yield role, "".join(map(_shown, parts))


def _given(run: Logged) -> dict[str, Any]:
    return {name: json.loads(text) if (text := getattr(run, name)) else None for name in ("arguments", "options")}


def _said(run: Logged, said: Sequence[Said]) -> dict[str, Any]:
    """What was sent and answered, in the shape of `aix run --json`; null where no texts are kept."""
    if not has_texts(run):
        return dict.fromkeys(("messages", "text", "tool_calls"))
    calls = [{"name": part.name, "arguments": part.text} for part in said if part.kind == CALL]
    return {
        "messages": [{"role": role, "content": text} for role, text in messages_of(said)],
        "text": "".join(part.text or "" for part in said if part.role == ANSWER and part.kind == "text"),
        "tool_calls": calls,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "error": attempt.error or None}


def _shown(part: Said) -> str:
    if part.kind == "text":
        return part.text or ""
    size = "too large to be kept" if part.data is None else f"{len(part.data)} bytes"
    return f"[{f'{part.name}: ' if part.name else ''}{part.media_type}, {size}]"


def _utc(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
