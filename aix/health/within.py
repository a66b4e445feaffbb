"""What can be had in time: a library may turn out to be a whole disk, or one that does not answer."""

from collections.abc import Iterator
from typing import TypeVar

from aix.errors import DeadlineError
from aix.llm.errand import Errand

T = TypeVar("T")


def within(seconds: float, items: Iterator[T]) -> tuple[list[T], bool]:
    """What `items` gives within a time, and whether that is all of it; what it waits for then is left behind."""
    found: list[T] = []
    errand = Errand(lambda _: items, seconds, lambda: DeadlineError("the time is up"))
    try:
        found.extend(errand.items())
    except DeadlineError:
        return found, False
    return found, True
