"""A library is often a git repository: what is private in it must never be committed."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
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
    if git(config.parent, env, "ls-files", "--error-unmatch", "--", config.name).status == 0:
        raise ConfigError(
            f"git tracks {config}, so a key written there would be committed",
            hint=f"git -C {config.parent} rm --cached {config.name}",
            reason="tracked",
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What a git command said. `status` is None when there is no git, or it did not end in time."""

    status: int | None
    out: str = ""
    err: str = ""


def git(directory: Path, env: Mapping[str, str], *arguments: str) -> Said:
    """Ask git something, in a way that runs nothing of the repository's own."""
    clean = {name: value for name, value in without_keys(env).items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(
            command, env=clean, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Said(None)
    return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
