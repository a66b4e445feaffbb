"""What the runs came to: sums and medians from the run log, by stretches of the calendar or by name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aix.runs.logged import UNIT, Choice
from aix.runs.pace import SHORTEST

if TYPE_CHECKING:
    from aix.runs.runlog import RunLog

Key = TypeVar("Key", str, date)

QUARTER = 15 * 60 * 1000
"""Milliseconds in which no day ends, in whatever time zone."""


class Fact(NamedTuple):
    """What is counted of a run. `writing` is in how many seconds it was answered, from the first token to the last."""

    started: int
    prompt: str
    provider: str
    model: str
    failed: int
    unfinished: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated: int
    reported: int
    cost: int | None
    first_token: float | None
    writing: float | None

    @property
    def target(self) -> str:
        return f"{self.provider}:{self.model}"

    @property
    def cost_is_estimate(self) -> bool:
        """Whether it costs something, and the provider did not say how much."""
        return bool(self.cost) and not self.reported

    @property
    def is_estimate(self) -> bool:
        guessed = self.estimated and (self.input_tokens or self.output_tokens)
        return bool(guessed) or self.cost_is_estimate

    @property
    def speed(self) -> float | None:
        """Tokens a second, where both were measured."""
        if self.estimated or not self.output_tokens or (self.writing or 0) < SHORTEST:
            return None
        return self.output_tokens / (self.writing or SHORTEST)


@dataclass(frozen=True, slots=True)
class Figures:
    """What some runs came to. `cost` is in dollars, None where none of them has a price; `unfinished` runs were killed,
    or go on; `first_token` (seconds) and `speed` (output tokens a second) are medians."""

    runs: int
    failed: int
    unfinished: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: Decimal | None
    cost_is_estimate: bool
    unpriced: int
    estimated: int
    first_token: float | None
    speed: float | None

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Row:
    """Some of the runs under their name: a model, or a day."""

    name: str
    figures: Figures
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of the calendar: the day that it begins with, and how it is called by that day."""

    first: Callable[[date], date]
    days: int
    """At least so many further on, and it is another."""
    name: Callable[[date], str]
    usual: int
    """How many are looked at where nobody says."""

    def after(self, day: date) -> date:
        """The first day of the next."""
        return self.first(day + timedelta(days=self.days))

    def before(self, day: date, count: int) -> date:
        """The first day of the one that lies so many back."""
        first = self.first(day)
        for _ in range(count):
            first = self.first(first - timedelta(days=1))
        return first


UNITS: Mapping[str, Unit] = {
    "day": Unit(lambda day: day, 1, date.isoformat, 30),
    "week": Unit(lambda day: day - timedelta(days=day.weekday()), 7, lambda day: f"{day:%G-W%V}", 12),
    "month": Unit(lambda day: day.replace(day=1), 31, lambda day: f"{day:%Y-%m}", 12),
}
NAMES: Mapping[str, Callable[[Fact], str]] = {
    "model": lambda fact: fact.target,
    "provider": lambda fact: fact.provider,
    "prompt": lambda fact: fact.prompt,
}

SQL = """SELECT started, prompt, provider, model, error IS NOT NULL, ended IS NULL,
  coalesce(input_tokens, 0), coalesce(cache_read_tokens, 0), coalesce(output_tokens, 0), coalesce(reasoning_tokens, 0),
  estimated, reported, cost, first_token,
  (SELECT sum(seconds - first_token) FROM attempts WHERE run = runs.id)
FROM runs
WHERE started >= :since AND started < :until
  AND :prompt IN ('', prompt) AND :provider IN ('', provider) AND :model IN ('', model, provider || ':' || model)
ORDER BY started"""


def read(log: "RunLog", choice: Choice) -> list[Fact]:
    """The runs of a span of time, the oldest first; `model` may also be PROVIDER:MODEL. Raises StorageError."""
    wanted = {name: getattr(choice, name) for name in ("prompt", "provider", "model", "since", "until")}
    with log.reading() as base:
        return [Fact(*row) for row in base.execute(SQL, wanted)]


def figures(facts: Sequence[Fact]) -> Figures:
    """What these runs came to together; sums are exact."""
    costs = [fact.cost for fact in facts if fact.cost is not None]
    return Figures(
        runs=len(facts),
        failed=sum(map(attrgetter("failed"), facts)),
        unfinished=sum(map(attrgetter("unfinished"), facts)),
        input_tokens=sum(map(attrgetter("input_tokens"), facts)),
        cache_read_tokens=sum(map(attrgetter("cache_read_tokens"), facts)),
        output_tokens=sum(map(attrgetter("output_tokens"), facts)),
        reasoning_tokens=sum(map(attrgetter("reasoning_tokens"), facts)),
        cost=Decimal(sum(costs)) / UNIT if any(costs) or len(costs) == len(facts) else None,
        cost_is_estimate=any(fact.cost_is_estimate for fact in facts),
        unpriced=len(facts) - len(costs),
        estimated=sum(fact.is_estimate for fact in facts),
        first_token=_median(fact.first_token for fact in facts),
        speed=_median(fact.speed for fact in facts),
    )


def rows(facts: Sequence[Fact], by: str, last: date, zone: tzinfo | None = None) -> list[Row]:
    """The runs by one of UNITS, up to the `last` day, or of NAMES. `zone` is where days begin, by default on this
    machine."""
    return _by_name(facts, NAMES[by]) if by in NAMES else _by_time(facts, UNITS[by], last, zone)


def _by_name(facts: Iterable[Fact], name: Callable[[Fact], str]) -> list[Row]:
    """What costs most first; where nothing does, what was run most often."""
    found = [_row(one, same) for one, same in _grouped(facts, name).items()]
    return sorted(found, key=lambda row: (-(row.figures.cost or 0), -row.figures.runs, row.name))


def _by_time(facts: Sequence[Fact], unit: Unit, last: date, zone: tzinfo | None) -> list[Row]:
    """From the first run on; what is empty in between stays in its place."""

    @cache
    def stretch(quarter: int) -> date:
        return unit.first(datetime.fromtimestamp(quarter * QUARTER // 1000, zone).date())

    filled = _grouped(facts, lambda fact: stretch(fact.started // QUARTER))
    if not filled:
        return []
    end = max(unit.first(last), *filled)
    return [_row(unit.name(day), filled.get(day, [])) for day in days(unit, min(filled), end)]


def days(unit: Unit, first: date, last: date) -> Iterator[date]:
    """The first days of all stretches from one to another."""
    while first <= last:
        yield first
        first = unit.after(first)


def _grouped(facts: Iterable[Fact], key: Callable[[Fact], Key]) -> dict[Key, list[Fact]]:
    found = defaultdict[Key, list[Fact]](list)
    for fact in facts:
        found[key(fact)].append(fact)
    return found


def _row(name: str, facts: Sequence[Fact]) -> Row:
    return Row(name, figures(facts), facts)


def _median(values: Iterable[float | None]) -> float | None:
    """The value in the middle of those that are known, or between the two that are."""
    known = sorted(value for value in values if value is not None)
    half = len(known) // 2
    return (known[half] + known[~half]) / 2 if known else None
