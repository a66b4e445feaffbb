"""`aix list`, `aix search`, `aix show` and `aix which` through the real command."""

import json
import re
from pathlib import Path

import pyte  # type: ignore[import-not-found,unused-ignore]
import pytest
from conftest import Aix, Result
from stage import Terminal, shell, write

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
BROKEN = "---\nparams: {n: {type: integr}}\n---\nx"
BROKEN_SAYS = "type must be one of string, text, integer, number, boolean, date, json, list, file, image"


def prompt(library: Path, name: str, description: str = "", tags: str = "own", body: str = "text") -> Path:
    quoted = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in description)
    return write(library, name, f'---\ndescription: "{quoted}"\ntags: [{tags}]\n---\n{body}\n')


def own(done: Result) -> list[str]:
    """The lines of a list that are not about what is built in."""
    assert (done.stderr, done.status) == ("", 0)
    return [line for line in done.stdout.splitlines() if "\tbuiltin\t" not in line]


# --- list -------------------------------------------------------------------------------------------------------------


def test_an_empty_home_lists_what_is_built_in(aix: Aix, home: Path) -> None:
    done = aix("list")
    assert (own(done), list(home.iterdir())) == ([], [])
    assert "hello\tbuiltin\tSay hello, to see that everything works\n" in done.stdout
    assert aix("ls") == done


def test_a_pipe_gets_a_line_for_each_prompt_with_tabs_between(aix: Aix, library: Path, home: Path) -> None:
    write(library, "web/review", REVIEW)
    write(library, "plain", "\nFirst\tline of {{ it }}\nsecond")
    write(library, "_partial", "not a prompt")
    write(library, "README", "not a prompt")
    write(library, ".hidden/x", "not a prompt")
    (library / "notes.txt").write_text("not a prompt")
    (library / "plain.md.broken").write_text("not a prompt")
    write(home / ".prompts-of-team", "team", "Ours")
    assert own(aix("list")) == ["plain\tuser\tFirst line of {{ it }}", "web/review\tuser\tReview a change"]
    assert own(aix("list", "--library", ".prompts-of-team")) == ["team\tuser\tOurs"]


def test_the_first_layer_that_has_a_name_is_listed(aix: Aix, library: Path, home: Path) -> None:
    (home / "work" / ".git").mkdir(parents=True)
    write(home / "work" / ".prompts", "hello", "the project's")
    write(home / "work" / ".prompts", "mine", "the project's")
    write(library, "mine", "the user's")
    done = aix("list", cwd=home / "work")
    assert own(done) == ["hello\tproject\tthe project's", "mine\tuser\tthe user's"]
    assert "hello\tbuiltin" not in done.stdout


def test_a_broken_prompt_is_listed_with_what_is_wrong(aix: Aix, library: Path) -> None:
    write(library, "broken", BROKEN)
    assert own(aix("list")) == [f"broken\tuser\t(broken) line 2: {BROKEN_SAYS}"]


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


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--tag", "a"], ["one", "three"]),
        (["--tag", "A"], ["one", "three"]),
        (["--tags", "a,b"], ["three"]),
        (["--tag", "a", "--tag", "b"], ["three"]),
        (["--tag", " b , a ,"], ["three"]),
        (["--tag", "ü"], ["four"]),
        (["--tag", ","], ["four", "one", "three", "two"]),
    ],
    ids=" ".join,
)
def test_a_list_of_tags_means_all_of_them(arguments: list[str], names: list[str], aix: Aix, library: Path) -> None:
    for name, tags in (("one", "a, own"), ("two", "b"), ("three", "b, A"), ("four", "Ü")):
        prompt(library, name, tags=tags)
    write(library, "zbroken", "---\ntags: [a\n---\n")
    found = [line.split("\t")[0] for line in own(aix("list", *arguments))]
    assert [name for name in found if name != "zbroken"] == names
    assert ("zbroken" in found) == (arguments == ["--tag", ","])


def test_no_prompt_with_a_tag_is_no_error(aix: Aix) -> None:
    said = "aix: no prompt has nope and never as a tag\n"
    assert aix("list", "--tag", "nope,never") == Result("", said, 0)
    assert aix("list", "--tag", "nope", "--json") == Result("[]\n", "", 0)


def test_long_gives_a_pipe_more_columns(aix: Aix, library: Path) -> None:
    path = write(library, "web/review", REVIEW)
    row = f"web/review\tuser\tcode, review\tdiff [lang]\tReview a change\t{path}"
    assert own(aix("list", "--long", "--tag", "code,review")) == [row]


def test_long_is_a_block_for_each_prompt_on_a_terminal(library: Path) -> None:
    write(library, "web/review", REVIEW.replace("code, review", "own"))
    path = prompt(library, "other")
    terminal = Terminal("list", "-l", "--tag", "own", columns=200)
    assert terminal.end() == 0
    assert (
        terminal.screen
        == f"""\
name:        other
layer:       user
tags:        own
description: text
file:        {path}

name:        web/review
layer:       user
tags:        own
params:      diff [lang]
description: Review a change
file:        {library}/web/review.md
"""
    )


DESCRIPTIONS = {
    "latin": "A plain description of what this prompt is good for and when it is better to take another one " * 3,
    "cjk": "変更をレビューして問題を見つけるためのプロンプトです。" * 5,
    "hangul": "코드를 검토하고 문제를 찾습니다 " * 9,
    "emoji": "🚀 ships 👩‍👩‍👧‍👦 a family 🇩🇪 and a flag ❤️ " * 9,
    "accents": "e\u0301a\u0308n\u0303 " * 60,
    "hebrew": "בדיקת קוד ומציאת בעיות " * 9,
    "controls": "\x1b[31mred\x1b[0m\x07 \u202etrl\u202c\u2066x\u2069 \x9b1m" * 9,
    "tabs": "one\ttwo\t\tthree\t" * 20,
    "none": "",
}


def cells(terminal: Terminal, columns: int) -> list[str]:
    """The rows of the screen, each as many letters as it has columns: a wide letter is followed by a `_`."""
    display = pyte.Screen(columns, 50)
    pyte.ByteStream(display).feed(terminal.raw)
    rows = ["".join(display.buffer[row][column].data[:1] or "_" for column in range(columns)) for row in range(50)]
    return [row for row in rows if row.strip()]


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", [("list",), ("search", "own")], ids=" ".join)
def test_a_table_fits_the_terminal_whatever_is_written_in_it(
    command: tuple[str, ...], columns: int, library: Path
) -> None:
    for name, description in DESCRIPTIONS.items():
        prompt(library, f"own/{name}", description)
    terminal = Terminal(*command, "--tag", "own", columns=columns)
    assert terminal.end() == 0
    heading, *rows = cells(terminal, columns)
    assert sorted(row.split()[0] for row in rows) == sorted(f"own/{name}" for name in DESCRIPTIONS)
    starts = [match.start() for match in re.finditer(r"\S+", heading)]
    assert [row for row in rows for start in starts[1:] if row[start - 1] != " " or row[start] == " "] == []
    assert [code for code in (b"\x07", b"\x1b[31m", "\u202e".encode(), "\u2066".encode()) if code in terminal.raw] == []


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (
            40,
            [
                "name           description",
                "cjk            変更をレビューして問題を…",
                "nnnnnnnnnnnnn  many words many words ma…",
            ],
        ),
        (
            80,
            [
                "name           layer  description",
                "cjk            user   変更をレビューして問題を見つけるためのプロンプトです",
                "nnnnnnnnnnnnn  user   many words many words many words many words many words ma…",
            ],
        ),
    ],
    ids=["40", "80"],
)
def test_a_description_that_is_too_long_is_cut(columns: int, rows: list[str], library: Path) -> None:
    prompt(library, "n" * 13, "many words " * 20)
    prompt(library, "cjk", "変更をレビューして問題を見つけるためのプロンプトです")
    terminal = Terminal("list", "--tag", "own", columns=columns)
    assert terminal.end() == 0
    assert terminal.screen.splitlines() == rows


@pytest.mark.parametrize("columns", [40, 80])
def test_a_name_is_not_cut_while_there_is_room_for_it(columns: int, library: Path) -> None:
    name = "web/" + "n" * (columns - 8)
    prompt(library, name, "what it is for")
    terminal = Terminal("list", "--tag", "own", columns=columns)
    assert terminal.end() == 0
    assert terminal.screen.splitlines()[1].split(" ")[0] == name


# --- search -----------------------------------------------------------------------------------------------------------


def test_a_search_says_where_the_words_are(aix: Aix, library: Path) -> None:
    prompt(library, "inbody", "in the text", body="first\n  the zebra line  \nlast")
    prompt(library, "zebra", "by name", body="zebra")
    prompt(library, "intags", "by tag", tags="own, zebra")
    prompt(library, "described", "has a ZEBRA in it")
    write(library, "broken-zebra", BROKEN)
    assert own(aix("search", "zebra")) == [
        "zebra\tuser\tby name",
        f"broken-zebra\tuser\t(broken) line 2: {BROKEN_SAYS}",
        "intags\tuser\tby tag",
        "described\tuser\thas a ZEBRA in it",
        "inbody\tuser\tthe zebra line",
    ]
    assert [line.split("\t")[0] for line in own(aix("search", "zebra", "--tag", "own"))] == [
        *("zebra", "intags", "described", "inbody"),
    ]


def test_a_search_in_json_says_more(aix: Aix, library: Path) -> None:
    path = prompt(library, "one", "about", body="first\n  the zebra line  \nlast")
    assert json.loads(aix("search", "ZEBRA", "line", "--json").stdout) == [
        {
            "name": "one",
            "layer": "user",
            "path": str(path),
            "description": "about",
            "tags": ["own"],
            "error": None,
            "score": 8,
            "found_in": "body",
            "line": "the zebra line",
        }
    ]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_word_that_was_found_can_be_seen(columns: int, library: Path) -> None:
    prompt(library, "one", "short", body=f"{'before ' * 30}zebra{' after' * 30}")
    prompt(library, "two", f"{'変更をレビューして' * 9}zebra{'変更をレビューして' * 9}")
    prompt(library, "three", "whole where it fits: zebra" if columns > 40 else "zebra")
    terminal = Terminal("search", "zebra", columns=columns)
    assert terminal.end() == 0
    rows = [line for line in terminal.screen.splitlines() if not line.startswith("name")]
    assert [row.count("zebra") for row in rows] == [1, 1, 1]
    assert ("whole where it fits: zebra" in terminal.screen) == (columns > 40)


def test_nothing_found_is_no_error(aix: Aix) -> None:
    said = "aix: nothing has qqq and [a-z]( in it; aix list shows all prompts\n"
    assert aix("search", "qqq", "[a-z](") == Result("", said, 0)
    assert aix("search", "qqq", "--json") == Result("[]\n", "", 0)
    refused = "aix: error: there is no word to look for\n  hint: aix list shows all prompts\n"
    assert aix("search", " ") == Result("", refused, 2)


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
trusted:     no

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
        "revision": None,
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
        "trusted": False,
        "body": '{{ lang }}: {{ diff }}\n{{ sh("git log -1") }}\n',
    }


@pytest.mark.parametrize(
    "data", [REVIEW.encode(), b"\xef\xbb\xbfone\r\ntwo", "no end of line: ü \x1b[31m".encode(), b"\n\n"], ids=repr
)
def test_raw_is_the_file_exactly(data: bytes, library: Path) -> None:
    write(library, "one", "").write_bytes(data)
    done = shell('"$AIX" show one --raw > out')
    assert (done, Path("out").read_bytes()) == (Result("", "", 0), data)


# --- which ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(home: Path) -> Path:
    """A project, with a prompt of the name of a built-in one and of a user's."""
    (home / "work" / ".git").mkdir(parents=True)
    return write(home / "work" / ".prompts", "hello", "the project's").parent.parent


def test_which_says_what_runs_and_what_that_hides(aix: Aix, library: Path, project: Path) -> None:
    mine = write(library, "hello", "the user's")
    done = aix("which", "hello", cwd=project)
    assert (done.stdout, done.status) == (f"{mine}\n", 0)
    first, second = done.stderr.splitlines()
    assert first == f"aix: it hides project:hello {project}/.prompts/hello.md"
    assert re.fullmatch(r"aix: it hides builtin:hello /.*/hello\.md", second)
    assert shell('cat "$("$AIX" which hello 2> /dev/null)"', cwd=project) == Result("the user's", "", 0)


def named(layer: str) -> dict[str, str | None]:
    return {"name": "hello", "layer": layer, "qualified": f"{layer}:hello", "revision": None}


def test_which_in_json(aix: Aix, library: Path, project: Path) -> None:
    mine = write(library, "hello", BROKEN)
    *rows, built_in = json.loads(aix("which", "hello", "--json", cwd=project).stdout)
    assert rows == [
        {**named("user"), "path": str(mine), "used": True},
        {**named("project"), "path": f"{project}/.prompts/hello.md", "used": False},
    ]
    assert (built_in["layer"], built_in["used"]) == ("builtin", False)


@pytest.mark.parametrize(
    ("name", "near"), [("zebra-strip", "did you mean zebra-stripes?"), ("qqqq", "aix list shows all prompts")]
)
def test_which_of_an_unknown_name_is_exit_5(name: str, near: str, aix: Aix, library: Path) -> None:
    write(library, "zebra-stripes", "text")
    said = f"aix: error: there is no prompt '{name}'\n  hint: {near}\n"
    assert aix("which", name) == Result("", said, 5)
