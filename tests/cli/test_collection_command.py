"""`aix collection`: what it prints, how it ends, and the story of a team that shares a library."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Aix
from repositories import Repository, git, repository
from stage import NOT_SENT, Terminal

COMMANDS = '---\ndescription: Today\n---\nIt is {{ sh("echo monday") }}.'


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    return repository(tmp_path / "team", {"review.md": "Review {{ x }}", "day.md": COMMANDS})


def test_a_collection_is_added_run_and_removed(aix: Aix, team: Repository) -> None:
    done = aix("collection", "add", str(team.path))
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr == (
        f"aix: added team at {team.head[:12]}: 2 prompts, 1 of which runs commands\n"
        "aix: its commands run only once you trust them: aix show team:day\n"
    )
    assert aix("run", "team:review", "-p", "x=this").stdout == "Review this"
    assert aix("run", "day").status == 11
    assert aix("collection", "list").stdout == f"team\t2\tdefault branch\t{team.head[:12]}\t{team.path}\n"
    assert aix("collection", "remove", "team").status == 2
    assert aix("collection", "remove", "team", "--yes").stderr == "aix: removed team\n"
    assert aix("run", "team:review", "-p", "x=this").status == 5
    assert aix("collection", "list").stderr == "aix: there are no collections; aix collection add takes one\n"


LOADED = """
import sys
from aix.cli.main import execute
execute(["run", "team:review", "-p", "x=this"])
rooms = ("snapshot", "collections.shelf", "collections.lock")
print(sorted({f"aix.library.{room}" for room in rooms} & {*sys.modules}))
"""


def test_a_run_reads_the_lock_and_nothing_else_of_collections(aix: Aix, team: Repository) -> None:
    aix("collection", "add", str(team.path))
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "Review this['aix.library.collections.lock']\n"


def test_names_are_completed(aix: Aix, team: Repository) -> None:
    aix("collection", "add", str(team.path))
    for command in ("info", "remove", "update"):
        done = aix("__complete", "fish", "--", "collection", command, "")
        assert done.stdout.split()[1:2] == ["team"], done


def test_what_is_known_of_a_collection(aix: Aix, tmp_path: Path) -> None:
    made = repository(tmp_path / "all", {"p/day.md": COMMANDS, "p/é.md": "x"})
    aix("collection", "add", f"file://{made.path}", "--name", "t", "--rev", "main", "--path", "p")
    said = json.loads(aix("collection", "info", "t", "--json").stdout)
    when, files = said.pop("when"), said.pop("files")
    assert (when[:2], Path(files, "day.md").read_text()) == ("20", COMMANDS)
    assert said == {
        "name": "t",
        "kind": "git",
        "source": f"file://{made.path}",
        "rev": "main",
        "path": "p",
        "pin": made.head,
        "here": True,
        "prompts": ["day"],
        "left_out": {"é.md": "a name that no prompt can have"},
        "commands": {"day": ["echo monday"]},
    }
    shown = aix("collection", "info", "t").stdout
    assert "command:     day: echo monday\n" in shown
    assert "left out:    é.md (a name that no prompt can have)\n" in shown
    (row,) = json.loads(aix("collection", "list", "--json").stdout)
    assert (row["name"], row["prompts"], row["here"]) == ("t", ["day"], True)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["add", "ext::sh -c id"], 2),
        (["add", "--", "-x"], 2),
        (["add", "/nowhere"], 5),
        (["add", "https://127.0.0.1:1/x.git"], 7),
        (["info", "nope"], 5),
        (["update", "nope"], 5),
        (["remove", "nope", "--yes"], 5),
    ],
    ids=str,
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    arguments: list[str], status: int, aix: Aix, home: Path
) -> None:
    done = aix("collection", *arguments)
    assert (done.status, done.stderr.count("aix: error:")) == (status, 1), done.stderr
    assert not (home / ".prompts" / "collections.lock").exists()


def test_an_empty_collection_says_where_its_prompts_may_be(aix: Aix, tmp_path: Path) -> None:
    made = repository(tmp_path / "docs", {"README.md": "x", ".prompts/a.md": "x"})
    done = aix("collection", "add", str(made.path))
    assert "aix: warning: docs has no prompts" in done.stderr
    assert "aix collection remove docs, then add it with --path .prompts" in done.stderr


def test_an_update_is_shown_before_it_is_taken(aix: Aix, team: Repository) -> None:
    aix("collection", "add", str(team.path))
    was = team.head
    assert aix("collection", "update").stderr == f"aix: team is up to date at {was[:12]}\n"
    team.commit({"review.md": "Review {{ x }}\nwell", "day.md": '{{ sh("rm x") }}', "new.md": "new"}, anew=True)
    refused = aix("collection", "update", "team")
    assert (refused.status, "--yes" in refused.stderr) == (2, True)
    assert refused.stdout == ("~ day (+1 -4)\n    + runs rm x\n    - runs echo monday\n+ new\n~ review (+1 -0)\n")
    assert "its history was rewritten" in refused.stderr
    assert aix("run", "team:review", "-p", "x=this").stdout == "Review this"
    taken = aix("collection", "update", "--yes")
    assert f"aix: updated team at {team.head[:12]}: 3 prompts, 1 of which runs commands\n" in taken.stderr
    assert aix("run", "team:review", "-p", "x=this").stdout == "Review this\nwell"
    assert aix("run", f"team:review@{was}", "-p", "x=this").stdout == "Review this"


def test_what_was_changed_by_hand_is_put_back_and_that_is_said(aix: Aix, team: Repository) -> None:
    aix("collection", "add", str(team.path))
    files = json.loads(aix("collection", "info", "team", "--json").stdout)["files"]
    Path(files, "review.md").write_text("mine")
    said = aix("collection", "update").stderr
    assert "aix: put back team at " in said
    assert "its files had been changed here" in said
    assert Path(files, "review.md").read_text() == "Review {{ x }}"


def test_one_that_fails_does_not_stop_the_others(aix: Aix, team: Repository, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"a.md": "one"})
    aix("collection", "add", str(team.path))
    aix("collection", "add", str(other.path))
    team.vanish()
    other.commit({"a.md": "two"})
    done = aix("collection", "update", "--yes")
    assert (done.status, "aix: error: team: there is no folder" in done.stderr) == (5, True)
    assert "hint: has it moved? aix collection remove team" in done.stderr
    assert aix("run", "other:a").stdout == "two"
    assert aix("run", "team:review", "-p", "x=this").stdout == "Review this"


def test_a_person_is_asked(aix: Aix, team: Repository) -> None:
    aix("collection", "add", str(team.path))
    team.commit({"review.md": "two"})
    for answer, text in (("n", "Review {{ x }}"), ("y", "two")):
        terminal = Terminal("collection", "update")
        terminal.wait_for("Take this into team?")
        terminal.type(answer)
        assert terminal.end() == 0
        assert aix("show", "team:review", "--raw").stdout == text


def test_a_lock_that_is_half_written_is_left_as_it_is(aix: Aix, team: Repository, library: Path) -> None:
    (library / "collections.lock").write_text('{"version": 1, "collec')
    for arguments in (
        ["list"],
        ["collection", "list"],
        ["collection", "add", str(team.path)],
        ["collection", "update"],
    ):
        done = aix(*arguments)
        assert (done.status, "collections.lock cannot be read" in done.stderr) == (12, True)
    assert (library / "collections.lock").read_text() == '{"version": 1, "collec'


def test_a_team_shares_a_library_and_a_collection(aix: Aix, team: Repository, tmp_path: Path) -> None:
    """Ada's library is in git, and Bob clones it: he gets the collection that she pinned, and her changes by pulling;
    what runs commands asks each of them again."""
    ada, bob, shared = (tmp_path / name for name in ("ada", "bob", "shared.git"))
    hers, his = ({"HOME": str(one), "AIX_HOME": str(one / "lib")} for one in (ada, bob))
    for folder in (ada, bob):
        folder.mkdir()
    aix("collection", "add", str(team.path), env=hers)
    aix("create", "greet", "Hello", env=hers)
    git(ada / "lib", "init", "--quiet", "--initial-branch=main")
    (ada / "lib" / "day.md").write_text(COMMANDS)
    for arguments in (["add", "."], ["commit", "--quiet", "--message", "x"]):
        git(ada / "lib", *arguments)
    git(tmp_path, "clone", "--quiet", "--bare", str(ada / "lib"), str(shared))
    git(bob, "clone", "--quiet", str(shared), "lib")
    team.commit({"review.md": "newer"})

    said = aix("run", "greet", env=his)
    assert said.stderr == (
        "aix: warning: the collection team is not on this machine: aix collection update team\n" + NOT_SENT
    )
    assert aix("collection", "update", "team", env=his).status == 0
    assert aix("run", "team:review", "-p", "x=this", env=his).stdout == "Review this"
    assert git(bob / "lib", "status", "--porcelain", "--", "collections.lock") == ""

    assert aix("trust", "user:day", "--yes", env=his).status == 0
    assert aix("run", "user:day", env=his).stdout == "It is monday."
    (ada / "lib" / "day.md").write_text(COMMANDS.replace("monday", "friday"))
    git(ada / "lib", "commit", "--quiet", "--all", "--message", "y")
    git(ada / "lib", "push", "--quiet", str(shared), "main")
    git(bob / "lib", "pull", "--quiet")
    done = aix("run", "user:day", env=his)
    assert (done.status, done.stdout) == (11, "")
