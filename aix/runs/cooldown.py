"""Who failed a moment ago, and is better left alone for a while: a small file that all aix processes share.

All that hangs on it is who is asked first where several may be asked. So it never costs a run: what cannot be read,
written or true counts as nothing.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from aix.config.files import write_private
from aix.errors import AixError, StorageError
from aix.llm.clock import Clock
from aix.llm.routing import Target
from aix.runs.failover import triggers

FIRST_REST, LONGEST_REST, LONGEST_ASKED = 30.0, 900.0, 3600.0
"""How many seconds one rests who failed once; at most, however often; at most where the provider says for how long."""

FORGOTTEN = 3600.0
MAX_FAILURES = 100
MAX_BYTES = 256 * 1024
LONGEST_WORDS = 40
PATIENCE = 1.0
"""How many seconds to wait for others who write."""

OF_PROVIDER = frozenset({"408", "5xx", "connect", "timeout", "unanswered"})
OF_MODEL = frozenset({"429"})
"""The triggers after which all of a provider rests, or one of its models. A key that was turned down is no reason: that
is known at once, and may be mended by the next run."""

SAID: Mapping[str, str] = {
    "connect": "a failed connection",
    "timeout": "a time-out",
    "unanswered": "an unusable answer",
}


@dataclass(frozen=True, slots=True)
class Failed:
    """How often one failed in a row, when last, and until when it rests (seconds since the epoch); `after` says what
    happened."""

    failures: int
    last: float
    until: float
    after: str


Entries = Mapping[str, Failed]
"""By `provider`, or `provider:model`."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Who rests, for how many seconds from now, and after what."""

    name: str
    seconds: int
    after: str

    def __str__(self) -> str:
        return f"{self.name} rests for {self.seconds} s more after {self.after}"


class Cooldown:
    """The file, as it is now. Failures of runs side by side, none of which could know of the others, count as one."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._known: Entries = {}

    def find(self, target: Target) -> Rest | None:
        """The rest of a target, where it rests: that of its provider, or of this one model."""
        now = self._clock.now()
        self._known = self._read()
        mine = {name: self._known[name] for name in _names(target) if name in self._known}
        rests = [Rest(name, ceil(one.until - now), one.after) for name, one in mine.items() if one.until > now]
        return max(rests, key=lambda rest: rest.seconds, default=None)

    def failed(self, target: Target, error: AixError) -> None:
        """Note a failure, if it is one after which to leave somebody alone."""
        met = triggers(error)
        name = _whom(target, met)
        if not name:
            return
        known, now = self._known.get(name), self._clock.now()
        seen = known.failures if known and now < known.last + FORGOTTEN else 0
        after = next((SAID[one] for one in met if one in SAID), f"HTTP {error.status}")

        def again(entries: Entries) -> Entries:
            old = entries.get(name)
            failures = min(MAX_FAILURES, max(seen + 1, old.failures if old else 0))
            until = max(now + _seconds(failures, error.wait), old.until if old else 0.0)
            return {**entries, name: Failed(failures, now, until, after)}

        self._change(again)

    def answered(self, target: Target) -> None:
        """Forget the failures of one who has answered."""
        names = _names(target)
        if self._read().keys() & names:
            self._change(lambda entries: {name: one for name, one in entries.items() if name not in names})

    def _read(self) -> Entries:
        with suppress(OSError):
            if self._path.is_file():
                with self._path.open("rb") as file:
                    return _decoded(file.read(MAX_BYTES + 1), self._clock.now())
        return {}

    def _change(self, change: Callable[[Entries], Entries]) -> None:
        def changed(old: bytes | None) -> bytes:
            self._known = change(_decoded(old or b"", self._clock.now()))
            return json.dumps({name: asdict(one) for name, one in self._known.items()}, indent=1).encode()

        with suppress(StorageError):
            write_private(self._path, changed, patience=PATIENCE)


def _names(target: Target) -> set[str]:
    return {target.provider.name, target.name}


def _whom(target: Target, met: frozenset[str]) -> str:
    """Who is to rest after these triggers; empty for nobody."""
    if met & OF_PROVIDER:
        return target.provider.name
    return target.name if met & OF_MODEL else ""


def _seconds(failures: int, asked: float | None) -> float:
    """For how long one rests who failed so often."""
    if asked is not None and asked > 0:
        return min(asked, LONGEST_ASKED)
    return min(LONGEST_REST, FIRST_REST * 2.0 ** (failures - 1))


def _decoded(data: bytes, now: float) -> dict[str, Failed]:
    """The entries that can be true now; whatever else stands there is passed over."""
    try:
        rows = json.loads(data) if len(data) <= MAX_BYTES else {}
    except (ValueError, RecursionError):
        return {}
    found = {name: _entry(row, now) for name, row in rows.items()} if isinstance(rows, dict) else {}
    return {name: one for name, one in found.items() if one}


def _entry(row: Any, now: float) -> Failed | None:
    if not isinstance(row, dict) or not row.keys() >= set(Failed.__dataclass_fields__):
        return None
    failures, last, until, after = (row[name] for name in Failed.__dataclass_fields__)
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (failures, last, until))
    if not numbers or not isinstance(after, str):
        return None
    counted = isinstance(failures, int) and 1 <= failures <= MAX_FAILURES
    timely = last <= now < last + FORGOTTEN and last <= until <= last + LONGEST_ASKED  # and not after a clock change
    worded = after.isprintable() and len(after) <= LONGEST_WORDS
    return Failed(failures, last, until, after) if counted and timely and worded else None
