"""What every template may know about where it runs: the time, the place, the person, the git branch."""

import datetime
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aix.config.paths import git_root
from aix.config.reading import read_regular

MAX_FILE = 4096
MAX_PACKED = 16 * 1024 * 1024
MOST_STEPS = 5
REF = "ref:"
BRANCH = "ref: refs/heads/"
COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
NO_BRANCH = ".invalid"  # what git writes where the branch is kept in another form than files
SYSTEMS = {"darwin": "macos", "win32": "windows"}


def surroundings(cwd: Path, env: Mapping[str, str], now: datetime.datetime) -> dict[str, Any]:
    """The names that are always there, as plain data; `git` is empty texts outside a repository."""
    return {
        "now": now.replace(microsecond=0),
        "today": now.date(),
        "cwd": str(cwd),
        "os": SYSTEMS.get(sys.platform, sys.platform),
        "user": env.get("USER") or env.get("LOGNAME") or env.get("USERNAME") or "",
        "git": git(cwd),
    }


def git(cwd: Path) -> dict[str, str]:
    """The root and the branch of the repository around `cwd`, read from its files: no command of a stranger's
    repository is run. The branch is empty where none is checked out."""
    root = git_root(cwd)
    if root is None:
        return {"root": "", "branch": ""}
    try:
        head = _line(_git_directory(root) / "HEAD")
    except (OSError, ValueError):
        head = ""
    branch = head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""
    return {"root": str(root), "branch": "" if branch == NO_BRANCH else branch}


def revision(start: Path) -> str:
    """The commit that is checked out around `start`, read from the files of the repository; empty where there is none,
    or they do not say."""
    root = git_root(start.resolve())
    if root is None:
        return ""
    try:
        directory = _git_directory(root)
        head = _line(directory / "HEAD")
        for _ in range(MOST_STEPS):
            if not head.startswith(REF):
                break
            head = _meaning(head.removeprefix(REF).strip(), directory)
    except (OSError, ValueError):
        return ""
    return head if COMMIT.fullmatch(head) else ""


def _git_directory(root: Path) -> Path:
    """Where the repository keeps its files; in a worktree or a submodule, a file names the directory."""
    place = root / ".git"
    return root / _line(place).removeprefix("gitdir:").strip() if place.is_file() else place


def _meaning(name: str, directory: Path) -> str:
    """What a reference stands for: a commit, or another one. Worktrees have those of their repository in common."""
    if not name.startswith("refs/") or ".." in name:
        return ""
    shared = directory / "commondir"
    common = directory / _line(shared) if shared.is_file() else directory
    for place in (directory / name, common / name):
        if place.is_file():
            return _line(place)
    packed = read_regular(common / "packed-refs", MAX_PACKED).decode("utf-8").splitlines()
    return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")


def _line(path: Path) -> str:
    return read_regular(path, MAX_FILE).decode("utf-8").strip()
