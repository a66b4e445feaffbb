"""What runs came to: sums are exact, days are those of the clock on the wall, and what is unknown is not counted."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aix.llm.exchange import Attempt
from aix.runs.logged import Choice
from aix.runs.runlog import RunLog
from aix.runs.stats import UNITS, Fact, Figures, figures, read, rows

BERLIN = ZoneInfo("Europe/Berlin")
CENT = 10**10


def at(text: str, zone: ZoneInfo | None = None) -> int:
    """A moment in milliseconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp() * 1000)


def fact(
    started: str | int = "2026-11-21T12:00",
    *,
    prompt: str = "commit",
    provider: str = "openai",
    model: str = "gpt-5.5",
    error: bool = False,
    tokens: tuple[int, int] = (100, 10),
    estimated: int = 0,
    reported: int = 1,
    cost: int | None = CENT,
    first_token: float | None = 0.5,
    writing: float | None = 0.1,
) -> Fact:
    return Fact(
        started if isinstance(started, int) else at(started),
        prompt,
        provider,
        model,
        int(error),
        0,
        tokens[0],
        0,
        tokens[1],
        0,
        estimated,
        reported,
        cost,
        first_token,
        writing,
    )


def counts(facts: list[Fact], by: str, last: str, zone: ZoneInfo | None = None) -> dict[str, int]:
    """How many runs each row has."""
    return {row.name: row.figures.runs for row in rows(facts, by, date.fromisoformat(last), zone or ZoneInfo("UTC"))}


def test_sums_of_money_are_exact() -> None:
    some = [fact(cost=cost) for cost in (100_000_000_000, 200_000_000_000, 1, 10**24)]
    assert figures(some).cost == Decimal("1000000000000.300000000001")


@pytest.mark.parametrize(
    ("costs", "cost", "unpriced"),
    [
        ([], Decimal(0), 0),
        ([0, 0], Decimal(0), 0),
        ([None], None, 1),
        ([None, 0], None, 1),
        ([None, CENT, None], Decimal("0.01"), 2),
    ],
    ids=str,
)
def test_what_is_unpriced_is_counted_and_never_free(
    costs: list[int | None], cost: Decimal | None, unpriced: int
) -> None:
    found = figures([fact(cost=one) for one in costs])
    assert (found.cost, found.unpriced) == (cost, unpriced)


@pytest.mark.parametrize(
    ("run", "estimate", "of_cost"),
    [
        (fact(), False, False),
        (fact(reported=0), True, True),
        (fact(reported=0, cost=0), False, False),
        (fact(reported=0, cost=None), False, False),
        (fact(estimated=1, cost=None), True, False),
        (fact(estimated=1, reported=0), True, True),
        (fact(estimated=1, reported=0, cost=0, tokens=(0, 0), error=True), False, False),
    ],
)
def test_an_estimate_is_what_no_provider_said_and_is_not_nothing(run: Fact, estimate: bool, of_cost: bool) -> None:
    found = figures([run, fact()])
    assert (found.estimated, found.cost_is_estimate) == (int(estimate), of_cost)


@pytest.mark.parametrize(
    ("first_tokens", "median"),
    [([], None), ([None], None), ([3.0, None], 3.0), ([9.0, 1.0, 2.0], 2.0), ([1.0, 2.0, 3.0, 100.0], 2.5)],
    ids=str,
)
def test_the_time_to_the_first_token_is_the_median_of_those_known(
    first_tokens: list[float | None], median: float | None
) -> None:
    assert figures([fact(first_token=one) for one in first_tokens]).first_token == median


@pytest.mark.parametrize(
    ("run", "speed"),
    [
        (fact(tokens=(9, 30), writing=0.5), 60.0),
        (fact(tokens=(9, 30), writing=0.5, estimated=1), None),
        (fact(tokens=(9, 0), writing=0.5), None),
        (fact(tokens=(9, 30), writing=0.001), None),
        (fact(tokens=(9, 30), writing=None), None),
    ],
)
def test_speed_is_measured_where_an_answer_came_bit_by_bit(run: Fact, speed: float | None) -> None:
    assert figures([run]).speed == speed


def test_days_without_a_run_stay_in_their_place_up_to_the_last() -> None:
    some = [fact("2026-02-27T12:00"), fact("2026-03-01T00:00"), fact("2026-03-01T23:59:59.999")]
    days = {"2026-02-27": 1, "2026-02-28": 0, "2026-03-01": 2, "2026-03-02": 0}
    assert counts(some, "day", "2026-03-02") == days
    assert counts([], "day", "2026-03-02") == {}


@pytest.mark.parametrize(("day", "after"), [("2026-03-29", "2026-03-30"), ("2026-10-25", "2026-10-26")])
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, after: str) -> None:
    first, last = at(f"{day}T00:00", BERLIN), at(f"{after}T00:00", BERLIN) - 1
    assert last - first + 1 in (23 * 3_600_000, 25 * 3_600_000)
    some = [fact(first), fact(last), fact(last + 1)]
    assert counts(some, "day", after, BERLIN) == {day: 2, after: 1}


@pytest.mark.parametrize(
    ("by", "first", "last", "names"),
    [
        ("week", "2026-11-15", "2026-11-16", ["2026-W46", "2026-W47"]),
        ("week", "2026-12-27", "2027-01-04", ["2026-W52", "2026-W53", "2027-W01"]),
        ("week", "2024-12-29", "2024-12-30", ["2024-W52", "2025-W01"]),
        ("month", "2026-01-31", "2026-03-01", ["2026-01", "2026-02", "2026-03"]),
        ("month", "2025-12-01", "2026-01-31", ["2025-12", "2026-01"]),
    ],
)
def test_weeks_begin_on_monday_and_months_on_the_first(by: str, first: str, last: str, names: list[str]) -> None:
    assert list(counts([fact(f"{first}T12:00")], by, last)) == names


@pytest.mark.parametrize(
    ("by", "count", "first"),
    [("day", 29, "2027-01-02"), ("week", 11, "2026-11-09"), ("month", 11, "2026-02-01"), ("month", 0, "2027-01-01")],
)
def test_so_many_back_is_counted_in_whole_ones(by: str, count: int, first: str) -> None:
    assert UNITS[by].before(date(2027, 1, 31), count).isoformat() == first


def test_names_come_by_cost_and_then_by_runs() -> None:
    some = [
        *(fact(model="free", cost=0) for _ in range(2)),
        fact(model="unknown", cost=None),
        fact(model="dear", cost=3 * CENT),
        *(fact(model="cheap") for _ in range(2)),
        fact(model="a-free-one", cost=0),
    ]
    names = ["openai:dear", "openai:cheap", "openai:free", "openai:a-free-one", "openai:unknown"]
    assert list(counts(some, "model", "2026-11-21")) == names


@pytest.mark.parametrize(("by", "name"), [("model", "openai:gpt-5.5"), ("provider", "openai"), ("prompt", "commit")])
def test_runs_are_counted_by_each_name(by: str, name: str) -> None:
    assert counts([fact(), fact()], by, "2026-11-21") == {name: 2}


def begun(log: RunLog, started: int, **columns: object) -> int:
    usual = {"prompt": "commit", "layer": "user", "digest": "", "asked": "", "provider": "openai", "model": "gpt-5.5"}
    return log.begin({**usual, "estimated": 1, "reported": 0, "started": started, **columns})


def ended(log: RunLog, number: int, attempts: list[tuple[float, float | None]], **columns: object) -> None:
    tried = [Attempt("openai", "gpt-5.5", 200, "", seconds, first) for seconds, first in attempts]
    log.end(number, {"estimated": 0, "ended": 1, **columns}, tried)


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "runs.db")


def chosen(log: RunLog, **columns: object) -> list[Fact]:
    return read(log, Choice(**{"since": 0, "until": 10**15, **columns}))  # type: ignore[arg-type]


def test_a_run_that_was_killed_counts_with_what_was_expected_of_it(log: RunLog) -> None:
    begun(log, 1000, input_tokens=50, output_tokens=800, cost=CENT)
    found = figures(chosen(log))
    assert (found.runs, found.failed, found.unfinished, found.estimated) == (1, 0, 1, 1)
    assert (found.tokens, found.cost, found.cost_is_estimate, found.speed) == (850, Decimal("0.01"), True, None)


def test_a_run_that_failed_counts_as_one_and_a_token_nobody_knows_as_none(log: RunLog) -> None:
    ended(log, begun(log, 1000), [], error="RATE_LIMIT", cost=0)
    found = figures(chosen(log))
    assert (found.runs, found.failed, found.unfinished, found.tokens, found.estimated) == (1, 1, 0, 0, 0)


def test_only_the_time_in_which_something_was_written_makes_the_speed(log: RunLog) -> None:
    ended(log, begun(log, 1000), [(7.0, None), (3.0, 1.0), (2.5, 0.5)], output_tokens=200)
    assert figures(chosen(log)).speed == 50.0


@pytest.mark.parametrize(
    ("choice", "number"),
    [
        (Choice(), 3),
        (Choice(prompt="review"), 1),
        (Choice(provider="groq"), 1),
        (Choice(model="gpt-5.5"), 2),
        (Choice(model="openai:gpt-5.5"), 2),
        (Choice(provider="openai", model="groq:llama"), 0),
        (Choice(since=2000), 2),
        (Choice(until=2000), 1),
    ],
    ids=str,
)
def test_runs_are_chosen_by_name_and_by_time(choice: Choice, number: int, log: RunLog) -> None:
    begun(log, 1000)
    begun(log, 2000, prompt="review")
    begun(log, 3000, provider="groq", model="llama")
    since, until = choice.since or 0, choice.until or 10**15
    assert len(read(log, Choice(choice.prompt, choice.provider, choice.model, since, until))) == number


def test_where_there_is_no_log_there_is_nothing_and_none_is_made(log: RunLog) -> None:
    assert chosen(log) == []
    assert not log.path.exists()


READ: list[Callable[[Figures], int]] = [lambda one: one.runs, lambda one: one.failed, lambda one: one.tokens]


@pytest.mark.parametrize("by", ["day", "week", "month", "model", "provider", "prompt"])
def test_the_rows_make_up_the_total(by: str) -> None:
    some = [
        fact(at("2026-10-01T00:30") + hours * 3_600_000, prompt=f"p{hours % 3}", error=hours % 5 == 0)
        for hours in range(0, 2000, 7)
    ]
    found, total = rows(some, by, date(2026, 12, 31)), figures(some)
    assert [sum(get(row.figures) for row in found) for get in READ] == [get(total) for get in READ]
