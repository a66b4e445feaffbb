"""What a failure means: from a status with any of the envelopes in use, or a broken connection, to one AixError."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aix.errors import (
    AixError,
    AuthError,
    ConfigError,
    DeadlineError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
)
from aix.llm.wire import clip

BY_STATUS: Mapping[int, type[AixError]] = {
    401: AuthError,
    402: RateLimitError,
    403: AuthError,
    404: NotFoundError,
    408: DeadlineError,
    429: RateLimitError,
    498: RateLimitError,
    529: RateLimitError,
}
"""Every other status from 400 up is a ProviderError."""

BY_WORD: Mapping[str, int] = {
    "api_error": 500,
    "api_key_invalid": 401,
    "authentication_error": 401,
    "billing_error": 402,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "request_too_large": 413,
    "server_error": 500,
    "server_is_overloaded": 529,
    "timeout_error": 408,
}
"""What an error without a status of its own (one inside a stream) would have had for a status."""

QUOTA: frozenset[str] = frozenset(
    {
        "billing_error",
        "credit_balance_exhausted",
        "enforced_spend_limit_reached",
        "insufficient_quota",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
"""Words in an error that mean: waiting will not help, paying may."""

WRONG_KEY = "api_key_invalid"
"""The word of those who answer a wrong key with 400."""

SAID: Mapping[int, str] = {
    0: "{provider} sent an error instead of an answer",
    401: "{provider} does not accept the key",
    402: "{provider} wants to be paid before it answers",
    403: "{provider} does not allow this to the key",
    404: "{provider} has no model '{model}', or nothing at this address",
    408: "{provider} took too long",
    413: "the request is too large for {provider}",
    429: "{provider} is limiting requests",
    498: "{provider} has no capacity left just now",
    529: "{provider} is overloaded",
}

HINTS: Mapping[int, str] = {
    401: "aix api-key {provider}",
    402: "add credit: {page}, or ask another: --provider NAME",
    403: "check what the key may do: {page}",
    404: "name a model that it has: --model {provider}:MODEL",
    413: "send less text",
    429: "wait a little, or ask another: --provider NAME",
    498: "wait a little, or ask another: --provider NAME",
    529: "wait a little, or ask another: --provider NAME",
}

QUOTA_SAID = "the quota or credit at {provider} is used up"

ENVELOPES = 4
"""How deep gateways put one envelope into another; what is deeper is not looked at."""


@dataclass(frozen=True, slots=True)
class Break:
    """What a broken connection is for a person: the first row whose `kind` and `words` fit says it.

    `kind` is the name of a class of httpx, or of one above it; `words` a pattern for what it says.
    """

    kind: str
    words: str
    error: type[AixError]
    said: str
    hint: str
    unconnected: bool = False
    """The request cannot have got through, so sending it again cannot cost twice."""


_NO_WAY = "cannot connect to {provider} at {host}"
_ADDRESS = "check that it runs, and its address"
_NAME = "check the address and the network"
_PROXY = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"
_AUTHORITY = "if your network has its own authority: SSL_CERT_FILE=/path/to/authority.pem"
_PLAIN = "check its address, and that it speaks https"
_AGAIN = "run the command again"
_NO_NAME = "name or service|nodename|name resolution"

BREAKS: Sequence[Break] = (
    Break("ConnectTimeout", "", NetworkError, "{provider} at {host} does not accept a connection", _ADDRESS, True),
    Break("ProxyError", "", NetworkError, "the proxy for {provider} refuses", _PROXY, True),
    Break("ConnectError", "certificate verify", NetworkError, _NO_WAY, _AUTHORITY),
    Break("ConnectError", "ssl", NetworkError, _NO_WAY, _PLAIN),
    Break("ConnectError", _NO_NAME, NetworkError, _NO_WAY, _NAME, True),
    Break("ConnectError", "", NetworkError, _NO_WAY, _ADDRESS, True),
    Break("TimeoutException", "", DeadlineError, "{provider} said nothing for too long", _AGAIN),
    Break("LocalProtocolError", "", ConfigError, "a header for {provider} cannot be sent", "aix config --list"),
    Break("RemoteProtocolError", "disconnected", ProviderError, "{provider} ended the connection, unanswered", _AGAIN),
    Break("RemoteProtocolError", "", ProviderError, "{provider} does not speak HTTP as it should", _ADDRESS),
    Break("HTTPError", "", NetworkError, "the connection to {provider} broke", _AGAIN),
)


def broken(kinds: Sequence[str], said: str, names: Mapping[str, str]) -> tuple[AixError, bool]:
    """The error that a failure of the network means, and whether the request cannot have got through.

    `kinds` are the names of the failure's class and of those above it; `names` fills in provider and host.
    """
    found = next(row for row in BREAKS if row.kind in kinds and re.search(row.words, said, re.IGNORECASE))
    cause = "" if found.error is ConfigError else clip(said)  # it would show the header, which may be the key
    error = found.error(found.said.format_map(names), cause=cause, hint=found.hint)
    return error, found.unconnected


def failure(status: int, body: bytes, names: Mapping[str, str], request_id: str = "") -> AixError:
    """The error that an HTTP status of 400 or more means. `names` fills in provider, model and page."""
    found = envelope(_json(body)) or _raw(body)
    meant = BY_WORD[WRONG_KEY] if status == 400 and WRONG_KEY in _words(found) else status
    return _error(meant, found, names, request_id)


def in_band(error: Any, names: Mapping[str, str], request_id: str = "") -> AixError:
    """The error that a 200 answer carried inside: `error` is the value of its `error` field, or the whole frame."""
    found = envelope(error)
    words = _words(found)
    status = next((int(word) for word in words if re.fullmatch("[45][0-9]{2}", word)), 0)
    return _error(status or next((BY_WORD[word] for word in words if word in BY_WORD), 0), found, names, request_id)


def envelope(value: Any) -> dict[str, str]:
    """`message` and `words` (types, codes) of any error envelope, `request_id` if it has one; empty for none."""
    outer: dict[str, str] = {}
    for _ in range(ENVELOPES):
        value = value[0] if isinstance(value, list) and value else value
        if not isinstance(value, dict):
            break
        outer |= {"request_id": str(value["request_id"])} if value.get("request_id") else {}
        if not isinstance(value.get("error"), dict | list | str) or not value["error"]:
            break
        value = value["error"]
    found = {"message": value, "words": ""} if isinstance(value, str) else _described(value)
    return {**found, **outer} if found else {}


def _described(value: Any) -> dict[str, str]:
    """The innermost envelope: a message under one of its usual names, and every word that classifies it."""
    if not isinstance(value, dict):
        return {}
    details, metadata = value.get("details"), _object(value.get("metadata"))
    reasons = [_object(detail).get("reason") for detail in details] if isinstance(details, list) else []
    codes = [value.get("type"), value.get("code"), value.get("status"), _object(details).get("error_code")]
    words = [str(word) for word in (*codes, metadata.get("error_type"), *reasons) if word is not None]
    message = next((value[key] for key in ("message", "detail", "title") if value.get(key)), None)
    if message is None and not words:
        return {}
    said = message if isinstance(message, str) else " ".join(words) if message is None else _dumped(message)
    raw = metadata.get("raw")
    return {
        "message": f"{said}: {raw}" if isinstance(raw, str) and raw not in said else said,
        "words": " ".join(words),
    }


def _error(status: int, found: Mapping[str, str], names: Mapping[str, str], request_id: str) -> AixError:
    quota = any(word in QUOTA for word in _words(found))
    kind = BY_STATUS.get(status, ProviderError)
    said, hint = SAID.get(status, "{provider} failed (HTTP {status})"), HINTS.get(status, "")
    if quota:
        kind, said, hint = RateLimitError, QUOTA_SAID, HINTS[402]
    elif kind is ProviderError and 400 <= status < 500 and status not in SAID:
        said = "{provider} rejects the request (HTTP {status})"
    filled = {**names, "status": str(status)}
    return kind(
        said.format_map(filled),
        cause=clip(found.get("message", "")),
        hint=hint.format_map(filled),
        reason="quota" if quota else "",
        request_id=request_id or clip(found.get("request_id", ""), 100),
        status=status,
    )


def _words(found: Mapping[str, str]) -> list[str]:
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
