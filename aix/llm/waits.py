"""How long a provider asks to be left alone, in any of the spellings in use. Pure: what cannot be read is not said."""

import email.utils
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aix.llm.retry import Failure

LONGEST = 31 * 86_400.0
"""Seconds: nobody means more than a month."""

NUMBER = re.compile(r"\d{1,18}(\.\d*)?|\.\d+", re.ASCII)
DURATION = re.compile(r"(\d{1,18}(?:\.\d*)?|\.\d+)(ms|us|µs|μs|ns|[dhms])", re.ASCII)
UNITS: Mapping[str, float] = {"d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3} | {
    **dict.fromkeys(("us", "µs", "μs"), 1e-6),
    "ns": 1e-9,
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)
EPOCH, EPOCH_MS = 1e9, 1e11
"""From here on a number is a point in time: seconds since 1970, and milliseconds."""

LIMITED = frozenset({429})
"""After these, what is used up says when it may be used again."""

RESET = re.compile(r"(x-)?ratelimit-reset(-[a-z-]+)?|anthropic-ratelimit-[a-z-]+-reset")
"""The headers that say when something may be used again; whether it is used up stands beside it, under `remaining`."""


def asked_wait(failure: "Failure", now: float) -> float | None:
    """The seconds that the provider asks us to wait, in its headers or in its words; `now` is seconds since the
    epoch."""
    limited = failure.error.status in LIMITED
    return asked(failure.headers, now, limited=limited, said=failure.error.wait)


def asked(headers: Mapping[str, str], now: float, *, limited: bool = False, said: float | None = None) -> float | None:
    """The seconds that an answer asks to wait; None where it does not say. Names are in lower case, `now` is seconds
    since the epoch, `said` is what its body says; of one that is `limited`, what is used up says it too."""
    now = _date(headers.get("date", "")) or now  # a point in time is meant by the clock of who names it
    milliseconds = _number(headers.get("retry-after-ms", ""))
    explicit = None if milliseconds is None else _believed(milliseconds / 1000)
    ways = (explicit, seconds(headers.get("retry-after", ""), now), said)
    implied = max(_resets(headers, now), default=None) if limited else None
    return next((wait for wait in (*ways, implied) if wait is not None), None)


def seconds(text: str, now: float) -> float | None:
    """The seconds that a text means: a number, a duration of Go's (`6m0s`), or a point in time as HTTP, RFC 3339 or
    Unix has it, which may be over. None for what means nothing, less than nothing, or more than anybody waits."""
    text = text.strip()
    if (number := _number(text)) is not None:
        moment = number / 1000 if number >= EPOCH_MS else number
        return _believed(number if number < EPOCH else moment - now)
    if (duration := _duration(text)) is not None:
        return _believed(duration)
    point = _moment(text) if MOMENT.fullmatch(text) else _date(text)
    return None if point is None else _believed(point - now)


def span(seconds: float) -> str:
    """A time to wait as a person says it, never too short."""
    unit, size = next((row for row in SPANS if seconds < row[1] * 120), SPANS[-1])
    return f"{-(-seconds // size):.0f} {unit}"


SPANS = (("s", 1), ("min", 60), ("h", 3600), ("days", 86_400))


def _resets(headers: Mapping[str, str], now: float) -> Iterator[float]:
    """How long it is until each thing that is used up may be used again."""
    for name, text in headers.items():
        used_up = RESET.fullmatch(name) and _number(headers.get(name.replace("reset", "remaining"), "")) == 0
        if used_up and (found := seconds(text, now)) is not None:
            yield found


def _believed(wait: float) -> float | None:
    return max(0.0, wait) if wait <= LONGEST else None


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text.strip()) else None


def _duration(text: str) -> float | None:
    if not text or DURATION.sub("", text):
        return None
    return sum(float(count) * UNITS[unit] for count, unit in DURATION.findall(text))


def _date(text: str) -> float | None:
    try:
        return _since_1970(email.utils.parsedate_to_datetime(text))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _moment(text: str) -> float | None:
    try:
        return _since_1970(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        return None


def _since_1970(point: datetime) -> float:
    return (point if point.tzinfo else point.replace(tzinfo=UTC)).timestamp()
