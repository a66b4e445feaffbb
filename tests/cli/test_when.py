"""How a person says a time."""

import time
from datetime import datetime, timedelta

import pytest

from aix.cli.when import between, month_of, span
from aix.errors import UsageError

NOW = datetime(2026, 3, 1, 15, 30).astimezone()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-10-01", "2026-10-01", "2026-10-02"),
        ("2026-10", "2026-10-01", "2026-11-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2028-02", "2028-02-01", "2028-03-01"),
        ("today", "2026-03-01", "2026-03-02"),
        (" Yesterday ", "2026-02-28", "2026-03-01"),
        ("30m", "2026-03-01 15:00", "2026-03-01 15:00"),
        ("3h", "2026-03-01 12:30", "2026-03-01 12:30"),
        ("7d", "2026-02-22 15:30", "2026-02-22 15:30"),
        ("2w", "2026-02-15 15:30", "2026-02-15 15:30"),
        ("2026-10-01 12:04", "2026-10-01 12:04", "2026-10-01 12:04"),
        ("2026-10-01t12:04:05", "2026-10-01 12:04:05", "2026-10-01 12:04:05"),
        ("2026-10-01T12:04Z", "2026-10-01 12:04+00:00", "2026-10-01 12:04+00:00"),
    ],
)
def test_a_time_has_a_beginning_and_an_end(text: str, start: str, end: str) -> None:
    found = span(text, NOW, "--since")
    assert (found.start, found.end) == (at(start), at(end))
    assert (found.since, found.until) == (at(start).timestamp() * 1000, at(end).timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "12", "7", "d", "7y", "-7d", "2026", "2026-13", "2026-02-30", "20261001", "999999w", "٧d"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since: .* is not a time") as caught:
        span(text, NOW, "--since")
    assert "2026-10-01" in caught.value.hint


def test_a_day_of_another_year_is_a_day_too() -> None:
    assert span("1999-12-31", NOW, "--since").end - span("1999-12-31", NOW, "--since").start == timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "start"), [("2026-10", "2026-10-01"), ("last", "2026-02-01"), (" LAST", "2026-02-01")]
)
def test_a_month_is_named_or_the_last(text: str, start: str) -> None:
    assert month_of(text, NOW).start == at(start)


@pytest.mark.parametrize("text", ["", "2026-10-01", "7d", "     7d", "today"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--month: .* is not a month"):
        month_of(text, NOW)


def test_from_and_to_are_open_where_nobody_says() -> None:
    assert between("", "", NOW) == (None, None)
    assert between("7d", "", NOW) == (span("7d", NOW, "").since, None)
    assert between("2026-02", "2026-02", NOW) == (span("2026-02", NOW, "").since, span("2026-02", NOW, "").until)


@pytest.mark.parametrize(("since", "until"), [("today", "yesterday"), ("7d", "7d"), ("2026-03", "2026-02")])
def test_a_time_that_ends_before_it_begins_is_refused(since: str, until: str) -> None:
    with pytest.raises(UsageError, match="there is nothing from"):
        between(since, until, NOW)


def test_a_day_without_a_midnight_begins_on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Havana the clock is put forward at midnight."""
    monkeypatch.setenv("TZ", "America/Havana")
    time.tzset()
    try:
        day = span("2026-03-08", NOW, "--since")
        assert (day.start.isoformat(), day.end - day.start) == ("2026-03-08T01:00:00-04:00", timedelta(hours=23))
        assert span("2026-03-07", NOW, "--since").end == day.start
    finally:
        monkeypatch.undo()
        time.tzset()
