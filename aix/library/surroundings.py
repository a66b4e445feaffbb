"""What every template may know about where it runs: the time, the place, the person, the git branch."""

import datetime
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aix.config.paths import git_root
from aix.library.reading import read_regular

MAX_FILE = 4096
BRANCH = "ref: refs/heads/"
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
    directory = root / ".git"
    try:
        if directory.is_file():  # a worktree or a submodule: the file names the directory
            directory = root / _line(directory).removeprefix("gitdir:").strip()
        head = _line(directory / "HEAD")
    except (OSError, ValueError):
        head = ""
    branch = head.removeprefix(BRANCH) if head.startswith(BRANCH) else ""
    return {"root": str(root), "branch": "" if branch == NO_BRANCH else branch}


def _line(path: Path) -> str:
    return read_regular(path, MAX_FILE).decode("utf-8").strip()
