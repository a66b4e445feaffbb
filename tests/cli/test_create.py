"""`aix create` through the real command: from a text, from stdin, in an editor; and older placeholders made Jinja."""

import re
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, Terminal, configure, shell, write
from writing import KEY, drafts, writing

from aix.config.files import IGNORED_BY_GIT

REVIEW = """---
description: Review a change
tags: [code, review]
params:
  diff: {type: text, required: true, stdin: true, help: The change}
---
{{ diff }}
"""
NEW = "aix: created {home}/.prompts/{name}.md\naix: try it: aix run {name} --help\n"


def created(home: Path, name: str) -> str:
    return NEW.format(home=home, name=name)


def test_create_makes_a_prompt_that_runs(aix: Aix, home: Path) -> None:
    assert aix("create", "web/greet", "Hello {{ name }}!") == Result("", created(home, "web/greet"), 0)
    assert (home / ".prompts" / "web" / "greet.md").read_text() == "Hello {{ name }}!\n"
    assert aix("run", "web/greet", "--name", "Ada") == Result("Hello Ada!", NOT_SENT, 0)


def test_the_dashes_of_front_matter_are_no_flag(aix: Aix, library: Path) -> None:
    assert aix("create", "review", REVIEW).status == 0
    assert (library / "review.md").read_text() == REVIEW
    said = "aix: error: no such option: --zzz\n  hint: aix create --help\n"
    assert aix("create", "new", "--zzz") == Result("", said, 2)


def test_create_reads_stdin_and_takes_a_backslash_for_a_slash(aix: Aix, library: Path, home: Path) -> None:
    assert aix("create", "web\\review", "-", stdin=REVIEW).status == 0
    assert (library / "web" / "review.md").read_text() == REVIEW
    assert aix("create", "ours", "text", "--library", "team").stderr.startswith(f"aix: created {home}/team/ours.md\n")


def test_a_new_library_is_its_owners_alone(aix: Aix, home: Path) -> None:
    assert aix("create", "greet", "hi").status == 0
    assert (home / ".prompts").stat().st_mode & 0o777 == 0o700


def test_a_partial_is_there_to_be_included(aix: Aix, library: Path) -> None:
    done = aix("create", "web/_style", "Be brief.")
    assert done.stderr.splitlines()[1] == 'aix: include it in a prompt: {% include "web/_style.md" %}'
    assert aix("create", "web/one", '{% include "web/_style.md" %}').status == 0
    assert aix("run", "web/one").stdout == "Be brief."


# --- what can be said about it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["Hi", "--desc", "Greets"], "---\ndescription: Greets\n---\nHi\n"),
        (["Hi", "--description", "a: b"], "---\ndescription: 'a: b'\n---\nHi\n"),
        (["Hi", "--tag", "a", "--tag", "b, c"], "---\ntags: [a, b, c]\n---\nHi\n"),
        (["Hi", "--tags", "no"], "---\ntags: ['no']\n---\nHi\n"),
        (["Hi", "--desc", "d", "--tags", "a,b"], "---\ndescription: d\ntags: [a, b]\n---\nHi\n"),
        (["Hi", "--desc", "", "--tags", ","], "Hi\n"),
        (["---\nmodel: m\n---\nHi", "--desc", "d"], "---\ndescription: d\nmodel: m\n---\nHi\n"),
        ([REVIEW.replace("tags", "x-tags"), "--tag", "a"], "---\ntags: [a]\n" + REVIEW.replace("tags", "x-tags")[4:]),
        (["Hi {name}", "--convert", "--desc", "Says {name}"], "---\ndescription: Says {name}\n---\nHi {{ name }}\n"),
    ],
    ids=str,
)
def test_its_description_and_tags_go_into_its_front_matter(
    arguments: list[str], text: str, aix: Aix, library: Path
) -> None:
    assert aix("create", "new", *arguments).status == 0
    assert (library / "new.md").read_text() == text


def test_what_the_text_says_itself_is_not_said_twice(aix: Aix, library: Path) -> None:
    said = "the text gives its description itself\n  hint: give it once: there, or on the command line"
    assert aix("create", "new", REVIEW, "--desc", "other") == Result("", f"aix: error: {said}\n", 2)
    assert list(library.iterdir()) == []


def test_a_project_has_prompts_of_its_own(aix: Aix, home: Path) -> None:
    (home / "work" / ".git").mkdir(parents=True)
    (home / "work" / "deep").mkdir()
    done = aix("create", "hello", "Ours", "--project", cwd=home / "work" / "deep")
    assert (done.stderr.splitlines()[0], done.status) == (f"aix: created {home}/work/.prompts/hello.md", 0)
    assert aix("run", "hello", cwd=home / "work").stdout == "Ours"
    said = "this is your home directory, not a project\n  hint: cd into the project and do it there"
    assert aix("create", "hello", "Ours", "--project") == Result("", f"aix: error: {said}\n", 2)


def test_a_directory_that_was_deleted_is_no_project(home: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$AIX" "$@"'
    done = shell(script, "create", "nothing-of-that-name", "Ours", "--project", cwd=home)
    said = "this is the root directory, or one that was deleted, not a project"
    assert done == Result("", f"aix: error: {said}\n  hint: cd into the project and do it there\n", 2)
    assert not Path("/.prompts/nothing-of-that-name.md").exists()


# --- what is refused --------------------------------------------------------------------------------------------------


NO_NAME = "cannot be a prompt's name\n  hint: letters from A to Z, digits and . _ - in parts joined by /: web/review"
NO_PROMPT = "cannot be a prompt: a file of that name means something else in a repository"
EMPTY = "'new' would be empty; nothing is created\n  hint: aix create new \"Say hello to {{ name }}.\""
LONG = f"'{'c' * 40}…' is too long for a prompt's name\n  hint: at most 200 letters in a part, and 1000 in all"
REFUSED = [
    (["there", "new"], 2, "'there' exists already\n  hint: aix edit there, or choose another name"),
    (["README", "x"], 2, f"'README' {NO_PROMPT}"),
    (["web/license", "x"], 2, f"'web/license' {NO_PROMPT}"),
    (["../x", "x"], 2, f"'../x' {NO_NAME}"),
    ([".x", "x"], 2, f"'.x' {NO_NAME}"),
    (["web/.x", "x"], 2, f"'web/.x' {NO_NAME}"),
    (["a b", "x"], 2, f"'a b' {NO_NAME}"),
    (["c" * 201, "x"], 2, LONG),
    (["c" * 5000, "x"], 2, LONG),
    (["/".join("c" * 100 for _ in range(10)), "x"], 2, LONG),
    (["out/x", "x"], 2, "{library}/out/x.md leads out of the prompts in {library}\n  hint: choose another name"),
    (["new", " \n"], 2, EMPTY),
    (["new", "", "--desc", "d"], 2, EMPTY),
    (["new"], 2, "what does 'new' say?\n  hint: give its text as an argument, or - to read it from stdin"),
    (["new", "---\ntags: {\n---\nx"], 6, None),
    (["new", "---\nparams: {n: {type: integr}}\n---\nx", "--library", ".prompts"], 6, None),
    (["new", "Hello {{ name"], 6, None),
    (["new", "{{ sh(name) }}"], 6, None),
    (["deep/down/new", '{% include "gone.md" %}'], 6, None),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "status", "said"), REFUSED, ids=str)
def test_what_cannot_be_a_prompt_is_not_created(
    arguments: list[str], status: int, said: str | None, aix: Aix, library: Path, tmp_path: Path
) -> None:
    write(library, "there", "old")
    (tmp_path / "elsewhere").mkdir()
    (library / "out").symlink_to(tmp_path / "elsewhere")
    done = aix("create", *arguments)
    assert (done.stdout, done.status) == ("", status)
    if said:
        assert done.stderr == f"aix: error: {said.replace('{library}', str(library))}\n"
    else:
        assert re.match(rf"aix: error: {library}/(deep/down/)?new\.md:\d: ", done.stderr)
    assert [(file.name, file.read_text()) for file in library.rglob("*.md")] == [("there.md", "old")]
    assert sorted(path.name for path in library.iterdir()) == ["out", "there.md"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


# --- in an editor -----------------------------------------------------------------------------------------------------


def test_the_editor_begins_with_a_prompt_to_fill_in(home: Path) -> None:
    script = 'cat "$2" > seen; echo "$1 ${2##*/}" > how; printf "Hello {{ name }}" > "$2"; env > environment'
    terminal = writing("create", "web/greet", does=script)
    assert (terminal.end(), terminal.screen) == (0, created(home, "web/greet"))
    assert (home / ".prompts" / "web" / "greet.md").read_text() == "Hello {{ name }}\n"
    assert (home / "how").read_text() == "--wait greet.md\n"
    assert (home / "seen").read_text().startswith("---\ndescription: What this prompt is for\nparams:\n")
    assert KEY not in (home / "environment").read_text()
    assert drafts() == []


@pytest.mark.parametrize(
    ("arguments", "front"),
    [
        ([], "description: What ever this prompt is for\nparams:\n"),
        (["--desc", "What it says"], "description: What ever it says\nparams:\n"),
        (["--tags", "a,b"], "description: What ever this prompt is for\ntags: [a, b]\nparams:\n"),
    ],
    ids=str,
)
def test_what_the_editor_begins_with_is_a_prompt(arguments: list[str], front: str, library: Path) -> None:
    assert writing("create", "new", *arguments, does='sed -i "s/What/What ever/" "$2"').end() == 0
    assert (library / "new.md").read_text().startswith(f"---\n{front}  text: {{type: text, ")


@pytest.mark.parametrize("does", ["true", ': > "$2"', 'rm "$2"'])
def test_an_editor_that_leaves_nothing_new_creates_nothing(does: str, home: Path) -> None:
    terminal = writing("create", "new", "--desc", "What it says", does=does)
    said = {
        "true": "you changed nothing, so 'new' is not created",
        ': > "$2"': EMPTY,
        'rm "$2"': "cannot read what the editor left (no such file or directory); nothing is changed",
    }
    assert terminal.end() == 2
    assert terminal.screen == f"aix: error: {said[does]}\n"
    assert not (home / ".prompts").exists()
    assert drafts() == []


def test_a_text_that_is_no_prompt_is_kept_and_taken_up_again(home: Path) -> None:
    broken = "---\nparams: [\n---\nMy long work."
    terminal = writing("create", "web/new", does=f'printf %s "{broken}" > "$2"')
    terminal.wait_for("Edit it again?")
    terminal.type("n")
    kept = home / ".prompts" / "web" / "new.md.broken"
    assert terminal.end() == 6
    assert f"aix: error: {home}/.prompts/web/new.md:3: not valid YAML" in terminal.screen
    assert terminal.screen.endswith(
        f"aix: your text is kept in {kept}; to go on with it: aix create web/new\n"
        "aix: error: it is no prompt yet, so the prompt itself is as it was\n"
    )
    assert (kept.read_text(), drafts()) == (broken, [])
    assert (home / ".prompts").stat().st_mode & 0o777 == 0o700
    assert kept.name.endswith(IGNORED_BY_GIT[-1].removeprefix("*"))
    terminal = writing("create", "web/new", does='sed -i "s/\\[/{}/" "$2"')
    terminal.choose("go on with it")
    assert terminal.end() == 0
    assert kept.with_suffix("").read_text() == broken.replace("[", "{}") + "\n"
    assert not kept.exists()


NOWHERE = "nowhere/to/be-found"


def test_a_text_that_is_kept_outlives_another_way_to_create(aix: Aix, library: Path) -> None:
    (library / "new.md.broken").write_text("long work")
    assert aix("create", "new", "short").status == 0
    assert (library / "new.md.broken").read_text() == "long work"


@pytest.mark.parametrize(
    ("command", "said", "there", "hint"),
    [
        (NOWHERE, f"cannot start the editor {NOWHERE}: no such file or directory", "vi", "vi"),
        (NOWHERE, f"cannot start the editor {NOWHERE}: no such file or directory", "other", "COMMAND"),
        ("vim '", "the editor vim ' has a quote without its end", "other", "nano"),
    ],
)
def test_an_editor_that_cannot_be_started_is_named(
    command: str, said: str, there: str, hint: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / there).touch(0o755)
    env = {"VISUAL": command, "EDITOR": "true", "BIN": str(tmp_path / "bin")}
    terminal = Terminal("create", "new", env=env, script='PATH=$BIN; exec "$AIX" "$@"', columns=200)
    assert terminal.end() == 2
    assert terminal.screen == f"aix: error: {said}\n  hint: export EDITOR={hint}\n"
    assert list(home.iterdir()) == []


# --- older placeholders -----------------------------------------------------------------------------------------------


OLD = "Hi {name}, {name}: $(date) {cmd:id -un} {exec:ls} GET /users/{id}\n"
JINJA = 'Hi {{ name }}, {{ name }}: {{ sh("date") }} {{ sh("id -un") }} {{ sh("ls") }} GET /users/{{ id }}\n'
FOUND = "{name}, $(date), {cmd:id -un}, …"


def test_they_become_jinja_where_that_is_wanted(aix: Aix, library: Path, home: Path) -> None:
    done = aix("create", "new", OLD, "--convert")
    *made, tried = created(home, "new").splitlines(keepends=True)
    may = "aix: it may run its commands, as you wrote them: aix untrust new takes that back\n"
    assert done == Result("", "".join([f"aix: made Jinja of {FOUND}\n", *made, may, tried]), 0)
    assert (library / "new.md").read_text() == JINJA


def test_a_script_is_told_of_them_and_nothing_is_done(aix: Aix, library: Path, home: Path) -> None:
    done = aix("create", "new", "-", stdin=OLD)
    said = f"aix: {FOUND}: plain text as it stands; --convert makes Jinja of it\n"
    assert done == Result("", said + created(home, "new"), 0)
    assert (library / "new.md").read_text() == OLD


@pytest.mark.parametrize(("answer", "text"), [("y", JINJA), ("n", OLD), ("\r", OLD)])
def test_a_person_is_asked(answer: str, text: str, library: Path) -> None:
    terminal = Terminal("create", "new", OLD, columns=200)
    terminal.wait_for(f"{FOUND}: plain text as it stands. Make Jinja of it?")
    terminal.type(answer)
    assert terminal.end() == 0
    assert (library / "new.md").read_text() == text


def test_a_person_is_asked_of_what_they_wrote_in_the_editor(library: Path) -> None:
    terminal = writing("create", "new", does='echo "Hi {name}" > "$2"')
    terminal.wait_for("Make Jinja of it?")
    terminal.type("y")
    assert terminal.end() == 0
    assert (library / "new.md").read_text() == "Hi {{ name }}\n"


@pytest.mark.parametrize("text", ["Hi {{ name }}, {this}\n", "All plain.\n", '{"json": {"a": 1}}\n', "$HOME ${HOME}\n"])
def test_nobody_is_asked_about_jinja_or_plain_text(text: str, library: Path, home: Path) -> None:
    terminal = Terminal("create", "new", text, columns=300)
    assert (terminal.end(), terminal.screen) == (0, created(home, "new"))
    assert (library / "new.md").read_text() == text


def test_config_decides_how_text_is_edited(library: Path, home: Path) -> None:
    program = home / "program"
    program.write_text('#!/bin/sh\nprintf "Hello" > "$1"\n')
    program.chmod(0o755)
    configure(library, editor=str(program))
    assert Terminal("create", "new", columns=200).end() == 0
    assert (library / "new.md").read_text() == "Hello\n"
