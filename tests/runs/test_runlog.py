"""What the run log gives back: choices, searches, and what is dropped from it."""

from pathlib import Path
from typing import Any

import pytest

from aix.errors import NotFoundError
from aix.llm.exchange import Attempt
from aix.runs.logged import Choice, Said
from aix.runs.runlog import SOME, RunLog

ROW: dict[str, Any] = {
    "started": 1000,
    "prompt": "greet",
    "layer": "user",
    "digest": "sha256:0",
    "asked": "acme:m-1",
    "provider": "acme",
    "model": "m-1",
    "estimated": 0,
    "reported": 0,
}
TEXTS = {"arguments": "{}", "options": "{}", "message": "words"}


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "data" / "runs.db")


def add(log: RunLog, *said: str, **columns: Any) -> int:
    """A run that was sent and ended, with what was said in it."""
    number = log.begin({**ROW, **columns})
    parts = [Said(place, "user", "text", text) for place, text in enumerate(said)]
    return log.end(number, {"ended": 2000, **(TEXTS if said else {})}, [Attempt("acme", "m-1", 200, "", 1.5)], parts)


def numbers(log: RunLog, text: str, limit: int = 10) -> list[int]:
    return [run.id for run, _ in log.search(text, limit)]


def test_reading_where_nothing_was_logged_gives_nothing_and_makes_nothing(log: RunLog) -> None:
    assert (log.list(Choice()), log.search("word", 5), log.said(1), log.attempts(1)) == ([], [], [], [])
    assert (log.prune(10**15, whole=True), log.rename("a", "b", "user")) == (0, 0)
    with pytest.raises(NotFoundError) as missing:
        log.get(None)
    assert (missing.value.reason, missing.value.exit_code) == ("run", 5)
    assert not log.path.parent.exists()


def test_a_run_is_what_was_written(log: RunLog) -> None:
    number = log.begin(ROW)
    attempts = [Attempt("acme", "m-1", 503, "PROVIDER", 0.2), Attempt("acme", "m-1", 0, "NETWORK", 0.1, sent=False)]
    said = [
        Said(0, "user", "image", None, "image/png", "a.png", b"\x89PNG"),
        Said(1, "answer", "text", "Hello\x00 \u2028é"),
    ]
    log.end(number, {"ended": 2500, "cost": 2**62, **TEXTS}, attempts, said)
    run = log.get(number)
    assert (run.started, run.ended, run.prompt, run.cost) == (1000, 2500, "greet", 2**62)
    assert (log.attempts(number), log.said(number), log.get(None)) == (attempts, said, run)
    with pytest.raises(NotFoundError):
        log.get(number + 1)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (Choice(), [4, 3, 2, 1]),
        (Choice(limit=2), [4, 3]),
        (Choice(prompt="greet"), [3, 1]),
        (Choice(provider="other"), [3]),
        (Choice(model="m-2"), [4]),
        (Choice(since=200), [4, 3, 2]),
        (Choice(since=200, until=400), [3, 2]),
        (Choice(failed=True), [2]),
        (Choice(failed=False, until=400), [3, 1]),
        (Choice(prompt="nobody's"), []),
    ],
)
def test_runs_are_chosen(log: RunLog, choice: Choice, found: list[int]) -> None:
    add(log, started=100)
    add(log, started=200, prompt="ask", error="PROVIDER")
    add(log, started=300, provider="other")
    add(log, started=400, prompt="ask", model="m-2")
    assert [run.id for run in log.list(choice)] == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("comma", [2, 1]),
        ("COMMA", [2, 1]),
        ("dangling comma", [1]),
        ("comma dangling", [1]),
        ("dang", [1]),
        ("don't", [2]),
        ("über", [3]),
        ("uber", [3]),
        ("契約", [3]),
        ("a-b.c", [3]),
        ("c++", [3]),
        ("%", [4]),
        ("100 %", [4]),
        ("nowhere", []),
        ("AND", [3, 1]),
        ("^a", [3, 1]),
        ("'", [2]),
        *((text, []) for text in ('"', '""', "*", "NOT comma", "-x", "(", "NEAR(a b)", "text:comma", "{", "\x00", "")),
    ],
)
def test_what_a_person_types_is_words(log: RunLog, typed: str, found: list[int]) -> None:
    add(log, "There is a dangling comma here.", "and")
    add(log, "no comma", "don't do it", "no comma")
    add(log, "Über 契約書の翻訳 a-b.c and c++")
    add(log, "sure to 100 %")
    assert numbers(log, typed) == found


def test_a_search_shows_the_place_and_stops_at_its_limit(log: RunLog) -> None:
    for _ in range(3):
        add(log, f"{'before ' * 40}\n\nneedle  here{' after' * 40}", "needle again")
    (run, place), *_ = log.search("needle", 1)
    assert (run.id, numbers(log, "needle", 2)) == (3, [3, 2])
    assert "needle" in place
    assert len(place) < 200
    assert "\n" not in place


def test_pruning_drops_texts_and_keeps_figures(log: RunLog) -> None:
    add(log, "old secret", started=100)
    add(log, "new", started=200)
    assert log.prune(200, whole=False) == 1
    old = log.get(1)
    assert (old.arguments, old.options, old.message, old.ended) == (None, None, None, 2000)
    assert (log.said(1), len(log.attempts(1)), numbers(log, "old"), numbers(log, "new")) == ([], 1, [], [2])
    assert log.prune(200, whole=False) == 0


def test_pruning_whole_runs_takes_all_of_them_and_no_number_is_used_again(log: RunLog) -> None:
    for started in (100, 200):
        add(log, "text", started=started)
    assert log.prune(300, whole=True) == 2
    assert (log.list(Choice()), log.attempts(1), numbers(log, "text")) == ([], [], [])
    assert add(log) == 3


def test_what_was_dropped_is_not_in_the_file(log: RunLog) -> None:
    add(log, "unmistakable " * 2000)
    log.prune(10**15, whole=False)
    assert b"unmistakable" not in log.path.read_bytes()


def test_the_next_writer_drops_old_texts_a_few_at_a_time(log: RunLog) -> None:
    for _ in range(SOME + 5):
        add(log, "text", started=100)
    log.begin(ROW, texts_since=500)
    assert len(numbers(log, "text", 1000)) == 5
    log.begin(ROW, texts_since=500)
    assert numbers(log, "text", 1000) == []


def test_a_renamed_prompt_keeps_its_history(log: RunLog) -> None:
    for layer in ("user", "user", "project"):
        add(log, layer=layer)
    assert log.rename("greet", "hello", "user") == 2
    assert [run.prompt for run in log.list(Choice())] == ["greet", "hello", "hello"]


def test_a_run_whose_row_is_gone_is_added_anew(log: RunLog) -> None:
    number = log.begin(ROW)
    log.prune(10**15, whole=True)
    assert log.end(number, {"started": 1000, "ended": 2}, row=ROW) == number + 1
    assert log.get(None).ended == 2


def test_a_number_that_another_run_has_now_is_left_alone(log: RunLog) -> None:
    number = log.begin({**ROW, "started": 5, "prompt": "another"})
    assert log.end(number, {"started": 1000, "ended": 2}, row=ROW) == number + 1
    assert (log.get(number).ended, log.get(number).prompt) == (None, "another")


def test_a_run_that_was_never_sent_can_be_taken_back(log: RunLog) -> None:
    log.forget(log.begin(ROW), ROW["started"])
    assert log.list(Choice()) == []
