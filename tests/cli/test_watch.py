"""`aix run NAME --watch`: what is shown on each save, on a real terminal with real files."""

import re
import signal
from pathlib import Path

import pytest
from conftest import Aix
from stage import Terminal, write

WATCHING = "Ctrl-C ends it"


def said(terminal: Terminal) -> str:
    """What is on the screen, without the times of day."""
    return re.sub(r"\d\d:\d\d:\d\d", "TIME", terminal.screen)


@pytest.fixture
def terminal(library: Path) -> Terminal:
    write(library, "p", 'Be kind.\n{% include "_style.md" %}\nGreet {{ name }}.\n')
    write(library, "_style", "Be brief.")
    return Terminal("run", "p", "--watch", "--name", "Ada")


def test_each_save_shows_what_changed_and_ctrl_c_ends_it(terminal: Terminal, library: Path) -> None:
    terminal.wait_for(WATCHING)
    write(library, "_style", "Be very brief, please.")
    terminal.wait_for("more")
    write(library, "p", "Greet {{ name }}.\n")
    terminal.wait_for("fewer")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert said(terminal) == (
        "Be kind.\nBe brief.\nGreet Ada.\n"
        "aix: about 8 tokens (estimated); watching p.md, _style.md; Ctrl-C ends it\n"
        "@@ -1,3 +1,3 @@\n Be kind.\n-Be brief.\n+Be very brief, please.\n Greet Ada.\n"
        "aix: TIME about 11 tokens (estimated), 3 more\n"
        "@@ -1,3 +1 @@\n-Be kind.\n-Be very brief, please.\n Greet Ada.\n"
        "aix: TIME about 3 tokens (estimated), 8 fewer\n"
        "^C\n"
    )


def test_a_text_that_is_no_prompt_yet_is_told_of_once_and_waited_for(terminal: Terminal, library: Path) -> None:
    terminal.wait_for(WATCHING)
    write(library, "p", "Greet {{ name }.\n")
    terminal.wait_for("p.md:1:")
    write(library, "p", "Greet {{ name }.\nand more")  # the same fault
    write(library, "p", 'Greet {{ name }}.\n{% include "_late.md" %}')
    terminal.wait_for("there is no file _late.md")
    write(library, "_late", "Late.")
    terminal.wait_for("+Late.")
    (library / "p.md").unlink()
    terminal.wait_for("there is no prompt 'p'")
    write(library, "p", "Greet {{ name }}.\n")
    terminal.wait_for("-Late.")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert terminal.screen.count("p.md:1:") == 1


def test_what_was_asked_and_what_was_piped_in_stays(library: Path) -> None:
    write(
        library,
        "p",
        "---\nparams: {name: {required: true}, text: {type: text, stdin: true}}\n---\n{{ name }} {{ text }}",
    )
    terminal = Terminal("run", "p", "--watch", "--text", "long")
    terminal.wait_for("name")
    terminal.type("Ada\r")
    terminal.wait_for("Ada long")
    terminal.wait_for(WATCHING)
    write(library, "p", "---\nparams: {name: {required: true}, text: {stdin: true}}\n---\n{{ text }} {{ name }}")
    terminal.wait_for("+long Ada")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT


def test_a_file_that_gives_a_value_is_watched_too(library: Path, tmp_path: Path) -> None:
    write(library, "p", "---\nparams: {text: {type: text}}\n---\n{{ text }}")
    given = tmp_path / "given.txt"
    given.write_text("one")
    terminal = Terminal("run", "p", "--watch", "--text-file", str(given))
    terminal.wait_for(WATCHING)
    given.write_text("another")
    terminal.wait_for("+another")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert "watching p.md, given.txt" in terminal.screen


def test_what_was_typed_before_it_is_asked_is_no_answer(library: Path) -> None:
    path = write(library, "p", "Hello.")
    terminal = Terminal("run", "p", "--watch")
    terminal.wait_for(WATCHING)
    terminal.type("y")
    path.write_text('{{ sh("touch done") }}')
    terminal.wait_for("Trust this content of 'p' to run them?")
    terminal.type("n")
    terminal.wait_for("its content is not trusted")
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert not Path("done").exists()


def test_ctrl_c_at_the_question_ends_it(library: Path) -> None:
    path = write(library, "p", "Hello.")
    terminal = Terminal("run", "p", "--watch")
    terminal.wait_for(WATCHING)
    new = write(library, "_new", '{{ sh("touch done") }}')
    new.rename(path)
    terminal.wait_for("(y/N)")
    terminal.press_control_c()
    assert (terminal.end(), Path("done").exists()) == (-signal.SIGINT, False)


@pytest.mark.parametrize("flag", ["-x", "--execute", "-n", "--show-request", "-oout", "--json"])
def test_a_flag_for_something_else_contradicts_it(flag: str, aix: Aix, library: Path) -> None:
    write(library, "p", "Hello.")
    result = aix("run", "p", "--watch", flag)
    assert (result.status, result.stdout.startswith("Hello")) == (2, False)
    assert "--watch renders on each save and sends nothing" in result.stderr


def test_there_must_be_a_file(aix: Aix) -> None:
    result = aix("run", "-", "--watch", stdin="Hello.")
    assert (result.status, result.stderr) == (
        2,
        "aix: error: there is no file to watch\n  hint: --watch takes a prompt's name, or a file\n",
    )
