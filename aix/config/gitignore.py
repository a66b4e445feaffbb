"""A library is often a git repository: what is private in it must never be committed."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aix.config import files
from aix.config.git import Git
from aix.config.paths import git_root
from aix.config.reading import refuse_special
from aix.config.secrets import without_keys
from aix.errors import AixError, ConfigError

GIT_SECONDS = 10.0


def ignore_private_files(library: Path) -> None:
    """See to it that the library's `.gitignore` keeps config.json and temporary names out; other lines stay."""
    path = library / ".gitignore"
    with files.storage(path):
        files.make_private_directory(library)
        refuse_special(path)
        text = path.read_bytes() if path.exists() else b""
    lines = text.splitlines()
    missing = [line for line in files.IGNORED_BY_GIT if line.encode() not in lines]
    if missing:
        start = text if not text or text.endswith(b"\n") else text + b"\n"
        files.write_shared(path, start + "".join(f"{line}\n" for line in missing).encode())


def refuse_when_tracked(config: Path, env: Mapping[str, str]) -> None:
    """Raise ConfigError when git tracks config.json: a key written there would be in the next commit."""
    tracked = False
    with suppress(AixError):  # no git, or one that cannot look: aix doctor says so
        tracked = (git := git_around(config.parent, env)) is not None and tracks(git, config.name)
    if tracked:
        raise ConfigError(
            f"git tracks {config}, so a key written there would be committed",
            hint=f"git -C {config.parent} rm --cached {config.name}",
            reason="tracked",
        )


def git_around(folder: Path, env: Mapping[str, str]) -> Git | None:
    """Git for a folder that is in a repository; None for one that is in none."""
    real = folder.resolve()
    return Git(real, without_keys(env), GIT_SECONDS) if git_root(real) else None


def tracks(git: Git, name: str) -> bool:
    """Whether git has a file in what is to be committed. Raises AixError where it cannot look."""
    return bool(git.run("ls-files", "-z", "--", name))
