"""How fast a model is, by the runs that the log has of it."""

from pathlib import Path
from typing import Any

import pytest

from aix.llm.exchange import Attempt
from aix.llm.providers import Provider
from aix.llm.routing import Target
from aix.runs.runlog import RunLog
from aix.runs.speed import measured

NOW = 1_790_000_000.0
DAY = 24 * 3600.0
BOX = Target(Provider("box", "openai-chat", "https://box.example/v1"), "small")
OTHER = Target(BOX.provider, "big")


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "data" / "runs.db")


def kept(log: RunLog, *seconds: float | None, days: float = 1, tokens: int | None = 100, error: Any = None) -> None:
    """Keep a run of box:small, of which each attempt took so many seconds; None failed. The first token of one that did
    not came after a second."""
    columns = {
        "started": int((NOW - days * DAY) * 1000),
        "prompt": "p",
        "layer": "user",
        "digest": "",
        "asked": BOX.name,
        "provider": "box",
        "model": "small",
        "estimated": 0,
        "reported": 0,
    }
    number = log.begin(columns)
    attempts = [
        Attempt("box", "small", 503 if one is None else 200, "PROVIDER" if one is None else "", one or 0.1, 1.0)
        for one in seconds
    ]
    log.end(number, {"ended": columns["started"], "output_tokens": tokens, "error": error}, attempts)


def speed(log: RunLog, target: Target = BOX) -> float | None:
    return measured(log, [BOX, OTHER], NOW).get(target.name)


def test_without_a_log_nothing_is_measured_and_none_is_made(log: RunLog) -> None:
    assert measured(log, [BOX], NOW) == {}
    assert not log.path.parent.exists()


def test_a_log_that_cannot_be_read_measures_nothing(log: RunLog) -> None:
    log.path.parent.mkdir()
    log.path.write_text("this is no database, but a note of more than a few words" * 100)
    assert measured(log, [BOX], NOW) == {}


@pytest.mark.parametrize(
    ("seconds", "tokens", "usual"), [(3.0, 100, 11.0), (1.0, 100, 1.0), (2.0, 500, 2.0), (2.0, 1000, 1.5)]
)
def test_it_is_the_first_token_and_500_more_at_the_speed_of_the_run(
    seconds: float, tokens: int, usual: float, log: RunLog
) -> None:
    kept(log, seconds, tokens=tokens)
    assert speed(log) == usual
    assert speed(log, OTHER) is None


def test_the_median_counts(log: RunLog) -> None:
    for seconds in (2.0, 90.0, 3.0):
        kept(log, seconds, tokens=500)
    assert speed(log) == 3.0


def test_only_the_last_fifty_count(log: RunLog) -> None:
    for _ in range(50):
        kept(log, 2.0, tokens=500)
    for _ in range(60):
        kept(log, 9.0, tokens=500, days=2)
    assert speed(log) == 2.0


def test_an_attempt_that_failed_before_does_not_make_it_slow(log: RunLog) -> None:
    kept(log, None, None, 2.0, tokens=500)
    assert speed(log) == 2.0


@pytest.mark.parametrize(
    "row",
    [
        {"days": 15},
        {"error": "INCOMPLETE"},
        {"tokens": 0},
        {"tokens": None},
    ],
    ids=str,
)
def test_what_is_old_or_broken_or_says_nothing_does_not_count(row: dict[str, Any], log: RunLog) -> None:
    kept(log, 2.0, **row)
    assert speed(log) is None


def test_a_run_with_two_answers_does_not_count(log: RunLog) -> None:
    kept(log, 2.0, 2.0)
    assert speed(log) is None
