"""What a person has to see before they trust a content: its commands, and what changed since it was trusted last.

Nothing in it is invisible: what is no letter that a screen shows is written as `\\u200b`.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from aix.library.trust.commands import Command, legible

MAX_LINES = 40
"""How many lines of a difference are shown."""
MAX_COMPARED = 5_000
"""How many lines a file may have to be compared: the time that it takes grows with their square."""
MAX_WIDTH = 200
NEW, GONE = "new", "gone"


def commands(now: Sequence[Command], was: Sequence[str] | None = None) -> Iterator[str]:
    """The commands, all of them, a line each, with the place of each; beside those that were trusted, if any were, the
    new ones first and marked, and those that are gone last."""
    known = set(was or ())
    ordered = sorted(now, key=lambda command: command.whole in known)
    width = max((len(command.place) for command in now), default=0)
    for command in ordered:
        mark = "" if was is None else f"{'' if command.whole in known else NEW:<5}"
        yield from _indented(f"{mark}{command.place:<{width}}  ", command.whole)
    left = {command.whole for command in now}
    for text in dict.fromkeys(text for text in was or () if text not in left):
        yield from _indented(f"{GONE:<{7 + width}}", text)


def _indented(start: str, text: str) -> Iterator[str]:
    """A text after its start; what goes on in another line is marked, so that it cannot look like one of ours."""
    first, *more = map(legible, text.split("\n"))
    yield f"{start}{first}"
    yield from (f"{' ' * (len(start) - 2)}| {line}" for line in more)


def difference(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """The lines that changed in each file, at most as many as a person reads."""
    lines = list(_differences(_renamed(was, now), now))
    yield from (legible(line if len(line) <= MAX_WIDTH else line[:MAX_WIDTH] + "…") for line in lines[:MAX_LINES])
    if len(lines) > MAX_LINES:
        yield f"… and {len(lines) - MAX_LINES} more lines"


def _renamed(was: Mapping[str, str], now: Mapping[str, str]) -> Mapping[str, str]:
    """The files as they were, the prompt's own under the name that it has now."""
    own, *others = was
    return {next(iter(now)): was[own], **{name: was[name] for name in others}}


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*now, *was)):
        if was.get(name) == now.get(name):
            continue
        what = "" if name in was and name in now else " is new" if name in now else " is gone"
        yield f"{name}{what}:"
        yield from _unified(was.get(name, "").splitlines(), now.get(name, "").splitlines())


def _unified(was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    if len(was) + len(now) > MAX_COMPARED:
        yield "  (too long to be compared here)"
        return
    lines = difflib.unified_diff(was, now, n=2, lineterm="")
    yield from (f"  {line}" for number, line in enumerate(lines) if number > 1)
