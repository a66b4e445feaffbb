"""The commits of a collection: fetched into a bare repository of our own, in which nothing is ever checked out."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aix.config.files import make_private_directory
from aix.config.git import Git
from aix.errors import AixError, NotFoundError, UsageError
from aix.library.collections.source import Source
from aix.library.collections.tree import Entry, Tree, sieved, whole
from aix.library.layer import SUFFIX

FETCH = (
    *("fetch", "--quiet", "--prune", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
    *("--no-auto-maintenance", "--update-shallow", "--upload-pack"),
)
STRICT = "git upload-pack --strict"
"""What is run for a repository on this machine: it takes the very directory that was looked at, and none near it."""

BRANCHES, TAGS = "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"
CHOSEN = "refs/aix/chosen"
"""Where the branch is kept that a repository itself has chosen."""
PINS = "refs/aix/pins/"

_REV = re.compile(r"(?![-./])(?!.*(\.\.|@\{|//|\.lock(/|$)))[^\x00-\x20~^:?*\[\\\x7f]{1,250}")
_OTHER_KIND = re.compile(r"mismatched algorithms: client \w+; server (sha1|sha256)$")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Repository:
    """The bare repository at `path`, of which `env` has no keys. With all branches and tags, so that each can be named
    behind a prompt's `@`."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env

    def fetch(self, source: Source, rev: str) -> str:
        """Bring what is there now; the commit that a branch, tag or commit means, or, where none is named, the branch
        that the repository has chosen. Raises AixError."""
        if rev and not _REV.fullmatch(rev):
            raise UsageError(f"'{rev}' is no branch, tag or commit")
        self._make()
        wanted = [BRANCHES, TAGS, *([] if rev else [f"+HEAD:{CHOSEN}"])]
        try:
            self._fetch(source, wanted)
        except NotFoundError as error:
            if "couldn't find remote ref" not in error.message:
                raise
            what = f"{source.text} is empty, or has no branch of its choice"
            raise NotFoundError(what, hint="--rev BRANCH", reason="rev") from None
        return self._commit(source, rev)

    def fetch_pin(self, source: Source, pin: str) -> None:
        """Bring one commit, with all else that is there. Raises NotFoundError where it is there no more."""
        self._make()
        if not self.has(pin):
            self._fetch(source, [BRANCHES, TAGS])
        if not self.has(pin):
            self._fetch_commit(source, pin)
        if not self.has(pin):
            raise NotFoundError(f"the commit {pin[:12]} is no longer in {source.text}", reason="pin")
        self.keep(pin)

    def keep(self, commit: str) -> None:
        """See to it that git itself never drops a commit that was pinned."""
        self._git().run("update-ref", f"{PINS}{commit}", commit)

    def has(self, commit: str) -> bool:
        return (self._path / "HEAD").is_file() and self._git().succeeds("cat-file", "-e", f"{commit}^{{commit}}")

    def is_behind(self, old: str, new: str) -> bool:
        """Whether a commit is in the history of another."""
        return self._git().succeeds("merge-base", "--is-ancestor", old, new)

    def is_sound(self) -> bool:
        """Whether all is there that its branches, tags and pins lead to."""
        return self._git().succeeds("rev-list", "--objects", "--all", "--quiet")

    def forget(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)

    def tree(self, commit: str, path: str) -> Tree:
        """The files of a commit, or of a folder in it, as git keeps them: no filter, no line ending is applied. Raises
        NotFoundError where there is no such folder."""
        entries = list(self._entries(commit, path))
        taken, left_out = sieved(entries)
        blobs = self._blobs([entry.id for entry in taken])
        return whole({entry.shown: data for entry, data in zip(taken, blobs, strict=True)}, left_out)

    def folders(self, commit: str) -> list[str]:
        """The folders of a commit that have files of prompts, those with the most first."""
        names = (entry.shown for entry in self._entries(commit, "") if entry.shown.endswith(SUFFIX))
        found = [name.partition("/")[0] for name in names if "/" in name]
        return sorted(dict.fromkeys(found), key=lambda folder: (-found.count(folder), folder))

    def _git(self, *, online: bool = False) -> Git:
        return Git(self._path, self._env, online=online, bare=True)

    def _make(self, kind: str = "sha1") -> None:
        """Make the repository if it is not there, for commits of a kind. What a killed git left in one must not keep
        the next from work."""
        if not (self._path / "HEAD").is_file():
            self.forget()
            make_private_directory(self._path)
            self._git().run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", ".")
        for left in (*self._path.rglob("*.lock"), *self._path.glob("objects/pack/tmp_*")):
            left.unlink(missing_ok=True)

    def _fetch(self, source: Source, wanted: Sequence[str]) -> None:
        from_where = str(source.folder) if source.folder else source.text
        words = (*FETCH, STRICT if source.folder else "git-upload-pack", "--", from_where, *wanted)
        try:
            self._git(online=True).run(*words)
        except AixError as error:
            if not (kind := _OTHER_KIND.search(error.message)):
                raise
            self.forget()
            self._make(kind[1])
            self._git(online=True).run(*words)

    def _fetch_commit(self, source: Source, commit: str) -> None:
        """Bring a commit that no branch leads to; not every server gives one."""
        try:
            self._fetch(source, [f"+{commit}:{PINS}{commit}"])
        except (NotFoundError, UsageError):
            return
        except AixError as error:
            if "unadvertised" not in f"{error.message} {error.cause}":
                raise

    def _commit(self, source: Source, rev: str) -> str:
        """The commit that a rev means by now. Raises NotFoundError."""
        is_id = bool(_COMMIT.fullmatch(rev))
        if is_id and len(rev) in (40, 64) and not self.has(rev):
            self._fetch_commit(source, rev)
        names = [f"refs/heads/{rev}", f"refs/tags/{rev}", *([rev] if is_id else [])] if rev else [CHOSEN]
        for name in names:
            with suppress(AixError):
                found = self._git().run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
                return found.decode().split()[-1]
        raise NotFoundError(
            f"there is no branch, tag or commit '{rev}' in {source.text}" if rev else f"{source.text} has no commits",
            hint=f"git ls-remote {source.text}",
            reason="rev",
        )

    def _entries(self, commit: str, path: str) -> Iterator[Entry]:
        """All that is in a commit, or in a folder of it."""
        tree = f"{commit}:{path}"
        if path and not self._is_tree(tree):
            raise NotFoundError(f"there is no folder '{path}' at {commit[:12]}", hint="--path FOLDER", reason="path")
        for line in self._git().run("ls-tree", "-r", "-z", "-l", "--full-tree", tree).split(b"\0"):
            if line:
                facts, _, name = line.partition(b"\t")
                mode, _, identity, size = facts.decode().split()
                yield Entry(name, mode, int(size) if size.isdigit() else 0, identity)

    def _is_tree(self, name: str) -> bool:
        with suppress(AixError):
            return self._git().run("cat-file", "-t", name).strip() == b"tree"
        return False

    def _blobs(self, ids: Sequence[str]) -> Iterator[bytes]:
        """What objects hold, in their order."""
        told = self._git().run("cat-file", "--batch", data="".join(f"{one}\n" for one in ids).encode()) if ids else b""
        at = 0
        for _ in ids:
            end = told.index(b"\n", at)
            size = int(told[at:end].rpartition(b" ")[2])
            yield told[end + 1 : end + 1 + size]
            at = end + size + 2
