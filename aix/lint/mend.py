"""Mending what is mechanical: a line of front matter at a time, every other byte as it was."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aix.config import files
from aix.errors import UsageError
from aix.lint.file import File
from aix.lint.rules import Change, Finding

MOST = 100
"""How many faults of one file are mended."""

Look = Callable[[bytes], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Mended:
    """What a file held, what it would hold, and the findings that this mends."""

    was: bytes
    data: bytes
    findings: tuple[Finding, ...]


def mended(data: bytes, look: Look) -> Mended:
    """The file with every change that makes it better and nothing worse."""
    was, done = data, list[Finding]()
    refused = set[tuple[Change, ...]]()
    findings = look(data)
    while len(done) < MOST:
        best = next((one for one in findings if one.changes and one.changes not in refused), None)
        if best is None:
            break
        new = changed(data, best.changes)
        after = look(new) if new != data else findings
        if _is_better(after, findings, best):
            data, findings = new, after
            done.append(best)
        else:
            refused.add(best.changes)
    return Mended(was, data, tuple(done))


def _is_better(after: Sequence[Finding], before: Sequence[Finding], mended: Finding) -> bool:
    """Whether one finding is gone and nothing else is wrong that was right. Behind a fault of the front matter there
    may be others, which could not be seen: then it is enough that this one is gone."""
    if mended.rule == "front-matter":
        return not any(one.rule == "front-matter" and one.line <= mended.line for one in after)
    old = {(one.line, one.rule, one.message) for one in before}
    new = {(one.line, one.rule, one.message) for one in after}
    return new < old


def changed(data: bytes, changes: Iterable[Change]) -> bytes:
    """The bytes with some lines of their text changed, line ends and all else as they are."""
    pieces = re.split(rb"(\r\n|\r|\n)", data)
    for change in changes:
        at = 2 * (change.line - 1)
        if at >= len(pieces) or pieces[at] != change.old.encode():
            return data
        pieces[at] = change.new.encode()
    return b"".join(pieces)


def save(file: File, mended: Mended) -> None:
    """Write it. Raises UsageError when somebody else changed the file meanwhile, TemplateError or StorageError."""
    if file.data() != mended.was:
        raise UsageError(f"{file.path} was changed by somebody else meanwhile, and is left as it is")
    files.write_shared(file.path.resolve(), mended.data)
