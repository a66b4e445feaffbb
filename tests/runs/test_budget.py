"""Limits: windows of time, what is in them, and whether one more request goes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aix.config.limits import Limit, read
from aix.errors import RefusedError
from aix.llm.providers import Providers
from aix.llm.routing import Target
from aix.messages import Finish, Usage
from aix.runs.budget import Budget, standing, window
from aix.runs.logged import LARGEST, UNIT, Estimate, units
from aix.runs.migrations import migrate
from aix.runs.run import Run

NEW_YORK, HAVANA, UTC = ZoneInfo("America/New_York"), ZoneInfo("America/Havana"), ZoneInfo("UTC")
LORD_HOWE, KATHMANDU = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")
BOX = Providers({"box": {"base_url": "http://127.0.0.1:9/v1"}}, {}).get("box")
NOW = datetime(2026, 10, 14, 12, 30, tzinfo=UTC).timestamp()
ROW = {"layer": "", "digest": "", "asked": "", "estimated": 1, "reported": 0}
SMALL = Estimate(10, 10, Decimal("0.1"))


@pytest.fixture
def base() -> Iterator[sqlite3.Connection]:
    """An empty log."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        connection.row_factory = sqlite3.Row
        yield connection


def add(
    base: sqlite3.Connection, ago: float = 60, cost: str | None = "0", attempt: int | None = 200, **more: Any
) -> int:
    """A run that ended; `attempt` is the status of its only one. None: there was none."""
    started = round((NOW - ago) * 1000)
    known = {"provider": "box", "model": "tiny", "prompt": "ask", "input_tokens": 0, "output_tokens": 0}
    row = {**ROW, **known, "cost": units(Decimal(cost) if cost else None), "started": started, "ended": started, **more}
    names = ", ".join(row)
    number = base.execute(
        f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values())
    ).lastrowid
    if attempt is not None:
        figures = (number, 1, "box", "tiny", "", attempt, "", 0.1, attempt > 0)
        base.execute(
            "INSERT INTO attempts (run, number, provider, model, key_source, status, error, seconds, sent)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            figures,
        )
    return number or 0


def limits(*entries: dict[str, Any]) -> tuple[Limit, ...]:
    return read(list(entries), "config.json")


def used(base: sqlite3.Connection, **entry: Any) -> Decimal:
    return standing(limits({"per": "day", **entry}), base, NOW, UTC)[0].used


def refusal(
    base: sqlite3.Connection, *entries: dict[str, Any], estimate: Estimate = SMALL, number: int | None = None
) -> tuple[RefusedError | None, list[str]]:
    """What one more run meets: an error, or none; and what was warned of."""
    said: list[str] = []
    run = Run("ask", "", target=Target(BOX, "tiny"), number=number)
    budget = Budget(limits(*entries), lambda: NOW, said.append, UTC)
    try:
        budget.check(run, estimate)(base)
    except RefusedError as error:
        return error, said
    return None, said


@pytest.mark.parametrize(
    ("per", "zone", "now", "start", "end"),
    [
        ("hour", UTC, "2026-10-14 12:30", "2026-10-14 12:00", "2026-10-14 13:00"),
        ("hour", UTC, "2026-10-14 12:00", "2026-10-14 12:00", "2026-10-14 13:00"),
        ("hour", NEW_YORK, "2026-03-08 01:59", "2026-03-08 01:00", "2026-03-08 03:00"),
        ("hour", NEW_YORK, "2026-11-01 01:30", "2026-11-01 01:00", "2026-11-01 01:00 again"),
        ("hour", NEW_YORK, "2026-11-01 01:30 again", "2026-11-01 01:00 again", "2026-11-01 02:00"),
        ("hour", LORD_HOWE, "2026-04-05 01:45", "2026-04-05 01:00", "2026-04-05 01:30 again"),
        ("hour", LORD_HOWE, "2026-04-05 01:45 again", "2026-04-05 01:30", "2026-04-05 02:00"),
        ("hour", KATHMANDU, "2026-10-14 12:30", "2026-10-14 12:00", "2026-10-14 13:00"),
        ("day", LORD_HOWE, "2026-10-04 12:00", "2026-10-04 00:00", "2026-10-05 00:00"),
        ("month", LORD_HOWE, "2026-04-05 01:45 again", "2026-04-01 00:00", "2026-05-01 00:00"),
        ("day", UTC, "2026-10-14 23:59", "2026-10-14 00:00", "2026-10-15 00:00"),
        ("day", UTC, "2026-10-15 00:00", "2026-10-15 00:00", "2026-10-16 00:00"),
        ("day", NEW_YORK, "2026-03-08 12:00", "2026-03-08 00:00", "2026-03-09 00:00"),
        ("day", NEW_YORK, "2026-11-01 01:30 again", "2026-11-01 00:00", "2026-11-02 00:00"),
        ("day", HAVANA, "2026-03-08 12:00", "2026-03-08 01:00", "2026-03-09 00:00"),
        ("day", HAVANA, "2026-11-01 00:30 again", "2026-11-01 00:00", "2026-11-02 00:00"),
        ("week", UTC, "2026-10-14 12:30", "2026-10-12 00:00", "2026-10-19 00:00"),
        ("week", UTC, "2026-10-12 00:00", "2026-10-12 00:00", "2026-10-19 00:00"),
        ("week", UTC, "2026-10-18 23:59", "2026-10-12 00:00", "2026-10-19 00:00"),
        ("week", NEW_YORK, "2026-03-08 12:00", "2026-03-02 00:00", "2026-03-09 00:00"),
        ("week", UTC, "2027-01-01 00:00", "2026-12-28 00:00", "2027-01-04 00:00"),
        ("month", UTC, "2026-01-31 23:59", "2026-01-01 00:00", "2026-02-01 00:00"),
        ("month", UTC, "2026-02-28 23:59", "2026-02-01 00:00", "2026-03-01 00:00"),
        ("month", UTC, "2028-02-29 12:00", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("month", UTC, "2026-12-31 12:00", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("month", NEW_YORK, "2026-11-30 12:00", "2026-11-01 00:00", "2026-12-01 00:00"),
        ("month", NEW_YORK, "2026-03-31 12:00", "2026-03-01 00:00", "2026-04-01 00:00"),
    ],
)
def test_a_calendar_window_is_that_of_the_clock_on_the_wall(
    per: str, zone: ZoneInfo, now: str, start: str, end: str
) -> None:
    (limit,) = limits({"per": per, "calls": 1})
    assert window(limit, moment(now, zone), zone) == (moment(start, zone), moment(end, zone))


def moment(text: str, zone: ZoneInfo) -> float:
    """A time on a wall; `again` is the second of two, when the clock is set back."""
    told = text.removesuffix(" again")
    return datetime.fromisoformat(told).replace(tzinfo=zone, fold=int(told != text)).timestamp()


def test_without_a_zone_it_is_that_of_the_machine() -> None:
    (limit,) = limits({"per": "day", "calls": 1})
    start = datetime.fromtimestamp(NOW).replace(hour=0, minute=0).timestamp()
    assert window(limit, NOW)[0] == start


@pytest.mark.parametrize(
    ("rolling", "ago", "counts"),
    [
        ("30m", 1799.999, 1),
        ("30m", 1800, 0),
        ("1h", 3599.999, 1),
        ("1h", 3600, 0),
        ("24h", 86399.999, 1),
        ("24h", 86400, 0),
        ("7d", 604799.999, 1),
        ("7d", 604800, 0),
        ("1h", -5, 1),
        ("1h", -3599.999, 1),
        ("1h", -3600, 0),
    ],
)
def test_a_rolling_window_ends_to_the_millisecond(
    base: sqlite3.Connection, rolling: str, ago: float, counts: int
) -> None:
    add(base, ago)
    assert standing(limits({"rolling": rolling, "calls": 1}), base, NOW)[0].used == counts


@pytest.mark.parametrize(
    ("per", "ahead", "counts"),
    [("hour", 1799, 1), ("hour", 1801, 0), ("day", 41_399, 1), ("day", 41_401, 0), ("month", 400 * 86_400, 0)],
)
def test_what_a_clock_that_was_wrong_has_put_ahead_counts_in_its_own_time(
    base: sqlite3.Connection, per: str, ahead: int, counts: int
) -> None:
    add(base, -ahead)
    assert standing(limits({"per": per, "calls": 1}), base, NOW, UTC)[0].used == counts


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("cost", "0.3"), ("calls", "2"), ("tokens", "33"), ("input_tokens", "22"), ("output_tokens", "11")],
)
def test_each_measure_adds_up_exactly(base: sqlite3.Connection, measure: str, expected: str) -> None:
    add(base, cost="0.1", input_tokens=2, output_tokens=1)
    add(base, cost="0.2", input_tokens=20, output_tokens=10)
    add(base, 86400, cost="7", input_tokens=7, output_tokens=7)
    assert used(base, **{measure: 1}) == Decimal(expected)


@pytest.mark.parametrize(
    ("scope", "counts"),
    [
        ({}, 4),
        ({"provider": "box"}, 3),
        ({"provider": "BOX"}, 3),
        ({"provider": "custom:box"}, 3),
        ({"provider": "b"}, 0),
        ({"model": "tiny"}, 2),
        ({"model": "box:tiny"}, 1),
        ({"model": "box:*"}, 3),
        ({"model": "qwen3:4b"}, 1),
        ({"model": "qwen3:*"}, 1),
        ({"model": "t.ny"}, 0),
        ({"provider": "box", "model": "tiny"}, 1),
        ({"prompt": "ask"}, 3),
        ({"prompt": "web/*"}, 1),
        ({"prompt": "web/*", "provider": "gw"}, 0),
    ],
)
def test_a_scope_says_which_runs_count(base: sqlite3.Connection, scope: dict[str, str], counts: int) -> None:
    add(base)
    add(base, model="qwen3:4b")
    add(base, model="big", prompt="web/review")
    add(base, provider="gw")
    assert used(base, calls=1, **scope) == counts


@pytest.mark.parametrize(
    ("run", "counts"),
    [
        ({"attempt": 200}, 1),
        ({"attempt": 429}, 1),
        ({"attempt": None}, 0),
        ({"attempt": 0}, 0),
        ({"attempt": None, "ended": None}, 1),
    ],
    ids=["answered", "turned down", "not sent", "nobody reached", "on its way"],
)
def test_what_was_sent_is_a_call(base: sqlite3.Connection, run: dict[str, Any], counts: int) -> None:
    add(base, **run)
    assert used(base, calls=1) == counts


def test_what_is_on_its_way_counts_with_its_estimate(base: sqlite3.Connection) -> None:
    add(base, cost="0.95", attempt=None, ended=None)
    error, _ = refusal(base, {"per": "day", "cost": 1})
    assert error is not None


@pytest.mark.parametrize("measure", ["cost", "input_tokens", "tokens"])
def test_the_largest_figures_are_summed_exactly(base: sqlite3.Connection, measure: str) -> None:
    for _ in range(3):
        add(base, cost=str(Decimal(LARGEST) / UNIT), input_tokens=LARGEST, output_tokens=1)
    sums = {"cost": 3 * Decimal(LARGEST) / UNIT, "input_tokens": 3 * LARGEST, "tokens": 3 * LARGEST + 3}
    assert used(base, **{measure: 1}) == sums[measure]


def test_unpriced_runs_are_told_apart(base: sqlite3.Connection) -> None:
    add(base, cost=None)
    add(base, cost="1")
    found = standing(limits({"per": "day", "cost": 5, "calls": 5}), base, NOW, UTC)
    assert [(int(one.used), int(one.left), one.unpriced) for one in found] == [(1, 4, 1), (2, 3, 0)]


@pytest.mark.parametrize(
    ("before", "refused", "warned"),
    [
        ("0.69", False, []),
        ("0.7", False, ["80 % of the limit of $1.00 per day is used, this run included"]),
        ("0.9", False, ["100 % of the limit of $1.00 per day is used, this run included"]),
        ("0.900000000001", True, []),
    ],
)
def test_a_limit_warns_from_80_percent_and_stops_above_100(
    base: sqlite3.Connection, before: str, refused: bool, warned: list[str]
) -> None:
    add(base, cost=before)
    error, said = refusal(base, {"per": "day", "cost": 1})
    assert (error is not None, said) == (refused, warned)


def test_each_limit_is_warned_of_once_in_a_run(base: sqlite3.Connection) -> None:
    said: list[str] = []
    budget = Budget(limits({"per": "day", "calls": 1}), lambda: NOW, said.append, UTC)
    run = Run("ask", "", target=Target(BOX, "tiny"))
    for _ in range(2):
        budget.check(run, SMALL)(base)
    assert len(said) == 1


def test_a_run_is_not_counted_twice_when_it_asks_another(base: sqlite3.Connection) -> None:
    number = add(base, attempt=None, ended=None)
    day = {"per": "day", "calls": 1}
    assert refusal(base, day, number=number)[0] is None
    assert refusal(base, day)[0] is not None


def test_a_correction_is_counted_with_the_answer_before_it(base: sqlite3.Connection) -> None:
    number = add(base, attempt=None, ended=None)
    run = Run("ask", "", target=Target(BOX, "tiny"), number=number)
    run.collector.note(Finish("stop", Usage(5, 6, reported_cost=Decimal("0.85"))))
    run.begin_again()
    for amount, refused in (("0.95", False), ("0.9499", True)):
        budget = Budget(limits({"per": "day", "cost": float(amount)}), lambda: NOW, lambda _: None, UTC)
        assert refuses(budget, run, base) is refused


def refuses(budget: Budget, run: Run, base: sqlite3.Connection) -> bool:
    try:
        budget.check(run, SMALL)(base)
    except RefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("entry", "message", "hints"),
    [
        (
            {"per": "day", "calls": 2},
            "this would go beyond the limit of 2 calls per day: 2 calls used, 1 call more",
            [
                "there is room for it again at 00:00 on Thursday, 2026-10-15",
                """to raise it: aix config --set limits '[{"per": "day", "calls": 4}]'""",
            ],
        ),
        (
            {"rolling": "24h", "cost": 0.5, "provider": "box"},
            "this would go beyond the limit of $0.50 in 24h for box: $0.45 used, about $0.10 more",
            [
                "there is room for it again at 13:30 on Wednesday, 2026-10-14",
                """to raise it: aix config --set limits '[{"rolling": "24h", "cost": 1, "provider": "box"}]'""",
                "or ask another: --model, --provider",
            ],
        ),
        (
            {"rolling": "24h", "cost": 0.25},
            "this would go beyond the limit of $0.25 in 24h: $0.45 used, about $0.10 more",
            [
                "there is room for it again at 12:00 on Thursday, 2026-10-15",
                """to raise it: aix config --set limits '[{"rolling": "24h", "cost": 0.55}]'""",
            ],
        ),
        (
            {"per": "hour", "tokens": 19, "prompt": "ask"},
            "this would go beyond the limit of 19 tokens per hour for the prompt ask:"
            " 2 tokens used, about 20 tokens more",
            ["""to raise it: aix config --set limits '[{"per": "hour", "tokens": 38, "prompt": "ask"}]'"""],
        ),
        (
            {"per": "run", "input_tokens": 4},
            "this would go beyond the limit of 4 input tokens per run: about 10 input tokens more",
            ["""to raise it: aix config --set limits '[{"per": "run", "input_tokens": 10}]'"""],
        ),
    ],
)
def test_a_refusal_says_which_limit_and_what_lifts_it(
    base: sqlite3.Connection, entry: dict[str, Any], message: str, hints: list[str]
) -> None:
    add(base, 23 * 3600, cost="0.15", started=round((NOW - 23 * 3600) * 1000))
    add(base, 1800, cost="0.15")
    add(base, 600, cost="0.15", input_tokens=1, output_tokens=1)
    error, _ = refusal(base, entry)
    assert error is not None
    assert (error.message, error.hint.split("\n"), error.reason) == (message, hints, "limit")


def test_the_first_limit_that_is_gone_beyond_stops_it_whichever_others_there_are(base: sqlite3.Connection) -> None:
    entries = {"per": "day", "cost": 100}, {"per": "day", "calls": 0, "tokens": 5}, {"per": "month", "calls": 0}
    error, said = refusal(base, *entries)
    assert error is not None
    assert "0 calls per day" in error.message
    assert said == []


def test_a_limit_of_somebody_else_is_not_asked(base: sqlite3.Connection) -> None:
    entries = ({"per": "day", "calls": 0, **scope} for scope in ({"provider": "gw"}, {"model": "big"}, {"prompt": "b"}))
    assert refusal(base, *entries) == (None, [])


def test_what_is_unpriced_cannot_be_bounded_in_dollars(base: sqlite3.Connection) -> None:
    error, _ = refusal(base, {"per": "day", "cost": 5}, estimate=Estimate(10, 10, None))
    assert error is not None
    assert error.message == "box:tiny is unpriced, so the limit of $5.00 per day cannot be kept"
    assert error.hint.endswith("aix model add --id tiny --provider box --input-price DOLLARS --output-price DOLLARS")
    assert refusal(base, {"per": "day", "calls": 5}, estimate=Estimate(10, 10, None))[0] is None


def test_a_limit_of_the_project_says_where_it_is_set(base: sqlite3.Connection) -> None:
    (limit,) = read([{"per": "day", "calls": 0}], "/p/.prompts/config.json")
    budget = Budget([limit], lambda: NOW, lambda _: None, UTC)
    with pytest.raises(RefusedError) as caught:
        budget.check(Run("ask", "", target=Target(BOX, "tiny")), SMALL)(base)
    assert caught.value.hint == "it is set in /p/.prompts/config.json"
