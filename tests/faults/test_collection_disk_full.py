"""A disk that fills up while a collection is written costs nothing that was there."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Aix
from repositories import Repository, repository

LARGE = {f"p{number}.md": base64.b64encode(os.urandom(90_000)).decode() for number in range(10)}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    return repository(tmp_path / "team", {"a.md": "one"})


def kept(disk: Path) -> dict[str, bytes]:
    """All but the objects of git, which are of use to the next attempt, and the locks."""
    found = (path for path in disk.rglob("*") if path.is_file() and "repositories" not in path.parts)
    return {str(path): path.read_bytes() for path in found if path.name != ".aix.lock"}


def test_what_does_not_fit_is_refused_and_the_rest_stays(aix: Aix, disk: Path, tmp_path: Path) -> None:
    small, large = (repository(tmp_path / name, {"a.md": "one"}) for name in ("small", "large"))
    env = {"XDG_DATA_HOME": str(disk), "AIX_HOME": str(disk / "library")}
    assert aix("collection", "add", str(small.path), env=env).status == 0
    archive = tmp_path / "large.tar.gz"
    large.commit(dict(LARGE))
    assert aix("collection", "add", str(large.path)).status == 0
    assert aix("collection", "export", "large", "-o", str(archive)).status == 0
    small.commit(dict(LARGE))
    before = kept(disk)
    for arguments in (
        ["add", str(large.path)],
        ["import", str(archive)],
        ["update", "--yes"],
    ):
        done = aix("collection", *arguments, env=env)
        assert (done.status, "no space left on device" in done.stderr.lower()) == (13, True), done.stderr
        assert kept(disk) == before
    assert aix("run", "small:a", env=env).stdout == "one"


def test_an_archive_and_a_lock_that_do_not_fit_leave_nothing(aix: Aix, disk: Path, team: Repository) -> None:
    team.commit({"b.md": "x" * 10_000})
    assert aix("collection", "add", str(team.path)).status == 0
    library = disk / "library"
    library.mkdir()
    with (disk / "fill").open("wb") as fill, pytest.raises(OSError, match="No space"):
        while True:
            os.write(fill.fileno(), bytes(4096))
    before = kept(disk)
    for arguments, env in (
        (["export", "team", "-o", str(disk / "team.tar.gz")], {}),
        (["add", str(team.path), "--name", "other"], {"AIX_HOME": str(library)}),
    ):
        done = aix("collection", *arguments, env=env)
        assert (done.status, "no space left" in done.stderr) == (13, True), done.stderr
        assert kept(disk) == before
