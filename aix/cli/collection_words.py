"""How a collection is told of: in one line what it is, in others what was left out of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aix.library.collections.lock import Collection
    from aix.library.collections.shelf import Taken

MANY = 3
"""Of more names than this, only the first are told."""


def told(taken: "Taken") -> str:
    """`team at 1a2b3c4d5e6f (main): 12 prompts, 2 of which run commands`."""
    one, running = taken.collection, len(taken.commands)
    said = f"{running} of which run{'s' if running == 1 else ''} commands" if running else "none of which runs commands"
    said = f", {said}" if taken.prompts else ""
    rev = f" ({one.rev})" if one.rev else ""
    return f"{one.name} at {one.short}{rev}: {counted(len(taken.prompts), 'prompt')}{said}"


def untrusted_line(taken: "Taken") -> str:
    """What is to be done before a new collection's commands run."""
    return f"its commands run only once you trust them: aix show {taken.collection.name}:{next(iter(taken.commands))}"


def left_out_lines(taken: "Taken") -> Iterator[str]:
    """What was left out, a line for each reason."""
    for why, names in taken.tree.reasons():
        more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
        yield f"left out: {', '.join(names[:MANY])}{more} ({why})"


def counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def shown_rev(collection: "Collection") -> str:
    """What is followed."""
    return collection.rev or {"git": "default branch"}.get(collection.kind, collection.kind)
