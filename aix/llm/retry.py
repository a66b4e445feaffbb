"""Which failure may be sent again, and when. Pure: the clock and the dice are the caller's."""

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aix.errors import AixError, NetworkError

ATTEMPTS = 3
MAX_WAIT = 20.0
FIRST_WAIT, WORST_WAIT = 0.5, 8.0

FINAL = frozenset({400, 401, 402, 403, 404, 413, 422})
"""Never sent again, whatever the headers say."""

NEVER: Mapping[str, str] = {"x-should-retry": "false"}
"""The headers of an answer that says so itself."""

RETRIED = frozenset({408, 409, 429, 498, 529, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: its error, the answer's headers (names in lower case), and whether it never got through."""

    error: AixError
    headers: Mapping[str, str]
    unconnected: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """`seconds` to wait before the next attempt; `too_long` says that the provider asked for more than we wait."""

    seconds: float
    too_long: bool = False


def wait(failure: Failure, attempt: int, *, now: float, dice: float) -> Wait | None:
    """How long to wait after `attempt` (from 1) failed; None when it is final.

    `now` is seconds since the epoch, `dice` a random number from 0 to 1: waits without a header have full jitter.
    """
    if attempt >= ATTEMPTS or not _retried(failure):
        return None
    asked = asked_wait(failure.headers, now)
    if asked is None:
        return Wait(min(WORST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1)) * dice)
    return Wait(asked, too_long=asked > MAX_WAIT)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that the provider asks us to wait: `retry-after-ms`, then `retry-after` as seconds or as a date."""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _retried(failure: Failure) -> bool:
    if failure.error.reason == "quota" or failure.error.status in FINAL:
        return False
    if (asked := failure.headers.get("x-should-retry", "").lower()) in ("true", "false"):
        return asked == "true"
    if isinstance(failure.error, NetworkError):
        return failure.unconnected
    return failure.error.status in RETRIED


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text.strip()) else None
