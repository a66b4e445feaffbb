"""How a person says a time: `2026-10-01`, `2026-10`, `7d`, `yesterday`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aix.errors import UsageError

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""What the letter behind a number means: so long ago."""

WORDS: dict[str, Callable[[date], date]] = {"today": lambda day: day, "yesterday": lambda day: day - timedelta(days=1)}
METAVAR = "WHEN"
HINT = "a day or month (2026-10-01, 2026-10), so long ago (30m, 3h, 7d, 2w), today, yesterday"

_AGO = re.compile(r"([0-9]{1,6})([mhdw])")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Span:
    """A time that somebody named: its first moment, and the first one after it. That of a day or a month are apart."""

    start: datetime
    end: datetime

    @property
    def since(self) -> int:
        """Its beginning, in milliseconds since 1970."""
        return int(self.start.timestamp() * 1000)

    @property
    def until(self) -> int:
        """Where it is over, in milliseconds since 1970."""
        return int(self.end.timestamp() * 1000)


def span(text: str, now: datetime, option: str) -> Span:
    """The time that a text means, where `now` is and by this machine's clock. Raises UsageError."""
    said = text.strip().lower()
    try:
        return _span(said, now)
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: '{text}' is not a time", hint=HINT) from None


def between(since: str, until: str, now: datetime) -> tuple[int | None, int | None]:
    """From when to when, in milliseconds since 1970; None where nobody says. Raises UsageError."""
    first = span(since, now, "--since") if since else None
    last = span(until, now, "--until") if until else None
    if first and last:
        refuse_nothing(first.start, last.end)
    return first.since if first else None, last.until if last else None


def month_of(text: str, now: datetime) -> Span:
    """A whole month; `last` is the one before this. Raises UsageError."""
    said = text.strip().lower()
    if said == "last":
        said = f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"
    if not _MONTH.fullmatch(said):
        raise UsageError(f"--month: '{text}' is not a month", hint="--month 2026-10, or --month last")
    return span(said, now, "--month")


def refuse_nothing(start: datetime, end: datetime) -> None:
    """Raise UsageError where a time is over before it begins."""
    if start >= end:
        raise UsageError(
            f"there is nothing from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}",
            hint="--since is what comes first: --since 7d --until yesterday",
        )


def _span(said: str, now: datetime) -> Span:
    if said in WORDS:
        return _days(WORDS[said](now.date()))
    if ago := _AGO.fullmatch(said):
        moment = now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return Span(moment, moment)
    if _MONTH.fullmatch(said):
        first = date.fromisoformat(f"{said}-01")
        return _days(first, (first + timedelta(days=31)).replace(day=1))
    if _DAY.fullmatch(said):
        return _days(date.fromisoformat(said))
    if ":" not in said:
        raise ValueError(said)
    moment = datetime.fromisoformat(said.upper())
    moment = moment if moment.tzinfo else moment.astimezone()
    return Span(moment, moment)


def _days(first: date, after: date | None = None) -> Span:
    """From the midnight in which a day begins to that of another, by default the next."""
    return Span(_midnight(first), _midnight(after or first + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    """When a day begins: later than at midnight where the clock is put forward just then."""
    moment = datetime.combine(day, time.min).astimezone()
    return moment if moment.date() == day else datetime.combine(day, time(fold=1)).astimezone()
