"""What a person sees: a terminal of its own for each test, and the bytes and the screen that came of it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import NOT_SENT, Model, Terminal, serving, shell, write

from aix.cli.console import column_widths

MARKDOWN = "# Title\n\nSome **bold** words.\n\n- one\n- two\n"
PLAIN_TERMINALS = [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}]
NASTY = "a\x1b[45mred\x1b]52;c;aGk=\x07\x9b1m\x90q\x9c\x08\u202etrl\u2066\u200f\rend"
SEEN = r"a\x1b[45mred\x1b]52;c;aGk=\x07\x9b1m\x90q\x9c\x08\u202etrl\u2066\u200f\rend"
HARMFUL = [
    b"\x1b]",
    b"\x1b[45m",
    b"\x07",
    "\x9b".encode(),
    "\x90".encode(),
    "\u202e".encode(),
    "\u2066".encode(),
    b"\x08",
]
RUN = ("run", "greet", "--name", "Ada")


@pytest.fixture
def greet(library: Path) -> Path:
    return write(library, "greet", "Hello {{ name }}!")


@pytest.fixture
def model(greet: Path) -> Iterator[Model]:
    with serving(greet.parent) as model:
        yield model


def lines(terminal: Terminal) -> list[str]:
    """What stands on the screen at the end, without empty lines."""
    return [line.strip() for line in terminal.screen.splitlines() if line.strip()]


# --- an answer --------------------------------------------------------------------------------------------------------


def test_markdown_is_drawn(model: Model) -> None:
    model.text = (MARKDOWN,)
    terminal = Terminal(*RUN, "-x")
    assert terminal.end() == 0
    shown = lines(terminal)
    assert shown[:4] == ["Title", "Some bold words.", "• one", "• two"]
    assert b"\x1b[1mbold\x1b[0m" in terminal.raw


def test_with_raw_it_is_shown_as_it_is(model: Model) -> None:
    model.text = (MARKDOWN,)
    terminal = Terminal(*RUN, "-x", "--raw")
    assert terminal.end() == 0
    assert terminal.screen.startswith(MARKDOWN)


def test_a_text_is_not_drawn(model: Model, greet: Path) -> None:
    write(greet.parent, "text", "---\noutput: {format: text}\n---\nHi")
    model.text = ("**not\nbold**",)
    terminal = Terminal("run", "text", "-x")
    assert terminal.end() == 0
    assert lines(terminal)[:2] == ["**not", "bold**"]


def test_a_rendering_is_shown_as_it_is(greet: Path) -> None:
    write(greet.parent, "text", "# Title **bold**")
    terminal = Terminal("run", "text")
    assert terminal.end() == 0
    assert terminal.screen == f"# Title **bold**\n{NOT_SENT}"


def test_blocks_of_code_stay_whole_until_they_end(model: Model) -> None:
    model.text = ("Look:\n\n```python\nif a:\n\n", "# *note*\n", "```\n\nDone")
    terminal = Terminal(*RUN, "-x")
    assert terminal.end() == 0
    assert lines(terminal)[:4] == ["Look:", "if a:", "# *note*", "Done"]
    assert "`" not in terminal.screen


@pytest.mark.parametrize("env", PLAIN_TERMINALS, ids=str)
def test_a_plain_terminal_gets_no_escape_codes(env: dict[str, str], model: Model) -> None:
    model.text, model.reasoning = (MARKDOWN,), "Hm."
    terminal = Terminal(*RUN, "-x", env=env)
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert terminal.screen.startswith(f"Hm.\n\n{MARKDOWN}aix: box:tiny-1 ")
    wrong = Terminal("run", "nope", env=env)
    assert wrong.end() == 5
    assert wrong.raw == b"aix: error: there is no prompt 'nope'\r\n  hint: aix list shows all prompts\r\n"


def test_a_usage_line_ends_an_answer(model: Model) -> None:
    terminal = Terminal(*RUN, "-x", "--raw")
    assert terminal.end() == 0
    [answer, usage] = lines(terminal)
    assert answer == "Good day."
    assert usage.startswith("aix: box:tiny-1 · 11 tokens in, 7 out · ")


def test_the_spinner_is_taken_away_and_never_in_a_pipe(model: Model) -> None:
    model.text = ()
    model.go_on.clear()
    terminal = Terminal(*RUN, "-x", "--raw")
    terminal.wait_for("waiting for box:tiny")
    model.text = ("Good day.",)
    model.go_on.set()
    terminal.end()
    assert "waiting" not in terminal.screen
    assert terminal.raw.count(b"\x1b[?25l") == terminal.raw.count(b"\x1b[?25h")
    piped = shell('"$AIX" run greet --name Ada -x')
    assert (piped.stdout, piped.stderr, piped.status) == ("Good day.", "", 0)


def test_reasoning_is_dimmed_beside_the_answer(model: Model, home: Path) -> None:
    model.reasoning = "Let me \x1b[45mthink."
    terminal = Terminal(*RUN, "-x", script='exec "$AIX" "$@" > out')
    assert terminal.end() == 0
    assert (home / "out").read_text() == "Good day."
    assert b"\x1b[2mLet me \\x1b[45mthink.\x1b[0m" in terminal.raw
    assert lines(terminal)[0] == r"Let me \x1b[45mthink."
    assert lines(terminal)[1].startswith("aix: box:tiny-1 ")


def test_reasoning_alone_does_not_run_into_the_error(model: Model) -> None:
    model.reasoning, model.text, model.finish = "Let me think", (), "length"
    terminal = Terminal(*RUN, "-x")
    assert terminal.end() == 3
    assert lines(terminal)[0] == "Let me think"
    assert lines(terminal)[2] == "aix: error: the answer was cut at the length limit after 7 tokens"


def test_control_c_ends_an_answer_and_the_command_dies_by_it(model: Model) -> None:
    model.go_on.clear()
    terminal = Terminal(*RUN, "-x", "--raw")
    terminal.wait_for("Good day.")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert "Traceback" not in terminal.screen


# --- text that nobody vouches for -------------------------------------------------------------------------------------


def harmless(terminal: Terminal) -> bool:
    return not [code for code in HARMFUL if code in terminal.raw]


@pytest.mark.parametrize("flags", [[], ["--raw"]], ids=str)
def test_control_characters_of_an_answer_are_made_visible(flags: list[str], model: Model) -> None:
    model.text = (NASTY[:3], NASTY[3:])
    terminal = Terminal(*RUN, "-x", *flags, columns=200)
    assert terminal.end() == 0
    assert harmless(terminal)
    assert lines(terminal)[0] == SEEN
    assert shell('"$AIX" run greet --name Ada -x > out').status == 0
    assert Path("out").read_bytes() == NASTY.encode()


def quoted(text: str) -> str:
    """A YAML text in double quotes."""
    return '"' + "".join(f"\\u{ord(letter):04x}" if not letter.isprintable() else letter for letter in text) + '"'


def test_those_of_a_prompt_are_made_visible(library: Path) -> None:
    path = write(
        library, "nasty", f"---\ndescription: {quoted(NASTY)}\nparams: {{a: {{help: {quoted(NASTY)}}}}}\n---\n"
    )
    with path.open("a") as file:
        file.write(NASTY.replace("\r", ""))
    for arguments in (["list"], ["show", "nasty"], ["run", "nasty"], ["run", "nasty", "--help"]):
        terminal = Terminal(*arguments, columns=300)
        assert terminal.end() == 0
        assert harmless(terminal), arguments
        assert SEEN.removesuffix(r"\rend") in terminal.screen
    piped = shell('"$AIX" list > listed; "$AIX" run nasty > out')
    assert piped.status == 0
    assert NASTY.replace("\r", " ") in Path("listed").read_bytes().decode()
    assert Path("out").read_bytes() == NASTY.replace("\r", "").encode()


def test_those_of_an_error_are_made_visible(model: Model) -> None:
    model.error = (400, NASTY)
    terminal = Terminal(*RUN, "-x", columns=200)
    assert terminal.end() == 9
    assert harmless(terminal)
    assert f"cause: {SEEN.replace(chr(92) + 'r', ' ')}" in terminal.screen


def test_those_of_a_models_own_name_are_made_visible(model: Model) -> None:
    model.name = NASTY
    terminal = Terminal(*RUN, "-x", columns=200)
    assert terminal.end() == 0
    assert harmless(terminal)
    assert f"aix: box:{SEEN} · 11 tokens in" in terminal.screen


def test_those_of_a_file_name_are_made_visible(home: Path) -> None:
    name = "n\x1b[45m.md"
    (home / name).write_text("{% broken %}")
    for arguments, status in ((["run", f"./{name}"], 6), (["run", f"./{name}x"], 5)):
        terminal = Terminal(*arguments, columns=300)
        assert terminal.end() == status
        assert harmless(terminal)
        assert r"n\x1b[45m.md" in terminal.screen
    (home / name).write_text("{{ a }}")
    terminal = Terminal("run", f"./{name}", "--help")
    assert terminal.end() == 0
    assert harmless(terminal)


# --- a question -------------------------------------------------------------------------------------------------------

ASK = """---
params:
  name: {required: true, help: Who is greeted}
  lang: {required: true, choices: [python, go]}
---
Hello {{ name }} of {{ lang }}!"""


def test_a_missing_value_is_asked_for(library: Path) -> None:
    write(library, "ask", ASK)
    terminal = Terminal("run", "ask")
    terminal.wait_for("name (Who is greeted):")
    terminal.type("\r")
    terminal.wait_for("it is required")
    terminal.type("Ada\r")
    terminal.wait_for("lang:")
    terminal.type("\x1b[B\r")
    assert terminal.end() == 0
    assert "Hello Ada of go!" in terminal.screen
    assert terminal.screen.endswith(NOT_SENT)


def test_a_value_that_is_wrong_is_asked_for_again(library: Path) -> None:
    write(library, "ask", "---\nparams: {n: {type: integer, required: true}}\n---\n{{ n }} and {{ n + 1 }}")
    terminal = Terminal("run", "ask", columns=120)
    terminal.wait_for("n:")
    terminal.type("x\r")
    terminal.wait_for("param 'n' must be a whole number, such as 3, not 'x'")
    terminal.type("\x7f3\r")
    assert terminal.end() == 0
    assert "3 and 4" in terminal.screen


def test_a_yes_or_no_is_chosen_and_a_secret_is_not_shown(library: Path) -> None:
    declared = "strict: {type: boolean, required: true}, token: {required: true, secret: true}"
    write(library, "ask", f"---\nparams: {{{declared}}}\n---\n{{{{ strict }}}} {{{{ token | length }}}}")
    terminal = Terminal("run", "ask")
    terminal.wait_for("strict:")
    terminal.type("\r")
    terminal.wait_for("token:")
    terminal.type("hush\r")
    assert terminal.end() == 0
    assert "True 4" in terminal.screen
    assert b"hush" not in terminal.raw


def test_the_question_stands_beside_the_answer(library: Path, home: Path) -> None:
    write(library, "ask", ASK)
    terminal = Terminal("run", "ask", "--lang", "go", script='exec "$AIX" "$@" > out')
    terminal.wait_for("name (Who is greeted):")
    terminal.type("Ada\r")
    assert terminal.end() == 0
    assert (home / "out").read_text() == "Hello Ada of go!"


def test_a_text_is_written_in_the_editor(library: Path, home: Path) -> None:
    write(library, "ask", "---\nparams: {body: {type: text, required: true}}\n---\nIt says: {{ body }}")
    editor = home / "editor"
    editor.write_text('#!/bin/sh\necho typed; printf "two\\nlines" > "$1"\n')
    editor.chmod(0o755)
    terminal = Terminal("run", "ask", env={"EDITOR": str(editor)}, script='exec "$AIX" "$@" > out')
    terminal.wait_for("body (type the text itself, or Enter alone for an editor):")
    terminal.type("\r")
    assert terminal.end() == 0
    assert lines(terminal)[1:] == ["typed", NOT_SENT.strip()]
    assert (home / "out").read_text() == "It says: two\nlines"


def test_a_short_text_is_typed_at_once(library: Path, home: Path) -> None:
    write(library, "ask", "---\nparams: {body: {type: text, required: true}}\n---\nIt says: {{ body }}")
    terminal = Terminal("run", "ask", env={"EDITOR": "false"}, script='exec "$AIX" "$@" > out')
    terminal.wait_for("body (type the text itself, or Enter alone for an editor):")
    terminal.type("one line\r")
    assert terminal.end() == 0
    assert (home / "out").read_text() == "It says: one line"


def test_control_c_at_a_question_sends_nothing(library: Path) -> None:
    write(library, "ask", ASK)
    with serving(library) as model:
        terminal = Terminal("run", "ask", "-x")
        terminal.wait_for("name (Who is greeted):")
        terminal.press_control_c()
        assert terminal.end() == -signal.SIGINT
        assert "Traceback" not in terminal.screen
        assert model.asked == []


def test_a_question_shows_no_control_characters(library: Path) -> None:
    param = f"{{required: true, help: {quoted(NASTY)}, choices: [{quoted(NASTY)}, b]}}"
    write(library, "ask", f"---\nparams: {{a: {param}}}\n---\n{{{{ a }}}}")
    terminal = Terminal("run", "ask", "--json", columns=300)
    assert terminal.end() == 2
    terminal = Terminal("run", "ask", columns=300, script='exec "$AIX" "$@" > out')
    terminal.wait_for("a (")
    terminal.type("\r")
    assert terminal.end() == 0
    assert terminal.screen.count(SEEN) >= 2
    assert not [code for code in HARMFUL if code in terminal.raw and code != b"\x08"]
    assert Path("out").read_bytes() == NASTY.encode()


def test_nobody_is_asked_without_a_terminal(library: Path) -> None:
    write(library, "ask", ASK)
    said = "aix: error: required params 'name', 'lang' are missing\r\n  hint: add --name … --lang …\r\n"
    terminal = Terminal("run", "ask", script='exec "$AIX" "$@" < /dev/null', env={"NO_COLOR": "1"})
    assert terminal.end() == 2
    assert terminal.raw.decode() == said


@pytest.mark.parametrize(
    ("room", "widths"),
    [(80, [4, 31, 14]), (53, [4, 31, 14]), (50, [4, 28, 14]), (40, [4, 18, 14]), (32, [4, 15, 9]), (26, [])],
)
def test_a_table_that_goes_on_in_the_next_line_cuts_no_word(room: int, widths: list[int]) -> None:
    rows = [["page", "https://box.com and so many mor", "from"], ["note", "short", "some long word"]]
    assert [*column_widths(rows, room)] == widths
