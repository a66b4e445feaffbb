"""Where things live, from what the environment says."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from aix.config.paths import find_paths, git_root

HOME, CWD = Path("/home/ada"), Path("/place")


@pytest.mark.parametrize(
    ("env", "library"),
    [
        ({}, "/home/ada/.prompts"),
        ({"AIX_HOME": "/srv/prompts"}, "/srv/prompts"),
        ({"AIX_STORAGE_PATH": "/srv/old"}, "/srv/old"),
        ({"AIX_HOME": "/srv/prompts", "AIX_STORAGE_PATH": "/srv/old"}, "/srv/prompts"),
        ({"AIX_HOME": "", "AIX_STORAGE_PATH": "/srv/old"}, "/srv/old"),
        ({"AIX_HOME": "~/mine"}, "/home/ada/mine"),
        ({"AIX_HOME": "~"}, "/home/ada"),
        ({"AIX_HOME": "here"}, "/place/here"),
        ({"AIX_HOME": "a/~/b"}, "/place/a/~/b"),
    ],
)
def test_the_library_is_where_the_environment_says(env: Mapping[str, str], library: str) -> None:
    paths = find_paths({"HOME": str(HOME), **env}, CWD)
    assert paths.library == Path(library)
    assert paths.config == Path(library) / "config.json"


@pytest.mark.parametrize(
    ("env", "state"),
    [
        ({}, "/home/ada/.local/state/aix"),
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/aix"),
        ({"XDG_STATE_HOME": "relative"}, "/home/ada/.local/state/aix"),
        ({"XDG_STATE_HOME": ""}, "/home/ada/.local/state/aix"),
    ],
)
def test_state_follows_xdg(env: Mapping[str, str], state: str) -> None:
    assert find_paths({"HOME": str(HOME), **env}, CWD).state == Path(state)


@pytest.mark.parametrize("env", [{"HOME": ""}, {}], ids=str)
def test_a_home_that_is_empty_is_not_the_root_directory(
    env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "")
    assert find_paths(env, CWD).library not in (Path("/.prompts"), CWD / ".prompts", Path(".prompts"))


def test_looking_for_paths_creates_nothing(tmp_path: Path) -> None:
    home = tmp_path / "nobody"
    paths = find_paths({"HOME": str(home)}, home)
    assert not paths.library.exists()
    assert not home.exists()


@pytest.mark.parametrize("start", ["", "a", "a/b"])
def test_the_git_root_is_the_nearest_one_above(start: str, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert git_root(tmp_path / start) is None
    (tmp_path / ".git").mkdir()
    assert git_root(tmp_path / start) == tmp_path
    (tmp_path / "a" / ".git").write_text("gitdir: elsewhere\n")
    assert git_root(tmp_path / start) == (tmp_path / "a" if start else tmp_path)
