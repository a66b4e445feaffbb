"""The file of the run log: nobody else reads it, it is waited for, and set aside where it is none."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TypeVar

from aix.config.files import PRIVATE_FILE, locked, make_private_directory, storage, user_id
from aix.errors import StorageError
from aix.runs.migrations import ForeignError, migrate

LOCK_SECONDS = 10.0
STEP_SECONDS = 0.2  # a signal is seen between two tries
JOURNAL = "-journal"

BUSY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})
BROKEN = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT"})
SAID: Mapping[str, tuple[str, str]] = {
    "SQLITE_BUSY": ("is held by another process", "wait for it, or end it: fuser {path}"),
    "SQLITE_FULL": ("finds no space left on the disk", "free some disk space"),
    "SQLITE_READONLY": ("cannot be written", "check whose it is: ls -l {path}"),
    "SQLITE_CANTOPEN": ("is in a directory that cannot be written", "check whose it is: ls -ld {folder}"),
    "SQLITE_IOERR": ("cannot be written: the disk refuses, or is full", "check the disk: df {folder}"),
    "SQLITE_CORRUPT": ("is damaged", "to begin a new one: mv {path} {path}.broken"),
    "SQLITE_NOTADB": ("is another kind of file", "to begin a new one: mv {path} {path}.broken"),
}
"""What the errors of SQLite mean, and what to do then."""

DAMAGED = "damaged"
"""The reason of the error for a file that is not, or no longer, a run log."""

Result = TypeVar("Result")
Identity = tuple[int, int]


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file, which is made where there is none. Raises StorageError; what was begun and not
    committed is then undone."""
    _make_private(path)
    with explained(path):
        base = sqlite3.connect(path, timeout=STEP_SECONDS, isolation_level=None)
        try:
            patiently(lambda: _prepare(base))
            base.row_factory = sqlite3.Row
            yield base
        finally:
            base.close()


def _prepare(base: sqlite3.Connection) -> None:
    base.execute("PRAGMA synchronous = EXTRA")  # which reads the file, so another process can be in its way
    base.execute("PRAGMA secure_delete = ON")  # what is dropped is gone
    migrate(base)


@contextmanager
def empty() -> Iterator[sqlite3.Connection]:
    """A connection to tables that stand in no file, and hold nothing."""
    base = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(base)
        base.row_factory = sqlite3.Row
        yield base
    finally:
        base.close()


def patiently(action: Callable[[], Result]) -> Result:
    """What an action gives, which is tried again as long as another process is in its way."""
    ends = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if _kind(error) not in BUSY or time.monotonic() > ends:
                raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into a StorageError; its reason is DAMAGED where the file is no run log (any more)."""
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        kind = "SQLITE_NOTADB" if isinstance(error, ForeignError) else _kind(error)
        kind = "SQLITE_CANTOPEN" if getattr(error, "sqlite_errorname", "") == "SQLITE_READONLY_DIRECTORY" else kind
        said, hint = SAID.get(kind, (f"cannot be used: {error}", ""))
        places = {"path": quote(str(path)), "folder": quote(str(path.parent))}
        reason = DAMAGED if kind in BROKEN else ""
        raise StorageError(f"the run log {path} {said}", hint=hint.format(**places), reason=reason) from error


def identity(path: Path) -> Identity | None:
    """Which file stands there, whatever it is called; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: Path, which: Identity | None) -> Path | None:
    """Give the file another name, and its journal with it; None where another process was faster. Raises
    StorageError."""
    with storage(path), locked(path.parent, LOCK_SECONDS):
        if which is None or identity(path) != which:
            return None
        place = _free_name(path)
        journal = path.with_name(path.name + JOURNAL)
        if journal.exists():  # first, as a new file must never be taken for the one that it belongs to
            journal.rename(place.with_name(place.name + JOURNAL))
        path.rename(place)
        return place


def _free_name(path: Path) -> Path:
    name = f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (path.with_name(f"{name}{f'-{number}' if number else ''}") for number in range(1000))
    return next(place for place in names if not os.path.lexists(place))


def _make_private(path: Path) -> None:
    """Make the file where there is none. It is a regular file of ours that nobody else can read, whatever the umask."""
    with storage(path):
        make_private_directory(path.parent)
        try:
            found = path.lstat()
        except FileNotFoundError:
            found = _made(path)
        if not stat.S_ISREG(found.st_mode):
            hint = f"mv {quote(str(path))} {quote(str(path))}.old"
            raise StorageError(f"the run log {path} is a {_what(found.st_mode)}, not a file", hint=hint)
        if user_id() not in (None, 0, found.st_uid):
            raise StorageError(f"the run log {path} belongs to another user", hint=f"ls -l {quote(str(path))}")
        if found.st_mode & 0o777 & ~PRIVATE_FILE:
            path.chmod(found.st_mode & PRIVATE_FILE)


def _made(path: Path) -> os.stat_result:
    """A new file. Only then is it opened besides SQLite: closing it would take away the locks that SQLite has of it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        if os.fstat(descriptor).st_mode & 0o777 != PRIVATE_FILE:
            path.chmod(PRIVATE_FILE)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


KINDS: Mapping[int, str] = {stat.S_IFLNK: "link", stat.S_IFDIR: "directory", stat.S_IFIFO: "pipe"}


def _what(mode: int) -> str:
    return KINDS.get(stat.S_IFMT(mode), "device")


def _kind(error: Exception) -> str:
    """SQLite's name for an error, without its details."""
    return "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
