"""Which prompts some words find, in which order, and the line that is shown."""

import pytest

from aix.library.prompt import Prompt
from aix.library.search import LEAD, around, search


def prompt(name: str, description: str = "", tags: tuple[str, ...] = (), body: str = "") -> Prompt:
    return Prompt(name, body, body, description=description, tags=tags)


BEST_FIRST = [
    prompt("log"),
    prompt("git/log"),
    prompt("logs"),
    prompt("catalog"),
    prompt("a", tags=("x", "log")),
    prompt("b", tags=("logging",)),
    prompt("c", tags=("blog",)),
    prompt("d", "log"),
    prompt("e", "Read the log, quickly"),
    prompt("f", "About logging"),
    prompt("g", "A blog"),
    prompt("h", body="log"),
    prompt("i", body="the log:\nread it"),
    prompt("j", body="logs"),
    prompt("k", body="catalogue"),
]


def test_a_better_place_and_a_closer_word_come_first() -> None:
    hits = search([*reversed(BEST_FIRST), prompt("other", "nothing", ("of",), "it")], ["log"])
    assert [hit.prompt.name for hit in hits] == [prompt.name for prompt in BEST_FIRST]
    assert [hit.score for hit in hits] == sorted({hit.score for hit in hits}, reverse=True)


def test_of_equal_prompts_the_names_decide() -> None:
    assert [hit.prompt.name for hit in search([prompt(name, "log") for name in "bca"], ["log"])] == ["a", "b", "c"]


ONE = prompt(
    "web/review", "Prüfe die Änderung: STRASSE", ("Café", "提示"), "First {{ line }}\n  変更をレビュー (v1.0) a+b  \n"
)


@pytest.mark.parametrize(
    ("words", "field", "line"),
    [
        (["review"], "name", "web/review"),
        (["REVIEW", "web"], "name", "web/review"),
        (["web/review"], "name", "web/review"),
        (["web review"], "name", "web/review"),
        (["café"], "tags", "Café 提示"),
        (["cafe\u0301"], "tags", "Café 提示"),
        (["提示"], "tags", "Café 提示"),
        (["änderung"], "description", "Prüfe die Änderung: STRASSE"),
        (["A\u0308NDERUNG"], "description", "Prüfe die Änderung: STRASSE"),
        (["straße"], "description", "Prüfe die Änderung: STRASSE"),
        (["レビュー"], "body", "変更をレビュー (v1.0) a+b"),
        (["a+b"], "body", "変更をレビュー (v1.0) a+b"),
        (["(v1.0)"], "body", "変更をレビュー (v1.0) a+b"),
        (["{{", "line"], "body", "First {{ line }}"),
        (["first", "a+b"], "body", "First {{ line }}"),
        (["review", "first", "café"], "name", "web/review"),
        (["first", "PRÜFE"], "description", "Prüfe die Änderung: STRASSE"),
    ],
    ids=str,
)
def test_every_word_is_somewhere_in_any_case(words: list[str], field: str, line: str) -> None:
    [hit] = search([ONE], words)
    assert (hit.field, hit.line) == (field, line)


@pytest.mark.parametrize(
    "words",
    [[], [""], [" "], ["review", "absent"], ["v1x0"], ["a.b"], [".*"], ["[a-z]"], ["(?i)first"], ["\\w"], ["^first"]],
    ids=str,
)
def test_what_is_not_there_word_for_word_is_not_found(words: list[str]) -> None:
    assert search([ONE], words) == []


@pytest.mark.parametrize(
    ("line", "words", "shown"),
    [
        ("short zebra", ["zebra"], "short zebra"),
        ("x" * LEAD + "zebra", ["zebra"], "x" * LEAD + "zebra"),
        ("one two three four zebra five", ["zebra"], "…ee four zebra five"),
        ("one two three four ZEBRA five two", ["five", "zebra"], "…ee four ZEBRA five two"),
        ("ä" * 20 + "zebra", ["zebra"], "…" + "ä" * LEAD + "zebra"),
        ("no such word in it at all", ["zebra"], "no such word in it at all"),
    ],
)
def test_a_long_line_begins_shortly_before_the_first_word(line: str, words: list[str], shown: str) -> None:
    assert around(line, words) == shown
