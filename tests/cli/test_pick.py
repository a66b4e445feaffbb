"""`aix run` without a name, on a terminal: a prompt is picked and filled in, and the command for it is told."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stage import Model, Terminal, configure, serving, shell, write

REVIEW = """---
description: Pull requests, reviewed
params:
  diff: {type: text, required: true, help: The change}
  level: {choices: [low, high], required: true}
  strict: {type: boolean, required: true}
  token: {secret: true, required: true}
  model: {required: true}
  note: {default: none}
---
{{ level }} {{ strict }} {{ model }} {{ note }} {{ diff }}
"""
GREET = "Hello {{ name }}."
ENTER, BACKSPACE = "\r", "\x7f"


@pytest.fixture(autouse=True)
def own(library: Path) -> None:
    write(library, "zz/greet", GREET)
    write(library, "zz/review", REVIEW)
    write(library, "zz/broken", "---\nparams: 1\n---\n")


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as model:
        yield model


def pick(terminal: Terminal, typed: str) -> None:
    terminal.wait_for("Which prompt?")
    terminal.type(typed)


def same_again(terminal: Terminal) -> str:
    """The command that the terminal shows at the end."""
    found = re.search(r"aix: the same again: (.*)", terminal.raw.decode())
    assert found
    return found[1].strip()


@pytest.mark.parametrize(
    "typed",
    ["zz/greet", "zzgr", "z g", "ZZGREET", "zzgx" + BACKSPACE],
    ids=["whole", "some letters", "with a space", "in any case", "with one taken back"],
)
def test_some_letters_of_a_name_find_it(typed: str, model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, typed + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada" + ENTER)
    terminal.wait_for("What shall be done with it?")
    terminal.type(ENTER)
    assert terminal.end() == 0
    assert "Which prompt? (some letters, then Enter) zz/greet" in terminal.screen
    assert "Hello Ada." in terminal.screen
    assert same_again(terminal) == "aix run zz/greet --name Ada --no-execute"
    assert model.asked == []


def test_a_prompt_is_found_by_what_is_said_of_it(model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, "requests, rev" + ENTER)
    terminal.wait_for("diff (The change; ")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT


def test_what_is_picked_can_be_sent(model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, "zzgreet" + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada's cat" + ENTER)
    terminal.wait_for("What shall be done with it?")
    terminal.choose("send it to box:tiny")
    assert terminal.end() == 0
    assert "Good day." in terminal.screen
    command = same_again(terminal)
    assert command == """aix run zz/greet --name 'Ada'"'"'s cat' --execute"""
    assert shell(command.replace("aix", '"$AIX"', 1)).stdout == "Good day."
    assert model.asked[0]["messages"] == [{"role": "user", "content": "Hello Ada's cat."}]
    assert model.asked[1] == model.asked[0]


def test_every_kind_of_answer_is_in_the_command(model: Model, library: Path) -> None:
    terminal = Terminal("run", "--temperature", "0.5", columns=200)
    pick(terminal, "zzreview" + ENTER)
    answers: dict[str, Callable[[], None]] = {
        "diff (The change; ": lambda: terminal.type("a $b\\c" + ENTER),
        "level:": lambda: terminal.choose("high"),
        "strict:": lambda: terminal.choose("no"),
        "token:": lambda: terminal.type("hush" + ENTER),
        "model:": lambda: terminal.type("T" + ENTER),
        "What shall be done with it?": lambda: terminal.choose("show it"),
    }
    for question, answer in answers.items():
        terminal.wait_for(question)
        answer()
    assert terminal.end() == 0
    assert "high False T none a $b\\c" in terminal.screen
    said = (
        """aix run zz/review --temperature 0.5 --diff 'a $b\\c' --level high --no-strict --token "$TOKEN" -p model=T"""
    )
    assert same_again(terminal) == f"{said} --no-execute"
    assert "hush" not in terminal.raw.decode()


def test_a_long_text_belongs_into_a_file(model: Model, library: Path, home: Path) -> None:
    write(library, "zz/long", "---\nparams: {text: {type: text, required: true}}\n---\n{{ text }}")
    editor = home / "editor"
    editor.write_text('#!/bin/sh\nprintf "two\\nlines\\n" > "$1"\n')
    editor.chmod(0o755)
    terminal = Terminal("run", "-n", env={"EDITOR": str(editor)})
    pick(terminal, "zzlong" + ENTER)
    terminal.wait_for("type the text itself, or Enter alone for an editor")
    terminal.type(ENTER)
    assert terminal.end() == 0
    assert same_again(terminal) == "aix run zz/long -n --text-file FILE"


def test_flags_that_say_what_to_do_are_not_asked_about(model: Model) -> None:
    terminal = Terminal("run", "-x")
    pick(terminal, "zzgreet" + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada" + ENTER)
    assert terminal.end() == 0
    assert "What shall be done" not in terminal.screen
    assert same_again(terminal) == "aix run zz/greet -x --name Ada"


def test_without_a_provider_it_is_shown(library: Path) -> None:
    terminal = Terminal("run")
    pick(terminal, "zzgreet" + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada" + ENTER)
    assert terminal.end() == 0
    assert "there is nobody to send it to yet; aix init sets a provider up" in terminal.screen
    assert "Hello Ada." in terminal.screen


@pytest.mark.parametrize("before", ["", "zz/greet" + ENTER], ids=["picking", "filling in"])
def test_control_c_in_a_question_ends_it(before: str, model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, before)
    if before:
        terminal.wait_for("name (")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert "the same again" not in terminal.screen
    assert "Traceback" not in terminal.screen


def test_letters_that_no_name_has_pick_nothing(model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, "qqqq" + ENTER)
    terminal.wait_for("no prompt has these letters")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT


def test_a_broken_prompt_says_what_is_wrong(model: Model) -> None:
    terminal = Terminal("run", columns=200)
    pick(terminal, "zzbroken" + ENTER)
    assert terminal.end() == 6
    assert "zz/broken.md:2: params must be" in terminal.screen


@pytest.mark.parametrize("script", ['exec "$AIX" "$@" < /dev/null', 'exec "$AIX" "$@" 2> err'])
def test_nobody_is_asked_without_a_terminal(script: str, library: Path) -> None:
    assert Terminal("run", script=script).end() == 2


def test_a_stranger_s_description_shows_no_control_characters(model: Model, library: Path) -> None:
    configure(library, default_provider="echo")
    write(library, "zz/nasty", '---\ndescription: "a\\x1b]0;owned\\x07\\u202eb"\n---\nx')
    terminal = Terminal("run")
    pick(terminal, "zznasty")
    terminal.wait_for("owned")
    terminal.press_control_c()
    terminal.end()
    assert b"\x1b]0;owned" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw


def test_a_stranger_s_long_name_does_not_keep_the_picker_waiting(model: Model, library: Path) -> None:
    write(library, f"zz/{'a' * 150}", "x")
    terminal = Terminal("run")
    pick(terminal, "aaaaaab" + ENTER)
    terminal.wait_for("no prompt has these letters")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT


def test_a_signal_ends_a_choice_too(model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, "zzgreet" + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada" + ENTER)
    terminal.wait_for("»")
    terminal.signal(signal.SIGINT)
    assert terminal.end() == -signal.SIGINT


def test_the_end_of_input_leaves_a_choice_unanswered(model: Model) -> None:
    terminal = Terminal("run")
    pick(terminal, "zzgreet" + ENTER)
    terminal.wait_for("name (")
    terminal.type("Ada" + ENTER)
    terminal.wait_for("»")
    terminal.type("\x04")
    assert terminal.end() == 2
    assert "the question was left unanswered" in terminal.screen
