"""`aix edit` through the real command: which editor, what is saved, and that nothing is lost."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import Terminal, configure, write
from writing import BROKEN, KEY, PLAIN, drafts, files, writing

from aix.cli.editor import EDITORS, find_editor
from aix.errors import UsageError

SOON = 5.0
"""How long a command that was asked to end may take, with its start."""
WRITE_BROKEN = 'printf "%s\\n" --- "params: [" --- "long work" > "$2"'


@pytest.fixture
def path(library: Path) -> Path:
    """The prompt `web/x`."""
    return write(library, "web/x", PLAIN)


# --- which editor -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visual", "name", "setting", "there", "command"),
    [
        ("v --wait", "e", "s", ["nano"], ["v", "--wait"]),
        ("", "e", "s", ["nano"], ["e"]),
        (" ", "'my e' -x", "s", ["nano"], ["my e", "-x"]),
        (None, None, "s -n", ["nano"], ["s", "-n"]),
        (None, None, None, ["vi", "nano"], ["nano"]),
        (None, "", "", ["emacs", "vi"], ["vi"]),
        (None, None, None, ["emacs"], ["emacs"]),
    ],
)
def test_the_editor_is_the_first_that_is_named_or_there(
    visual: str | None, name: str | None, setting: str | None, there: list[str], command: list[str], home: Path
) -> None:
    for program in there:
        (home / program).write_text("#!/bin/sh\n")
        (home / program).chmod(0o755)
    env = {"PATH": str(home), "VISUAL": visual, "EDITOR": name}
    assert find_editor({key: value for key, value in env.items() if value is not None}, setting) == command


def test_without_any_editor_that_is_said(home: Path) -> None:
    with pytest.raises(UsageError, match="there is no editor"):
        find_editor({"PATH": str(home)}, None)


@pytest.mark.parametrize("named", ["VISUAL", "EDITOR", "editor", EDITORS[0]])
def test_each_of_them_is_opened(named: str, path: Path, home: Path) -> None:
    for program in ("VISUAL", "EDITOR", "editor", EDITORS[0]):
        (home / "bin").mkdir(exist_ok=True)
        (home / "bin" / program).write_text(f'#!/bin/sh\necho {program} > "$1"\n')
        (home / "bin" / program).chmod(0o755)
    configure(path.parent.parent, **({"editor": "editor"} if named != EDITORS[0] else {}))
    env = {"VISUAL": {"VISUAL": "VISUAL", "EDITOR": "EDITOR"}, "EDITOR": {"EDITOR": "EDITOR"}}.get(named, {})
    terminal = Terminal("edit", "web/x", env={**env, "PATH": f"{home}/bin:{os.environ['PATH']}"})
    assert terminal.end() == 0
    assert path.read_text() == f"{named}\n"


# --- what is saved ----------------------------------------------------------------------------------------------


def test_an_edit_is_saved(path: Path, home: Path) -> None:
    path.chmod(0o640)
    script = 'cp "$2" seen; echo "$1 ${2##*/}" > how; env > environment; echo "new {{ name }}" > "$2"'
    terminal = writing("edit", "web\\x", does=script)
    assert (terminal.end(), terminal.screen) == (0, f"aix: saved {path}\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new {{ name }}\n", 0o640)
    assert ((home / "seen").read_text(), (home / "how").read_text()) == (PLAIN, "--wait x.md\n")
    assert drafts() == []
    assert files(path.parent) == {"x.md": "new {{ name }}\n"}


def test_an_editor_gets_no_keys(path: Path, home: Path) -> None:
    configure(path.parent.parent, api_keys={"openai": KEY + "2"}, custom_providers={"gw": {"api_key_env": "ANY"}})
    assert writing("edit", "web/x", does="env > environment", env={"ANY": KEY + "3"}).end() == 0
    assert "TERM=" in (home / "environment").read_text()
    assert KEY not in (home / "environment").read_text()


def test_stdout_may_be_a_pipe(path: Path, home: Path) -> None:
    terminal = writing("edit", "web/x", does='echo shown; echo new > "$2"', script='"$AIX" "$@" | cat > out')
    assert (terminal.end(), (home / "out").read_text()) == (0, "")
    assert terminal.screen == f"shown\naix: saved {path}\n"


def test_what_is_not_changed_is_not_written(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))
    terminal = writing("edit", "web/x", does='touch "$2"')
    assert (terminal.end(), terminal.screen) == (0, "aix: nothing is changed\n")
    assert path.stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize(
    "data",
    [b"old\r\ntext\r\n", b"\xef\xbb\xbfold\n", b"no end: old", b"---\r\ntags: [old]\r\n---\r\nx", b"\n\n old \n\n\n"],
    ids=repr,
)
def test_what_is_not_edited_stays_byte_for_byte(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    assert writing("edit", "web/x", does='sed -i s/old/new/ "$2"').end() == 0
    assert path.read_bytes() == data.replace(b"old", b"new")


def test_a_link_inside_the_library_stays_one(path: Path, library: Path) -> None:
    (library / "y.md").symlink_to("web/x.md")
    assert writing("edit", "y", does='echo new > "$2"').end() == 0
    assert (os.readlink(library / "y.md"), path.read_text()) == ("web/x.md", "new\n")


def test_a_link_out_of_the_library_is_not_opened(library: Path, tmp_path: Path, home: Path) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    (library / "y.md").symlink_to(tmp_path / "secret.md")
    terminal = writing("edit", "y", does="touch opened")
    assert (terminal.end(), (home / "opened").exists()) == (6, False)
    assert f"{library}/y.md leads out of the prompts in {library}" in terminal.screen


def test_a_broken_prompt_can_be_mended(path: Path) -> None:
    path.write_text(BROKEN)
    terminal = writing("edit", "web/x", does='sed -i "s/\\[/{}/" "$2"')
    assert (terminal.end(), terminal.screen) == (0, f"aix: saved {path}\n")
    path.write_bytes(b"\xff\n")
    assert writing("edit", "web/x", does='echo text > "$2"').end() == 0
    assert path.read_text() == "text\n"


def test_an_edit_of_a_project_s_prompt_stays_in_the_project(home: Path) -> None:
    (home / "work" / ".git").mkdir(parents=True)
    path = write(home / "work" / ".prompts", "hello", "ours")
    assert writing("edit", "hello", does='echo new > "$2"', script='cd work; exec "$AIX" "$@"').end() == 0
    assert (path.read_text(), (home / ".prompts").exists()) == ("new\n", False)


HIDES = "aix: it hides builtin:hello, which stays as it is\n"


def test_an_edit_of_a_built_in_prompt_makes_it_ones_own(home: Path) -> None:
    terminal = writing("edit", "hello", does='sed -i s/Say/Speak/ "$2"')
    own = home / ".prompts" / "hello.md"
    assert (terminal.end(), terminal.screen) == (0, f"aix: saved {own}\n{HIDES}")
    assert "Speak hello" in own.read_text()
    assert own.parent.stat().st_mode & 0o777 == 0o700


def test_an_unchanged_built_in_prompt_is_not_copied(home: Path) -> None:
    terminal = writing("edit", "hello", does="true")
    assert (terminal.end(), terminal.screen) == (0, "aix: nothing is changed\n")
    assert not (home / ".prompts").exists()


def test_without_a_terminal_the_file_is_named(path: Path, aix: Aix) -> None:
    said = "aix: error: aix edit needs a terminal for the editor\n  hint: "
    assert aix("edit", "web/x") == Result("", f"{said}change {path} itself\n", 2)
    assert aix("edit", "hello") == Result("", f"{said}aix copy hello hello\n", 2)
    assert aix("edit", "qqqq").status == 5


# --- nothing is lost --------------------------------------------------------------------------------------------


ASKED = "Edit it again?"
NO_PROMPT = "it is no prompt yet, so the prompt itself is as it was"
LOST = [
    # what the editor does, what is answered, the status, what is kept, what is said
    (WRITE_BROKEN, "n", 6, BROKEN, "error: {path}:3: not valid YAML"),
    (WRITE_BROKEN, "\x03", -signal.SIGINT, BROKEN, "error: {path}:3: not valid YAML"),
    (WRITE_BROKEN, "\x04", 2, BROKEN, "the question was left unanswered; nothing is changed"),
    (r'printf "a\n\377" > "$2"', "n", 6, "a\n\udcff", "error: {path}:2: not UTF-8 text"),
    ('echo "{{ name" > "$2"', "n", 6, "{{ name\n", "error: {path}:1: "),
    ('echo "{% include \'no.md\' %}" > "$2"', "n", 6, "{% include 'no.md' %}\n", "{path}:1: there is no file no.md"),
    ('echo new > "$2"; exit 1', "", 2, "new\n", "the editor {home}/my editor ended with status 1; nothing is changed"),
    ('echo new > "$2"; kill -9 $$', "", 2, "new\n", "was ended by signal 9; nothing is changed"),
    ('echo new > "$2"; kill -2 $$', "", -signal.SIGINT, "new\n", "your text is kept in"),
    ("exit 3", "", 2, None, "ended with status 3; nothing is changed"),
    ('rm "$2"', "", 2, None, "cannot read what the editor left (no such file or directory)"),
    ('rm "$2"; mkdir "$2"', "", 2, None, "cannot read what the editor left (is a directory)"),
    (': > "$2"', "", 2, None, "'web/x' would be empty; nothing is changed\n  hint: aix delete web/x"),
]  # fmt: skip


@pytest.mark.parametrize(("does", "answer", "status", "kept", "said"), LOST, ids=str)
def test_whatever_goes_wrong_what_was_written_is_kept(
    does: str, answer: str, status: int, kept: str | None, said: str, path: Path, home: Path
) -> None:
    terminal = writing("edit", "web/x", does=does.replace("{path}", str(path)))
    if answer:
        terminal.wait_for(ASKED)
        terminal.type(answer)
    assert terminal.end() == status
    assert said.replace("{path}", str(path)).replace("{home}", str(home)) in terminal.screen
    beside = path.with_name("x.md.broken")
    data = beside.read_bytes().decode("utf-8", "surrogateescape") if beside.exists() else None
    told = f"your text is kept in {beside}; to go on with it: aix edit web/x" in terminal.screen
    assert (data, told, drafts()) == (kept, kept is not None, [])
    assert path.read_text() == PLAIN


@pytest.mark.parametrize(("does", "left"), [("echo theirs > {path}", "theirs\n"), ("rm {path}", None)], ids=str)
def test_what_somebody_else_did_meanwhile_is_left_as_it_is(does: str, left: str | None, path: Path) -> None:
    terminal = writing("edit", "web/x", does=f'echo new > "$2"; {does.replace("{path}", str(path))}')
    assert terminal.end() == 2
    assert f"aix: error: {path} was changed by somebody else meanwhile, and is left as it is\n" in terminal.screen
    assert (path.read_text() if path.exists() else None) == left
    assert path.with_name("x.md.broken").read_text() == "new\n"


def test_a_broken_edit_is_mended_at_once(path: Path) -> None:
    terminal = writing("edit", "web/x", does=(WRITE_BROKEN, WRITE_BROKEN, 'cp "$2" seen; echo mended > "$2"'))
    for _ in range(2):
        terminal.wait_for(ASKED)
        terminal.type("y")
    assert terminal.end() == 0
    assert (path.read_text(), Path("seen").read_text()) == ("mended\n", BROKEN)
    assert files(path.parent) == {"x.md": "mended\n"}


@pytest.mark.parametrize(
    ("answer", "seen", "left"),
    [("\r", "kept text\n", None), ("\x1b[B\r", PLAIN, None), ("\x03", None, "kept text\n")],
    ids=["go on", "drop", "Ctrl-C"],
)
def test_the_next_edit_can_go_on_with_what_was_kept(
    answer: str, seen: str | None, left: str | None, path: Path, home: Path
) -> None:
    beside = path.with_name("x.md.broken")
    beside.write_text("kept text\n")
    terminal = writing("edit", "web/x", does='cp "$2" seen; echo new > "$2"')
    terminal.wait_for(f"{beside} keeps a text that is no prompt yet.")
    terminal.wait_for("delete it, and begin with the prompt as it is")
    terminal.type(answer)
    assert terminal.end() == (-signal.SIGINT if seen is None else 0)
    assert ((home / "seen").read_text() if seen else None) == seen
    assert (beside.read_text() if beside.exists() else None) == left


def test_a_kept_text_that_is_left_as_it_is_stays_kept(path: Path) -> None:
    path.with_name("x.md.broken").write_text(BROKEN)
    terminal = writing("edit", "web/x", does="true")
    terminal.choose("go on with it")
    terminal.wait_for(ASKED)
    terminal.type("n")
    assert terminal.end() == 6
    assert files(path.parent) == {"x.md": PLAIN, "x.md.broken": BROKEN}


def test_a_link_beside_a_prompt_is_no_kept_text(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    path.with_name("x.md.broken").symlink_to(tmp_path / "secret")
    assert writing("edit", "web/x", does='cp "$2" seen; echo new > "$2"').end() == 0
    assert (Path("seen").read_text(), (tmp_path / "secret").read_text()) == (PLAIN, "SECRET")


@pytest.mark.parametrize(
    ("does", "script", "status", "said"),
    [
        ("mkdir {path}.broken; " + WRITE_BROKEN, 'exec "$AIX" "$@"', 6, NO_PROMPT),
        (
            'ulimit -S -f unlimited; head -c 9000 /dev/zero | tr "\\0" x > "$2"',
            'ulimit -S -f 4; exec "$AIX" "$@"',
            13,
            "cannot write {path}: file too large",
        ),
    ],
    ids=["a folder in its place", "a disk that takes no more"],
)
def test_what_cannot_be_kept_beside_stays_where_it_was_written(
    does: str, script: str, status: int, said: str, path: Path
) -> None:
    terminal = writing("edit", "web/x", does=does.replace("{path}", str(path)), script=script)
    if status == 6:
        terminal.wait_for(ASKED)
        terminal.type("n")
    assert terminal.end() == status
    [draft] = Path.home().glob("aix-*/x.md")
    assert f"aix: your text is kept in {draft}\n" in terminal.screen
    assert f"aix: error: {said.replace('{path}', str(path))}\n" in terminal.screen
    assert len(draft.read_bytes()) >= len(BROKEN)
    assert path.read_text() == PLAIN


def test_a_text_that_is_too_large_is_kept(path: Path) -> None:
    terminal = writing("edit", "web/x", does='head -c 10485761 /dev/zero | tr "\\0" x > "$2"')
    assert terminal.end() == 2
    assert "aix: error: 'web/x' would be larger than 10240 KiB\n" in terminal.screen
    assert path.with_name("x.md.broken").stat().st_size == 10485761
    assert path.read_text() == PLAIN


def test_control_c_is_the_editor_s_own_while_it_is_open(path: Path) -> None:
    script = 'trap ": > caught" INT; echo ready; until [ -e caught ]; do read line; done; echo new > "$2"'
    terminal = writing("edit", "web/x", does=script)
    terminal.wait_for("ready")
    terminal.press_control_c()
    terminal.type("\n")
    assert terminal.end() == 0
    assert path.read_text() == "new\n"


@pytest.mark.parametrize("ends", ["", 'trap "" TERM; ', "trap 'exit 0' TERM; "], ids=["at once", "never", "well"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=str)
def test_a_command_that_is_ended_ends_the_editor_and_keeps_the_text(
    number: signal.Signals, ends: str, path: Path
) -> None:
    script = f'{ends}echo new > "$2"; echo $$ > editor; echo ready; until false; do read line; done'
    terminal = writing("edit", "web/x", does=script)
    terminal.wait_for("ready")
    started = time.monotonic()
    terminal.signal(number)
    assert terminal.end() == -number
    assert time.monotonic() - started < SOON
    assert path.with_name("x.md.broken").read_text() == "new\n"
    assert not runs(Path("editor").read_text().strip())
    assert drafts() == []


def test_what_the_editor_rescues_when_it_is_ended_stays(path: Path) -> None:
    script = """trap 'echo half > "$2.save"; exit 1' TERM; echo ready; until false; do read line; done"""
    terminal = writing("edit", "web/x", does=script)
    terminal.wait_for("ready")
    terminal.signal(signal.SIGTERM)
    assert terminal.end() == -signal.SIGTERM
    [rescued] = Path.home().glob("aix-*/x.md.save")
    assert (rescued.read_text(), terminal.screen) == ("half\n", f"ready\naix: the editor left {rescued}\n")


# --- a text that somebody else kept -----------------------------------------------------------------------------------


def test_what_was_kept_meanwhile_is_not_thrown_away(path: Path) -> None:
    beside = path.with_name("x.md.broken")
    assert writing("edit", "web/x", does=f'echo theirs > "{beside}"; echo new > "$2"').end() == 0
    assert files(path.parent) == {"x.md": "new\n", "x.md.broken": "theirs\n"}


def test_what_took_the_place_of_the_text_one_went_on_with_stays(path: Path) -> None:
    beside = path.with_name("x.md.broken")
    beside.write_text("mine\n")
    terminal = writing("edit", "web/x", does=f'echo theirs > "{beside}"; echo new > "$2"')
    terminal.choose("go on with it")
    assert terminal.end() == 0
    assert files(path.parent) == {"x.md": "new\n", "x.md.broken": "theirs\n"}


def test_a_second_text_is_kept_beside_the_first(path: Path) -> None:
    beside = path.with_name("x.md.broken")
    terminal = writing("edit", "web/x", does=f'echo theirs > "{beside}"; {WRITE_BROKEN}')
    terminal.wait_for(ASKED)
    terminal.type("n")
    assert terminal.end() == 6
    [draft] = Path.home().glob("aix-*/x.md")
    assert f"aix: your text is kept in {draft}\n" in terminal.screen
    assert (draft.read_text(), beside.read_text()) == (BROKEN, "theirs\n")


UNREAD = [
    ("mkdir {}", "is a directory"),
    ("mkfifo {}", "not a regular file"),
    ("ln -s /etc/passwd {}", "a link"),
    ("truncate -s 67108865 {}", "more than 67108864 bytes"),
]


@pytest.mark.parametrize(("make", "said"), UNREAD)
def test_what_cannot_be_gone_on_with_is_named_and_stays(make: str, said: str, path: Path) -> None:
    beside = path.with_name("x.md.broken")
    subprocess.run(make.format(beside), shell=True, check=True)
    terminal = writing("edit", "web/x", does='echo new > "$2"')
    assert terminal.end() == 0
    assert terminal.screen == f"aix: warning: {beside} is left as it is: {said}\naix: saved {path}\n"
    assert (path.read_text(), os.path.lexists(beside)) == ("new\n", True)


def test_a_text_in_a_project_is_not_gone_on_with_unless_that_is_chosen(home: Path) -> None:
    (home / "work" / ".git").mkdir(parents=True)
    path = write(home / "work" / ".prompts", "hello", PLAIN)
    beside = path.with_name("hello.md.broken")
    beside.write_text("planted\n")
    terminal = writing("edit", "hello", does='cp "$2" ../seen; echo new > "$2"', script='cd work; exec "$AIX" "$@"')
    terminal.wait_for(f"{beside} is a text in the project that is no prompt yet.")
    terminal.choose("leave it there, and begin with the prompt as it is")
    assert terminal.end() == 0
    assert (Path("seen").read_text(), files(path.parent)) == (PLAIN, {"hello.md": "new\n", beside.name: "planted\n"})


# --- an editor that leaves something else, or a name that is long -----------------------------------------------------


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ('rm -r "${2%/*}"', "no such file or directory"),
        ('rm "$2"; mkfifo "$2"', "not a regular file"),
        ('rm "$2"; ln -s /etc/passwd "$2"', "a link"),
    ],
)
def test_what_is_no_file_any_more_is_said(does: str, said: str, path: Path) -> None:
    terminal = writing("edit", "web/x", does=does)
    assert terminal.end() == 2
    assert terminal.screen == f"aix: error: cannot read what the editor left ({said}); nothing is changed\n"
    assert (files(path.parent), list(Path.home().glob("aix-*"))) == ({"x.md": PLAIN}, [])


def test_a_text_that_is_far_too_large_stays_where_it_is(path: Path) -> None:
    terminal = writing("edit", "web/x", does='truncate -s 1G "$2"')
    assert terminal.end() == 2
    [draft] = Path.home().glob("aix-*/x.md")
    assert terminal.screen == (
        f"aix: your text is kept in {draft}\n"
        "aix: error: cannot read what the editor left (more than 67108864 bytes); nothing is changed\n"
        f"  hint: what you wrote is in {draft}\n"
    )
    draft.unlink()


def test_a_prompt_of_a_name_that_is_too_long_for_new_ones_can_be_edited(library: Path) -> None:
    path = write(library, "a" * 250, PLAIN)
    assert writing("edit", "a" * 250, does='echo new > "$2"').end() == 0
    terminal = writing("edit", "a" * 250, does='echo other > "$2"; exit 1')
    assert terminal.end() == 2
    [draft] = Path.home().glob("aix-*/a*.md")
    assert f"aix: your text is kept in {draft}\n" in terminal.screen.replace("\n", "", 1) + terminal.screen
    assert path.read_text() == "new\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("qqqq", "aix list shows all prompts; aix create qqqq makes it"),
        ("commmit", "did you mean commit? aix create commmit makes it"),
        ("q q q q", "aix list shows all prompts"),
    ],
)
def test_a_name_that_is_not_there_can_be_made(name: str, hint: str, library: Path, aix: Aix) -> None:
    assert aix("edit", name) == Result("", f"aix: error: there is no prompt '{name}'\n  hint: {hint}\n", 5)


def runs(number: str) -> bool:
    """Whether a process goes on; one that ended may wait to be asked how."""
    try:
        return Path("/proc", number, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
