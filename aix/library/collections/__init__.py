"""Shared folders of prompts: which there are, and where each is kept. `aix run` reads this much of it and no more."""

from collections.abc import Callable
from pathlib import Path

from aix.library.collections.lock import read_lock
from aix.library.layer import Layer


def layers(lock: Path, data: Path, warn: Callable[[str], None]) -> list[Layer]:
    """The collections that the lock names, in their order; `warn` is told of one that is not on this machine. Raises
    ConfigError."""
    found = []
    for collection in read_lock(lock).collections:
        if (root := data / collection.folder).is_dir():
            found.append(Layer(collection.name, root))
        else:
            warn(f"the collection {collection.name} is not on this machine: aix collection update {collection.name}")
    return found
