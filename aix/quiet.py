"""Python's warnings, which belong to the whole program: kept quiet for a moment, by one thread at a time."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

ALONE = RLock()
"""Held by whoever does what no other thread of aix may do meanwhile."""

if hasattr(os, "register_at_fork"):  # a program's own child must not wait for a thread that it does not have
    os.register_at_fork(before=ALONE.acquire, after_in_parent=ALONE.release, after_in_child=ALONE.release)


@contextmanager
def quietly(category: type[Warning] = Warning) -> Iterator[None]:
    """Show no warning of a category. Two threads that did so at once would leave the other's filters behind."""
    with ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
