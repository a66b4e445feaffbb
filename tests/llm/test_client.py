"""The client without a network: what it sends, what it makes of an answer, when it tries again, what it hides."""

import email.utils
import json
import os
import ssl
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock, IteratorStream

from aix.config.secrets import Secret
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
from aix.llm.client import Client
from aix.llm.clock import Clock
from aix.llm.exchange import Attempt, Exchange, is_private
from aix.llm.failure import BY_STATUS
from aix.llm.network import masked, proxy_for
from aix.llm.protocols import protocol
from aix.llm.providers import Providers
from aix.llm.retry import Patience
from aix.messages import Finish, Message, Request, Response, Text, TextDelta, collect

KEY = "sk-canary-0123456789abcdef"
MASKED = "sk-c***cdef"
URL = "https://acme.invalid/v1"
NOW = 1_800_000_000.0

CHAT = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
MESSAGES = {"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
PLAIN = {"openai-chat": CHAT, "anthropic-messages": MESSAGES}


def exchange(
    protocol_name: str = "openai-chat",
    *,
    key: str | None = KEY,
    stream: bool = False,
    timeout: float = 600.0,
    url: str = URL,
    **row: Any,
) -> Exchange:
    row = {"base_url": URL, "protocol": protocol_name, **row}
    provider = replace(Providers({"acme": row}, {}).get("acme"), base_url=url)
    module = protocol(protocol_name)
    request = Request("m-1", (Message("user", (Text("Hi"),)),))
    call = module.encode(request, provider.dialect, stream=stream)
    return Exchange(provider, "m-1", module, call, Secret(key) if key else None, stream, timeout)


@dataclass
class Time:
    """A clock that only moves when somebody sleeps, and keeps how long that was."""

    seconds: float = 0.0
    dice: float = 0.5
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, lambda: NOW + self.seconds, self.sleep, lambda: self.dice)


@dataclass
class Asked:
    """One question, put to a client without a network."""

    time: Time = field(default_factory=Time)
    attempts: list[Attempt] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)

    def response(self, question: Exchange | None = None) -> Response:
        client = Client(self.env, self.time.clock, self.notices.append)
        return collect(client.events(question or exchange(), self.attempts))

    def error(self, question: Exchange | None = None) -> AixError:
        with pytest.raises(AixError) as caught:
            self.response(question)
        return caught.value


def sent(mock: HTTPXMock) -> httpx.Request:
    (request,) = mock.get_requests()
    return request


# What is sent


AUTH: Mapping[str, dict[str, str]] = {
    "bearer": {"authorization": f"Bearer {KEY}"},
    "api-key": {"api-key": KEY},
    "x-api-key": {"x-api-key": KEY},
    "none": {},
}


@pytest.mark.parametrize("auth", AUTH)
@pytest.mark.parametrize("protocol_name", PLAIN)
def test_the_key_stands_in_one_header_and_nowhere_else(protocol_name: str, auth: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=PLAIN[protocol_name])
    Asked().response(exchange(protocol_name, auth_type=auth))
    request = sent(httpx_mock)
    assert {name: value for name, value in request.headers.items() if KEY in value} == AUTH[auth]
    assert KEY not in str(request.url)
    assert KEY.encode() not in request.content


@pytest.mark.parametrize(
    ("protocol_name", "header"), [("openai-chat", "authorization"), ("anthropic-messages", "x-api-key")]
)
def test_a_custom_provider_is_shown_its_key_as_its_protocol_does(
    protocol_name: str, header: str, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=PLAIN[protocol_name])
    Asked().response(exchange(protocol_name))
    assert KEY in sent(httpx_mock).headers[header]


def test_without_a_key_no_header_is_sent_for_one(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT)
    Asked().response(exchange(key=None))
    assert "authorization" not in sent(httpx_mock).headers


@pytest.mark.parametrize(("stream", "accept"), [(True, "text/event-stream"), (False, "application/json")])
def test_the_headers_are_these_and_no_others(stream: bool, accept: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT)
    question = exchange(stream=stream, headers={"X-Team": "blue"})
    Asked().response(question)
    headers = dict(sent(httpx_mock).headers)
    assert headers.pop("user-agent").startswith("aix/")
    assert headers == {
        "host": "acme.invalid",
        "accept": accept,
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(question.call.content)),
        "authorization": f"Bearer {KEY}",
        "x-team": "blue",
    }


def test_a_providers_own_header_replaces_ours_in_any_spelling(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=MESSAGES)
    Asked().response(exchange("anthropic-messages", headers={"Anthropic-Version": "2026-10-21", "USER-AGENT": "me"}))
    headers = sent(httpx_mock).headers
    assert headers.get_list("anthropic-version") == ["2026-10-21"]
    assert headers.get_list("user-agent") == ["me"]


def test_the_key_replaces_a_header_of_its_name(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT)
    Asked().response(exchange(headers={"authorization": "Basic abc"}))
    assert sent(httpx_mock).headers.get_list("authorization") == [f"Bearer {KEY}"]


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}//"])
def test_the_path_is_joined_with_one_slash(url: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT)
    question = exchange(url=url)
    Asked().response(question)
    assert str(sent(httpx_mock).url) == f"{URL}/chat/completions"
    assert json.loads(sent(httpx_mock).content) == question.call.body


def test_echo_needs_no_network_and_is_one_attempt(httpx_mock: HTTPXMock) -> None:
    provider, module, asked = Providers({}, {}).get("echo"), protocol("echo"), Asked()
    call = module.encode(Request("echo", (Message("user", (Text("Hi"),)),)), provider.dialect, stream=True)
    response = asked.response(Exchange(provider, "echo", module, call, None, True, 10))
    assert "Hi" in response.text
    assert response.whole
    assert asked.attempts == [Attempt("echo", "echo", 200, "", 0.0, 0.0)]
    assert httpx_mock.get_requests() == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://acme.invalid", ConfigError),
        ("https://", ConfigError),
        ("https://user:pass@acme.invalid", ConfigError),
        ("https://acme.invalid:99999", ConfigError),
        ("https://exa mple", ConfigError),
        ("http://acme.invalid", NetworkError),
    ],
)
def test_an_address_that_may_not_be_asked_is_not(url: str, kind: type[AixError], httpx_mock: HTTPXMock) -> None:
    assert type(Asked().error(exchange(url=url))) is kind
    assert httpx_mock.get_requests() == []


# What is made of an answer


STATUSES: Mapping[int, type[AixError]] = {
    **BY_STATUS,
    400: ProviderError,
    405: ProviderError,
    409: ProviderError,
    413: ProviderError,
    418: ProviderError,
    422: ProviderError,
    500: ProviderError,
    502: ProviderError,
    503: ProviderError,
    504: ProviderError,
}


def test_the_table_of_statuses_is_the_documented_one() -> None:
    documented = {
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
    assert documented == BY_STATUS


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_status_is_the_error_that_it_means(stream: bool, status: int, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status, json={"error": {"message": "why"}}, headers={"x-request-id": "req-1"})
    error = Asked().error(exchange(stream=stream))
    assert type(error) is STATUSES[status]
    assert (error.status, error.cause, error.request_id) == (status, "why", "req-1")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-request-id": "a", "request-id": "b"}, "a"),
        ({"request-id": "b"}, "b"),
        ({"X-Request-ID": "a"}, "a"),
        ({"x-request-id": "x" * 200}, "x" * 100 + "…"),
        ({}, "in-body"),
    ],
)
def test_the_request_id_is_taken_where_it_stands(headers: dict[str, str], expected: str, httpx_mock: HTTPXMock) -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "x"}, "request_id": "in-body"}
    httpx_mock.add_response(400, json=body, headers=headers)
    assert Asked().error().request_id == expected


BODIES: Mapping[str, tuple[bytes, str]] = {
    "OpenAI": (b'{"error": {"message": "Bad", "type": "t", "param": null, "code": null}}', "Bad"),
    "OpenRouter": (b'{"error": {"code": 400, "message": "Bad", "metadata": {"raw": "worse"}}}', "Bad: worse"),
    "Anthropic": (b'{"type": "error", "error": {"type": "invalid_request_error", "message": "Bad"}}', "Bad"),
    "Gemini": (b'{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}', "Bad"),
    "a list": (b'[{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}]', "Bad"),
    "a text": (b'{"error": "Bad"}', "Bad"),
    "details": (b'{"detail": [{"loc": ["body"], "msg": "Bad"}]}', '[{"loc": ["body"], "msg": "Bad"}]'),
    "a web page": (b"<html>Bad", ""),
    "words": (b"Bad\nthing", "Bad thing"),
    "nothing": (b"", ""),
    "more than is read": (b"x" * 200_000, "x" * 300 + "…"),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_providers_words_are_the_cause(name: str, httpx_mock: HTTPXMock) -> None:
    body, cause = BODIES[name]
    httpx_mock.add_response(400, content=body)
    error = Asked().error()
    assert (error.message, error.cause) == ("acme rejects the request (HTTP 400)", cause)


def test_a_stream_is_handed_over_as_it_comes(httpx_mock: HTTPXMock) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n'
        yield b'\ndata: {"choices": [{"delta": {"content": "lo"}, "finish_reason": "stop"}]}\n\n'

    httpx_mock.add_response(stream=IteratorStream(chunks()), headers={"content-type": "text/event-stream"})
    events = Client({}).events(exchange(stream=True), [])
    assert next(events) == TextDelta("Hel")
    assert next(events) == TextDelta("lo")
    assert isinstance(next(events), Finish)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
def test_a_redirect_is_an_error(status: int, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status, headers={"location": "https://evil.invalid/"})
    error = Asked().error()
    assert (type(error), error.status) == (NetworkError, status)
    assert error.message.startswith("acme redirects to https://evil.invalid/, and aix does not follow")
    assert len(httpx_mock.get_requests()) == 1


# When it is tried again


def test_a_failure_is_tried_again_after_a_growing_wait(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(503)
    httpx_mock.add_response(500)
    httpx_mock.add_response(json=CHAT)
    asked = Asked()
    assert asked.response().text == "Hello"
    assert asked.time.waits == [0.25, 0.5]
    assert asked.attempts == [
        Attempt("acme", "m-1", 503, "PROVIDER", 0.0),
        Attempt("acme", "m-1", 500, "PROVIDER", 0.0),
        Attempt("acme", "m-1", 200, "", 0.0, 0.0),
    ]
    assert asked.notices == [
        "acme failed (HTTP 503); trying again in 0.2 s (2 of 3)",
        "acme failed (HTTP 500); trying again in 0.5 s (3 of 3)",
    ]


HEADERS: Mapping[str, tuple[int, dict[str, str], list[float]]] = {
    "nothing asked": (429, {}, [0.25, 0.5]),
    "seconds": (429, {"retry-after": "2"}, [2.0, 2.0]),
    "milliseconds": (429, {"retry-after-ms": "120", "retry-after": "2"}, [0.12, 0.12]),
    "a date": (429, {"retry-after": email.utils.formatdate(NOW + 9, usegmt=True)}, [9.0, 0.0]),
    "a date that is over": (503, {"retry-after": email.utils.formatdate(NOW - 9, usegmt=True)}, [0.0, 0.0]),
    "too long": (429, {"retry-after": "21"}, []),
    "a duration": (429, {"retry-after": "1m0.5s", "retry-after-ms": "500"}, [0.5, 0.5]),
    "what is used up": (
        429,
        {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6.5s"},
        [6.5, 6.5],
    ),
    "what is used up, where nobody is limited": (
        503,
        {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6.5s"},
        [0.25, 0.5],
    ),
    "should": (418, {"x-should-retry": "true"}, [0.25, 0.5]),
    "should not": (500, {"x-should-retry": "false"}, []),
    "should, but never will": (422, {"x-should-retry": "true"}, []),
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_the_headers_say_whether_and_when(name: str, httpx_mock: HTTPXMock) -> None:
    status, headers, waits = HEADERS[name]
    httpx_mock.add_response(status, headers=headers)
    asked = Asked()
    assert asked.error().status == status
    assert asked.time.waits == waits
    assert len(httpx_mock.get_requests()) == len(asked.attempts) == len(waits) + 1


@pytest.mark.parametrize(
    "word",
    ["insufficient_quota", "credit_balance_exhausted", "organization_usage_limit_exceeded", "billing_error"],
)
def test_a_used_up_quota_is_not_tried_again(word: str, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(429, json={"error": {"type": word, "message": "x"}}, headers={"retry-after": "1"})
    asked = Asked()
    error = asked.error()
    assert (type(error), error.reason, asked.time.waits) == (RateLimitError, "quota", [])


def test_a_wait_that_is_too_long_is_said(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(429, headers={"retry-after": "3600"})
    assert Asked().error().message == "acme is limiting requests; it asks to wait 60 min"


@pytest.mark.parametrize(
    ("headers", "said"), [({"retry-after": "90"}, "90 s"), ({"retry-after": "2h30m"}, "3 h"), ({}, "34 s")]
)
def test_a_wait_is_said_as_a_person_would_and_stays_on_the_error(
    headers: dict[str, str], said: str, httpx_mock: HTTPXMock
) -> None:
    body = {"error": {"code": 429, "message": "why", "details": [{"retryDelay": "34s"}]}}
    httpx_mock.add_response(429, json=body, headers=headers)
    error = Asked().error()
    assert error.message == f"acme is limiting requests; it asks to wait {said}"
    assert error.wait == {"90 s": 90.0, "3 h": 9000.0, "34 s": 34.0}[said]


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_run_has_a_quota_of_retries_over_all_that_it_asks(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(503)
    time, attempts, patience, asked = Time(), list[Attempt](), Patience(retries=3), 0
    for sent in (3, 5, 6):
        with pytest.raises(ProviderError):
            collect(Client({}, time.clock).events(exchange(), attempts, patience))
        assert len(attempts) == sent
    assert patience.retries == asked


@pytest.mark.parametrize(("wait", "waits"), [("2", [2.0, 2.0]), ("2.5", [])])
@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_where_another_could_be_asked_a_long_wait_is_not(wait: str, waits: list[float], httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(429, headers={"retry-after": wait})
    time = Time()
    with pytest.raises(RateLimitError, match=r"acme is limiting requests(; it asks to wait 3 s)?$"):
        collect(Client({}, time.clock).events(exchange(), [], Patience(others=lambda _: True)))
    assert time.waits == waits


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, 1e12, -1e12])
@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_clock_that_jumps_makes_no_wait_longer(jump: float, httpx_mock: HTTPXMock) -> None:
    dates = {"date": email.utils.formatdate(NOW), "retry-after": email.utils.formatdate(NOW + 3)}
    httpx_mock.add_response(503, headers=dates)
    time, now = Time(), [NOW, NOW + jump, NOW]
    clock = replace(time.clock, now=lambda: now.pop(0))
    with pytest.raises(ProviderError):
        collect(Client({}, clock).events(exchange(timeout=9), []))
    assert time.waits == [3.0, 3.0]


def test_a_wait_beyond_the_deadline_is_not_begun(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(429, headers={"retry-after": "10"})
    asked = Asked()
    assert type(asked.error(exchange(timeout=9))) is RateLimitError
    assert asked.time.waits == []


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_the_deadline_is_for_all_attempts_together(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(429, headers={"retry-after": "10"})
    asked = Asked()
    assert type(asked.error(exchange(timeout=15))) is RateLimitError
    assert asked.time.waits == [10]
    assert len(httpx_mock.get_requests()) == 2


BROKEN: Mapping[str, tuple[Exception, type[AixError], int]] = {
    "no connection": (httpx.ConnectTimeout("timed out"), NetworkError, 3),
    "refused": (httpx.ConnectError("[Errno 111] Connection refused"), NetworkError, 3),
    "a proxy": (httpx.ProxyError("502 Bad Gateway"), NetworkError, 3),
    "a proxy that wants a password": (httpx.ProxyError("407 Proxy Authentication Required"), NetworkError, 1),
    "a certificate": (
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
        NetworkError,
        1,
    ),
    "silence": (httpx.ReadTimeout("timed out"), DeadlineError, 1),
    "silence of the reader": (httpx.WriteTimeout("timed out"), DeadlineError, 1),
    "a reset": (httpx.ReadError("[Errno 104] Connection reset by peer"), NetworkError, 1),
    "an end": (httpx.RemoteProtocolError("Server disconnected without sending a response."), ProviderError, 1),
    "a word that a cut has too": (httpx.RemoteProtocolError("illegal status line: 'incomplete'"), ProviderError, 1),
    "a header of ours": (httpx.LocalProtocolError(f"Illegal header value b'{KEY}'"), ConfigError, 1),
    "a host that is none": (UnicodeError("label empty or too long"), NetworkError, 1),
    "no more descriptors": (OSError(24, "Too many open files"), NetworkError, 1),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_only_what_never_got_through_is_sent_again(name: str, httpx_mock: HTTPXMock) -> None:
    raised, kind, requests = BROKEN[name]
    httpx_mock.add_exception(raised)
    error = Asked().error()
    assert (type(error), len(httpx_mock.get_requests())) == (kind, requests)
    assert KEY not in "".join(traceback.format_exception(error)) + error.cause + error.hint


def broken_stream(*chunks: bytes, error: Exception | None = None) -> IteratorStream:
    def stream() -> Iterator[bytes]:
        yield from chunks
        if error:
            raise error

    return IteratorStream(stream())


EVENT = b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n'
END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
OVERLOADED = b'data: {"error": {"type": "overloaded_error", "message": "x"}}\n\n'
SSE = {"content-type": "text/event-stream", "x-request-id": "req-9"}


def test_an_error_inside_a_stream_before_any_event_is_tried_again(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=OVERLOADED, headers={**SSE, "retry-after": "3"})
    httpx_mock.add_response(content=EVENT + END, headers=SSE)
    asked = Asked()
    assert asked.response(exchange(stream=True)).text == "Hel"
    assert asked.time.waits == [3]
    assert [attempt.error for attempt in asked.attempts] == ["RATE_LIMIT", ""]


@pytest.mark.parametrize("failing", ["in band", "reset"])
def test_nothing_is_sent_again_after_an_event(failing: str, httpx_mock: HTTPXMock) -> None:
    bodies = {
        "in band": broken_stream(EVENT, OVERLOADED),
        "reset": broken_stream(EVENT, error=httpx.ReadError("[Errno 104] Connection reset by peer")),
    }
    httpx_mock.add_response(stream=bodies[failing], headers=SSE)
    asked = Asked()
    events = Client({}, asked.time.clock).events(exchange(stream=True), asked.attempts)
    assert next(events) == TextDelta("Hel")
    with pytest.raises(AixError) as caught:
        next(events)
    assert caught.value.request_id == ("req-9" if failing == "in band" else "")
    assert len(httpx_mock.get_requests()) == 1
    assert asked.time.waits == []


@pytest.mark.parametrize(
    ("chunks", "noted"),
    [
        ((EVENT, END), (200, "")),
        ((EVENT,), (200, "INCOMPLETE")),
        ((), (200, "PROVIDER")),
        ((EVENT, OVERLOADED), (529, "RATE_LIMIT")),
    ],
)
def test_an_attempt_is_noted_as_what_it_was(
    chunks: tuple[bytes, ...], noted: tuple[int, str], httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(stream=broken_stream(*chunks), headers=SSE)
    asked = Asked()
    events = Client({}, asked.time.clock).events(exchange(stream=True), asked.attempts)
    try:
        list(events)
    except AixError:
        assert noted[1]
    (attempt,) = asked.attempts
    assert (attempt.status, attempt.error) == noted


# What it hides


SHOWN: Mapping[str, tuple[dict[str, Any], dict[str, str]]] = {
    "bearer": ({}, {"Authorization": f"Bearer {MASKED}"}),
    "api-key": ({"auth_type": "api-key"}, {"api-key": MASKED}),
    "x-api-key": ({"auth_type": "x-api-key"}, {"x-api-key": MASKED}),
    "none": ({"auth_type": "none"}, {}),
    "a header of the user's": (
        {"auth_type": "none", "headers": {"X-Auth-Token": KEY}},
        {"X-Auth-Token": MASKED},
    ),
    "a short one": ({"auth_type": "none", "headers": {"X-Secret": "hush"}}, {"X-Secret": "***"}),
    "one that the key replaces": ({"headers": {"authorization": KEY}}, {"Authorization": f"Bearer {MASKED}"}),
    "one whose name tells nothing": ({"auth_type": "none", "headers": {"X-Team": KEY}}, {"X-Team": MASKED}),
    "ours": ({}, {"Accept-Encoding": "identity"}),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_headers_that_are_shown_are_the_ones_sent_with_every_secret_masked(name: str) -> None:
    row, expected = SHOWN[name]
    question = exchange(**row)
    shown = question.masked_headers
    assert KEY not in repr(shown)
    assert shown.keys() == question.headers.keys()
    assert {header: shown[header] for header in expected} == expected


@pytest.mark.parametrize(
    ("header", "private"),
    [
        ("Authorization", True),
        ("x-api-key", True),
        ("Cookie", True),
        ("X-Auth-Token", True),
        ("X-Client-Secret", True),
        ("X-Password", True),
        ("X-Amz-Credential", True),
        ("Content-Type", False),
        ("anthropic-version", False),
        ("X-Title", False),
    ],
)
def test_a_headers_name_says_whether_it_is_private(header: str, private: bool) -> None:
    assert is_private(header) is private


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"wrong key {KEY}!", f"wrong key {MASKED}!"),
        (f"{KEY} and {KEY}", f"{MASKED} and {MASKED}"),
        (f"wrong key {KEY[:12]}…", f"wrong key {MASKED}…"),
        (f"wrong key {KEY[:8]}…", f"wrong key {MASKED}…"),
        ("wrong token hush-hush-hush-hush", "wrong token hush***hush"),
        ("wrong team blue-blue-blue-blue", "wrong team blue***blue"),
        ("nothing of it", "nothing of it"),
        ("cut…", "cut…"),
        ("", ""),
    ],
)
def test_a_text_is_shown_without_the_secrets_that_were_sent(text: str, shown: str) -> None:
    question = exchange(headers={"X-Token": "Bearer hush-hush-hush-hush", "X-Team": "blue-blue-blue-blue"})
    assert question.without_secrets(text) == shown


def test_a_short_key_is_a_word_like_others() -> None:
    assert exchange(key="ollama").without_secrets("ollama is limiting requests") == "ollama is limiting requests"


def test_a_key_is_in_no_representation() -> None:
    question = exchange(headers={"X-Token": KEY})
    assert KEY not in repr(question)
    assert KEY not in repr(question.provider)


# Proxies and certificates


PROXIES: Mapping[str, tuple[str, dict[str, str], str | None]] = {
    "none": ("https://a.example/v1", {}, None),
    "for https": ("https://a.example/v1", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
    "for http": ("http://a.example/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
    "for the other": ("https://a.example/v1", {"HTTP_PROXY": "http://p:1"}, None),
    "for all": ("https://a.example/v1", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
    "its own before all": ("https://a.example", {"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://q:1"),
    "lower case wins": ("https://a.example", {"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:1"}, "http://q:1"),
    "lower case wins by being empty": ("https://a.example", {"HTTPS_PROXY": "http://p:1", "https_proxy": ""}, None),
    "without a scheme": ("https://a.example", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
    "empty": ("https://a.example", {"HTTPS_PROXY": ""}, None),
    "blank": ("https://a.example", {"HTTPS_PROXY": "  "}, None),
    "not for this host": ("https://a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.example,a.example"}, None),
    "not for this domain": ("https://x.a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".a.example"}, None),
    "not for this port": ("https://a.example:8443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example:8443"}, None),
    "for another port": (
        "https://a.example",
        {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example:8443"},
        "http://p:1",
    ),
    "for another host": ("https://ba.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example"}, "http://p:1"),
    "for nobody": ("https://a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
    "lower case no_proxy wins": (
        "https://a.example",
        {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*", "no_proxy": "b.example"},
        "http://p:1",
    ),
    "localhost": ("http://localhost:11434/v1", {"ALL_PROXY": "http://p:1"}, None),
    "127.0.0.1": ("http://127.0.0.1:1/v1", {"HTTP_PROXY": "http://p:1"}, None),
    "127.0.0.2": ("http://127.0.0.2:1/v1", {"HTTP_PROXY": "http://p:1"}, None),
    "::1": ("http://[::1]:1/v1", {"HTTP_PROXY": "http://p:1"}, None),
    "0.0.0.0": ("http://0.0.0.0:1/v1", {"HTTP_PROXY": "http://p:1"}, None),
    "a name that only begins so": ("http://127.0.0.1.example/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
    "a neighbour": ("http://192.168.0.2/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
}


@pytest.mark.parametrize("name", PROXIES)
def test_which_proxy(name: str) -> None:
    url, env, expected = PROXIES[name]
    assert proxy_for(url, env) == expected


def test_the_proxy_is_used_with_its_password(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT, proxy_url="http://user:pass@proxy.invalid:3128/")
    assert Asked(env={"HTTPS_PROXY": "http://user:pass@proxy.invalid:3128"}).response().text == "Hello"


@pytest.mark.parametrize("proxy", ["gopher://p:1", "http://p:port", "socks5://p:1080"])
def test_a_proxy_that_is_none_is_a_network_error(proxy: str, httpx_mock: HTTPXMock) -> None:
    error = Asked(env={"HTTPS_PROXY": proxy}).error()
    assert (type(error), error.message) == (NetworkError, "the proxy for acme cannot be used")
    assert error.hint == "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"
    assert httpx_mock.get_requests() == []


UNUSABLE = (
    "http://u:PW/ss@h:1",
    "http:/u:PW@h:1",
    "http://u:7/PW@h:1",
    "http://u:7?PW@h:1",
    "http://u:7#PW@h:1",
    "http://u:PW@[",
    "http://h:PW",
    "u:PW",
    "http://u%3APW%40h:1",
    "u:PW://h@x:1",
    "http://u:P W@h:1",
)


@pytest.mark.parametrize("proxy", UNUSABLE)
def test_no_part_of_a_proxy_that_is_none_is_shown(proxy: str, httpx_mock: HTTPXMock) -> None:
    error = Asked(env={"HTTPS_PROXY": proxy}).error()
    assert error.message == "the proxy for acme cannot be used"
    for part in ("PW", "P W", "u:", "7"):
        assert part not in "".join(traceback.format_exception(error)).partition("NetworkError")[2]
    assert (error.cause, masked(proxy), httpx_mock.get_requests()) == ("", "", [])


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://u:PW@h:1", "http://***@h:1"),
        ("http://PW@h", "http://***@h"),
        ("u:PW@h:1", "http://***@h:1"),
        ("http://h:1/?token=PW", "http://h:1"),
        ("http://h:1/PW#PW", "http://h:1"),
        ("socks5://u:P@W@[::1]:1080", "socks5://***@[::1]:1080"),
        ("proxy.example:3128", "http://proxy.example:3128"),
    ],
)
def test_a_proxy_is_shown_by_its_host(proxy: str, shown: str) -> None:
    assert masked(proxy) == shown


@pytest.mark.parametrize("content", [None, "this is no certificate"], ids=["missing", "nonsense"])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE"])
def test_certificates_that_cannot_be_read_are_one_sentence(
    variable: str, content: str | None, tmp_path: Path, httpx_mock: HTTPXMock
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    error = Asked(env={variable: str(file)}).error()
    assert type(error) is NetworkError
    assert error.exit_code == 7
    assert error.message.startswith(f"cannot read the certificates in {file}: ")
    assert "\n" not in error.message
    assert error.hint == "check SSL_CERT_FILE, SSL_CERT_DIR"
    assert httpx_mock.get_requests() == []


def test_certificates_in_a_fifo_are_not_waited_for(tmp_path: Path, httpx_mock: HTTPXMock) -> None:
    fifo = tmp_path / "authority.pem"
    os.mkfifo(fifo)
    error = Asked(env={"SSL_CERT_FILE": str(fifo)}).error()
    assert error.message == f"cannot read the certificates in {fifo}: not a regular file"
    assert httpx_mock.get_requests() == []


def test_certificates_are_not_read_for_plain_http(tmp_path: Path, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=CHAT)
    asked = Asked(env={"SSL_CERT_FILE": str(tmp_path / "missing.pem")})
    assert asked.response(exchange(url="http://127.0.0.1:1/v1")).text == "Hello"


def test_certificates_are_read_once(httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    usual = ssl.create_default_context

    def counted(**options: Any) -> ssl.SSLContext:
        made.append(usual(**options))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    for _ in range(3):
        httpx_mock.add_response(json=CHAT)
    client = Client({})
    for _ in range(3):
        collect(client.events(exchange(), []))
    assert len(made) == 1
