"""collections.lock: what it says, what is refused in it, and that a change of one line is a change of one line."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aix.errors import ConfigError
from aix.library.collections.lock import (
    Collection,
    change_lock,
    is_collection_name,
    is_folder_path,
    pin_of,
    read_lock,
)

PIN = "0123456789abcdef0123456789abcdef01234567"
ROW = {"name": "team", "source": "https://example.com/p.git", "rev": "", "path": "", "pin": PIN, "when": "2026-11-21"}


def written(folder: Path, *rows: Any, **more: Any) -> Path:
    path = folder / "collections.lock"
    path.write_text(json.dumps({"version": 1, "collections": rows, **more}))
    return path


def test_no_lock_has_no_collections(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "collections.lock").collections == ()


def test_collections_keep_their_order_and_unknown_keys(tmp_path: Path) -> None:
    path = written(tmp_path, {**ROW, "name": "b", "owner": "Ada"}, {**ROW, "name": "a"}, note="ours")
    change_lock(path, lambda lock: lock.with_one(Collection("c", "/c", PIN)))
    data = json.loads(path.read_text())
    assert [row["name"] for row in data["collections"]] == ["b", "a", "c"]
    assert (data["note"], data["collections"][0]["owner"]) == ("ours", "Ada")


def test_a_new_pin_is_a_change_of_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, ROW, {**ROW, "name": "other"})
    change_lock(path, lambda lock: lock)
    before = path.read_text().splitlines()
    change_lock(path, lambda lock: lock.with_one(replace(lock.collections[0], pin="f" * 40)))
    after = path.read_text().splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (f'      "pin": "{PIN}",', f'      "pin": "{"f" * 40}",')
    ]


def test_the_lock_follows_the_umask_for_it_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "library" / "collections.lock"
    change_lock(path, lambda lock: lock.with_one(Collection("c", "/c", PIN)))
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 2, "collections": []}',
        '{"version": 1}',
        '{"version": 1, "collections": {}}',
        '{"version": 1, "collections": ""}',
        '{"version": 1, "collections": [1]}',
        '{"version": 1, "collections": [',
        '<<<<<<< HEAD\n{"version": 1, "collections": []}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_lock_that_cannot_be_read_is_never_overwritten(text: str, tmp_path: Path) -> None:
    path = tmp_path / "collections.lock"
    path.write_text(text, encoding="latin-1")
    changes: list[Callable[[], Any]] = [lambda: read_lock(path), lambda: change_lock(path, lambda lock: lock)]
    for change in changes:
        with pytest.raises(ConfigError) as caught:
            change()
        assert "cannot be read" in caught.value.message
    assert path.read_text(encoding="latin-1") == text


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "../../etc"},
        {"name": "user"},
        {"name": "Builtin"},
        {"name": ""},
        {"name": "a/b"},
        {"name": "a@b"},
        {"name": 1},
        {"pin": ""},
        {"pin": "main"},
        {"pin": "../../../etc/passwd"},
        {"pin": PIN + "\n"},
        {"pin": "sha256:abc"},
        {"path": "../x"},
        {"path": "/etc"},
        {"path": "a//b"},
        {"path": "a/.git/b"},
        {"path": ".git"},
        {"rev": ["main"]},
        {"source": ""},
    ],
    ids=str,
)
def test_a_lock_of_a_stranger_names_nothing_but_collections(odd: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_lock(written(tmp_path, {**ROW, **odd}))


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('{"version": 2, "collections": []}', "its version is 2", "a newer one"),
        ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x", "both sides of a merge", "checkout HEAD -- collections.lock"),
        ("{", "not whole JSON", "checkout HEAD -- collections.lock"),
    ],
)
def test_what_to_do_about_a_lock_that_cannot_be_read(text: str, said: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "collections.lock").write_text(text)
    (tmp_path / ".git").mkdir()
    with pytest.raises(ConfigError, match=said) as caught:
        read_lock(tmp_path / "collections.lock")
    assert hint in caught.value.hint


def test_where_there_is_no_git_another_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "collections.lock").write_text("{")
    with pytest.raises(ConfigError) as caught:
        read_lock(tmp_path / "collections.lock")
    assert "git" not in caught.value.hint


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_is_not_waited_for(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "collections.lock")
    with pytest.raises(ConfigError):
        change_lock(tmp_path / "collections.lock", lambda lock: lock)


def test_a_link_is_read_and_never_replaced(tmp_path: Path) -> None:
    path, real = tmp_path / "collections.lock", tmp_path / "real"
    path.symlink_to(real)
    with pytest.raises(ConfigError, match="a link to nothing"):
        read_lock(path)
    written(tmp_path, ROW)
    assert [one.name for one in read_lock(path).collections] == ["team"]
    before = real.read_text()
    with pytest.raises(ConfigError, match="it is a link"):
        change_lock(path, lambda lock: lock.without("team"))
    assert (path.is_symlink(), real.read_text()) == (True, before)


def test_half_a_character_is_kept_as_json_has_it(tmp_path: Path) -> None:
    path = written(tmp_path, ROW, note="\ud800")
    change_lock(path, lambda lock: lock)
    assert json.loads(path.read_text())["note"] == "\ud800"


@pytest.mark.parametrize("data", ["\ufeff", "\r\n"], ids=["a mark at its begin", "line ends of Windows"])
def test_what_an_editor_adds_is_no_harm(data: str, tmp_path: Path) -> None:
    path = written(tmp_path, ROW)
    path.write_bytes((data + path.read_text()).encode())
    assert len(read_lock(path).collections) == 1


def test_two_collections_cannot_have_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two collections called team"):
        read_lock(written(tmp_path, ROW, {**ROW, "name": "Team"}))


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        *((name, True) for name in ("team", "Team-2.x", "_t", "security")),
        *((name, False) for name in ("file", "PROJECT", "-t", ".t", "t.md", "a b", "a:b", "é", "a" * 101)),
    ],
)
def test_what_a_collection_may_be_called(name: str, sound: bool) -> None:
    assert is_collection_name(name) is sound


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        *((path, True) for path in ("prompts", ".prompts/a b")),
        *((path, False) for path in ("a/..", ".", "...", "-a", "", "/a", "a/", ".git/a", "a:b")),
    ],
)
def test_what_a_folder_of_a_repository_may_be_called(path: str, sound: bool) -> None:
    assert is_folder_path(path) is sound


def test_one_commit_can_be_here_with_two_of_its_folders() -> None:
    folders = {Collection("t", "/t", PIN, path=path).folder for path in ("", "a", "b")}
    assert len(folders) == 3
    assert f"t@{PIN[:12]}" in folders


def test_a_pin_of_files_tells_where_one_ends_and_the_next_begins() -> None:
    files = [{"a": b"b"}, {"a": b"", "b": b""}, {"ab": b""}, {"a": b"1 1\nb\n"}, {"a": b"\n1 0\nb\n"}, {}]
    assert len({pin_of(one) for one in files}) == len(files)
    assert pin_of({"a": b"1", "b": b"2"}) == pin_of({"b": b"2", "a": b"1"})
