"""Which failure may be sent again, and when."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from aix.errors import (
    AixError,
    AuthError,
    DeadlineError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
)
from aix.llm.retry import (
    ATTEMPTS,
    FINAL,
    MAX_WAIT,
    QUICK,
    RETRIED,
    RETRIES,
    WORST_WAIT,
    Failure,
    Patience,
    Wait,
    wait,
)

DICE = 0.5


def failure(
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    kind: type[AixError] = ProviderError,
    reason: str = "",
    unconnected: bool = False,
    asked: float | None = None,
) -> Failure:
    error = kind("no", status=status, reason=reason)
    error.wait = asked
    return Failure(error, headers or {}, unconnected)


def after(failed: Failure, attempt: int = 1, dice: float = DICE, patience: Patience | None = None) -> Wait | None:
    return wait(failed, attempt, dice=dice, patience=patience or Patience())


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
    "a wait that is asked for": (failure(429, asked=7.0), Wait(7.0)),
    "no wait at all": (failure(429, asked=0.0), Wait(0.0)),
    "as long as we wait": (failure(429, asked=20.0), Wait(20.0)),
    "longer than we wait": (failure(429, asked=20.5), Wait(20.5, too_long=True)),
    "an hour": (failure(503, asked=3600.0), Wait(3600.0, too_long=True)),
}
NOT_AGAIN: Mapping[str, Failure] = {
    **{str(status): failure(status, {"x-should-retry": "true"}) for status in (400, 413, 422)},
    "401": failure(401, {"x-should-retry": "true"}, kind=AuthError),
    "402": failure(402, {"x-should-retry": "true"}, kind=RateLimitError),
    "403": failure(403, {"x-should-retry": "true"}, kind=AuthError),
    "404": failure(404, {"x-should-retry": "true"}, kind=NotFoundError),
    "410": failure(410),
    "499": failure(499),
    "no quota": failure(429, {"x-should-retry": "true"}, kind=RateLimitError, reason="quota", asked=1.0),
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
    assert after(failed) == expected


@pytest.mark.parametrize("name", NOT_AGAIN)
def test_what_is_final(name: str) -> None:
    assert after(NOT_AGAIN[name]) is None


@pytest.mark.parametrize("name", AGAIN)
def test_the_third_attempt_is_the_last(name: str) -> None:
    assert after(AGAIN[name][0], ATTEMPTS - 1) is not None
    assert after(AGAIN[name][0], ATTEMPTS) is None


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.0)])
@pytest.mark.parametrize("dice", [0.0, 0.1, 0.999])
def test_a_wait_without_a_word_has_full_jitter(attempt: int, longest: float, dice: float) -> None:
    assert after(failure(500), attempt, dice) == Wait(longest * dice)


def test_nothing_is_both_final_and_sent_again() -> None:
    assert not FINAL & RETRIED
    assert max(0.5, 1.0) <= WORST_WAIT <= MAX_WAIT


@pytest.mark.parametrize("name", AGAIN)
def test_a_run_that_has_no_retries_left_sends_nothing_again(name: str) -> None:
    assert after(AGAIN[name][0], patience=Patience(retries=0)) is None


def test_all_targets_together_are_sent_a_few_retries() -> None:
    assert 2 * (ATTEMPTS - 1) <= RETRIES < 3 * ATTEMPTS


@pytest.mark.parametrize(
    ("asked", "others", "too_long"),
    [
        (QUICK, True, False),
        (QUICK + 0.1, True, True),
        (QUICK + 0.1, False, False),
        (MAX_WAIT, True, True),
        (MAX_WAIT, False, False),
    ],
)
def test_no_long_wait_is_worth_it_where_another_could_be_asked(asked: float, others: bool, too_long: bool) -> None:
    patience = Patience(others=lambda error: others and error.status == 429)
    assert after(failure(429, asked=asked), patience=patience) == Wait(asked, too_long)
    assert after(failure(500, asked=MAX_WAIT), patience=patience) == Wait(MAX_WAIT)


@pytest.mark.parametrize("seconds", [QUICK, QUICK + 0.1])
@pytest.mark.parametrize("others", [True, False])
def test_who_was_slow_to_fail_is_not_asked_again_where_another_could_be(others: bool, seconds: float) -> None:
    failed = replace(failure(0, kind=NetworkError, unconnected=True), seconds=seconds)
    again = after(failed, patience=Patience(others=lambda _: others))
    assert (again is None) is (others and seconds > QUICK)


def test_a_wait_of_our_own_is_short_enough_for_anybody() -> None:
    assert after(failure(500), 2, dice=1.0, patience=Patience(others=lambda _: True)) == Wait(1.0)
