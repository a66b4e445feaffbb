"""Markdown on a terminal: shown as it is written, drawn when it is whole, and left as it came anywhere else."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Model, Terminal, serving, write

PAGE = """# Review

One bug, in `wait`.

## Bugs

1. It sleeps **first**.

```python
def wait(number):

    return 2**number
```
- 日本語
"""
DRAWN = """\
Review

One bug, in wait.

Bugs

 1 It sleeps first.

 def wait(number):

     return 2**number

 • 日本語
"""
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    write(library, "ask", "x")
    with serving(library) as model:
        yield model


def said(terminal: Terminal) -> str:
    """What is on the screen above the line of usage."""
    return terminal.screen.rpartition("aix: box:")[0]


def test_tool_calls_are_drawn_as_they_are_and_each_on_its_line(model: Model) -> None:
    model.text, model.finish, model.calls = ("*Looking*.",), "tool_calls", (("get_a_b", '{"a": "*b*"}'), ("now", "{}"))
    terminal = Terminal("run", "ask", "-x")
    assert terminal.end() == 0
    assert said(terminal) == 'Looking.\n\n get_a_b {"a": "*b*"}\n now {}\n'


@pytest.mark.parametrize("size", [1, 7, 1000], ids=["by the letter", "in pieces", "at once"])
def test_a_page_is_drawn_with_an_empty_line_between_its_blocks(size: int, model: Model) -> None:
    model.text = tuple(PAGE[start : start + size] for start in range(0, len(PAGE), size))
    terminal = Terminal("run", "ask", "-x")
    assert terminal.end() == 0
    assert said(terminal) == DRAWN


def test_half_a_sentence_is_shown_while_the_rest_is_awaited(model: Model) -> None:
    model.text = ("This is **half** a sen",)
    model.go_on.clear()
    terminal = Terminal("run", "ask", "-x")
    terminal.wait_for(" a sen")
    model.go_on.set()
    assert terminal.end() == 0
    assert said(terminal) == "This is half a sen\n"


def test_a_block_that_is_taller_than_the_terminal_is_seen_at_its_end_and_then_whole(model: Model) -> None:
    numbers = [f"number {index}." for index in range(90)]
    model.text = ("```\n" + "\n".join(numbers),)
    model.go_on.clear()
    terminal = Terminal("run", "ask", "-x")
    terminal.wait_for("number 89.")
    assert b"number 3." not in terminal.raw
    assert "number 89." in terminal.screen
    model.go_on.set()
    assert terminal.end() == 0
    whole = terminal.raw.decode().rpartition("number 0.")[2]
    assert [line for line in numbers[1:] if line not in whole] == []


def test_control_c_keeps_what_came_and_gives_the_cursor_back(model: Model) -> None:
    model.text = ("First.\n\nSecond, unfin",)
    model.go_on.clear()
    terminal = Terminal("run", "ask", "-x")
    terminal.wait_for("Second, unfin")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    shown = terminal.screen.replace("\n\n\n", "\n\n")  # rich draws twice what it is stopped at while it draws
    *said_, usage = shown.splitlines()
    assert "\n".join(said_) == "First.\n\nSecond, unfin\naix: stopped; this is not the whole answer"
    assert usage.startswith("aix: box:tiny · ~1 tokens in, ~6 out")
    assert terminal.raw.rfind(SHOW) > terminal.raw.rfind(HIDE)


def test_reasoning_stands_before_the_answer_and_not_in_it(model: Model) -> None:
    model.reasoning, model.text = "Let me see.", ("# Well", "\n\nIt is so.")
    terminal = Terminal("run", "ask", "-x")
    assert terminal.end() == 0
    assert said(terminal) == "Let me see.\n\nWell\n\nIt is so.\n"
    assert b"\x1b[2mLet me see.\x1b[0m" in terminal.raw


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--raw"], {}),
        ([], {"TERM": "dumb"}),
        ([], {"NO_COLOR": "1"}),
        ([], {"CI": "true"}),
    ],
    ids=["--raw", "TERM=dumb", "NO_COLOR", "CI"],
)
def test_a_terminal_that_wants_plain_text_gets_it(arguments: list[str], env: dict[str, str], model: Model) -> None:
    model.text = (PAGE,)
    terminal = Terminal("run", "ask", "-x", *arguments, env=env)
    assert terminal.end() == 0
    assert said(terminal) == PAGE
    if env:
        assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize(
    ("background", "keyword"), [("15;0", b"\x1b[94m"), ("0;15", b"\x1b[34m")], ids=["dark", "light"]
)
def test_code_is_coloured_for_the_background_that_there_is(background: str, keyword: bytes, model: Model) -> None:
    model.text = ("```python\nreturn 1\n```\n",)
    terminal = Terminal("run", "ask", "-x", env={"COLORFGBG": background})
    assert terminal.end() == 0
    assert keyword + b"return" in terminal.raw


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_lines_fit_the_terminal(columns: int, model: Model) -> None:
    model.text = ("word " * 100 + "\n\n| a | b |\n|---|---|\n" + f"| {'cell ' * 20} | {'cell ' * 20} |\n",)
    terminal = Terminal("run", "ask", "-x", columns=columns)
    assert terminal.end() == 0
    assert max(len(line) for line in said(terminal).splitlines()) <= columns


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<https://e.example/%1B%5D0;owned%07%C2%9B31m%E2%80%AE>", "https://e.example/\\x1b]0;owned"),
        ("bidi &#8238;abc &rlm;", "bidi \\u202eabc \\u200f"),
        ("a \x1b[2J b", "a \\x1b[2J b"),
        ("`\x1b]0;owned\x07`", "\\x1b]0;owned\\x07"),
        ("```\n\x1b[2J\n```", "\\x1b[2J"),
    ],
    ids=["in an autolink", "as an entity", "as it is", "in code", "in a block of code"],
)
def test_no_way_of_writing_one_makes_a_terminal_obey(source: str, shown: str, model: Model) -> None:
    model.text = (source,)
    terminal = Terminal("run", "ask", "-x", columns=200)
    assert terminal.end() == 0
    assert shown in terminal.screen
    for harm in (b"\x1b]0;", b"\x1b[2J", b"\xc2\x9b", "\u202e".encode(), "\u200f".encode()):
        assert harm not in terminal.raw


@pytest.mark.parametrize(
    "text",
    ["use List<String> and std::vector<T>", "<div>X</div>", "before <b>bold</b> <!-- note --> after", "a < b > c"],
)
def test_what_looks_like_html_is_text(text: str, model: Model) -> None:
    model.text = (text,)
    terminal = Terminal("run", "ask", "-x")
    assert terminal.end() == 0
    assert said(terminal) == text + "\n"


@pytest.mark.parametrize(
    "pieces",
    [
        ["```python\n", *(piece for _ in range(400) for piece in ("x = ", "foo", "(1, ", "2)", " # c", "\n"))],
        ["word "] * 10_000,
    ],
    ids=["a long block of code", "a long paragraph"],
)
def test_many_pieces_of_one_block_do_not_keep_the_answer_waiting(pieces: list[str], model: Model) -> None:
    model.text = tuple(pieces)
    terminal = Terminal("run", "ask", "-x", "--timeout", "20")
    assert terminal.end() == 0
