"""Collections survive whatever ends a command half-way, and several commands at once."""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import WARM
from full import full
from repositories import Repository, repository
from warm import Running

from aix.library.collections.lock import read_lock
from aix.library.collections.store import Store

KILLS = full(5, 400)
AT_ONCE = full(3, 12)


def start(home: Path, *arguments: str) -> Running:
    with open(os.devnull, "r+b") as nothing:
        return WARM.run(["collection", *arguments], os.environ, home, [nothing.fileno()] * 3)


def ended(home: Path, *arguments: str) -> int:
    return int(start(home, *arguments).wait(60))


def team_of(tmp_path: Path, number: int = 0) -> Repository:
    return repository(tmp_path / f"team{number}", {f"p{index}.md": f"{index}" for index in range(200)})


def torn(home: Path) -> list[str]:
    """What is wrong with what is here: the lock, and the folders that it names."""
    lock = home / ".prompts" / "collections.lock"
    store = Store(home / ".local" / "share" / "aix" / "collections", lock)
    return [one.name for one in read_lock(lock).collections if not store.is_whole(one)]


def strays(home: Path) -> Sequence[str]:
    """What no lock names."""
    data = home / ".local" / "share" / "aix" / "collections"
    named = read_lock(home / ".prompts" / "collections.lock").collections
    store = Store(data, Path())
    kept = {path for one in named for path in (store.root(one), store.repository(one.source))}
    found = {*data.glob("*@*"), *data.glob("*.tmp"), *data.glob(".aix-*.tmp"), *data.glob("repositories/*")}
    return sorted(path.name for path in found - kept)


@pytest.mark.parametrize("command", ["add", "update"])
def test_a_command_that_is_killed_leaves_all_as_it_was_or_as_it_is_to_be(
    command: str, home: Path, tmp_path: Path
) -> None:
    team = team_of(tmp_path)
    began = time.monotonic()
    assert ended(home, "add", str(team.path), "--name", "team") == 0
    whole = time.monotonic() - began
    cut = 0
    for index in range(KILLS):
        if command == "add":
            ended(home, "remove", "team", "--yes")
        else:
            team.commit({f"p{number}.md": f"{index} {number}" for number in range(200)})
        arguments = ["add", str(team.path), "--name", "team"] if command == "add" else ["update", "--yes"]
        running = start(home, *arguments)
        with suppress(TimeoutError):
            running.wait(max(0.001, whole * index / KILLS))
            cut -= 1
        cut += 1
        assert torn(home) == []
    assert cut > 0
    if command == "add":
        assert ended(home, "add", str(team.path), "--name", "team") in (0, 2)
    assert ended(home, "update", "--yes") == 0
    assert ended(home, "update", "--yes") == 0
    assert (torn(home), strays(home)) == ([], [])
    assert json.loads((home / ".prompts" / "collections.lock").read_text())["collections"][0]["pin"] == team.head


def test_several_commands_at_once_all_get_their_place(home: Path, tmp_path: Path) -> None:
    teams = [team_of(tmp_path, number) for number in range(AT_ONCE)]
    running = [start(home, "add", str(team.path)) for team in teams]
    assert [one.wait(60) for one in running] == [0] * AT_ONCE
    assert {one.name for one in read_lock(home / ".prompts" / "collections.lock").collections} == {
        team.path.name for team in teams
    }
    assert (torn(home), strays(home)) == ([], [])


def test_of_several_with_one_name_one_gets_it(home: Path, tmp_path: Path) -> None:
    team = team_of(tmp_path)
    running = [start(home, "add", str(team.path), "--name", "team") for _ in range(AT_ONCE)]
    assert sorted(one.wait(60) for one in running) == [0] + [2] * (AT_ONCE - 1)
    assert (torn(home), strays(home)) == ([], [])


def test_the_check_can_fail(home: Path, tmp_path: Path) -> None:
    assert ended(home, "add", str(team_of(tmp_path).path), "--name", "team") == 0
    (root,) = (home / ".local" / "share" / "aix" / "collections").glob("team@*")
    (root / "p1.md").write_text("half")
    (root.parent / "other@0123").mkdir()
    assert (torn(home), strays(home)) == (["team"], ["other@0123"])
