"""The run log: an SQLite file that only its owner can read. A run that was acknowledged is never lost from it."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from aix.errors import NotFoundError
from aix.llm.exchange import Attempt
from aix.runs.logfile import Identity, empty, identity, opened, patiently, set_aside
from aix.runs.logged import Choice, Columns, Logged, Said

SOME = 50
"""Of how many runs a writer drops the texts besides."""

PAGES = 64
"""How much of the index of words is tidied with that."""

ATTEMPT = tuple(field.name for field in fields(Attempt))
PART = tuple(field.name for field in fields(Said))
SELECT = f"SELECT {', '.join(field.name for field in fields(Logged))} FROM runs"  # noqa: S608 - our names
BY_WORDS = (
    "SELECT parts.run, snippet(words, 0, '', '', '…', 16) FROM words JOIN parts ON parts.id = words.rowid"
    " WHERE words MATCH ? ORDER BY words.rowid DESC"
)
BY_LETTERS = (
    "SELECT run, substr(text, max(1, instr(text, ?) - 30), 100) FROM parts WHERE instr(text, ?) > 0 ORDER BY id DESC"
)
CONDITIONS = {
    "prompt": "prompt = :prompt",
    "provider": "provider = :provider",
    "model": "model = :model",
    "since": "started >= :since",
    "until": "started < :until",
}

Check = Callable[[sqlite3.Connection], None]
"""Looks at what the log has before a run is added to it, and raises where the run must not be."""

Details = tuple[Logged, Sequence[Attempt], Sequence[Said]]
"""A run, what was sent for it, and what was said."""


def _whatever(_: sqlite3.Connection) -> None:
    pass


class RunLog:
    """The log in a file, which is made when something is first written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._used: Identity | None = None

    def begin(self, columns: Columns, check: Check = _whatever, texts_since: int = 0) -> int:
        """Add a run that is about to be sent; its number. `check` and the adding are one step for all processes. Of
        what was said in runs that began before `texts_since`, a part is dropped with it."""
        with self._writing() as base:
            check(base)
            _drop_texts(base, texts_since, SOME)
            return _added(base, columns)

    def change(self, number: int, columns: Columns, check: Check = _whatever) -> None:
        """Change some columns of a run."""
        with self._writing() as base:
            check(base)
            _changed(base, number, columns)

    def end(
        self,
        number: int,
        columns: Columns,
        attempts: Sequence[Attempt] = (),
        said: Sequence[Said] = (),
        row: Columns | None = None,
    ) -> int:
        """Write down what came of a run, all of it or nothing; its number. Where it is not to be found any more, it is
        added anew, with `row` for what `columns` do not say."""
        with self._writing() as base:
            if not _changed(base, number, columns) and row is not None:
                number = _added(base, {**row, **columns})
            rows = [(number, place, *_values(attempt)) for place, attempt in enumerate(attempts, 1)]
            base.executemany(_insert("attempts", ("run", "number", *ATTEMPT)), rows)
            base.executemany(_insert("parts", ("run", *PART)), [(number, *_values(part)) for part in said])
            return number

    def forget(self, number: int, started: int) -> None:
        """Take back that a run was begun: nothing was sent."""
        with self._writing() as base:
            base.execute("DELETE FROM runs WHERE id = ? AND started = ?", (number, started))

    def set_aside(self) -> Path | None:
        """Give the file that could not be used another name; None where somebody else did, or there is none. Raises
        StorageError."""
        return set_aside(self.path, self._used)

    def list(self, choice: Choice) -> list[Logged]:
        """The runs that are meant, newest first."""
        where, values = _condition(choice)
        limit = -1 if choice.limit is None else choice.limit
        with self.reading() as base:
            rows = base.execute(
                f"{SELECT}{where} ORDER BY started DESC, id DESC LIMIT :limit", {**values, "limit": limit}
            )
            return [Logged(**row) for row in rows]

    def get(self, number: int | None) -> Logged:
        """A run; None is the last one. Raises NotFoundError."""
        with self.reading() as base:
            last = "id = :number" if number is not None else "id = (SELECT max(id) FROM runs)"
            row = base.execute(f"{SELECT} WHERE {last}", {"number": number}).fetchone()
        if row:
            return Logged(**row)
        if number is None:
            raise NotFoundError("no run is in the log yet", hint="aix run NAME -x", reason="run")
        raise NotFoundError(f"there is no run {number} in the log", hint="aix log list", reason="run")

    def said(self, number: int) -> "Sequence[Said]":
        """The messages of a run and its answer, part by part; nothing where no texts are kept."""
        with self.reading() as base:
            return _said(base, number)

    def attempts(self, number: int) -> "Sequence[Attempt]":
        """What was sent for a run, in order."""
        with self.reading() as base:
            return _attempts(base, number)

    def details(self, runs: Iterable[Logged]) -> "Sequence[Details]":
        """Some runs, each with its attempts and what was said: read at once, as nobody can write meanwhile."""
        with self.reading() as base:
            return [(run, _attempts(base, run.id), _said(base, run.id)) for run in runs]

    def search(self, text: str, limit: int) -> "Sequence[tuple[Logged, str]]":
        """The runs in which all these words were said in one message or answer, newest first, each with the place."""
        found = dict[int, str]()
        query, value = _query(text)
        with self.reading() as base:
            for run, place in base.execute(query, value) if value else ():
                found.setdefault(run, " ".join(place.split()))
                if len(found) >= limit:
                    break
            marks = ", ".join("?" * len(found))
            rows = base.execute(f"{SELECT} WHERE id IN ({marks})", list(found))
            runs = {row["id"]: Logged(**row) for row in rows}
        return [(runs[run], place) for run, place in found.items()]

    def prune(self, before: int, *, whole: bool) -> int:
        """Drop the texts of the runs before a time, or all that is known of them; how many runs that meets."""
        if not self.path.exists():
            return 0
        with self._writing() as base:
            met = _drop_texts(base, before, -1)
            if whole:
                base.execute("DELETE FROM attempts WHERE run IN (SELECT id FROM runs WHERE started < ?)", (before,))
                met = base.execute("DELETE FROM runs WHERE started < ?", (before,)).rowcount
            base.execute("INSERT INTO words (words) VALUES ('optimize')")  # the words of what is gone go only with this
        with opened(self.path) as base, suppress(sqlite3.OperationalError):  # without the room for it, all is as well
            base.execute("VACUUM")
        return met

    def rename(self, old: str, new: str, layer: str) -> int:
        """Give the runs of a prompt its new name; how many there are."""
        if not self.path.exists():
            return 0
        with self._writing() as base:
            return base.execute("UPDATE runs SET prompt = ? WHERE prompt = ? AND layer = ?", (new, old, layer)).rowcount

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for questions, all of the same moment; to empty tables where nothing was logged. Raises
        StorageError."""
        if not os.path.lexists(self.path):
            with empty() as base:
                yield base
            return
        with opened(self.path) as base:
            base.execute("BEGIN")
            patiently(lambda: base.execute("SELECT 1 FROM runs LIMIT 1"))
            yield base

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection for one change, which is there for all when the block ends well, and never where it does not."""
        self._used = identity(self.path)
        with opened(self.path) as base:
            self._used = identity(self.path)
            patiently(lambda: base.execute("BEGIN IMMEDIATE"))
            yield base
            patiently(base.commit)


def _said(base: sqlite3.Connection, number: int) -> Sequence[Said]:
    rows = base.execute(f"SELECT {', '.join(PART)} FROM parts WHERE run = ? ORDER BY id", (number,))  # noqa: S608 - our names
    return [Said(**row) for row in rows]


def _attempts(base: sqlite3.Connection, number: int) -> Sequence[Attempt]:
    rows = base.execute(f"SELECT {', '.join(ATTEMPT)} FROM attempts WHERE run = ? ORDER BY number", (number,))  # noqa: S608 - our names
    return [Attempt(**{**row, "sent": bool(row["sent"])}) for row in rows]


def _added(base: sqlite3.Connection, columns: Columns) -> int:
    return int(base.execute(_insert("runs", columns), tuple(columns.values())).lastrowid or 0)


def _changed(base: sqlite3.Connection, number: int, columns: Columns) -> int:
    """Change a run; 0 where there is none of this number, or it began at another time: it is another run."""
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    same = " AND started = :started" if "started" in columns else ""
    change = f"UPDATE runs SET {changes} WHERE id = :id{same}"  # noqa: S608 - our names
    return base.execute(change, {**columns, "id": number}).rowcount


def _insert(table: str, columns: Iterable[str]) -> str:
    names = tuple(columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names


def _values(value: Attempt | Said) -> Sequence[Any]:
    return [getattr(value, field.name) for field in fields(value)]


def _condition(choice: Choice) -> tuple[str, dict[str, Any]]:
    """The WHERE of a choice, with its values."""
    failed = {None: "", True: "error IS NOT NULL", False: "error IS NULL"}[choice.failed]
    given = {name: getattr(choice, name) for name in CONDITIONS if getattr(choice, name) not in ("", None)}
    every = [*(CONDITIONS[name] for name in given), *filter(None, [failed])]
    return (f" WHERE {' AND '.join(every)}" if every else ""), given


def _query(text: str) -> tuple[str, tuple[str, ...]]:
    """How to look for what a person types: by words, or letter by letter for a script that does not part them."""
    asked = text.replace("\0", " ").split()
    if not asked:
        return "", ()
    if all(any(map(str.isalnum, word)) for word in asked) and not any(letter > "\u2e80" for letter in text):
        return BY_WORDS, (" ".join(map(_quoted, asked)),)
    return BY_LETTERS, (text.strip(),) * 2


def _quoted(word: str) -> str:
    """A word that has no other meaning, and means all words that begin like it; `c++` is over."""
    return f'"{word.replace(chr(34), chr(34) * 2)}"{"*" if word[-1].isalnum() else ""}'


def _drop_texts(base: sqlite3.Connection, before: int, most: int) -> int:
    """Drop the texts of at most so many runs before a time; of how many."""
    rows = base.execute("SELECT id FROM runs WHERE started < ? AND arguments IS NOT NULL LIMIT ?", (before, most))
    old = [(row["id"],) for row in rows]
    base.executemany("DELETE FROM parts WHERE run = ?", old)
    base.executemany("UPDATE runs SET arguments = NULL, options = NULL, message = NULL WHERE id = ?", old)
    if old:
        base.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (PAGES,))
    return len(old)
