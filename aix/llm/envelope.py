"""What an answer says of its error: its sentence and the words that classify it, out of any of the envelopes in use."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aix.llm.wire import clip

DEPTH = 4
"""How deep gateways put one envelope into another; what is deeper is not looked at."""

MESSAGE = ("message", "detail", "title", "msg", "Message")
"""What those who write errors call the sentence in one."""


def opened(body: bytes) -> dict[str, str]:
    """What the body of a failed answer says; a text that is no envelope is its own message."""
    return envelope(_json(body)) or _raw(body)


def envelope(value: Any) -> dict[str, str]:
    """`message` and `words` (types, codes) of any error envelope, `request_id` if it has one, `wait` where it asks for
    one, `instead` where it names another model; empty for none."""
    outer: dict[str, str] = {}
    for _ in range(DEPTH):
        value = value[0] if isinstance(value, list) and value else value
        if not isinstance(value, dict):
            break
        outer |= {"request_id": str(value["request_id"])} if value.get("request_id") else {}
        inner = value.get("error") or value.get("errors")
        if not isinstance(inner, dict | list | str):
            break
        value = inner
    found = {"message": value, "words": ""} if isinstance(value, str) else _described(value)
    return {**found, **outer} if found else {}


def _described(value: Any) -> dict[str, str]:
    """The innermost envelope: a message under one of its usual names, and every word that classifies it."""
    if not isinstance(value, dict):
        return {}
    metadata = _object(value.get("metadata"))
    words = [str(word) for word in (*_codes(value), *_reasons(value)) if word is not None]
    message = next((value[key] for key in MESSAGE if value.get(key)), None)
    if message is None and not words:
        return {}
    said = message if isinstance(message, str) else " ".join(words) if message is None else _dumped(message)
    raw = metadata.get("raw")
    available = _object(value.get("availability"))
    more = {"instead": _first_id(available.get("fallback_models")), "wait": _wait(value, available)}
    return {
        "message": f"{said}: {raw}" if isinstance(raw, str) and raw not in said else said,
        "words": " ".join(words),
        **{name: text for name, text in more.items() if text},
    }


def _codes(value: Mapping[str, Any]) -> Iterator[Any]:
    """What classifies an error, wherever one of them says it."""
    metadata = _object(value.get("metadata"))
    yield from (value.get("type"), value.get("code"), value.get("status"))
    yield from (_object(value.get("details")).get("error_code"), metadata.get("error_type"))
    yield _object(value.get("innererror")).get("code")
    yield "moderation" if metadata.get("reasons") else None


def _wait(value: Mapping[str, Any], available: Mapping[str, Any]) -> str:
    """How long it asks to wait, as it is spelt: among Google's details, or where OpenRouter says what is available."""
    said = (*(detail.get("retryDelay") for detail in _details(value)), available.get("retry_after"))
    return next((str(each) for each in said if isinstance(each, str | int | float) and each), "")


def _details(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = value.get("details")
    return [_object(detail) for detail in (details if isinstance(details, list) else [])]


def _reasons(value: Mapping[str, Any]) -> Iterator[Any]:
    """The reasons and the quotas that Google's details name."""
    for detail in _details(value):
        yield detail.get("reason")
        violations = detail.get("violations")
        yield from (_object(each).get("quotaId") for each in (violations if isinstance(violations, list) else []))


def _first_id(value: Any) -> str:
    """The first of some models' names that is nothing but a name."""
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    return next((name for name in names if re.fullmatch(r"[\w./:@-]{1,100}", name, re.ASCII)), "")


def words_of(found: Mapping[str, str]) -> list[str]:
    return found.get("words", "").lower().split()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # it was read, and is too deep to be written
        return ""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _raw(body: bytes) -> dict[str, str]:
    looks_like_html = body.lstrip()[:1] == b"<"
    return {"message": "" if looks_like_html else clip(body)}
