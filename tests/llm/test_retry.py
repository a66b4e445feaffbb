"""Which failure may be sent again, and when."""

import email.utils
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.errors import (
    AixError,
    AuthError,
    DeadlineError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
)
from aix.llm.retry import ATTEMPTS, FINAL, MAX_WAIT, RETRIED, WORST_WAIT, Failure, Wait, asked_wait, wait

NOW = 1_800_000_000.0
DICE = 0.5


def failure(
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    kind: type[AixError] = ProviderError,
    reason: str = "",
    unconnected: bool = False,
) -> Failure:
    return Failure(kind("no", status=status, reason=reason), headers or {}, unconnected)


def date(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


AGAIN: Mapping[str, tuple[Failure, Wait]] = {
    "408": (failure(408, kind=DeadlineError), Wait(0.25)),
    "409": (failure(409), Wait(0.25)),
    "429": (failure(429, kind=RateLimitError), Wait(0.25)),
    "498": (failure(498, kind=RateLimitError), Wait(0.25)),
    "500": (failure(500), Wait(0.25)),
    "502": (failure(502), Wait(0.25)),
    "503": (failure(503), Wait(0.25)),
    "504": (failure(504), Wait(0.25)),
    "529": (failure(529, kind=RateLimitError), Wait(0.25)),
    "599": (failure(599), Wait(0.25)),
    "never connected": (failure(0, kind=NetworkError, unconnected=True), Wait(0.25)),
    "told to, though nobody would": (failure(424, {"x-should-retry": "true"}), Wait(0.25)),
    "told to in capitals": (failure(424, {"x-should-retry": "TRUE"}), Wait(0.25)),
    "a word that means nothing": (failure(500, {"x-should-retry": "perhaps"}), Wait(0.25)),
    "seconds": (failure(429, {"retry-after": "7"}), Wait(7.0)),
    "no seconds": (failure(429, {"retry-after": "0"}), Wait(0.0)),
    "milliseconds": (failure(429, {"retry-after-ms": "1500"}), Wait(1.5)),
    "milliseconds before seconds": (failure(429, {"retry-after-ms": "1500", "retry-after": "7"}), Wait(1.5)),
    "milliseconds that are none": (failure(429, {"retry-after-ms": "soon", "retry-after": "7"}), Wait(7.0)),
    "a date": (failure(429, {"retry-after": date(10)}), Wait(10.0)),
    "as long as we wait": (failure(429, {"retry-after": "20"}), Wait(20.0)),
    "longer than we wait": (failure(429, {"retry-after": "20.5"}), Wait(20.5, too_long=True)),
    "a far date": (failure(503, {"retry-after": date(3600)}), Wait(3600.0, too_long=True)),
    "nonsense": (failure(429, {"retry-after": "tomorrow"}), Wait(0.25)),
}
NOT_AGAIN: Mapping[str, Failure] = {
    **{str(status): failure(status, {"x-should-retry": "true"}) for status in (400, 413, 422)},
    "401": failure(401, {"x-should-retry": "true"}, kind=AuthError),
    "402": failure(402, {"x-should-retry": "true"}, kind=RateLimitError),
    "403": failure(403, {"x-should-retry": "true"}, kind=AuthError),
    "404": failure(404, {"x-should-retry": "true"}, kind=NotFoundError),
    "410": failure(410),
    "499": failure(499),
    "no quota": failure(429, {"retry-after": "1", "x-should-retry": "true"}, kind=RateLimitError, reason="quota"),
    "told not to": failure(500, {"x-should-retry": "false"}),
    "a redirect": failure(302, kind=NetworkError),
    "a connection that broke": failure(0, kind=NetworkError),
    "nonsense in an answer": failure(0),
    "a web page": failure(200),
    "silence": failure(0, kind=DeadlineError),
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_may_be_sent_again(name: str) -> None:
    failed, expected = AGAIN[name]
    assert wait(failed, 1, now=NOW, dice=DICE) == expected


@pytest.mark.parametrize("name", NOT_AGAIN)
def test_what_is_final(name: str) -> None:
    assert wait(NOT_AGAIN[name], 1, now=NOW, dice=DICE) is None


@pytest.mark.parametrize("name", AGAIN)
def test_the_third_attempt_is_the_last(name: str) -> None:
    assert wait(AGAIN[name][0], ATTEMPTS - 1, now=NOW, dice=DICE) is not None
    assert wait(AGAIN[name][0], ATTEMPTS, now=NOW, dice=DICE) is None


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.0)])
@pytest.mark.parametrize("dice", [0.0, 0.1, 0.999])
def test_a_wait_without_a_word_has_full_jitter(attempt: int, longest: float, dice: float) -> None:
    assert wait(failure(500), attempt, now=NOW, dice=dice) == Wait(longest * dice)


def test_nothing_is_both_final_and_sent_again() -> None:
    assert not FINAL & RETRIED
    assert max(0.5, 1.0) <= WORST_WAIT <= MAX_WAIT


ASKED: Mapping[str, float | None] = {
    "": None,
    " ": None,
    "5": 5.0,
    " 5 ": 5.0,
    "0.5": 0.5,
    "007": 7.0,
    "1e3": None,
    "-5": None,
    "+5": None,
    "5s": None,
    "5, 6": None,
    "inf": None,
    "nan": None,
    "٣": None,
    "soon": None,
    date(30): 30.0,
    date(-30): 0.0,
    "Mon, 01 Jan 0001 00:00:00 -0000": 0.0,
    "Mon, 99 Foo 2026 25:61:61 GMT": None,
}


@pytest.mark.parametrize("text", ASKED)
def test_how_long_a_header_asks_to_wait(text: str) -> None:
    expected = ASKED[text]
    assert asked_wait({"retry-after": text}, NOW) == expected


def test_milliseconds_are_not_dates() -> None:
    assert asked_wait({"retry-after-ms": date(30)}, NOW) is None
    assert asked_wait({"retry-after-ms": "250.5"}, NOW) == 0.2505


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d+:\d+:\d+ [-+A-Z0-9]*"))
def test_no_header_can_break_it(text: str) -> None:
    found = asked_wait({"retry-after": text, "retry-after-ms": text}, NOW)
    assert found is None or found >= 0
