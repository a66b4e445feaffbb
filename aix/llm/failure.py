"""What a provider's error means: from a status and any of the envelopes in use to one AixError."""

import json
from collections.abc import Mapping
from typing import Any

from aix.errors import AixError, AuthError, DeadlineError, NotFoundError, ProviderError, RateLimitError
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
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
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

SAID: Mapping[int, str] = {
    401: "{provider} does not accept the key",
    402: "{provider} wants to be paid before it answers",
    403: "{provider} does not allow this to the key",
    404: "{provider} has no model '{model}', or nothing at this address",
    408: "{provider} took too long",
    413: "the request is too large for {provider}",
    429: "{provider} is limiting requests",
    529: "{provider} is overloaded",
}

HINTS: Mapping[int, str] = {
    401: "aix api-key {provider}",
    402: "add credit: {page}, or ask another: --provider NAME",
    403: "check what the key may do: {page}",
    404: "name a model that it has: --model {provider}:MODEL",
    413: "send less text",
    429: "wait a little, or ask another: --provider NAME",
    529: "wait a little, or ask another: --provider NAME",
}

QUOTA_SAID = "the quota or credit at {provider} is used up"


def failure(status: int, body: bytes, names: Mapping[str, str], request_id: str = "") -> AixError:
    """The error that an HTTP status of 400 or more means. `names` fills in provider, model and page."""
    return _error(status, envelope(_json(body)) or _raw(body), names, request_id)


def in_band(error: Any, names: Mapping[str, str]) -> AixError:
    """The error that a 200 answer carried inside: `error` is the value of its `error` field, or the whole frame."""
    envelope_ = envelope(error)
    words = [word.lower() for word in envelope_.get("words", "").split()]
    status = next((int(word) for word in words if word.isdigit() and 400 <= int(word) < 600), 0)
    return _error(status or next((BY_WORD[word] for word in words if word in BY_WORD), 500), envelope_, names, "")


def envelope(value: Any) -> dict[str, str]:
    """`message` and `words` (types, codes) of any error envelope; empty when there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        return {"message": value, "words": ""}
    if not isinstance(value, dict):
        return {}
    inner = value.get("error")
    if isinstance(inner, dict | str) and inner:
        found = envelope(inner)
        outer = value.get("request_id")
        return {**found, "request_id": str(outer)} if outer else found
    message = next((value[key] for key in ("message", "detail", "title") if value.get(key)), None)
    details = value.get("details") if isinstance(value.get("details"), dict) else {}
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    words = [value.get("type"), value.get("code"), value.get("status")]
    words += [(details or {}).get("error_code"), (metadata or {}).get("error_type")]
    if message is None and not any(words):
        return {}
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    raw = (metadata or {}).get("raw")
    text = f"{text}: {raw}" if isinstance(raw, str) and raw not in text else text
    return {"message": text, "words": " ".join(str(word) for word in words if word is not None)}


def is_quota(words: str) -> bool:
    return any(word in QUOTA for word in words.lower().split())


def _error(status: int, found: Mapping[str, str], names: Mapping[str, str], request_id: str) -> AixError:
    words = found.get("words", "")
    kind = BY_STATUS.get(status, ProviderError)
    said, hint = SAID.get(status, "{provider} failed (HTTP {status})"), HINTS.get(status, "")
    if is_quota(words):
        kind, said, hint = RateLimitError, QUOTA_SAID, HINTS[402]
    elif kind is ProviderError and 400 <= status < 500 and status not in SAID:
        said = "{provider} rejects the request (HTTP {status})"
    filled = {**names, "status": str(status)}
    return kind(
        said.format_map(filled),
        cause=clip(found.get("message", "")),
        hint=hint.format_map(filled),
        reason="quota" if is_quota(words) else "",
        request_id=request_id or found.get("request_id", ""),
        status=status,
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _raw(body: bytes) -> dict[str, str]:
    looks_like_html = body.lstrip()[:1] == b"<"
    return {"message": "" if looks_like_html else clip(body)}
