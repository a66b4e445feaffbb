"""What a check finds: a value."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aix.errors import AixError, StorageError

MOVE = "set AIX_HOME to the directory of your prompts"

MAX_PLACE = 100
"""How much of a path is shown."""

Level = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing, and what to type where it is not as it should be.

    `status` is the exit status that a command which met an error would have; `facts` are for a program to read.
    """

    level: Level
    message: str
    hint: str = ""
    status: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    group: str = ""


def ok(message: str, **facts: Any) -> Finding:
    return Finding("ok", message, facts=facts)


def skipped(message: str, hint: str = "") -> Finding:
    return Finding("skipped", message, hint)


def warning(message: str, hint: str, **facts: Any) -> Finding:
    return Finding("warning", message, hint, facts=facts)


def unreadable(error: OSError) -> StorageError:
    """One sentence for what the system refuses, however long the name of the place is."""
    place, said = str(error.filename or "a file"), error.strerror or str(error)
    shown = place if len(place) <= MAX_PLACE else f"{place[:MAX_PLACE]}…"
    hint = MOVE if shown != place else f"ls -ld {shlex.quote(place)}"
    return StorageError(f"cannot look at {shown}: {said.lower()}", hint=hint)


def fault(error: AixError, **facts: Any) -> Finding:
    """An error as a finding."""
    said = f"{error.message} ({error.cause})" if error.cause else error.message
    return Finding("error", said, error.hint, error.exit_code, facts)
