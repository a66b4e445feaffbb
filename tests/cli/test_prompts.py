"""`aix list`, `aix show` and `aix create` through the real command."""

import json
import re
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, Terminal, shell, write

KEY = "sk-canary-0123456789abcdef"
HELLO = "hello\tbuiltin\tSay hello, to see that everything works\n"
REVIEW = """---
description: Review a change
tags: [code, review]
model: strong
params:
  diff: {type: text, required: true, stdin: true, help: The change}
  lang: {choices: [python, go], default: go}
options: {temperature: 0.2, max_tokens: 800}
output: {format: json}
---
{{ lang }}: {{ diff }}
{{ sh("git log -1") }}
"""


# --- list -------------------------------------------------------------------------------------------------------------


def test_an_empty_home_lists_what_is_built_in(aix: Aix, home: Path) -> None:
    assert aix("list") == Result(HELLO, "", 0)
    assert list(home.iterdir()) == []


def test_a_pipe_gets_a_line_for_each_prompt_with_tabs_between(aix: Aix, library: Path, home: Path) -> None:
    write(library, "web/review", REVIEW)
    write(library, "plain", "\nFirst\tline of {{ it }}\nsecond")
    write(library, "_partial", "not a prompt")
    write(library, "README", "not a prompt")
    write(library, ".hidden/x", "not a prompt")
    (library / "notes.txt").write_text("not a prompt")
    write(home / ".prompts-of-team", "team", "Ours")
    assert aix("list") == Result(
        f"{HELLO}plain\tuser\tFirst line of {{{{ it }}}}\nweb/review\tuser\tReview a change\n", "", 0
    )
    assert aix("list", "--library", ".prompts-of-team") == Result(f"{HELLO}team\tuser\tOurs\n", "", 0)


def test_the_first_layer_that_has_a_name_is_listed(aix: Aix, library: Path, home: Path) -> None:
    (home / "work" / ".git").mkdir(parents=True)
    write(home / "work" / ".prompts", "hello", "the project's")
    write(home / "work" / ".prompts", "mine", "the project's")
    write(library, "mine", "the user's")
    listed = "hello\tproject\tthe project's\nmine\tuser\tthe user's\n"
    assert aix("list", cwd=home / "work") == Result(listed, "", 0)


def test_a_broken_prompt_is_listed_with_what_is_wrong(aix: Aix, library: Path) -> None:
    write(library, "broken", "---\nparams: {n: {type: integr}}\n---\nx")
    done = aix("list")
    says = "type must be one of string, text, integer, number, boolean, date, json, list, file, image"
    assert done == Result(f"broken\tuser\t(broken) line 2: {says}\n{HELLO}", "", 0)


def test_json_lists_the_same(aix: Aix, library: Path) -> None:
    review = write(library, "web/review", REVIEW)
    broken = write(library, "broken", "---\n")
    listed = json.loads(aix("list", "--json").stdout)
    says = "the front matter has no end"
    assert [row for row in listed if row["layer"] == "user"] == [
        {
            "name": "broken",
            "layer": "user",
            "path": str(broken),
            "description": f"(broken) line 1: {says}",
            "tags": [],
            "error": f"{broken}:1: {says}",
        },
        {
            "name": "web/review",
            "layer": "user",
            "path": str(review),
            "description": "Review a change",
            "tags": ["code", "review"],
            "error": None,
        },
    ]


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_says_what_a_prompt_is_needs_and_says(aix: Aix, library: Path) -> None:
    path = write(library, "web/review", REVIEW)
    done = aix("show", "web/review")
    digest = re.search("sha256:[0-9a-f]{64}", done.stdout)
    assert digest
    assert done == Result(
        f"""\
name:        web/review
layer:       user
path:        {path}
digest:      {digest[0]}
description: Review a change
tags:        code, review
model:       strong
options:     temperature 0.2, max_tokens 800
output:      json
param:       diff (text; required; from words or stdin) The change
param:       lang (string; one of: python, go; default: go)
command:     git log -1

{{{{ lang }}}}: {{{{ diff }}}}
{{{{ sh("git log -1") }}}}
""",
        "",
        0,
    )


def test_the_digest_changes_with_the_content_and_not_with_the_name(aix: Aix, library: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        write(library, name, text)
    a, b, c = (json.loads(aix("show", name, "--json").stdout)["digest"] for name in "abc")
    assert a == b != c


def test_show_prints_json(aix: Aix, library: Path) -> None:
    path = write(library, "review", REVIEW)
    shown = json.loads(aix("show", "review", "--json").stdout)
    assert shown.pop("digest").startswith("sha256:")
    assert shown == {
        "name": "review",
        "layer": "user",
        "path": str(path),
        "description": "Review a change",
        "tags": ["code", "review"],
        "model": "strong",
        "options": {"temperature": 0.2, "max_tokens": 800},
        "output": "json",
        "params": [
            {
                "name": "diff",
                "type": "text",
                "required": True,
                "help": "The change",
                "default": None,
                "choices": [],
                "stdin": True,
            },
            {
                "name": "lang",
                "type": "string",
                "required": False,
                "help": "",
                "default": "go",
                "choices": ["python", "go"],
                "stdin": False,
            },
        ],
        "commands": ["git log -1"],
        "body": '{{ lang }}: {{ diff }}\n{{ sh("git log -1") }}\n',
    }


@pytest.mark.parametrize(
    "data", [REVIEW.encode(), b"\xef\xbb\xbfone\r\ntwo", "no end of line: ü \x1b[31m".encode(), b"\n\n"], ids=repr
)
def test_raw_is_the_file_exactly(data: bytes, library: Path) -> None:
    write(library, "one", "").write_bytes(data)
    done = shell('"$AIX" show one --raw > out')
    assert (done, Path("out").read_bytes()) == (Result("", "", 0), data)


# --- create -----------------------------------------------------------------------------------------------------------


def test_create_makes_a_prompt_that_runs(aix: Aix, home: Path) -> None:
    path = home / ".prompts" / "web" / "greet.md"
    done = aix("create", "web/greet", "Hello {{ name }}!")
    assert done == Result("", f"aix: created {path}\naix: try it: aix run web/greet\n", 0)
    assert path.read_text() == "Hello {{ name }}!\n"
    assert aix("run", "web/greet", "--name", "Ada") == Result("Hello Ada!", NOT_SENT, 0)


def test_the_dashes_of_front_matter_are_no_flag(aix: Aix, library: Path) -> None:
    assert aix("create", "review", REVIEW).status == 0
    assert (library / "review.md").read_text() == REVIEW
    assert aix("create", "new", "--bogus") == Result(
        "", "aix: error: no such option: --bogus\n  hint: aix create --help\n", 2
    )


def test_create_reads_stdin_and_takes_a_backslash_for_a_slash(aix: Aix, library: Path, home: Path) -> None:
    assert aix("create", "web\\review", "-", stdin=REVIEW).status == 0
    assert (library / "web" / "review.md").read_text() == REVIEW
    assert aix("create", "ours", "text", "--library", "team").stderr.startswith(f"aix: created {home}/team/ours.md\n")


NO_NAME = "cannot be a prompt's name\n  hint: letters, digits and . _ - in parts joined by /: web/review"
NO_PROMPT = "cannot be a prompt: a file of that name means something else in a repository"
EMPTY = "'new' would be empty; nothing is created\n  hint: aix create NAME \"Say hello to {{ name }}.\""
REFUSED = [
    (["there", "new"], 2, "'there' exists already\n  hint: edit {path}, or choose another name"),
    (["README", "x"], 2, f"'README' {NO_PROMPT}"),
    (["web/license", "x"], 2, f"'web/license' {NO_PROMPT}"),
    (["../x", "x"], 2, f"'../x' {NO_NAME}"),
    ([".x", "x"], 2, f"'.x' {NO_NAME}"),
    (["a b", "x"], 2, f"'a b' {NO_NAME}"),
    (["new", " \n"], 2, EMPTY),
    (["new"], 2, "what does 'new' say?\n  hint: give its text as an argument, or - to read it from stdin"),
    (["new", "---\ntags: {\n---\nx"], 6, None),
    (["new", "---\nparams: {n: {type: integr}}\n---\nx", "--library", ".prompts"], 6, None),
    (["new", "Hello {{ name"], 6, None),
    (["new", "{{ sh(name) }}"], 6, None),
    (["new", '{% include "gone.md" %}'], 6, None),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "status", "said"), REFUSED, ids=str)
def test_what_cannot_be_a_prompt_is_not_created(
    arguments: list[str], status: int, said: str | None, aix: Aix, library: Path
) -> None:
    path = write(library, "there", "old")
    done = aix("create", *arguments)
    assert (done.stdout, done.status) == ("", status)
    if said:
        assert done.stderr == f"aix: error: {said.replace('{path}', str(path))}\n"
    else:
        assert re.match(rf"aix: error: {library}/new\.md:\d: ", done.stderr)
    assert [(file.name, file.read_text()) for file in library.rglob("*.md")] == [("there.md", "old")]


# --- create in an editor ----------------------------------------------------------------------------------------------


@pytest.fixture
def editor(home: Path) -> Path:
    """A program that a test writes, which `$EDITOR` names with an argument and a space in its path."""
    path = home / "my editor.sh"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    return path


def edit(editor: Path, script: str, *arguments: str) -> tuple[str, int]:
    """What a person sees of a command whose editor does what `script` says with the file "$2", and its status."""
    editor.write_text(f"#!/bin/sh\n{script}\n")
    env = {"EDITOR": f"'{editor}' --wait", "OPENAI_API_KEY": KEY, "TMPDIR": str(editor.parent)}
    terminal = Terminal(*arguments, env=env, columns=500)
    status = terminal.end()
    return terminal.screen, status


def test_the_editor_begins_with_a_prompt_to_fill_in(editor: Path, home: Path) -> None:
    script = 'cat "$2" > seen; echo "$1 ${2##*/}" > how; printf "Hello {{ name }}" > "$2"; env > environment'
    screen, status = edit(editor, script, "create", "web/greet")
    path = home / ".prompts" / "web" / "greet.md"
    assert (screen, status) == (f"aix: created {path}\naix: try it: aix run web/greet\n", 0)
    assert path.read_text() == "Hello {{ name }}\n"
    assert (home / "how").read_text() == "--wait greet.md\n"
    assert (home / "seen").read_text().startswith("---\ndescription: What this prompt is for\nparams:\n")
    assert KEY not in (home / "environment").read_text()
    assert not list(home.glob("aix-*"))


def test_what_the_editor_begins_with_is_a_prompt(editor: Path, home: Path) -> None:
    _, status = edit(editor, 'sed -i s/What/All/ "$2"', "create", "new")
    assert status == 0


@pytest.mark.parametrize("script", ["true", ': > "$2"'])
def test_an_editor_that_leaves_nothing_new_creates_nothing(script: str, editor: Path, home: Path) -> None:
    screen, status = edit(editor, script, "create", "new")
    assert (screen, status) == (
        "aix: error: 'new' would be empty; nothing is created\n  hint: aix create NAME \"Say hello to {{ name }}.\"\n",
        2,
    )
    assert not (home / ".prompts").exists()


def test_a_text_that_is_no_prompt_is_kept(editor: Path, home: Path) -> None:
    broken = "---\nparams: [\n---\nMy long work."
    screen, status = edit(editor, f'printf %s "{broken}" > "$2"', "create", "web/new")
    kept = re.search(r"aix: your text is in (\S+); mend it, then: aix create web/new - < \1\n", screen)
    assert kept
    assert status == 6
    assert "\naix: error: " in screen
    assert Path(kept[1]).read_text() == broken
    assert Path(kept[1]).parent.stat().st_mode & 0o777 == 0o700
    assert not list((home / ".prompts").rglob("*.md"))


@pytest.mark.parametrize(
    ("script", "said", "kept"),
    [
        ("exit 3", "the editor {editor} ended with status 3; nothing is changed", 0),
        ('printf "\\377" > "$2"', "/new.md is not UTF-8 text (byte 0); it stays where it is", 1),
    ],
)
def test_an_editor_that_fails_creates_nothing(script: str, said: str, kept: int, editor: Path, home: Path) -> None:
    screen, status = edit(editor, script, "create", "new")
    assert status == 2
    assert said.replace("{editor}", str(editor)) in screen
    assert not (home / ".prompts").exists()
    assert len(list(home.glob("aix-*"))) == kept


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("nowhere/to/be-found", "cannot start the editor nowhere/to/be-found: no such file or directory"),
        ("vim '", "the editor vim ' has a quote without its end"),
    ],
)
def test_an_editor_that_cannot_be_started_is_named(command: str, said: str, home: Path) -> None:
    terminal = Terminal("create", "new", env={"VISUAL": command, "EDITOR": "true"}, columns=200)
    assert terminal.end() == 2
    assert terminal.screen == f"aix: error: {said}\n  hint: export EDITOR=nano\n"


def test_a_new_library_is_its_owners_alone(aix: Aix, home: Path) -> None:
    assert aix("create", "greet", "hi").status == 0
    assert (home / ".prompts").stat().st_mode & 0o777 == 0o700


def test_a_template_that_is_none_is_not_written_at_all(aix: Aix, library: Path) -> None:
    done = aix("create", "deep/down", "{% if %}")
    assert (done.status, list(library.iterdir())) == (6, [])
