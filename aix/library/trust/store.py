"""Which content may run commands: a file for each digest that the user trusts, with what it was then.

A file counts only where nobody else can have written it: a regular one, the user's own, in a folder of the user's own.
"""

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aix.config import files
from aix.config.reading import read_own
from aix.errors import StorageError

if TYPE_CHECKING:
    from aix.library.prompt import Prompt
    from aix.library.templates.template import Template

MAX_ENTRY = 32 * 1024 * 1024
MAX_TEXTS = 2 * 1024 * 1024
"""How many letters of a content are kept to be compared with another: of a larger one, none."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
WHEREVER = frozenset({"user", "project"})
"""The layers of which there are several: one for each library, and one for each project."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Under which name a content was trusted: that of a prompt in a layer, of which `root` says where it is when there
    are several; or the path of a file."""

    name: str
    layer: str = ""
    root: str = ""

    def covers(self, other: "Seen") -> bool:
        """Whether the other is this one, of which the layer and its folder may not be known."""
        layer, root = self.layer or other.layer, self.root or other.root
        return other == Seen(self.name, layer, root)

    def __str__(self) -> str:
        return f"{self.layer}:{self.name}" if self.layer not in ("", "file") else self.name


def seen(name: str, layer: str, path: Path | None) -> Seen:
    """What a prompt that was read from a path is called in the trust store."""
    if layer == "file" and path:
        return Seen(str(path.parent.resolve() / path.name), layer)
    if layer in WHEREVER and path:
        return Seen(name, layer, str(path.parents[name.count("/")].resolve()))
    return Seen(name, layer)


@dataclass(frozen=True, slots=True)
class Trusted:
    """A content that is trusted: as what it was seen, and its files, the prompt's own first, by the names that an
    include gives them. `since` is in seconds since 1970."""

    digest: str
    seen: tuple[Seen, ...] = ()
    since: float = 0.0
    commands: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def content(prompt: "Prompt", template: "Template") -> Trusted:
    """A content as the trust store keeps it."""
    names = (seen(prompt.name, prompt.layer, prompt.path),)
    commands = tuple(command.whole for command in template.calls)
    return Trusted(template.digest, names, commands=commands, files=template.files)


class TrustStore:
    """The contents that are trusted, in a folder that only the user can read. The name of an entry's file is its
    digest, so it is found without reading any other."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and self.find(digest) is not None

    def find(self, digest: str) -> Trusted | None:
        """What is trusted under a digest. What somebody else may have written, or was not written whole, is none."""
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            if DIGEST.fullmatch(digest) and self._is_own:
                found = _entry(json.loads(read_own(self._path(digest), MAX_ENTRY)))
                return found if found.digest == digest else None
        return None

    def all(self) -> Iterator[Trusted]:
        """Everything that is trusted, the latest first."""
        found = filter(None, map(self.find, self._digests()))
        return iter(sorted(found, key=lambda entry: (-entry.since, [str(name) for name in entry.seen], entry.digest)))

    def last(self, name: Seen) -> Trusted | None:
        """What was trusted last under a name; where there is nothing, under the same name in another folder."""
        entries = list(self.all())
        here = (entry for entry in entries if name in entry.seen)
        elsewhere = (entry for entry in entries if (name.name, name.layer) in {(s.name, s.layer) for s in entry.seen})
        return next(here, None) or next(elsewhere, None)

    def add(self, entry: Trusted) -> None:
        """Trust a content from now on, under the names that it had before, too. Raises StorageError."""

        def change(_: bytes | None) -> bytes:
            known = self.find(entry.digest)
            names = dict.fromkeys((*entry.seen, *(known.seen if known else ())))
            whole = {"version": 1, **asdict(_bearable(entry)), "since": self._now()}
            return json.dumps(whole | {"seen": [asdict(name) for name in names]}, indent=1).encode() + b"\n"

        files.write_private(self._path(entry.digest), change)
        if entry.digest not in self:
            raise StorageError(
                f"{self._folder} can be written by others, so nothing in it is believed",
                hint=f"ls -ld {self._folder}; chmod 700 {self._folder}",
            )

    def remove(self, digest: str) -> bool:
        """Trust it no longer; whether there was an entry. Raises StorageError."""
        path = self._path(digest)
        with files.storage(path):
            was = os.path.lexists(path)
            path.unlink(missing_ok=True)
        return was

    def remove_all(self) -> int:
        """Trust nothing any longer; how many entries there were. Raises StorageError."""
        return sum(self.remove(digest) for digest in self._digests())

    def _digests(self) -> list[str]:
        with files.storage(self._folder):
            return [f"sha256:{path.stem}" for path in self._folder.glob("*.json")]

    @property
    def _is_own(self) -> bool:
        """Whether the folder is one, and nobody else can write to it."""
        status = self._folder.lstat()
        mine = files.user_id() in (None, status.st_uid)
        return stat.S_ISDIR(status.st_mode) and mine and not status.st_mode & 0o022

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}.json"


def _bearable(entry: Trusted) -> Trusted:
    """The entry without its texts, where they are too long to be kept."""
    whole = sum(map(len, entry.files.values())) <= MAX_TEXTS
    return entry if whole else Trusted(entry.digest, entry.seen, entry.since)


def _entry(data: Mapping[str, Any]) -> Trusted:
    texts = {str(name): str(text) for name, text in data["files"].items()}
    commands = tuple(str(command) for command in data["commands"])
    names = tuple(Seen(str(name["name"]), str(name["layer"]), str(name["root"])) for name in data["seen"])
    return Trusted(data["digest"], names, float(data["since"]), commands, texts)
