"""What a check finds: a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aix.errors import AixError

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


def fault(error: AixError, **facts: Any) -> Finding:
    """An error as a finding."""
    said = f"{error.message} ({error.cause})" if error.cause else error.message
    return Finding("error", said, error.hint, error.exit_code, facts)
