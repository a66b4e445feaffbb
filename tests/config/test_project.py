"""What a project may set, and what becomes of the rest."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aix.config.project import is_own, project_settings
from aix.errors import ConfigError


def read(folder: Path) -> tuple[Any, list[str]]:
    said: list[str] = []
    return project_settings(folder, said.append), said


def test_a_project_sets_roles_and_limits_and_nothing_else(tmp_path: Path) -> None:
    assert read(tmp_path) == ({}, [])
    allowed = {"roles": {"strong": "openai:x"}, "limits": [{"per": "day", "cost": 1}]}
    (tmp_path / "config.json").write_text(json.dumps({**allowed, "api_keys": {"openai": "k"}, "execute": True}))
    place = tmp_path / "config.json"
    told = f"a project may set roles and limits only; ignored in {place}: 'api_keys', 'execute'"
    assert read(tmp_path) == (allowed, [told])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON at line 1"),
        ("[]", "must hold a JSON object"),
        ("\udcff", "is not valid JSON"),
        ('{"roles": []}', "must hold an object as its roles"),
        (" " * (64 * 1024 + 1), "is larger than 64 KiB"),
        ("[" * 60_000, "is not valid JSON"),
    ],
)
def test_one_that_cannot_be_read_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        read(tmp_path)
    assert caught.value.message == f"{path} {said}"


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    (tmp_path / "other.json").write_text("{}")
    makers: list[tuple[Callable[[], None], str]] = [
        (lambda: path.symlink_to("other.json"), "is a symbolic link"),
        (lambda: os.mkfifo(path), "is not a file"),
    ]
    for make, said in makers:
        make()
        with pytest.raises(ConfigError) as caught:
            read(tmp_path)
        assert caught.value.message == f"{path} {said}"
        path.unlink()


def test_a_folder_that_leads_elsewhere_or_is_the_users_own_is_no_projects(tmp_path: Path) -> None:
    project, library = tmp_path / "project", tmp_path / "library"
    project.mkdir()
    library.mkdir()
    folder = project / ".prompts"
    assert not is_own(folder, library)
    folder.symlink_to(library)
    assert not is_own(folder, tmp_path / "another")
    folder.unlink()
    folder.mkdir()
    assert is_own(folder, library)
    assert not is_own(folder, folder)
