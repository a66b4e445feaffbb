"""Git repositories as a test needs them: written without a work tree, with names that no checkout would make."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WHO = "Ada <ada@example.com> 1700000000 +0000"
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, in the place of a file."""

    target: str


@dataclass(frozen=True, slots=True)
class Module:
    """Another repository, in the place of a folder."""

    commit: str


Content = str | bytes | Link | Module


def git(directory: Path, *arguments: str, data: bytes = b"") -> str:
    """What git says; it must end well."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        input=data,
        env={**os.environ, **IDENTITY},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape").strip()


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with one branch, main. `path` is where it lies, and what a collection is added from."""

    path: Path

    def commit(self, files: Mapping[str, Content], *, anew: bool = False) -> str:
        """A commit of just these files, behind the last one, or `anew` with no history; its name."""
        last = "" if anew or not self.head else f"from {self.head}\n"
        parts = [f"commit refs/heads/main\ncommitter {WHO}\ndata 1\n.\n{last}deleteall\n".encode()]
        parts += [_entry(os.fsencode(name), content) for name, content in files.items()]
        git(self.path, "fast-import", "--quiet", "--force", data=b"".join(parts))
        return self.head

    @property
    def head(self) -> str:
        return git(self.path, "for-each-ref", "--format=%(objectname)", "refs/heads/main")

    def vanish(self) -> None:
        self.path.rename(self.path.with_name("vanished"))


def repository(path: Path, files: Mapping[str, Content]) -> Repository:
    """A new repository with one commit."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    made = Repository(path)
    made.commit(files)
    return made


def _entry(name: bytes, content: Content) -> bytes:
    quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if isinstance(content, Module):
        return b"M 160000 %b %b\n" % (content.commit.encode(), quoted)
    mode, text = (b"120000", content.target) if isinstance(content, Link) else (b"100644", content)
    data = text.encode() if isinstance(text, str) else text
    return b"M %b inline %b\ndata %d\n%b\n" % (mode, quoted, len(data), data)
