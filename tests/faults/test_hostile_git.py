"""Whatever a repository has in it, looking at its prompts starts nothing of it; plain git would."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Aix
from full import FULL
from hostile_git import KINDS, Trap, git, repository

from aix.app import App
from aix.errors import AixError

READ = ("run", "greet@v1", "--name", "x")
"""What goes deepest into a repository."""
AS_LIBRARY: tuple[tuple[str, ...], ...] = (
    ("doctor",),
    ("config", "--set", "api_keys.openai", "sk-none-at-all-0000"),
    ("run", "greet@HEAD~1", "--name", "x"),
    ("list",),
    ("show", "greet"),
    ("run", "greet", "--name", "x"),
    ("run", "-n", "greet", "--name", "x"),
    ("tokens", "greet", "--name", "x"),
    ("which", "greet"),
    ("search", "first"),
    ("lint",),
    ("create", "new", "A new one."),
    ("collection", "export", "user", "--name", "t", "-o", "t.tar.gz"),
)
AS_PROJECT: tuple[tuple[str, ...], ...] = (
    ("run", "project:hello@v1", "--name", "x"),
    ("list",),
    ("run", "hello", "--name", "x"),
    ("create", "new", "A new one.", "--project"),
    ("doctor",),
    ("collection", "create", "mine", "hello"),
)
AS_COLLECTION: tuple[tuple[str, ...], ...] = (
    ("collection", "add", "ROOT", "--name", "t"),
    ("collection", "update", "t", "--yes"),
    ("list",),
    ("run", "t:greet", "--name", "x"),
)
ROLES = {"library": AS_LIBRARY, "project": AS_PROJECT, "collection": AS_COLLECTION}
SHOWN = 300
"""How many letters an error's one sentence may have."""


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("git") / "sound")


@pytest.fixture
def trap(sound: Path, tmp_path: Path) -> Trap:
    root = tmp_path / "trap"
    shutil.copytree(sound, root, symlinks=True)
    evil, mark = tmp_path / "evil", tmp_path / "mark"
    evil.write_text(f'#!/bin/sh\n: > "{mark}"\nexit 1\n')
    evil.chmod(0o755)
    return Trap(root, evil, mark)


def chosen(number: int) -> list[tuple[str, tuple[str, ...]]]:
    """The commands that are tried on a kind, each with what the repository is to them: one by turns, or all."""
    every = [(role, command) for role, commands in ROLES.items() for command in commands]
    some = [("library", READ), ("collection", AS_COLLECTION[0]), ("library", AS_LIBRARY[1]), ("project", AS_PROJECT[0])]
    return [("library", READ), *every] if FULL else [some[number % len(some)]]


def read_here(library: Path, home: Path, env: Mapping[str, str]) -> None:
    """What goes deepest into a repository, in this process; the environment is the one that git would have."""
    with suppress(AixError):
        App({**os.environ, **env, "AIX_HOME": str(library)}, home).prompts.choose("greet@v1", None, str)


@pytest.mark.parametrize("name", KINDS)
def test_looking_at_a_hostile_repository_starts_nothing_of_it(
    name: str, trap: Trap, aix: Aix, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS[name]
    kind.plant(trap)
    env = {key: value.replace("EVIL", str(trap.evil)) for key, value in kind.env.items()}
    with monkeypatch.context() as patch:
        for key, value in env.items():
            patch.setenv(key, value)
        read_here(trap.root, home, env)
    assert not trap.mark.exists(), f"{name}: reading a prompt of a revision started it"
    for role, command in chosen([*KINDS].index(name)):
        place = {"AIX_HOME": str(trap.root if role == "library" else home / "library")}
        words = [word.replace("ROOT", str(trap.root)) for word in command]
        done = aix(*words, env={**env, **place}, cwd=trap.root if role == "project" else home)
        said = f"{name}, {role}: {command} ended with {done.status} and said {done.stderr}"
        assert not trap.mark.exists(), said
        assert done.status in (0, 1, 2, 4, 5, 6, 11, 12, 13), said  # 4 where the key could not be saved
        assert "unexpected" not in done.stderr, said
        errors = [line for line in done.stderr.splitlines() if line.startswith("aix: error:")]
        assert len(errors) == bool(done.status and command != ("doctor",)), said
        assert all(len(line) < SHOWN for line in errors), said
    if kind.control:
        git(trap.root, *kind.control, data=kind.data, env=env)
        assert trap.mark.exists(), f"plain git does not fall for {name}, so that aix does not means nothing"


def test_a_replaced_file_is_read_as_it_was_committed(trap: Trap, aix: Aix) -> None:
    KINDS["replaced file"].plant(trap)
    assert b"Second" in git(trap.root, "cat-file", "-p", "v1:greet.md").stdout
    assert aix(*READ, env={"AIX_HOME": str(trap.root)}).stdout.rstrip() == "First: x"


def test_no_kind_is_there_for_nothing() -> None:
    controlled = [name for name, kind in KINDS.items() if kind.control]
    print(f"{len(KINDS)} kinds of hostile repositories; plain git falls for {len(controlled)}")
    assert len(KINDS) >= 40
    assert len(controlled) >= 40
