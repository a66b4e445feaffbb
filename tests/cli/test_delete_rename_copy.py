"""`aix delete`, `aix rename` and `aix copy` through the real command."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import AIX, Aix, Result
from stage import Terminal, write
from writing import BROKEN, PLAIN, files


@pytest.fixture
def path(library: Path) -> Path:
    """The prompt `web/x`."""
    return write(library, "web/x", PLAIN)


# --- delete -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sure", ["--yes", "-y", "--force", "-f"])
@pytest.mark.parametrize("command", ["delete", "rm"])
def test_a_prompt_is_deleted_with_the_folder_that_it_leaves_empty(
    command: str, sure: str, path: Path, library: Path, aix: Aix
) -> None:
    assert aix(command, "web/x", sure) == Result("", f"aix: deleted {path}\n", 0)
    assert (library.exists(), list(library.iterdir())) == (True, [])


@pytest.mark.parametrize(("answer", "status", "left"), [("y", 0, False), ("n", 0, True), ("\x03", -2, True)])
def test_a_person_is_asked_first(answer: str, status: int, left: bool, path: Path) -> None:
    terminal = Terminal("delete", "web/x", columns=200)
    terminal.wait_for(f"Delete {path}?")
    terminal.type(answer)
    assert (terminal.end(), path.exists()) == (status, left)
    assert ("aix: nothing is changed" in terminal.screen) == (answer == "n")


def test_without_a_terminal_nothing_is_deleted_unasked(path: Path, aix: Aix) -> None:
    said = f"aix: error: there is nobody to ask: Delete {path}?\n  hint: add --yes\n"
    assert aix("delete", "web/x") == Result("", said, 2)
    assert path.exists()


def test_several_are_deleted_or_none(library: Path, aix: Aix) -> None:
    a, b = write(library, "web/a", "x"), write(library, "web/b", "x")
    assert aix("delete", "-y", "web/a", "qqqq", "web/b").status == 5
    hint = "one of your own with that name hides it"
    said = f"aix: error: 'hello' is built in and cannot be deleted\n  hint: {hint}\n"
    assert aix("delete", "-y", "web/a", "hello") == Result("", said, 2)
    assert (a.exists(), b.exists()) == (True, True)
    said = f"aix: deleted {a}\naix: deleted {b}\n"
    assert aix("delete", "-y", "web/a", "web/b", "web\\a", "web/a") == Result("", said, 0)
    assert list(library.iterdir()) == []


def test_a_folder_that_holds_more_stays(path: Path, library: Path, aix: Aix) -> None:
    path.with_name("x.md.broken").write_text("kept text")
    assert aix("delete", "web/x", "-y").status == 0
    assert files(library) == {"web/x.md.broken": "kept text"}


def test_a_broken_prompt_and_a_link_are_deleted_as_any_other(library: Path, aix: Aix, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    (library / "link.md").symlink_to(tmp_path / "secret.md")
    write(library, "broken", BROKEN)
    assert aix("delete", "-y", "link", "broken").status == 0
    assert (files(library), (tmp_path / "secret.md").exists()) == ({}, True)


@pytest.mark.parametrize("arguments", ["delete sound web/diary -y", "rename web/diary stolen"])
def test_a_folder_that_is_a_link_leads_to_the_files_of_others(arguments: str, aix: Aix, home: Path) -> None:
    write(home / "notes", "diary", "DIARY")
    (home / "p" / ".git").mkdir(parents=True)
    write(home / "p" / ".prompts", "sound", "x")
    (home / "p" / ".prompts" / "web").symlink_to(home / "notes")
    said = f"{home}/p/.prompts/web/diary.md leads out of the prompts in {home}/p/.prompts, and is left as it is"
    assert aix(*arguments.split(), cwd=home / "p") == Result("", f"aix: error: {said}\n", 2)
    assert files(home / "notes") == {"diary.md": "DIARY"}
    assert files(home / "p" / ".prompts") == {"sound.md": "x"}


def test_it_is_said_what_runs_by_that_name_now(library: Path, aix: Aix) -> None:
    write(library, "hello", "mine")
    done = aix("delete", "hello", "-y")
    assert re.search(r"\naix: 'hello' now means builtin:hello /.*/hello\.md\n", done.stderr)


def test_it_is_said_who_included_it(library: Path, aix: Aix) -> None:
    write(library, "web/style", "Be brief.")
    write(library, "web/_between", '{% include "./style.md" %}')
    write(library, "near", '{% include "web/_between.md" %}')
    write(library, "web/other", '{% include "./style.md" %}')
    write(library, "broken", '{% include "web/style.md" %}{% if %}')
    write(library, "style", "another")
    warning = "aix: warning: '{}' includes web/style.md, which it will no longer find\n"
    done = aix("delete", "web/style", "web/other", "-y")
    assert done.stderr.startswith(warning.format("near") + f"aix: deleted {library}/web/style.md\n")
    assert "other'" not in done.stderr
    write(library, "web/style", "Be brief.")
    assert aix("rename", "web/style", "web/tone").stderr.startswith(warning.format("near"))


# --- rename -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["rename", "mv"])
def test_a_prompt_gets_another_name_across_folders(command: str, path: Path, library: Path, aix: Aix) -> None:
    path.chmod(0o640)
    path.with_name("x.md.broken").write_text("kept text")
    done = aix(command, "web\\x", "deep/down/y")
    assert done == Result("", f"aix: renamed web/x to deep/down/y: {library}/deep/down/y.md\n", 0)
    assert files(library) == {"deep/down/y.md": PLAIN, "deep/down/y.md.broken": "kept text"}
    assert (library / "deep/down/y.md").stat().st_mode & 0o777 == 0o640
    assert not path.parent.exists()


TAKEN = [
    ("web/x", "there", 2, "'there' exists already\n  hint: aix edit there, or choose another name"),
    ("web/x", "web/x", 2, "'web/x' exists already\n  hint: aix edit web/x, or choose another name"),
    ("web/x", "folder", 2, "{library}/folder.md exists already"),
    ("web/x", "dangling", 2, "{library}/dangling.md leads out of the prompts in {library}\n"
     "  hint: choose another name"),
    ("web/x", "README", 2, "'README' cannot be a prompt: a file of that name means something else in a repository"),
    ("hello", "mine", 2, "'hello' is built in and cannot be renamed\n  hint: aix copy builtin:hello NEW-NAME"),
    ("qqqq", "mine", 5, "there is no prompt 'qqqq'\n  hint: aix list shows all prompts"),
    ("web/near", "near", 6, "{library}/near.md:1: there is no file _style.md\n"
     "  hint: it includes files that are beside it; they are with a name such as web/NEW"),
    ("web/link", "link", 2, "{library}/web/link.md is a link, which would lead elsewhere from another folder"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "new", "status", "said"), TAKEN)
def test_a_name_that_cannot_be_given_changes_nothing(
    name: str, new: str, status: int, said: str, path: Path, library: Path, aix: Aix
) -> None:
    write(library, "there", "theirs")
    (library / "folder.md").mkdir()
    (library / "dangling.md").symlink_to("/nowhere/at/all.md")
    write(library, "web/near", '{% include "./_style.md" %}')
    write(library, "web/_style", "Be brief.")
    (library / "web/link.md").symlink_to("x.md")
    before = sorted(library.rglob("*"))
    assert aix("rename", name, new) == Result("", f"aix: error: {said.replace('{library}', str(library))}\n", status)
    assert sorted(library.rglob("*")) == before
    assert (path.read_text(), (library / "there.md").read_text()) == (PLAIN, "theirs")


@pytest.mark.parametrize("text", [BROKEN, "{% if %}", '{% include "./gone.md" %}', "\udcff"], ids=repr)
def test_a_broken_prompt_can_have_another_name(text: str, path: Path, library: Path, aix: Aix) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert aix("rename", "web/x", "y").status == 0
    assert (library / "y.md").read_bytes() == text.encode("utf-8", "surrogateescape")


def test_a_link_keeps_leading_where_it_led_within_its_folder(path: Path, library: Path, aix: Aix) -> None:
    (library / "web/link.md").symlink_to("x.md")
    assert aix("rename", "web/link", "web/y").status == 0
    assert os.readlink(library / "web/y.md") == "x.md"
    assert path.read_text() == PLAIN


@pytest.mark.parametrize(
    "names",
    [[("one", "new"), ("two", "new")] * 2, [("one", f"new{number}") for number in range(4)]],
    ids=["to", "from"],
)
def test_of_processes_that_race_exactly_one_wins(names: list[tuple[str, str]], library: Path) -> None:
    for name in ("one", "two"):
        write(library, name, name)
    commands = [[str(AIX), "rename", *pair] for pair in names]
    racers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    statuses = [racer.wait(60) for racer in racers]
    assert statuses.count(0) == 1
    assert set(statuses) <= {0, 2, 5}
    assert sorted(files(library).values()) == ["one", "two"]


@pytest.mark.parametrize("call", ["link", "unlink", "fsync"])
def test_killed_half_way_it_has_both_names_or_one(call: str, path: Path, library: Path, tmp_path: Path) -> None:
    command = ["strace", "-f", "-o", str(tmp_path / "trace"), "-e", f"inject=/^{call}(at)?$:signal=KILL:when=1"]
    if not shutil.which("strace") or subprocess.run(["strace", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace does not work here")
    done = subprocess.run([*command, AIX, "rename", "web/x", "y"], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    left = files(library)
    assert set(left.values()) == {PLAIN}
    assert set(left) <= {"web/x.md", "y.md"}


# --- copy -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def work(home: Path) -> Path:
    """A project with prompts that include others."""
    (home / "work" / ".git").mkdir(parents=True)
    folder = home / "work" / ".prompts"
    write(folder, "team", '{% include "_style.md" %}{% include "web/_a.md" %}')
    write(folder, "_style", "Be brief.\r\n").write_bytes(b"\xef\xbb\xbfBe brief.\r\n")
    write(folder, "web/_a", '{% include "./_b.md" %}')
    write(folder, "web/_b", "b")
    return folder


def test_a_copy_takes_along_what_it_includes(work: Path, library: Path, aix: Aix) -> None:
    done = aix("copy", "team", "mine", cwd=work)
    assert done == Result("", f"aix: created {library}/mine.md\n", 0)
    assert {name: (library / name).read_bytes() for name in files(library)} == {
        "mine.md": (work / "team.md").read_bytes(),
        "_style.md": b"\xef\xbb\xbfBe brief.\r\n",
        "web/_a.md": b'{% include "./_b.md" %}',
        "web/_b.md": b"b",
    }
    assert aix("run", "mine").stdout == "Be brief.b"


def test_a_built_in_prompt_is_copied_to_the_project_or_to_ones_own(work: Path, library: Path, aix: Aix) -> None:
    built_in = json.loads(aix("which", "hello", "--json").stdout)[0]["path"]
    for command, arguments, to in (("copy", ["--project"], work), ("cp", [], library)):
        assert aix(command, "hello", "hello", *arguments, cwd=work).stderr == f"aix: created {to}/hello.md\n"
        assert (to / "hello.md").read_bytes() == Path(built_in).read_bytes()


def test_within_a_layer_it_shares_what_it_includes(library: Path, aix: Aix) -> None:
    write(library, "web/near", '{% include "./_style.md" %}')
    write(library, "web/_style", "Be brief.")
    assert aix("copy", "web/near", "web/other") == Result("", f"aix: created {library}/web/other.md\n", 0)
    assert sorted(files(library)) == ["web/_style.md", "web/near.md", "web/other.md"]


def test_a_file_is_copied_with_what_is_beside_it(home: Path, library: Path, aix: Aix) -> None:
    draft = write(home / "drafts", "my draft", '\n{% include "./_x.md" %}')
    write(home / "drafts", "_x", "part")
    assert aix("copy", str(draft), "mine").status == 0
    assert files(library) == {"_x.md": "part", "mine.md": '\n{% include "./_x.md" %}'}


def test_another_file_of_that_name_is_left_as_it_is(work: Path, library: Path, aix: Aix) -> None:
    write(library, "_style", "Be verbose.")
    write(library, "web/_b", "b")
    done = aix("copy", "team", "mine", cwd=work)
    said = f"{library}/_style.md is not the one that 'team' includes; it is left as it is"
    assert done == Result("", f"aix: warning: {said}\naix: created {library}/mine.md\n", 0)
    assert aix("run", "mine").stdout == "Be verbose.b"


COPIES = [
    ("team", "there", 2, "'there' exists already\n  hint: aix edit there, or choose another name"),
    ("team", "team.md", 2, "'team.md' is a file's name\n  hint: the prompt's is without .md: team"),
    ("broken", "mine", 6, "{work}/broken.md:3: not valid YAML"),
    ("secret", "mine", 6, "{work}/secret.md leads out of the prompts in {work}"),
    ("lost", "mine", 6, "{work}/lost.md:1: there is no file gone.md"),
    ("web/near", "mine", 6, "{library}/mine.md:1: there is no file _b.md\n"
     "  hint: it includes files that are beside it; they are with a name such as web/NEW"),
    ("far", "mine", 2, "{library}/out/_x.md leads out of the prompts in {library}"),
    ("late", "mine", 2, "{library}/zz/_x.md exists already"),
    ("team", "dangling", 2, "{library}/dangling.md leads out of the prompts in {library}"),
    ("./nope.md", "mine", 5, "there is no file {work}/nope.md"),
    ("./notes.txt", "mine", 2, "{work}/notes.txt does not end in .md\n  hint: aix create NAME - < {work}/notes.txt"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "new", "status", "said"), COPIES)
def test_a_copy_that_fails_leaves_nothing_behind(
    name: str, new: str, status: int, said: str, work: Path, library: Path, aix: Aix, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    (tmp_path / "outside").mkdir()
    (work / "secret.md").symlink_to(tmp_path / "secret.md")
    (work / "notes.txt").write_text("text")
    for other, text in {
        "broken": BROKEN,
        "lost": '{% include "_style.md" %}{% include "gone.md" %}',
        "web/near": '{% include "./_b.md" %}',
        "far": '{% include "_style.md" %}{% include "out/_x.md" %}',
        "late": '{% include "_style.md" %}{% include "new/_x.md" %}{% include "zz/_x.md" %}',
        "out/_x": "x",
        "new/_x": "x",
        "zz/_x": "x",
    }.items():
        write(work, other, text)
    write(library, "there", "theirs")
    (library / "out").symlink_to(tmp_path / "outside")
    (library / "dangling.md").symlink_to("/nowhere/at/all.md")
    (library / "zz" / "_x.md").mkdir(parents=True)
    before = sorted(library.rglob("*"))
    done = aix("copy", name, new, cwd=work)
    expected = f"aix: error: {said.replace('{library}', str(library)).replace('{work}', str(work))}"
    assert (done.stdout, done.stderr[: len(expected)], done.status) == ("", expected, status)
    assert sorted(library.rglob("*")) == before
    assert list((tmp_path / "outside").iterdir()) == []
