"""A plain folder of prompts, taken as it is at one moment."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from aix.config.reading import read_regular
from aix.errors import RefusedError
from aix.library.collections.tree import LINK, Entry, Tree, sieved, whole
from aix.library.layer import MAX_FILE

MAX_SEEN = 100_000
"""How many files and folders are looked at before it is clear that this is no folder of prompts."""

FILE, FOLDER, OTHER = "100644", "040000", ""
"""What git would call what a folder has."""

KINDS = {stat.S_IFREG: FILE, stat.S_IFLNK: LINK, stat.S_IFDIR: FOLDER}


def tree_of(root: Path) -> Tree:
    """The files of a folder; links are not followed, and what cannot be read is left out. Raises RefusedError for
    more than a folder of prompts can have, such as a whole disk."""
    entries = list(islice(_entries(root), MAX_SEEN + 1))
    if len(entries) > MAX_SEEN:
        raise RefusedError(f"{root} has more than {MAX_SEEN} files and folders", hint="--path takes one folder of it")
    taken, left_out = sieved(entry for entry in entries if entry.mode != FOLDER)
    files: dict[str, bytes] = {}
    for entry in taken:
        try:
            files[entry.shown] = read_regular(root / entry.shown, MAX_FILE)
        except OSError as error:
            left_out[entry.shown] = f"it cannot be read: {(error.strerror or str(error)).lower()}"
    return whole(files, left_out)


def _entries(root: Path) -> Iterator[Entry]:
    for folder, folders, names in os.walk(root):
        inner = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*names, *folders):
            with suppress(OSError):
                status = os.lstat(os.path.join(folder, name))
                yield Entry(os.fsencode(inner / name), KINDS.get(stat.S_IFMT(status.st_mode), OTHER), status.st_size)
