"""Limits: what the log has in each window of time, and whether one more request still goes."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from aix.config.limits import Limit
from aix.errors import RefusedError
from aix.llm.money import dollars, unpriced
from aix.llm.routing import Target
from aix.runs.logged import UNIT, Estimate
from aix.runs.run import Run
from aix.runs.spent import spent

if TYPE_CHECKING:
    import sqlite3

    from aix.runs.runlog import Check

WARN_AT = Decimal("0.8")
"""From which share of a limit on a person is warned."""

Zone = datetime.tzinfo | None
"""Whose midnights count; None means those of this machine."""

Row = Mapping[str, Any]

EACH = """
SELECT cost, input_tokens, output_tokens, started, provider, model, prompt,
  ended IS NULL OR finish IS NOT NULL OR EXISTS
    (SELECT 1 FROM attempts WHERE run = runs.id AND sent) AS calls
FROM runs WHERE started >= ? AND started < ? AND id IS NOT ?"""
"""The runs of a time, but for one. One that reached nobody was not sent, and is no call."""

SUMMED, HALF = ("cost", "calls", "input_tokens", "output_tokens"), 2**32
SUMS = f"""
SELECT {", ".join(f"sum({name} / {HALF}) AS {name}_high, sum({name} % {HALF}) AS {name}_low" for name in SUMMED)},
  sum(cost IS NULL AND calls) AS unpriced
FROM ({EACH}) WHERE covers(provider, model, prompt)"""  # noqa: S608 - our own words
"""Halves are summed, as a sum of the largest numbers that the log can hold is one that SQLite cannot."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is used; `unpriced` is how many runs are not in that, as nobody knows what they cost. `until`
    is when its window ends, in seconds since the epoch; None where it has no end of its own."""

    limit: Limit
    used: Decimal
    unpriced: int = 0
    until: float | None = None

    @property
    def left(self) -> Decimal:
        return max(Decimal(), self.limit.amount - self.used)


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent. `now` is in seconds since the epoch; `warn` is told of each limit that is nearly used up."""

    limits: Sequence[Limit]
    now: Callable[[], float]
    warn: Callable[[str], None]
    zone: Zone = None
    _said: set[Limit] = field(default_factory=set, init=False)

    def check(self, run: Run, estimate: Estimate) -> "Check":
        """What looks at the log before a request of a run is sent. It raises RefusedError where that is too much, with
        what the run has taken already."""
        target, whole = run.asked, spent(run).with_more(estimate)
        mine = [one for one in self.limits if one.covers(target.provider.name, target.model, run.prompt)]

        def look(base: "sqlite3.Connection") -> None:
            now = self.now()
            stands = standing(mine, base, now, self.zone, besides=run.number)
            for one in stands:
                amount = _amount(one.limit, whole, target)
                if one.used + amount > one.limit.amount:
                    free = _free_again(one, amount, base, run.number, now)
                    raise _refused(one, amount, free, self.zone)
            for one in stands:
                self._warn_of(one, one.used + _amount(one.limit, whole, target))

        return look

    def _warn_of(self, stands: Standing, used: Decimal) -> None:
        limit = stands.limit
        if not limit.amount or used < WARN_AT * limit.amount or limit in self._said:
            return
        self._said.add(limit)
        share = int(100 * used / limit.amount)
        self.warn(f"{share} % of the limit of {described(limit)} is used, this run included")


def standing(
    limits: Sequence[Limit], base: "sqlite3.Connection", now: float, zone: Zone = None, *, besides: int | None = None
) -> list[Standing]:
    """How much of each limit is used by what the log has, without the run `besides`. Pure but for what it reads."""
    sums: dict[object, Row] = {}
    found = []
    for limit in limits:
        _, until = window(limit, now, zone)
        time = _time(limit, now, zone)
        runs = (time, limit.provider, limit.model, limit.prompt)
        if runs not in sums:
            sums[runs] = _summed(base, limit, (*time, besides))
        unpriced = sums[runs]["unpriced"] if limit.measure == "cost" else 0
        found.append(Standing(limit, measured(limit.measure, sums[runs]), unpriced, until))
    return found


def _summed(base: "sqlite3.Connection", limit: Limit, runs: tuple[int, int, int | None]) -> Row:
    """What the runs came to that are in the scope of a limit."""
    base.create_function("covers", 3, cache(limit.covers), deterministic=True)
    (row,) = base.execute(SUMS, runs)
    sums = {name: (row[f"{name}_high"] or 0) * HALF + (row[f"{name}_low"] or 0) for name in SUMMED}
    return {**sums, "unpriced": row["unpriced"] or 0}


def window(limit: Limit, now: float, zone: Zone = None) -> tuple[float | None, float | None]:
    """When the window of a limit began and when it ends, in seconds since the epoch. A rolling one has no end; that of
    one run has neither."""
    if limit.rolling:
        return now - limit.rolling + 0.001, None  # what is just as old as that is out of it
    if limit.per == "run":
        return None, None
    return WINDOWS[limit.per](datetime.datetime.fromtimestamp(now, zone))


def _time(limit: Limit, now: float, zone: Zone) -> tuple[int, int]:
    """From when, and until before when, a run began that counts, in milliseconds. A clock that was set back leaves runs
    behind that are still to come: they count in their own time."""
    since, until = window(limit, now, zone)
    return _milliseconds(since or now), _milliseconds(until or now + limit.rolling)


def _midnight(moment: datetime.datetime, days: int = 0) -> datetime.datetime:
    """The beginning of a day, by the clock on the wall."""
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return start + datetime.timedelta(days=days)


def _hour(moment: datetime.datetime) -> tuple[float, float]:
    """Sixty minutes, also on a day when the clock is set by half an hour."""
    start = round(moment.timestamp() - 60 * moment.minute - moment.second - moment.microsecond / 10**6)
    return start, start + 3600


def _days(start: datetime.datetime, end: datetime.datetime) -> tuple[float, float]:
    return start.timestamp(), end.timestamp()


def _month(moment: datetime.datetime) -> tuple[float, float]:
    first = _midnight(moment.replace(day=1))
    return _days(first, _midnight(first, 32).replace(day=1))


WINDOWS: Mapping[str, Callable[[datetime.datetime], tuple[float, float]]] = {
    "hour": _hour,
    "day": lambda moment: _days(_midnight(moment), _midnight(moment, 1)),
    "week": lambda moment: _days(_midnight(moment, -moment.weekday()), _midnight(moment, 7 - moment.weekday())),
    "month": _month,
}
"""When the window that a moment is in began, and when the next one begins."""


def measured(measure: str, row: Row) -> Decimal:
    """How much of a measure one row of the log, or the sum of several, has."""
    if measure == "tokens":
        return measured("input_tokens", row) + measured("output_tokens", row)
    amount = Decimal(row[measure] or 0)
    return amount / UNIT if measure == "cost" else amount


def described(limit: Limit) -> str:
    """A limit as it is said in a sentence: `$5.00 per day for openai`."""
    return f"{said(limit.measure, limit.amount)} {limit.window}{limit.scope}"


def said(measure: str, amount: Decimal) -> str:
    """An amount of a measure, for a person."""
    if measure == "cost":
        return dollars(amount)
    word = measure.replace("_tokens", " tokens")
    return f"{amount} {word.removesuffix('s') if amount == 1 else word}"


def _amount(limit: Limit, expected: Row, target: Target) -> Decimal:
    """How much a run is expected to take. Raises RefusedError where nobody knows what it costs."""
    if limit.measure == "cost" and expected["cost"] is None:
        raise unpriced(target, f"the limit of {described(limit)}", "limit")
    return Decimal(1) if limit.measure == "calls" else measured(limit.measure, expected)


def _free_again(
    stands: Standing, amount: Decimal, base: "sqlite3.Connection", besides: int | None, now: float
) -> float | None:
    """When there is room for so much, in seconds since the epoch; None where there never is."""
    limit = stands.limit
    if amount > limit.amount or not limit.rolling:
        return None if amount > limit.amount else stands.until
    left = stands.used
    for row in base.execute(f"{EACH} ORDER BY started", (*_time(limit, now, None), besides)):
        if limit.covers(row["provider"], row["model"], row["prompt"]):
            left -= measured(limit.measure, row)
        if left + amount <= limit.amount:
            return float(row["started"]) / 1000 + limit.rolling
    return None


def _refused(stands: Standing, amount: Decimal, free: float | None, zone: Zone) -> RefusedError:
    limit = stands.limit
    least = stands.used + amount if limit.measure != "cost" else _to_cents(stands.used + amount)
    hints = [f"there is room for it again at {_moment(free, zone)}"] if free is not None else []
    hints += [f"to raise it: {limit.raised(least)}" if limit.is_own else f"it is set in {limit.source}"]
    hints += ["or ask another: --model, --provider"] if limit.model or limit.provider else []
    used = "" if limit.per == "run" else f"{said(limit.measure, stands.used)} used, "
    more = "" if limit.measure == "calls" else "about "
    return RefusedError(
        f"this would go beyond the limit of {described(limit)}: {used}{more}{said(limit.measure, amount)} more",
        hint="\n".join(hints),
        reason="limit",
    )


def _to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_CEILING)


def _moment(seconds: float, zone: Zone) -> str:
    """A moment, on the day of a person: the next full minute, by when it has come."""
    moment = datetime.datetime.fromtimestamp(-(-seconds // 60) * 60, zone)
    return f"{moment:%H:%M on %A, %Y-%m-%d}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
