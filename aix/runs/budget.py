"""Limits: what the log has in each window of time, and whether one more request still goes."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from aix.config.limits import Limit
from aix.errors import RefusedError
from aix.llm.routing import Target
from aix.runs.logged import UNIT, Estimate
from aix.runs.money import dollars
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
FROM runs WHERE started >= ? AND id IS NOT ?"""
"""The runs since a moment, but for one. One that reached nobody was not sent, and is no call."""

SUMS = f"""
SELECT sum(cost) AS cost, sum(calls) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
  sum(cost IS NULL AND calls) AS unpriced, provider, model, prompt
FROM ({EACH}) GROUP BY provider, model, prompt"""  # noqa: S608 - our own words


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
    sums: dict[float | None, list[Row]] = {None: []}
    found = []
    for limit in limits:
        since, until = window(limit, now, zone)
        if since not in sums:
            sums[since] = base.execute(SUMS, (_milliseconds(since or 0), besides)).fetchall()
        rows = [row for row in sums[since] if limit.covers(row["provider"], row["model"], row["prompt"])]
        used = sum((measured(limit.measure, row) for row in rows), Decimal())
        unpriced = sum(row["unpriced"] for row in rows) if limit.measure == "cost" else 0
        found.append(Standing(limit, used, unpriced, until))
    return found


def window(limit: Limit, now: float, zone: Zone = None) -> tuple[float | None, float | None]:
    """When the window of a limit began and when it ends, in seconds since the epoch. A rolling one has no end; that of
    one run has neither."""
    if limit.rolling:
        return now - limit.rolling + 0.001, None  # what is just as old as that is out of it
    if limit.per == "run":
        return None, None
    moment = datetime.datetime.fromtimestamp(now, zone)
    start = STARTS[limit.per](moment)
    return start.timestamp(), NEXTS[limit.per](start)


def _midnight(moment: datetime.datetime, days: int = 0) -> datetime.datetime:
    """The beginning of a day, by the clock on the wall."""
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return start + datetime.timedelta(days=days)


STARTS: Mapping[str, Callable[[datetime.datetime], datetime.datetime]] = {
    "hour": lambda moment: moment.replace(minute=0, second=0, microsecond=0),
    "day": _midnight,
    "week": lambda moment: _midnight(moment, -moment.weekday()),
    "month": lambda moment: _midnight(moment.replace(day=1)),
}
NEXTS: Mapping[str, Callable[[datetime.datetime], float]] = {
    "hour": lambda start: start.timestamp() + 3600,
    "day": lambda start: _midnight(start, 1).timestamp(),
    "week": lambda start: _midnight(start, 7).timestamp(),
    "month": lambda start: _midnight(_midnight(start, 32).replace(day=1)).timestamp(),
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


def unpriced(target: Target, bound: str, reason: str) -> RefusedError:
    """The error for a model whose cost nobody knows, where that is bounded."""
    return RefusedError(
        f"{target.name} is unpriced, so {bound} cannot be kept",
        hint="say what a million tokens cost (0 is free):"
        f" aix model add --id {target.model} --provider {target.provider.name}"
        " --input-price DOLLARS --output-price DOLLARS",
        reason=reason,
    )


def _free_again(
    stands: Standing, amount: Decimal, base: "sqlite3.Connection", besides: int | None, now: float
) -> float | None:
    """When there is room for so much, in seconds since the epoch; None where there never is."""
    limit = stands.limit
    if amount > limit.amount or not limit.rolling:
        return None if amount > limit.amount else stands.until
    left = stands.used
    for row in base.execute(f"{EACH} ORDER BY started", (_milliseconds(window(limit, now)[0] or 0), besides)):
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
