"""collections.lock: which collections there are, in their order, and the very content of each that is meant."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from aix.config import files
from aix.config.gitignore import ignore_private_files
from aix.config.paths import git_root
from aix.config.reading import read_regular
from aix.errors import ConfigError
from aix.library.layer import SEGMENT, SUFFIX

VERSION = 1
MAX_LOCK = 1024 * 1024
MAX_NAME = 100
RESERVED = frozenset({"user", "project", "builtin", "file"})
"""The layers that are no collections."""

FIELDS = ("name", "source", "rev", "path", "pin", "when")
ARCHIVES = (".tar.gz", ".tgz")
CONFLICT = "<<<<<<< "

_PIN = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}")
_PATH = re.compile(r"(?!\.git(/|$))[A-Za-z0-9_.][A-Za-z0-9 ._-]*")


@dataclass(frozen=True, slots=True)
class Collection:
    """A line of the lock. `source` is a URL, a folder or an archive; `rev` the branch or tag that is followed, empty
    for the one that its repository has chosen; `path` the folder in it; `pin` the commit, or a digest over the files
    of what is no repository; `when` it was taken."""

    name: str
    source: str
    pin: str
    rev: str = ""
    path: str = ""
    when: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`git`, `folder` or `archive`."""
        if not self.pin.startswith("sha256:"):
            return "git"
        return "archive" if self.source.endswith(ARCHIVES) else "folder"

    @property
    def short(self) -> str:
        """The pin as a person reads it."""
        return self.pin.removeprefix("sha256:")[:12]

    @property
    def folder(self) -> str:
        """What its files' folder is called. One commit can be here twice, with another folder of it each time."""
        part = f"-{sha256(self.path.encode()).hexdigest()[:8]}" if self.path else ""
        return f"{self.name}@{self.short}{part}"


@dataclass(frozen=True, slots=True)
class Lock:
    """What the file says; `extra` is what this version of aix does not know."""

    collections: tuple[Collection, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def find(self, name: str) -> Collection | None:
        """The collection of that name, in capitals or not: a disk may not tell them apart."""
        return next((one for one in self.collections if one.name.casefold() == name.casefold()), None)

    def with_one(self, collection: Collection) -> "Lock":
        """The same with a collection in the place of the one of its name, or behind the others."""
        if self.find(collection.name) is None:
            return replace(self, collections=(*self.collections, collection))
        same = [collection if one.name == collection.name else one for one in self.collections]
        return replace(self, collections=tuple(same))

    def without(self, name: str) -> "Lock":
        return replace(self, collections=tuple(one for one in self.collections if one.name != name))


def read_lock(path: Path) -> Lock:
    """What the lock says; nothing where there is none. Raises ConfigError."""
    try:
        return _lock(json.loads(read_regular(path, MAX_LOCK)))
    except FileNotFoundError:
        if path.is_symlink():
            raise _refused(path, "it is a link to nothing") from None
        return Lock()
    except OSError as error:
        raise _refused(path, (error.strerror or str(error)).lower()) from None
    except _NewerError as error:
        raise _refused(path, str(error), "use the aix that wrote it, or a newer one") from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused(path, _said(error)) from None


def change_lock(path: Path, change: Callable[[Lock], Lock]) -> Lock:
    """Replace the lock by what `change` makes of it, in one step for other aix processes. Raises ConfigError for one
    that cannot be read, or is a link, which is left as it is, or StorageError."""
    with files.storage(path):
        ignore_private_files(path.parent)
        with files.locked(path.parent, files.LOCK_SECONDS):
            new = change(read_lock(path))
            if path.is_symlink():
                raise _refused(path, "it is a link", f"put the file itself there: {path.resolve()}", "changed")
            files.write_shared(path, _text(new).encode(errors="backslashreplace"))  # half a character, as JSON has it
    return new


def is_collection_name(name: str) -> bool:
    """Whether a collection may be called so."""
    fits = SEGMENT.fullmatch(name) and len(name) <= MAX_NAME and not name.endswith(SUFFIX)
    return bool(fits) and name.casefold() not in RESERVED


def is_folder_path(path: str) -> bool:
    """Whether a path names a folder inside a repository: relative, without `..`."""
    return all(_PATH.fullmatch(part) and part.strip(".") for part in path.split("/"))


def _lock(data: Any) -> Lock:
    """Raises ValueError, TypeError or KeyError for what is no lock."""
    if not isinstance(data, dict):
        raise ValueError("it is not an object")
    if (version := data.get("version")) != VERSION:
        kind = _NewerError if isinstance(version, int) and version > VERSION else ValueError
        raise kind(f"its version is {version}, and this aix knows {VERSION}")
    if not isinstance(data["collections"], list):
        raise ValueError("its collections are no list")
    found = tuple(_collection(row) for row in data["collections"])
    names = [one.name.casefold() for one in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"it has two collections called {twice}")
    return Lock(found, {key: value for key, value in data.items() if key not in ("version", "collections")})


def _collection(row: Any) -> Collection:
    """A line of the lock, of which nothing is believed: parts of it become the names of files."""
    if not isinstance(row, dict):
        raise ValueError("a collection in it is not an object")
    said = {key: row.get(key, "") for key in FIELDS}
    if odd := next((key for key, value in said.items() if not isinstance(value, str)), ""):
        raise ValueError(f"the {odd} of a collection is no text")
    found = Collection(**said, extra={key: value for key, value in row.items() if key not in FIELDS})
    if not is_collection_name(found.name):
        raise ValueError(f"{found.name!r} is no name of a collection")
    if not found.source:
        raise ValueError(f"{found.name} has no source")
    if not _PIN.fullmatch(found.pin):
        raise ValueError(f"the pin of {found.name} is no commit and no digest")
    if found.path and not is_folder_path(found.path):
        raise ValueError(f"the path of {found.name} is no folder of a repository")
    return found


def _text(lock: Lock) -> str:
    rows = [{**{key: getattr(one, key) for key in FIELDS}, **one.extra} for one in lock.collections]
    return json.dumps({"version": VERSION, **lock.extra, "collections": rows}, indent=2, ensure_ascii=False) + "\n"


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, json.JSONDecodeError) and CONFLICT in error.doc:
        return "git left both sides of a merge in it"
    return "it is not whole JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)


class _NewerError(ValueError):
    """A newer aix wrote the lock."""


def _refused(path: Path, why: str, hint: str = "", how: str = "read") -> ConfigError:
    return ConfigError(f"{path} cannot be {how}: {why}; it is left as it is", hint=hint or _way_back(path))


def _way_back(path: Path) -> str:
    """How a good lock is had again. HEAD has one also in the middle of a merge."""
    if git_root(path.parent):
        command = f"git -C {shlex.quote(str(path.parent))} checkout HEAD -- {path.name}"
        return f"mend it, or take the last good one: {command}"
    return "mend it, or move it away and add the collections again"


def pin_of(contents: Mapping[str, bytes]) -> str:
    """The pin of files that no commit names: a digest over their names and what they hold."""
    whole = sha256(b"aix collection 1\n")
    for name, data in sorted(contents.items()):
        whole.update(b"%d %d\n%b\n%b\n" % (len(name.encode()), len(data), name.encode(), data))
    return f"sha256:{whole.hexdigest()}"
