"""A layer as git has it at a revision: read from git's objects, so that no file is touched and no filter is run."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from aix.config.git import Git
from aix.config.paths import git_root
from aix.config.reading import MissingFileError
from aix.errors import NotFoundError, TemplateError
from aix.library import document
from aix.library.collections.tree import FILES, LARGE_FILE
from aix.library.layer import MAX_FILE, Layer, is_name
from aix.library.prompt import Prompt
from aix.library.reference import Reference
from aix.library.templates.surroundings import COMMIT

SECONDS = 30.0
LONGEST = 250
"""How many letters a revision may have."""
SHORT = 12
FOLDER = "040000"
"""What git calls a folder. What is neither that nor a file is a link, or another repository."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Where git keeps what a layer was: `directory` is where git runs, `folder` the layer's place in a commit. In a
    `bare` one nothing is checked out, and `head` is the commit that HEAD means."""

    directory: Path
    folder: str = ""
    head: str = ""
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree of git says of a name."""

    mode: str
    id: str


class Commit:
    """What is in one commit, looked up when it is asked for: a tree can say that it has more than any disk could."""

    def __init__(self, git: Git, commit: str, folder: str) -> None:
        self.id = commit
        self._git = git
        self._parts = tuple(part for part in folder.split("/") if part)
        self._listed = cache(self._list)

    def path(self, name: str) -> str:
        """Where a path from the layer's root is in the commit."""
        return "/".join((*self._parts, name))

    def find(self, name: str) -> Entry | None:
        """The entry of a path from the layer's root. Each part is looked up in the tree of the one before, so no link
        is followed."""
        entry = Entry(FOLDER, f"{self.id}^{{tree}}")
        for part in self.path(name).split("/"):
            found = self._listed(entry.id).get(part) if entry.mode == FOLDER else None
            if found is None:
                return None
            entry = found
        return entry

    def data(self, name: str, shown: str) -> bytes:
        """What a file held. Raises TemplateError."""
        entry, when = self.find(name), f"at {self.id[:SHORT]}"
        if entry is None:
            raise MissingFileError(f"there is no file {shown} {when}")
        if entry.mode not in FILES:
            raise TemplateError(f"{shown} is no file {when}, but a link, a folder or another repository")
        size = int(self._git.run("cat-file", "-s", entry.id))
        if size > MAX_FILE:
            raise TemplateError(f"cannot read {shown} {when}: more than {MAX_FILE} bytes")
        data = self._git.run("cat-file", "blob", entry.id)
        if data.startswith(LARGE_FILE):
            raise TemplateError(f"{shown} is kept by Git LFS {when}, and is not fetched")
        return data

    def _list(self, tree: str) -> Mapping[str, Entry]:
        lines = self._git.run("ls-tree", "-z", "--full-tree", tree).split(b"\0")
        rows = (line.partition(b"\t") for line in lines if line)
        return {name.decode("utf-8", "surrogateescape"): _entry(facts.decode()) for facts, _, name in rows}


def _entry(facts: str) -> Entry:
    mode, _, identity = facts.split(" ")
    return Entry(mode, identity)


@dataclass(frozen=True, slots=True)
class Snapshot(Layer):
    """A layer as of a commit. What is read through it is what git has, whatever is in the layer's folder by now."""

    commit: Commit = field(compare=False)

    @property
    def revision(self) -> str:
        """The commit's whole name."""
        return self.commit.id

    def shown(self, name: str) -> str:
        """Git's own name of the file, where it knows the repository."""
        return f"{self.revision}:{self.commit.path(self._inner(self.path(name)))}"

    def files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """None: only what is asked for is looked up."""
        return iter(())

    def has(self, name: str) -> bool:
        return is_name(name) and self.commit.find(self._inner(self.path(name))) is not None

    def prompt(self, name: str) -> Prompt:
        """Read and parse one prompt, which has no path of its own. Raises TemplateError."""
        path = self.path(name)
        shown = f"{name}@{self.revision[:SHORT]}"
        return document.parse(document.decode(self.data(path, path.name), shown), name, None, self.name)

    def data(self, path: Path, shown: str = "") -> bytes:
        return self.commit.data(self._inner(path), shown or path.name)

    def _inner(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def around(root: Path) -> Repository | None:
    """The repository that a folder is in; it may be the whole of it, or deep inside."""
    real = root.resolve()
    top = git_root(real)
    return Repository(top, "" if real == top else real.relative_to(top).as_posix()) if top else None


def snapshot(layer: Layer, named: Reference, repository: Repository | None, env: Mapping[str, str]) -> Snapshot:
    """The layer as it was, with the prompt that is named. `env` has no keys. Raises NotFoundError for a layer that
    is not in git, for a revision that is not there, and for one without the prompt."""
    if repository is None:
        hint = f"without @{named.revision} it is what is there now"
        raise NotFoundError(f"{layer.name} is in no git repository: {layer.root}", hint=hint, reason="repository")
    path = Path(repository.folder, layer.path(named.name).relative_to(layer.root))
    log = f"git -C {repository.directory} log --oneline --all -- {path}"
    git = Git(repository.directory, env, SECONDS, bare=repository.bare)
    commit = _resolved(git, named.revision, repository.head)
    if not COMMIT.fullmatch(commit):
        message = f"the repository of {layer.name} has no revision '{named.revision}'"
        raise NotFoundError(message, hint=log, reason="revision")
    found = Snapshot(layer.name, layer.root, Commit(git, commit, repository.folder))
    if not found.has(named.name):
        message = f"{layer.name} has no prompt '{named.name}' at {named.revision}"
        raise NotFoundError(message, hint=log, reason="prompt")
    return found


def _resolved(git: Git, revision: str, head: str) -> str:
    """The commit of a revision; something else, or nothing, where there is none."""
    if revision.startswith("-") or len(revision) > LONGEST or not revision.isprintable():
        return ""
    rest = revision.removeprefix("HEAD")
    meant = head + rest if head and rest != revision and rest[:1] in ("", "~", "^") else revision
    found = git.run("cat-file", "--batch-check=%(objectname)", data=f"{meant}^{{commit}}\n".encode())
    return found.decode(errors="replace").strip()
