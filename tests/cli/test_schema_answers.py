"""`--schema`, `--extract` and `--fail-if` through the real command, with a model that answers in turn."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import Model, Terminal, serving, write

SCHEMA = '{"type": "object", "required": ["bugs"], "properties": {"bugs": {"type": "array"}}}'
FRONT = f"---\noutput: {{schema: {SCHEMA}}}\n---\nReview it."
AGAIN = "aix: the answer does not fit the schema ($.bugs: is required); asking once more\n"
WRONG = "aix: error: the answer does not fit the schema ($.bugs: is required)\n  hint: ask another model: --model\n"
GOOD, FENCED = '{"bugs": [1]}\n', 'Here:\n```json\n{"bugs": [1]}\n```\n'


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as model:
        write(library, "review", "Review it.")
        write(library, "strict", FRONT)
        yield model


ENDINGS: list[tuple[list[str], list[str | tuple[int, str]], Result]] = [
    (["strict"], [FENCED], Result(GOOD, "", 0)),
    (["strict", "--no-stream"], ["{}", GOOD], Result(GOOD, AGAIN, 0)),
    (["strict"], ["{}", "{ }"], Result("{ }", AGAIN + WRONG, 3)),
    (["review", "--schema", SCHEMA], ["{}", FENCED], Result(GOOD, AGAIN, 0)),
    (["strict", "--schema", "own.json"], ["{}"], Result("{}", "", 0)),
    (["review", "--extract", "code"], ["Run:\n```sh\nls -l\r\n```\nDone."], Result("ls -l\r\n", "", 0)),
    (
        ["review", "--extract", "code"],
        ["Good day."],
        Result(
            "Good day.",
            "aix: error: the answer holds no code block\n  hint: say in the prompt that this is all you want\n",
            3,
        ),
    ),
    (["review", "--fail-if", "data.bugs | length > 1"], [GOOD], Result(GOOD, "", 0)),
    (
        ["strict", "--fail-if", "data.bugs", "--fail-if", "text.x"],
        [GOOD],
        Result(GOOD, "aix: error: --fail-if is true: data.bugs\n", 15),
    ),
]


@pytest.mark.parametrize(("arguments", "turns", "ending"), ENDINGS, ids=range(len(ENDINGS)))
def test_an_answer_is_handed_on_once_it_is_known_to_be_final(
    arguments: list[str], turns: list[str | tuple[int, str]], ending: Result, aix: Aix, model: Model, home: Path
) -> None:
    (home / "own.json").write_text('{"title": "anything"}')
    model.turns = [*turns]
    assert aix("run", *arguments, "-x") == ending
    assert len(model.asked) == len(turns)


def test_the_second_question_goes_on_from_the_first(aix: Aix, model: Model) -> None:
    model.turns = ["{}", GOOD]
    done = aix("run", "strict", "-x", "--json", "--fail-if", "data.bugs[0] == 1")
    said = json.loads(done.stdout)
    assert (said["ok"], said["error"]["code"], said["error"]["name"], said["error"]["reason"]) == (
        False,
        15,
        "CHECK",
        "fail_if",
    )
    assert (said["text"], said["data"], len(said["attempts"])) == (GOOD, {"bugs": [1]}, 2)
    assert (said["usage"]["input_tokens"], said["usage"]["output_tokens"]) == (22, 14)
    first, second = (question["messages"] for question in model.asked)
    assert [message["role"] for message in second[len(first) :]] == ["assistant", "user"]
    assert second[: len(first)] == first
    assert second[-2]["content"] == "{}"
    assert "- $.bugs: is required\n" in second[-1]["content"]


KEPT: list[tuple[list[str], list[str | tuple[int, str]], int, str]] = [
    (["--schema", SCHEMA], ["{}", (400, "no")], 3, "{}"),
    (["--fail-if", "text"], ["Good day."], 15, "Good day."),
    (["--fail-if", "data.x"], ["Good day."], 3, "Good day."),
]


@pytest.mark.parametrize(("flags", "turns", "status", "kept"), KEPT, ids=range(len(KEPT)))
def test_a_file_is_replaced_only_by_what_passed(
    flags: list[str],
    turns: list[str | tuple[int, str]],
    status: int,
    kept: str,
    aix: Aix,
    model: Model,
    home: Path,
) -> None:
    out, model.turns = home / "out.txt", [*turns]
    out.write_text("old")
    done = aix("run", "review", "-x", "-o", "out.txt", *flags)
    assert (done.status, out.read_text(), (home / "out.txt.partial").read_text()) == (status, "old", kept), done.stderr


def test_an_answer_that_was_cut_is_kept_and_not_asked_for_again(aix: Aix, model: Model) -> None:
    model.text, model.finish = ('{"bugs": [',), "length"
    done = aix("run", "strict", "-x")
    assert (done.stdout, done.status, len(model.asked)) == ('{"bugs": [', 3, 1)
    assert "cut at the length limit" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["review", "--schema", '{"$ref": "https://x.example/s"}'], 2, "nothing is ever fetched"),
        (["review", "--schema", "nowhere.json"], 2, "--schema: cannot read nowhere.json: no such file"),
        (["review", "--schema", ""], 2, "--schema is empty"),
        (["broken"], 6, "broken.md: output.schema cannot be used: $.items: refers to other.json, and nothing is ever"),
        (["review", "--extract", "xml"], 2, "--extract must be one of code, json, not 'xml'"),
        (["review", "--fail-if", "data.x =="], 2, "--fail-if 'data.x ==' is no expression: it ends too early"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_wanted_is_known_before_anything_is_sent(
    arguments: list[str], status: int, said: str, aix: Aix, model: Model, library: Path
) -> None:
    write(library, "broken", "---\noutput: {schema: {items: {$ref: other.json}}}\n---\nHi")
    done = aix("run", *arguments, "-x")
    assert (done.status, done.stdout, model.asked) == (status, "", [])
    assert said in done.stderr


def test_without_sending_they_matter_only_then(aix: Aix, model: Model) -> None:
    done = aix("run", "review", "--schema", "{}", "--extract", "json", "--fail-if", "data")
    note = "aix: rendered, not sent; add -x to send (--schema, --extract, --fail-if matter only then)\n"
    assert done == Result("Review it.", note, 0)


def test_a_terminal_shows_the_corrected_answer_alone(model: Model) -> None:
    model.turns = ['{"wrong": "**one**"}', '{"bugs": ["**two**"]}']
    terminal = Terminal("run", "strict", "-x", "--raw")
    assert terminal.end() == 0
    assert "asking once more" in terminal.screen
    assert '{"bugs": ["**two**"]}' in terminal.screen
    assert "**one**" not in terminal.screen
