"""What a failure means: from a status with any of the envelopes in use, or a broken connection, to one AixError."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aix.errors import (
    AGAIN,
    AixError,
    AuthError,
    ConfigError,
    DeadlineError,
    IncompleteError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
)
from aix.llm.envelope import envelope, opened, words_of
from aix.llm.providers import Provider
from aix.llm.waits import seconds
from aix.llm.wire import clip

BY_STATUS: Mapping[int, type[AixError]] = {
    401: AuthError,
    402: RateLimitError,
    403: AuthError,
    404: NotFoundError,
    407: NetworkError,
    408: DeadlineError,
    429: RateLimitError,
    498: RateLimitError,
    529: RateLimitError,
}
"""Every other status from 400 up is a ProviderError."""

BY_WORD: Mapping[str, int] = {
    "api_error": 500,
    "api_key_invalid": 401,
    "api_key_expired": 401,
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


@dataclass(frozen=True, slots=True)
class Sense:
    """What an error means that says one of `words` (types and codes), or whose text the pattern `text` fits, where its
    status is one of `among` (any, where that is empty): more than its status alone. `status` is the one that it should
    have had; 0 where it has the right one."""

    error: type[AixError]
    said: str
    hint: str
    reason: str
    words: frozenset[str]
    text: str
    among: frozenset[int] = frozenset()
    status: int = 0

    def fits(self, status: int, words: Sequence[str], text: str) -> bool:
        if self.among and status not in self.among:
            return False
        return not self.words.isdisjoint(words) or re.search(self.text, text, re.IGNORECASE) is not None


OTHERS = ", or ask another: --provider NAME"
"""Advice that says no more than a command that does it."""

_PAY = "add credit: {page}" + OTHERS
_WAIT = "wait a little" + OTHERS

SENSES: Sequence[Sense] = (
    Sense(
        AuthError,
        "{provider} does not accept the key",
        "aix api-key {provider}",
        "",
        frozenset({"api_key_invalid", "api_key_expired", "invalid_api_key"}),
        "api[ _]key not valid|api key expired|(incorrect|invalid) api[ _]key",
        frozenset({400}),
        401,
    ),
    Sense(
        RateLimitError,
        "the quota or credit at {provider} is used up",
        _PAY,
        "quota",
        frozenset(
            {
                "billing_error",
                "billing_hard_limit_reached",
                "billing_not_active",
                "credit_balance_exhausted",
                "enforced_spend_limit_reached",
                "exceeded_current_quota_error",
                "insufficient_quota",
                "organization_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
                "project_spend_limit_exceeded",
            }
        ),
        "credit balance is too low|insufficient (account )?(balance|credits?|funds)|credits are depleted"
        "|limited to [0-9]+ api calls / month|requestsperday|inputtokensperday",
        frozenset({0, 400, 401, 402, 403, 429}),
    ),
    Sense(
        IncompleteError,
        "{provider} refused to answer (content filter)",
        "say it differently, or ask another model: --model",
        "content_filter",
        frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation"}),
        "content exists risk|content management policy",
        frozenset({0, 400, 403, 422}),
    ),
    Sense(
        ProviderError,
        "the request is longer than {model} can take",
        "send less, or ask a model that takes more: --model",
        "context",
        frozenset({"context_length_exceeded", "context_window_exceeded", "exceed_context_size_error"}),
        "prompt is too long|input token count.{0,40} exceeds|too many tokens|too large for model|input is too long"
        "|maximum (context|prompt) length|exceeds?( the)?( available| model's| maximum)? context"
        "|context (length|window|size|limit)( has been| is| was)? exceeded|reduce the length of the (messages|prompt)",
        frozenset({0, 400, 413, 422, 500}),
    ),
    Sense(
        NotFoundError,
        "{provider} has no model '{model}'",
        "",
        "model",
        frozenset(
            {"deploymentnotfound", "invalid_model", "model_not_available", "model_not_found", "model_not_supported"}
        ),
        r"model not exist|is not a valid model|invalid model\b|unknown model\b|model identifier is invalid"
        r"|\bmodels?\b.{0,120} (not found|does not exist)",
        frozenset({0, 400, 404, 422}),
        404,
    ),
)
"""The first that fits is what is meant."""

_PROXY = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"

SAID: Mapping[int, str] = {
    0: "{provider} sent an error instead of an answer",
    401: "{provider} does not accept the key",
    402: "{provider} wants to be paid before it answers",
    403: "{provider} does not allow this to the key",
    404: "{provider} has no model '{model}', or nothing at this address",
    407: "the proxy for {provider} refuses",
    408: "{provider} took too long",
    413: "the request is too large for {provider}",
    429: "{provider} is limiting requests",
    498: "{provider} has no capacity left just now",
    529: "{provider} is overloaded",
}

HINTS: Mapping[int, str] = {
    401: "aix api-key {provider}",
    402: _PAY,
    403: "check what the key may do: {page}",
    404: "name a model that it has: --model {provider}:MODEL",
    407: _PROXY,
    413: "send less text",
    429: _WAIT,
    498: _WAIT,
    529: _WAIT,
}


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
_AUTHORITY = "if your network has its own authority: SSL_CERT_FILE=/path/to/authority.pem"
_PLAIN = "check its address, and that it speaks https"
_NO_NAME = "name or service|nodename|name resolution"

BREAKS: Sequence[Break] = (
    Break("ConnectTimeout", "", NetworkError, "{provider} at {host} does not accept a connection", _ADDRESS, True),
    Break("ProxyError", "^407", NetworkError, SAID[407], _PROXY),
    Break("ProxyError", "", NetworkError, "the proxy for {provider} refuses", _PROXY, True),
    Break("ConnectError", "certificate verify", NetworkError, _NO_WAY, _AUTHORITY),
    Break("ConnectError", "ssl", NetworkError, _NO_WAY, _PLAIN),
    Break("ConnectError", _NO_NAME, NetworkError, _NO_WAY, _NAME, True),
    Break("ConnectError", "", NetworkError, _NO_WAY, _ADDRESS, True),
    Break("TimeoutException", "", DeadlineError, "{provider} said nothing for too long", AGAIN),
    Break("LocalProtocolError", "", ConfigError, "a header for {provider} cannot be sent", "aix config --list"),
    Break("RemoteProtocolError", "disconnected", ProviderError, "{provider} ended the connection, unanswered", AGAIN),
    Break("RemoteProtocolError", "", ProviderError, "{provider} does not speak HTTP as it should", _ADDRESS),
    Break("HTTPError", "", NetworkError, "the connection to {provider} broke", AGAIN),
)


def broken(kinds: Sequence[str], said: str, names: Mapping[str, str]) -> tuple[AixError, bool]:
    """The error that a failure of the network means, and whether the request cannot have got through.

    `kinds` are the names of the failure's class and of those above it; `names` fills in provider and host, and has the
    command that starts a local one.
    """
    found = next(row for row in BREAKS if row.kind in kinds and re.search(row.words, said, re.IGNORECASE))
    cause = "" if found.error is ConfigError else clip(said)  # it would show the header, which may be the key
    start = names.get("start") if found.hint == _ADDRESS and found.unconnected else ""
    error = found.error(found.said.format_map(names), cause=cause, hint=start or found.hint)
    return error, found.unconnected


def failure(
    status: int, body: bytes, names: Mapping[str, str], request_id: str = "", provider: Provider | None = None
) -> AixError:
    """The error that an HTTP status of 400 or more means. `names` fills in provider, model and page; `provider` is
    whose habits count."""
    found = opened(body)
    meant = provider.statuses.get(str(status), status) if provider else status
    return _error(meant, found, names, request_id, provider)


def in_band(error: Any, names: Mapping[str, str], request_id: str = "", provider: Provider | None = None) -> AixError:
    """The error that a 200 answer carried inside: `error` is the value of its `error` field, or the whole frame."""
    found = envelope(error)
    words = words_of(found)
    status = next((int(word) for word in words if re.fullmatch("[45][0-9]{2}", word)), 0)
    status = status or next((BY_WORD[word] for word in words if word in BY_WORD), 0)
    return _error(status, found, names, request_id, provider)


def _error(
    status: int, found: Mapping[str, str], names: Mapping[str, str], request_id: str, provider: Provider | None
) -> AixError:
    words, message = words_of(found), found.get("message", "")
    sense = next((each for each in SENSES if each.fits(status, words, f"{message} {' '.join(words)}")), None)
    status = sense.status or status if sense else status
    kind = sense.error if sense else BY_STATUS.get(status, ProviderError)
    filled = {**names, "status": str(status)}
    error = kind(
        (sense.said if sense else _said(status)).format_map(filled),
        cause=clip(message),
        hint=(_hint(status, sense, filled, provider) + _instead(found, filled)).lstrip(),
        reason=sense.reason if sense else "",
        request_id=request_id or clip(found.get("request_id", ""), 100),
        status=status,
    )
    error.wait = seconds(found.get("wait", ""), now=0.0)
    return error


def _said(status: int) -> str:
    rejected = 400 <= status < 500 and BY_STATUS.get(status, ProviderError) is ProviderError
    usual = "{provider} rejects the request (HTTP {status})" if rejected else "{provider} failed (HTTP {status})"
    return SAID.get(status, usual)


def _hint(status: int, sense: Sense | None, names: Mapping[str, str], provider: Provider | None) -> str:
    """What to do: as the provider's row says, else as is usual."""
    pull = provider.pull if provider and status == 404 else ""
    own = provider.hints.get(str(status), "") if provider and not sense else ""
    usual = sense.hint if sense and sense.hint else HINTS.get(status, "")
    return (pull or own or usual).format_map(names)


def _instead(found: Mapping[str, str], names: Mapping[str, str]) -> str:
    return f"\nit suggests: --model {names['provider']}:{found['instead']}" if found.get("instead") else ""
