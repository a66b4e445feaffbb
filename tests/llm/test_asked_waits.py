"""How long an answer asks to wait, in every spelling; what cannot be read is not said, and never waited for."""

import email.utils
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.llm.failure import failure
from aix.llm.retry import Failure
from aix.llm.waits import LONGEST, asked, asked_wait, seconds, span

NOW = 1_800_000_000.0
NAMES = {"provider": "p", "model": "m-1", "page": "https://page.example"}


def date(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


def rfc3339(seconds: float, zone: str = "Z") -> str:
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f") + zone


SPELLINGS: Mapping[str, float | None] = {
    "": None,
    " ": None,
    "0": 0.0,
    "5": 5.0,
    " 5 ": 5.0,
    "0.5": 0.5,
    ".5": 0.5,
    "5.": 5.0,
    "007": 7.0,
    "1s": 1.0,
    "20ms": 0.02,
    "6m0s": 360.0,
    "1h2m3s": 3723.0,
    "2m59.56s": 179.56,
    "7.66s": 7.66,
    "1m30.951999999s": 90.951999999,
    "500us": 0.0005,
    "500µs": 0.0005,
    "100ns": 1e-7,
    "1d": 86_400.0,
    "1d2h": 93_600.0,
    date(30): 30.0,
    date(-30): 0.0,
    "Mon, 01 Jan 0001 00:00:00 -0000": 0.0,
    rfc3339(30): 30.0,
    rfc3339(30).lower(): 30.0,
    rfc3339(30).replace("T", " "): 30.0,
    rfc3339(0.25): 0.25,
    rfc3339(7230, "+02:00"): 30.0,
    rfc3339(30, ""): 30.0,
    rfc3339(30).replace("Z", "999Z"): 30.0,
    rfc3339(-30): 0.0,
    "0001-01-01T00:00:00Z": 0.0,
    "1800000030": 30.0,
    "1800000030000": 30.0,
    "1800000000250": 0.25,
    "1700000000": 0.0,
}
MEANINGLESS = (
    *("soon", "-5", "+5", "-5s", "1e3", "1e308", "inf", "nan", "Infinity", "٣", "५s", "5 s", "5x", "5,6", "5, 6", "s"),
    *("ms", "1s2", "0x10", "1_000", "--", ":", "\x00", "9" * 400, "9" * 400 + "s", "9999999999h", "400000000"),
    *("Mon, 99 Foo 2026 25:61:61 GMT", date(LONGEST + 9), rfc3339(LONGEST + 9), "9999-12-31T23:59:59Z", "32d"),
    *("2026-13-45T99:99:99Z", "2026-01-01", "2026-01-01T00:00:00Z and more", "99999999999999", "T00:00:00Z"),
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_wait_is_read_as_it_is_spelt(text: str) -> None:
    expected = SPELLINGS[text]
    assert seconds(text, NOW) == (None if expected is None else pytest.approx(expected, abs=1e-6))


@pytest.mark.parametrize("text", MEANINGLESS)
def test_what_means_nothing_or_too_much_is_no_wait(text: str) -> None:
    assert seconds(text, NOW) is None


GO = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6s"}
TOKENS = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9s"}
SOME = {"x-ratelimit-remaining-tokens": "150000", "x-ratelimit-reset-tokens": "6m0s"}
CLAUDE = {
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": rfc3339(60),
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": rfc3339(12),
    "anthropic-ratelimit-tokens-remaining": "0",
    "anthropic-ratelimit-tokens-reset": rfc3339(17),
}
HEADERS: Mapping[str, tuple[dict[str, str], float | None]] = {
    "nothing": ({}, None),
    "milliseconds": ({"retry-after-ms": "1500"}, 1.5),
    "milliseconds first": ({"retry-after-ms": "250.5", "retry-after": "7"}, 0.2505),
    "milliseconds that are none": ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
    "milliseconds that are a date": ({"retry-after-ms": date(30)}, None),
    "absurd milliseconds": ({"retry-after-ms": "9" * 18, "retry-after": "7"}, 7.0),
    "seconds before what is used up": ({"retry-after": "2", **GO}, 2.0),
    "nonsense before what is used up": ({"retry-after": "soon", **GO}, 6.0),
    "requests": (GO, 6.0),
    "the later of requests and tokens": (GO | TOKENS, 9.0),
    "what is left is not waited for": (GO | SOME, 6.0),
    "nothing is used up": (SOME, None),
    "no word of what remains": ({"x-ratelimit-reset-requests": "6s"}, None),
    "nonsense of what remains": ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "6s"}, None),
    "a reset that cannot be read": (GO | {"x-ratelimit-reset-requests": "later"}, None),
    "the later of Anthropic's": (CLAUDE, 17.0),
    "OpenRouter's, in milliseconds": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000034000"}, 34.0),
    "the standard's": ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12.0),
    "the clock of who names the time": ({"date": date(-3600), "retry-after": date(-3590)}, 10.0),
    "a clock that cannot be read": ({"date": "today", "retry-after": date(10)}, 10.0),
    "a clock that is ahead": ({"date": date(90_000), **CLAUDE}, 0.0),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_headers_of_a_429_say_when(name: str) -> None:
    headers, expected = HEADERS[name]
    assert asked(headers, NOW, limited=True) == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_only_who_is_limited_waits_for_what_is_used_up() -> None:
    assert asked(GO, NOW) is None
    assert asked({**GO, "retry-after": "2"}, NOW) == 2.0


def gemini(delay: Any, **more: Any) -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    return {"error": {"code": 429, "message": "why", "status": "RESOURCE_EXHAUSTED", "details": [more, info]}}


def openrouter(wait: Any) -> dict[str, Any]:
    return {"error": {"code": 503, "message": "why", "availability": {"retryable": True, "retry_after": wait}}}


BODIES: Mapping[str, tuple[Any, dict[str, str], float | None]] = {
    "Gemini": (gemini("34s"), {}, 34.0),
    "Gemini, with a fraction": (gemini("1.5s"), {}, 1.5),
    "Gemini, in a list": ([gemini("34.074824224s")], {}, 34.074824224),
    "Gemini, beside a quota": (gemini("2s", violations=[{"quotaId": "PerMinute"}]), {}, 2.0),
    "Gemini, less than nothing": (gemini("-3s"), {}, None),
    "Gemini, absurd": (gemini("1e308s"), {}, None),
    "Gemini, a number": (gemini(7), {}, 7.0),
    "Gemini, an object": (gemini({"seconds": 7}), {}, None),
    "OpenRouter": (openrouter(12), {}, 12.0),
    "OpenRouter, with a fraction": (openrouter(0.25), {}, 0.25),
    "OpenRouter, a text": (openrouter("12"), {}, 12.0),
    "OpenRouter, not a number": (openrouter(float("inf")), {}, None),
    "OpenRouter, true": (openrouter(True), {}, None),
    "OpenRouter, less than nothing": (openrouter(-1), {}, None),
    "a header first": (gemini("34s"), {"retry-after": "5"}, 5.0),
    "before what is used up": (gemini("3s"), GO, 3.0),
    "nothing": ({"error": {"message": "why"}}, {}, None),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_body_of_an_error_says_when(name: str) -> None:
    body, headers, expected = BODIES[name]
    error = failure(429, json.dumps(body).encode(), NAMES)
    assert asked_wait(Failure(error, headers), NOW) == expected


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (0.2, "1 s"),
        (20.5, "21 s"),
        (34, "34 s"),
        (119, "119 s"),
        (120, "2 min"),
        (360, "6 min"),
        (3600, "60 min"),
        (3723, "63 min"),
        (7200, "2 h"),
        (86_400, "24 h"),
        (LONGEST, "31 days"),
    ],
)
def test_a_long_wait_is_said_as_a_person_would(wait: float, said: str) -> None:
    assert span(wait) == said


@given(
    st.text()
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d+:\d+:\d+ [-+A-Z0-9]*")
    | st.from_regex(r"(\d+(\.\d+)?(h|ms|m|s|x)){1,4}", fullmatch=True)
    | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)?", fullmatch=True)
    | st.floats().map(str)
    | st.integers().map(str)
)
def test_no_header_can_break_it_or_make_it_wait_long(text: str) -> None:
    names = ("date", "retry-after", "retry-after-ms", "x-ratelimit-reset", "anthropic-ratelimit-tokens-reset")
    for name in names:
        remaining = {"x-ratelimit-remaining": "0", "anthropic-ratelimit-tokens-remaining": text}
        found = asked({**remaining, name: text}, NOW, limited=True)
        assert found is None or 0 <= found <= LONGEST
