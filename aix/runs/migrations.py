"""Brings the tables of the run log to their newest shape, step by step, each of them whole or not at all."""

import sqlite3
from functools import cache
from pathlib import Path

from aix.errors import StorageError

FOLDER = Path(__file__).parent.parent / "data" / "migrations"

OURS = 0x61697872
"""What stands in the file to say that it is a run log."""


class ForeignError(sqlite3.DatabaseError):
    """The file is a database of somebody else."""


@cache
def steps() -> tuple[str, ...]:
    """The SQL of each step; the version of a file is how many it has behind it."""
    return tuple(path.read_text() for path in sorted(FOLDER.glob("*.sql")))


def migrate(base: sqlite3.Connection, newest: tuple[str, ...] | None = None) -> None:
    """Take the steps that are missing. Raises StorageError for a file of a newer aix, ForeignError for one of
    somebody else."""
    every = steps() if newest is None else newest
    base.execute("BEGIN")  # so that all that is asked is of the same moment
    try:
        version = _version(base)
    finally:
        base.rollback()
    if version > len(every):
        raise StorageError("the run log is of a newer aix", hint="update aix")
    for number in range(version, len(every)):
        _take(base, number, every[number])


def _take(base: sqlite3.Connection, number: int, step: str) -> None:
    base.execute("BEGIN IMMEDIATE")
    try:
        if _version(base) == number:  # another process may have been faster
            for statement in _statements(step):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {number + 1}")
            base.execute(f"PRAGMA application_id = {OURS}")
        base.commit()
    except BaseException:
        base.rollback()
        raise


def _version(base: sqlite3.Connection) -> int:
    """How many steps a file has behind it. Raises ForeignError where it is not ours."""
    version, kind = (int(base.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("user_version", "application_id"))
    new = not (version or kind or base.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone())
    if not new and kind != OURS:
        raise ForeignError
    return version


def _statements(script: str) -> list[str]:
    """The statements of a script; one ends where SQLite says that it is whole."""
    found, so_far = [], ""
    for line in script.splitlines(keepends=True):
        so_far += line
        if sqlite3.complete_statement(so_far):
            found.append(so_far)
            so_far = ""
    return found
