"""`aix lint`, the real command: what it looks at, what it prints, how it ends."""

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import Aix

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))
from stage import Terminal, configure, write

BAD = "---\nmodle: strong\nparams: {a: {}}\n---\n{{ a }} {{ b }}\n"


def test_it_looks_at_ones_own_prompts_and_the_project(aix: Aix, library: Path, home: Path) -> None:
    write(library, "mine", BAD)
    write(home / "work" / ".prompts", "theirs", "{% if %}")
    done = aix("lint", cwd=home / "work")
    assert done.status == 6
    assert done.stdout == (
        f"{library}/mine.md:2: warning: unknown key 'modle' (did you mean model?) [unknown-key]\n"
        f"{library}/mine.md:5: error: 'b' is not declared under params "
        "(declare it, or write {{ b | default('') }}) [undefined]\n"
        ".prompts/theirs.md:1: error: Expected an expression, got 'end of statement block' "
        "(what is only text goes between {% raw %} and {% endraw %}) [syntax]\n"
    )
    assert done.stderr == "aix: 2 files, 2 errors and 1 warning; --fix can mend 1\n"
    assert aix("lint", "--no-project", cwd=home / "work").stdout.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["good"], 0, "1 file, and nothing is wrong"),
        (["user:good"], 0, "1 file, and nothing is wrong"),
        (["warns"], 0, "1 file, 1 warning"),
        (["warns", "--strict"], 6, "1 file, 1 warning"),
        (["bad", "good"], 6, "2 files, 1 error"),
        (["bad", ".prompts/bad.md", ".prompts", "./.prompts/../.prompts/bad.md"], 6, "5 files, 2 errors and 1 warning"),
        (["web/bad"], 6, "1 file, 1 error"),
        (["nope"], 5, "there is no prompt 'nope'"),
        (["./nope.md"], 5, "there is no file"),
        (["notes.txt/"], 5, "there is no"),
        ([".prompts"], 6, "5 files, 2 errors and 1 warning"),
        ([".prompts/web"], 6, "1 file, 1 error"),
        ([".prompts/web/uses.md"], 0, "1 file, and nothing is wrong"),
        (["--layer", "user"], 6, "5 files, 2 errors and 1 warning"),
        (["--layer", "builtin"], 0, "and nothing is wrong"),
        (["--layer", "nobody"], 5, "there is no layer 'nobody'"),
        (["--layer", "user", "good"], 2, "contradict each other"),
        (["--library", "elsewhere"], 0, "0 files, and nothing is wrong"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_how_it_ends(arguments: list[str], status: int, said: str, aix: Aix, library: Path) -> None:
    write(library, "good", "hi")
    write(library, "warns", "---\nmodle: x\n---\nhi")
    write(library, "bad", "{% if %}")
    if "web" in " ".join(arguments):
        write(library, "web/bad", "{% if %}")
    if "uses" in " ".join(arguments):
        write(library, "_style", "Be brief.")
        write(library, "web/uses", '{% include "_style.md" %}')
    else:
        write(library, "_part", "{{ x }}")
        write(library, "other", "{% for %}")
    done = aix("lint", *arguments)
    assert (done.status, said in done.stderr) == (status, True), done.stderr


def test_a_program_gets_one_object(aix: Aix, library: Path) -> None:
    path = write(library, "bad", BAD)
    done = aix("lint", "--json")
    report = json.loads(done.stdout)
    assert (done.status, report["version"], report["ok"], report["files"], report["fixed"]) == (6, 1, False, 1, [])
    assert report["findings"][0] == {
        "path": str(path),
        "line": 2,
        "rule": "unknown-key",
        "severity": "warning",
        "message": "unknown key 'modle'",
        "hint": "did you mean model?",
        "fixable": True,
    }
    path.write_text("hi")
    assert json.loads(aix("lint", "--json").stdout) == {
        "version": 1, "ok": True, "files": 1, "findings": [], "fixed": []
    }  # fmt: skip


def test_what_a_model_is_called_is_judged_for_whoever_has_the_prompt(aix: Aix, library: Path, home: Path) -> None:
    configure(library, custom_providers={"box": {"base_url": "http://127.0.0.1:1/v1"}}, roles={"mine": "box:tiny"})
    (home / "work" / ".prompts").mkdir(parents=True)
    (home / "work" / ".prompts" / "config.json").write_text('{"roles": {"ours": "openai:gpt-5.5"}}')
    names = "[strong, openai:gpt-5.5, claude-2, opneai:x, openai:gpt-55, box:tiny, mine, ours, zzz]"
    for folder in (library, home / "work" / ".prompts"):
        write(folder, "p", f"---\nmodel: strong\nfallback: {names}\n---\nhi")
    done = aix("lint", "--json", cwd=home / "work")
    found = [(one["path"].startswith(str(library)), one["rule"]) for one in json.loads(done.stdout)["findings"]]
    usual = ["retired-model", "unknown-model", "unlisted-model"]
    assert found == [
        *((True, rule) for rule in [*usual, "unlisted-model"]),
        *((False, rule) for rule in [*usual, "only-here", "only-here", "unlisted-model"]),
    ]


def test_fixing_changes_one_word_and_leaves_all_else(aix: Aix, library: Path) -> None:
    path = write(library, "bad", "")
    path.write_bytes(
        b"\xef\xbb\xbf---\r\ndesciption:   x  # y\r\nparams:\r\n  a: {hlep: b}\r\n---\r\n{{ a }}\t\r\n\r\n"
    )
    done = aix("lint", "--fix")
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "aix: fixed .prompts/bad.md:2: description:   x  # y",
        "aix: fixed .prompts/bad.md:4: a: {help: b}",
        "aix: 1 file, and nothing is wrong",
    ]
    fixed = b"\xef\xbb\xbf---\r\ndescription:   x  # y\r\nparams:\r\n  a: {help: b}\r\n---\r\n{{ a }}\t\r\n\r\n"
    assert path.read_bytes() == fixed
    assert aix("lint", "--fix").stderr == "aix: 1 file, and nothing is wrong\n"


def test_what_was_trusted_is_so_after_a_fix_and_nothing_else(aix: Aix, library: Path, home: Path) -> None:
    text = '---\ndesciption: x\n---\n{{ sh("echo hi") }}\n'
    write(library, "own", text)
    write(library, "other", text.replace("hi", "ho"))
    assert aix("trust", "own", "--yes").status == 0
    assert aix("lint", "--fix").stderr.count("fixed") == 2
    assert aix("run", "own").stdout == "hi"
    assert aix("run", "other").status == 11


def test_what_is_not_written_to_is_not_fixed(aix: Aix, home: Path) -> None:
    assert "fixed" not in aix("lint", "--layer", "builtin", "--fix").stderr


def test_hostile_files_are_findings(aix: Aix, library: Path, home: Path) -> None:
    os.mkfifo(library / "pipe.md")
    (home / "secret.txt").write_text("psst")
    (library / "link.md").symlink_to(home / "secret.txt")
    (library / "loop.md").symlink_to(library / "loop.md")
    (library / "huge.md").write_bytes(b"x" * 11_000_000)
    write(library, "long", "{{ x }}" * 200_000)
    write(library, "deep", "{% if x %}" * 5_000)
    write(library, "keys", "---\n" + "".join(f"k{n}: 1\n" for n in range(6_000)) + "---\n")
    write(library, "brackets", "---\nx: " + "[" * 30_000 + "\n---\n")
    write(library, "wide", "{{ " + "(" * 50_000 + " }}")
    (library / "my prompt.md").write_text("x")
    (library / "Pipe.md").write_text("x")
    done = aix("lint", "--json", timeout=120)
    found = {Path(one["path"]).name: one["rule"] for one in json.loads(done.stdout)["findings"]}
    assert done.status == 6
    assert "psst" not in done.stdout
    assert found == {
        "pipe.md": "unreadable",
        "link.md": "unreadable",
        "loop.md": "unreadable",
        "huge.md": "unreadable",
        "long.md": "syntax",
        "deep.md": "syntax",
        "keys.md": "unknown-key",
        "brackets.md": "front-matter",
        "wide.md": "syntax",
        "my prompt.md": "file-name",
    }
    assert "same-name" in {one["rule"] for one in json.loads(done.stdout)["findings"]}


def test_nothing_is_run_or_written(aix: Aix, library: Path) -> None:
    write(library, "p", f'{{{{ sh("touch {library}/ran") }}}}')
    before = sorted(library.rglob("*"))
    assert aix("lint").status == 0
    assert sorted(library.rglob("*")) == before


@pytest.mark.parametrize("columns", [40, 80])
def test_a_person_sees_files_with_what_is_wrong_below_them(columns: int, library: Path) -> None:
    write(library, "bad", BAD)
    terminal = Terminal("lint", columns=columns)
    assert terminal.end() == 6
    lines = terminal.screen.splitlines()
    assert lines[:1] == [".prompts/bad.md"]
    assert lines[1].startswith("! 2: unknown key 'modle'")
    assert any(line.startswith("✗ 5: 'b' is not declared") for line in lines)
    assert "  did you mean model?" in lines
    assert "aix: 1 file, 1 error and 1 warning" in " ".join(terminal.screen.split())
