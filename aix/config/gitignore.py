"""A library is often a git repository: what is private in it must never be committed."""

import errno
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aix.config import files
from aix.config.paths import git_root
from aix.config.secrets import without_keys
from aix.errors import ConfigError

GIT_SECONDS = 10.0
SAFE = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.untrackedCache=false", "log.showSignature=false")
"""Settings without which a repository could start a program of its own when it is asked something."""
ALONE = {"GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
"""Variables with which git reaches nothing else, not even for a file that the repository lacks."""

READ_BY_GIT = (
    *("HEAD", "config", "config.worktree", "index", "packed-refs", "commondir", "shallow"),
    *("info/attributes", "info/exclude", "objects/info/alternates"),
)
"""The files of a repository that git opens, whatever they are."""


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
    if git_root(config.parent.resolve()) is None:
        return
    if git(config.parent, env, "ls-files", "--error-unmatch", "--", config.name).status == 0:
        raise ConfigError(
            f"git tracks {config}, so a key written there would be committed",
            hint=f"git -C {config.parent} rm --cached {config.name}",
            reason="tracked",
        )


class SpecialFileError(OSError):
    """A pipe or a device stands where git, or aix, would read a file: that could take for ever."""


def refuse_special_files(root: Path) -> None:
    """Raise SpecialFileError for a repository that has something else in the place of a file. `root` is where its
    `.git` is, or what would be in there."""
    own = [folder / name for folder in (root / ".git", root) for name in READ_BY_GIT]
    for path in (*own, root / ".git", root / ".gitignore", root / ".gitattributes"):
        refuse_special(path)


def refuse_special(path: Path) -> None:
    """Raise SpecialFileError for what is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SpecialFileError(errno.EINVAL, f"{path} cannot be read: it is a pipe or a device")


@dataclass(frozen=True, slots=True)
class Said:
    """What a git command said. `status` is None when there is no git, or it did not end in time."""

    status: int | None
    out: str = ""
    err: str = ""


def git(directory: Path, env: Mapping[str, str], *arguments: str) -> Said:
    """Ask git something, in a way that runs nothing of the repository's own."""
    clean = {name: value for name, value in without_keys(env).items() if not name.startswith("GIT_")}
    settings = [word for setting in SAFE for word in ("-c", setting)]
    command = ["git", "--no-pager", *settings, "-C", str(directory), *arguments]
    try:
        refuse_special_files(git_root(directory.resolve()) or directory)
        done = subprocess.run(
            command, env=clean | ALONE, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Said(None, err=str(error) if isinstance(error, SpecialFileError) else "")
    return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
