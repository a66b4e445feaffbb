"""What every template knows of where it runs, in real git repositories and in broken ones."""

import datetime
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aix.library.templates.surroundings import git, revision, surroundings

NOW = datetime.datetime(2026, 11, 21, 3, 4, 5, 678, tzinfo=datetime.UTC)


def run_git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "deep" / "er").mkdir(parents=True)
    run_git(folder, "init")
    run_git(folder, "commit", "--allow-empty", "-m", "first")
    return folder


def test_the_names_that_are_always_there(tmp_path: Path) -> None:
    found = surroundings(tmp_path, {"USER": "ada"}, NOW)
    assert found.pop("os") in ("linux", "macos")
    assert found == {
        "now": NOW.replace(microsecond=0),
        "today": datetime.date(2026, 11, 21),
        "cwd": str(tmp_path),
        "user": "ada",
        "git": {"root": "", "branch": ""},
    }


@pytest.mark.parametrize(
    ("env", "user"),
    [
        ({"USER": "a", "LOGNAME": "b"}, "a"),
        ({"USER": "", "LOGNAME": "b"}, "b"),
        ({"USERNAME": "c"}, "c"),
        ({}, ""),
        ({"OPENAI_API_KEY": "k", "HOME": "/h"}, ""),
    ],
)
def test_of_the_environment_only_the_user_is_known(env: dict[str, str], user: str, tmp_path: Path) -> None:
    found = surroundings(tmp_path, env, NOW)
    assert found["user"] == user
    assert not {"k", "/h"} & {str(value) for value in found.values()}


@pytest.mark.parametrize("place", [".", "deep/er"])
def test_a_repository_has_a_root_and_a_branch(place: str, repository: Path) -> None:
    assert git(repository / place) == {"root": str(repository), "branch": "main"}


def test_a_branch_may_have_slashes_and_no_commit_yet(repository: Path) -> None:
    run_git(repository, "checkout", "--orphan", "feat/Ünï-code")
    assert git(repository)["branch"] == "feat/Ünï-code"


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    run_git(repository, "checkout", "--detach")
    assert git(repository) == {"root": str(repository), "branch": ""}


def test_a_worktree_has_its_own_root_and_branch(repository: Path, tmp_path: Path) -> None:
    run_git(repository, "worktree", "add", "-b", "other", str(tmp_path / "tree"))
    (tmp_path / "tree" / "in").mkdir()
    assert git(tmp_path / "tree" / "in") == {"root": str(tmp_path / "tree"), "branch": "other"}
    assert git(repository)["branch"] == "main"


def test_a_submodule_is_found_by_a_relative_path(repository: Path, tmp_path: Path) -> None:
    inner = repository / "inner"
    (repository / ".git" / "modules").mkdir()
    run_git(repository, "init", "--separate-git-dir", str(repository / ".git" / "modules" / "inner"), str(inner))
    (inner / ".git").write_text("gitdir: ../.git/modules/inner\n")
    assert git(inner) == {"root": str(inner), "branch": "main"}


def test_no_repository_has_neither(tmp_path: Path) -> None:
    assert git(tmp_path) == {"root": "", "branch": ""}


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"ref: refs/remotes/origin/main\n",
        b"ref:\n",
        b"\xff\xfe",
        b"ref: refs/heads/" + b"x" * 5000,
        b"ref: refs/heads/.invalid\n",
        b"root:x:0:0:root:/root:/bin/bash\n",
    ],
)
def test_a_head_that_names_no_branch_gives_none(head: bytes, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(head)
    assert git(tmp_path) == {"root": str(tmp_path), "branch": ""}


@pytest.mark.parametrize("kind", ["absent", "folder", "FIFO", "device", "link to itself"])
def test_a_broken_head_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    head = tmp_path / ".git" / "HEAD"
    head.parent.mkdir()
    make: dict[str, Callable[[], None]] = {
        "absent": lambda: None,
        "folder": head.mkdir,
        "FIFO": lambda: os.mkfifo(head),
        "device": lambda: head.symlink_to("/dev/zero"),
        "link to itself": lambda: head.symlink_to("HEAD"),
    }
    make[kind]()
    assert git(tmp_path) == {"root": str(tmp_path), "branch": ""}


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: \0", "gitdir: /nowhere", "gitdir: " + "x" * 5000, "nonsense"])
def test_a_file_that_names_no_repository_gives_no_branch(text: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(text)
    assert git(tmp_path) == {"root": str(tmp_path), "branch": ""}


def commit(folder: Path) -> str:
    return run_git(folder, "rev-parse", "HEAD")


def in_a_branch(repository: Path) -> Path:
    return repository / "deep" / "er"


def detached(repository: Path) -> Path:
    run_git(repository, "checkout", "--detach")
    return repository


def packed(repository: Path) -> Path:
    run_git(repository, "branch", "another")
    run_git(repository, "commit", "--allow-empty", "-m", "second")
    run_git(repository, "pack-refs", "--all")
    return repository


def worktree(repository: Path) -> Path:
    place = repository.parent / "tree"
    run_git(repository, "worktree", "add", str(place), "-b", "feature/x")
    run_git(place, "commit", "--allow-empty", "-m", "second")
    return place


def packed_worktree(repository: Path) -> Path:
    place = worktree(repository)
    run_git(repository, "pack-refs", "--all")
    return place


def linked(repository: Path) -> Path:
    place = repository.parent / "link"
    place.symlink_to(repository / "deep")
    return place


@pytest.mark.parametrize("place_of", [in_a_branch, detached, packed, worktree, packed_worktree, linked])
def test_the_revision_is_what_git_says(repository: Path, place_of: Callable[[Path], Path]) -> None:
    place = place_of(repository)
    assert revision(place) == commit(place)


def replace_head(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / ".git" / "HEAD").write_text(text)


@pytest.mark.parametrize(
    "spoil",
    [
        replace_head("ref: refs/heads/none"),
        replace_head("ref: ../../secret"),
        replace_head("ref: refs/../../../secret"),
        replace_head("ref: HEAD"),
        replace_head("what"),
        lambda folder: (folder / ".git" / "HEAD").unlink(),
        lambda folder: (folder / ".git" / "refs" / "heads" / "main").write_text("ref: refs/heads/main"),
        lambda folder: (folder / ".git" / "refs" / "heads" / "main").write_bytes(b"\xff" * 40),
    ],
)
def test_a_revision_that_cannot_be_told_is_empty(repository: Path, spoil: Callable[[Path], object]) -> None:
    (repository.parent / "secret").write_text("0" * 40)
    spoil(repository)
    assert revision(repository) == ""


def test_there_is_no_revision_outside_a_repository_nor_before_the_first_commit(tmp_path: Path) -> None:
    assert revision(tmp_path) == ""
    run_git(tmp_path, "init")
    assert revision(tmp_path) == ""
