"""A library is often a git repository: what is private in it must never be committed."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from aix.config import files
from aix.config.paths import git_root
from aix.config.secrets import without_keys
from aix.errors import ConfigError

GIT_SECONDS = 10.0


def ignore_private_files(library: Path) -> None:
    """See to it that the library's `.gitignore` keeps config.json and temporary names out; other lines stay."""
    path = library / ".gitignore"
    with files.storage(path):
        files.make_private_directory(library)
        text = path.read_bytes() if path.exists() else b""
    lines = text.splitlines()
    missing = [line for line in files.IGNORED_BY_GIT if line.encode() not in lines]
    if missing:
        start = text if not text or text.endswith(b"\n") else text + b"\n"
        files.write_shared(path, start + "".join(f"{line}\n" for line in missing).encode())


def refuse_when_tracked(config: Path, env: Mapping[str, str]) -> None:
    """Raise ConfigError when git tracks config.json: a key written there would be in the next commit."""
    if git_root(config.parent.resolve()) is None:
        return
    if _git(config.parent, env, "ls-files", "--error-unmatch", "--", config.name) == 0:
        raise ConfigError(
            f"git tracks {config}, so a key written there would be committed",
            hint=f"git -C {config.parent} rm --cached {config.name}",
            reason="tracked",
        )


def _git(directory: Path, env: Mapping[str, str], *arguments: str) -> int | None:
    """The status of a git command that runs nothing of the repository's own; None when there is no git."""
    clean = {name: value for name, value in without_keys(env).items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(directory), *arguments]
    try:
        return subprocess.run(
            command, env=clean, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
