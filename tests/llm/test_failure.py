"""What a failure means: every envelope in use, every status, every way a connection breaks."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from aix.llm.envelope import envelope
from aix.llm.failure import BREAKS, BY_STATUS, BY_WORD, broken, failure, in_band

NAMES = {"provider": "acme", "model": "m-1", "page": "https://acme.example/keys", "host": "acme.example"}

OPENAI = {"error": {"message": "Bad thing", "type": "invalid_request_error", "param": None, "code": "bad_thing"}}
OPENROUTER = {
    "error": {
        "code": 429,
        "message": "Provider returned error",
        "metadata": {"error_type": "rate_limit_exceeded", "provider_name": "X", "raw": "upstream is tired"},
    }
}
ANTHROPIC = {
    "type": "error",
    "error": {"type": "rate_limit_error", "message": "Slow", "details": {"error_code": "enforced_spend_limit_reached"}},
    "request_id": "req_011",
}
GEMINI = {
    "error": {
        "code": 400,
        "message": "API key not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}, {"x": 1}],
    }
}

ENVELOPES: Mapping[str, tuple[Any, dict[str, str]]] = {
    "OpenAI": (OPENAI, {"message": "Bad thing", "words": "invalid_request_error bad_thing"}),
    "OpenRouter": (
        OPENROUTER,
        {"message": "Provider returned error: upstream is tired", "words": "429 rate_limit_exceeded"},
    ),
    "OpenRouter, which repeats itself": (
        {"error": {"code": 1, "message": "a: b", "metadata": {"raw": "b"}}},
        {"message": "a: b", "words": "1"},
    ),
    "OpenRouter, whose raw is an object": (
        {"error": {"code": 1, "message": "a", "metadata": {"raw": {"b": 1}}}},
        {"message": "a", "words": "1"},
    ),
    "Anthropic": (
        ANTHROPIC,
        {"message": "Slow", "words": "rate_limit_error enforced_spend_limit_reached", "request_id": "req_011"},
    ),
    "Gemini": (GEMINI, {"message": "API key not valid.", "words": "400 INVALID_ARGUMENT API_KEY_INVALID"}),
    "Gemini in a list": ([GEMINI], {"message": "API key not valid.", "words": "400 INVALID_ARGUMENT API_KEY_INVALID"}),
    "Cohere": ({"message": "invalid api token", "id": "x"}, {"message": "invalid api token", "words": ""}),
    "Mistral": (
        {"object": "error", "message": {"detail": [{"msg": "Field required"}]}, "type": "invalid", "code": 1},
        {"message": '{"detail": [{"msg": "Field required"}]}', "words": "invalid 1"},
    ),
    "FastAPI": (
        {"detail": [{"loc": ["body", "model"], "msg": "Field required", "type": "missing"}]},
        {"message": '[{"loc": ["body", "model"], "msg": "Field required", "type": "missing"}]', "words": ""},
    ),
    "a plain detail": ({"detail": "Not Found"}, {"message": "Not Found", "words": ""}),
    "Ollama": ({"error": "model 'x' not found"}, {"message": "model 'x' not found", "words": ""}),
    "Replicate": (
        {"title": "Unauthenticated", "status": 401, "detail": "no token"},
        {"message": "no token", "words": "401"},
    ),
    "a title alone": ({"title": "Gone"}, {"message": "Gone", "words": ""}),
    "llama.cpp": (
        {"error": {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_ctx": 512}},
        {"message": "too long", "words": "exceed_context_size_error 400"},
    ),
    "a gateway around OpenAI": (
        {"error": OPENAI},
        {"message": "Bad thing", "words": "invalid_request_error bad_thing"},
    ),
    "an error in a list": ({"error": ["a", "b"]}, {"message": "a", "words": ""}),
    "a text": ("no", {"message": "no", "words": ""}),
    "a type without a message": (
        {"error": {"type": "overloaded_error"}},
        {"message": "overloaded_error", "words": "overloaded_error"},
    ),
    "another language": ({"error": "nein, größer"}, {"message": "nein, größer", "words": ""}),
    "deeper than anybody means": ({"error": {"error": {"error": {"error": {"error": "x"}}}}}, {}),
    "an empty error": ({"error": {}}, {}),
    "a flag": ({"error": True}, {}),
    "nothing of use": ({"foo": 1}, {}),
    "an empty object": ({}, {}),
    "an empty list": ([], {}),
    "a list of lists": ([[["x"]]], {}),
    "a number": (5, {}),
    "null": (None, {}),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_is_opened(name: str) -> None:
    value, expected = ENVELOPES[name]
    assert envelope(value) == expected


RAW: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "a web page": (b"  <html><body>502 Bad Gateway", ""),
    "a sentence": (b"upstream\n connect  error", "upstream connect error"),
    "JSON of nobody": (b'{"foo": 1}', '{"foo": 1}'),
    "half of a JSON": (b'{"error": {"mess', '{"error": {"mess'),
    "no text": (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
    "too much": (b"x" * 1000, "x" * 300 + "…"),
    "a JSON without a bottom": (b'{"error":' * 50_000, ('{"error":' * 50)[:300] + "…"),
    "a deep envelope": (b'{"error":' * 900 + b'"x"' + b"}" * 900, ('{"error":' * 50)[:300] + "…"),
    "a number too long": (b"1" * 5000, "1" * 300 + "…"),
}


@pytest.mark.parametrize("name", RAW)
def test_a_body_without_an_envelope_is_quoted(name: str) -> None:
    body, cause = RAW[name]
    error = failure(500, body, NAMES)
    assert (type(error), error.cause, error.status) == (ProviderError, cause, 500)


STATUSES: Mapping[int, tuple[type[AixError], str, str]] = {
    400: (ProviderError, "acme rejects the request (HTTP 400)", ""),
    401: (AuthError, "acme does not accept the key", "aix api-key acme"),
    402: (
        RateLimitError,
        "acme wants to be paid before it answers",
        "add credit: https://acme.example/keys, or ask another: --provider NAME",
    ),
    403: (AuthError, "acme does not allow this to the key", "check what the key may do: https://acme.example/keys"),
    404: (
        NotFoundError,
        "acme has no model 'm-1', or nothing at this address",
        "name a model that it has: --model acme:MODEL",
    ),
    405: (ProviderError, "acme rejects the request (HTTP 405)", ""),
    407: (
        NetworkError,
        "the proxy for acme refuses",
        "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
    ),
    408: (DeadlineError, "acme took too long", ""),
    409: (ProviderError, "acme rejects the request (HTTP 409)", ""),
    413: (ProviderError, "the request is too large for acme", "send less text"),
    422: (ProviderError, "acme rejects the request (HTTP 422)", ""),
    429: (RateLimitError, "acme is limiting requests", "wait a little, or ask another: --provider NAME"),
    498: (RateLimitError, "acme has no capacity left just now", "wait a little, or ask another: --provider NAME"),
    500: (ProviderError, "acme failed (HTTP 500)", ""),
    503: (ProviderError, "acme failed (HTTP 503)", ""),
    529: (RateLimitError, "acme is overloaded", "wait a little, or ask another: --provider NAME"),
    599: (ProviderError, "acme failed (HTTP 599)", ""),
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_means_one_error(status: int) -> None:
    error = failure(status, json.dumps({"error": {"message": "why"}}).encode(), NAMES, "req-1")
    assert (type(error), error.message, error.hint) == STATUSES[status]
    assert (error.cause, error.request_id, error.status, error.reason) == ("why", "req-1", status, "")


def test_every_status_of_the_table_is_tried() -> None:
    assert set(BY_STATUS) <= set(STATUSES)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"type": "insufficient_quota", "code": "insufficient_quota"}},
        {"error": {"type": "rate_limit_error", "code": "credit_balance_exhausted"}},
        {"error": {"type": "insufficient_quota", "code": "project_spend_limit_exceeded"}},
        {"error": {"code": "organization_spend_limit_exceeded"}},
        {"error": {"code": "organization_usage_limit_exceeded"}},
        {"type": "error", "error": {"type": "billing_error"}},
        ANTHROPIC,
    ],
)
@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_used_up_quota_is_no_rate_limit(status: int, body: dict[str, Any]) -> None:
    error = failure(status, json.dumps(body).encode(), NAMES)
    assert (type(error), error.reason, error.status) == (RateLimitError, "quota", status)
    assert error.message == "the quota or credit at acme is used up"
    assert error.hint.startswith("add credit: https://acme.example/keys")


def test_a_word_in_a_sentence_is_no_quota() -> None:
    assert failure(429, b'{"error": {"message": "not insufficient_quota"}}', NAMES).reason == ""


def test_a_wrong_key_is_one_though_it_comes_as_a_bad_request() -> None:
    error = failure(400, json.dumps(GEMINI).encode(), NAMES)
    assert (type(error), error.hint) == (AuthError, "aix api-key acme")


def test_the_id_in_the_header_goes_before_the_one_in_the_body() -> None:
    body = json.dumps(ANTHROPIC).encode()
    assert failure(429, body, NAMES, "req-header").request_id == "req-header"
    assert failure(429, body, NAMES).request_id == "req_011"


IN_BAND: Mapping[str, tuple[Any, type[AixError], int]] = {
    "a status of its own": ({"error": {"code": 502, "message": "x"}}, ProviderError, 502),
    "a status as text": ({"error": {"code": "429", "message": "x"}}, RateLimitError, 429),
    "a status and a word": ({"error": {"code": 404, "type": "rate_limit_error"}}, NotFoundError, 404),
    "a code that is no status": ({"error": {"code": 1302, "message": "x"}}, ProviderError, 0),
    "a strange digit": ({"error": {"code": "²", "message": "x"}}, ProviderError, 0),
    "OpenRouter": (OPENROUTER, RateLimitError, 429),
    "a choice": ({"index": 0, "delta": {}, "error": {"code": 500}}, ProviderError, 500),
    "a text": ({"error": "boom"}, ProviderError, 0),
    "a flag": ({"error": True}, ProviderError, 0),
    "nothing": ({"type": "error"}, ProviderError, 0),
}


@pytest.mark.parametrize("name", IN_BAND)
def test_an_error_inside_an_answer_means_what_it_says(name: str) -> None:
    value, kind, status = IN_BAND[name]
    error = in_band(value, NAMES, "req-1")
    assert (type(error), error.status, error.request_id) == (kind, status, "req-1")


@pytest.mark.parametrize("word", BY_WORD)
def test_a_word_inside_an_answer_stands_for_its_status(word: str) -> None:
    error = in_band({"type": "error", "error": {"type": word, "message": "why"}}, NAMES)
    assert (error.status, error.cause) == (BY_WORD[word], "why")


def test_an_error_without_a_status_does_not_pretend_to_one() -> None:
    assert in_band({"error": "boom"}, NAMES).message == "acme sent an error instead of an answer"


BROKEN: Mapping[str, tuple[httpx.HTTPError, type[AixError], bool, str]] = {
    "no connection": (httpx.ConnectTimeout("timed out"), NetworkError, True, "check that it runs, and its address"),
    "refused": (
        httpx.ConnectError("[Errno 111] Connection refused"),
        NetworkError,
        True,
        "check that it runs, and its address",
    ),
    "no such name": (
        httpx.ConnectError("[Errno -2] Name or service not known"),
        NetworkError,
        True,
        "check the address and the network",
    ),
    "no such name on a Mac": (
        httpx.ConnectError("[Errno 8] nodename nor servname provided, or not known"),
        NetworkError,
        True,
        "check the address and the network",
    ),
    "no name server": (
        httpx.ConnectError("[Errno -3] Temporary failure in name resolution"),
        NetworkError,
        True,
        "check the address and the network",
    ),
    "a certificate": (
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed (_ssl.c:1006)"),
        NetworkError,
        False,
        "if your network has its own authority: SSL_CERT_FILE=/path/to/authority.pem",
    ),
    "no TLS": (
        httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
        NetworkError,
        False,
        "check its address, and that it speaks https",
    ),
    "a proxy": (httpx.ProxyError("502 Bad Gateway"), NetworkError, True, "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"),
    "a proxy with a password": (
        httpx.ProxyError("407 Proxy Authentication Required"),
        NetworkError,
        False,
        "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
    ),
    "silence": (httpx.ReadTimeout("timed out"), DeadlineError, False, "run the command again"),
    "an end": (
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        ProviderError,
        False,
        "run the command again",
    ),
    "nonsense": (
        httpx.RemoteProtocolError("illegal status line: bytearray(b'hi')"),
        ProviderError,
        False,
        "check that it runs, and its address",
    ),
    "reset": (httpx.ReadError("[Errno 104] Connection reset"), NetworkError, False, "run the command again"),
    "a write": (httpx.WriteError("[Errno 32] Broken pipe"), NetworkError, False, "run the command again"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_connection_is_explained(name: str) -> None:
    cause, kind, unconnected, hint = BROKEN[name]
    error, found = broken([base.__name__ for base in type(cause).__mro__], str(cause), NAMES)
    assert (type(error), found, error.hint, error.cause) == (kind, unconnected, hint, str(cause))
    assert "acme" in error.message
    assert "{" not in error.message


def test_a_local_server_that_does_not_run_can_be_started() -> None:
    error, _ = broken(["ConnectError", "HTTPError"], "[Errno 111] Connection refused", {**NAMES, "start": "acme serve"})
    assert error.hint == "acme serve"


def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    error, _ = broken(["LocalProtocolError", "HTTPError"], "Illegal header value b'sk-secret'", NAMES)
    assert (type(error), error.cause) == (ConfigError, "")
    assert "sk-secret" not in error.message + error.hint


def test_every_row_is_about_a_class_that_httpx_has() -> None:
    for row in BREAKS:
        assert issubclass(getattr(httpx, row.kind), httpx.HTTPError)
    assert BREAKS[-1].kind == "HTTPError"


JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "detail",
                    "details",
                    "metadata",
                    "raw",
                    "type",
                    "code",
                    "status",
                    "request_id",
                    "title",
                ]
            ),
            inner,
        )
    ),
)


@given(JSONS, st.sampled_from([400, 401, 429, 500]))
def test_no_envelope_can_break_it(value: Any, status: int) -> None:
    for error in (failure(status, json.dumps(value).encode(), NAMES), in_band(value, NAMES)):
        assert isinstance(error, AixError)
        assert len(error.cause) <= 301
        assert len(error.request_id) <= 101
