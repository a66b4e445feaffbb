"""The files of a collection before they are written: which are taken, and which are left out, and why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aix.errors import RefusedError
from aix.library.layer import MAX_FILE, MAX_NAME, MAX_SEGMENT, SUFFIX, is_file_of_a_layer

MAX_FILES, MAX_BYTES = 100_000, 256 * 1024 * 1024
LARGE_FILE = b"version https://git-lfs.github.com/spec/"
"""How a file begins in whose stead Git LFS keeps only a note."""

LINK, MODULE, FILES = "120000", "160000", ("100644", "100755", "100664")
"""What git calls a link, another repository, and files."""

MODES = {LINK: "a link", MODULE: "another repository"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a source: what it is by git's modes, how large, and which object holds it."""

    name: bytes
    mode: str
    size: int
    id: str = ""

    @property
    def shown(self) -> str:
        return self.name.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Tree:
    """The files by their names from the root of the collection, and why others are not among them, by theirs."""

    files: Mapping[str, bytes]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def reasons(self) -> Iterator[tuple[str, list[str]]]:
        """Why something is left out, each time with the names."""
        for why in dict.fromkeys(self.left_out.values()):
            yield why, [name for name in self.left_out if self.left_out[name] == why]


def sieved(entries: Iterable[Entry]) -> tuple[list[Entry], dict[str, str]]:
    """What a collection takes of all that a source has, and why not the rest. Files that no prompt could name are
    passed over: a picture, a workflow. Raises RefusedError for more than a collection may have."""
    taken: list[Entry] = []
    left_out: dict[str, str] = {}
    seen: set[str] = set()
    for entry in sorted(entries, key=lambda entry: entry.name):
        if why := _trouble(entry, seen):
            left_out[entry.shown] = why
        elif _is_wanted(entry):
            seen.add(entry.shown.casefold())
            taken.append(entry)
    total = sum(entry.size for entry in taken)
    if len(taken) > MAX_FILES or total > MAX_BYTES:
        raise RefusedError(
            f"a collection has at most {MAX_FILES} files and {MAX_BYTES // 1024**2} MiB; "
            f"this one has {len(taken)} files and {total // 1024**2} MiB",
            hint="--path takes one folder of it",
        )
    return taken, left_out


def whole(files: Mapping[str, bytes], left_out: Mapping[str, str]) -> Tree:
    """The files without the notes that Git LFS keeps in the stead of large ones."""
    notes = {name: "kept by Git LFS" for name, data in files.items() if data.startswith(LARGE_FILE)}
    return Tree({name: data for name, data in files.items() if name not in notes}, {**left_out, **notes})


def is_named(name: str) -> bool:
    """Whether a layer could name a file."""
    parts = name.removesuffix(SUFFIX).split("/")
    return is_file_of_a_layer(name) and len(name) <= MAX_NAME and all(len(part) <= MAX_SEGMENT for part in parts)


def _is_wanted(entry: Entry) -> bool:
    return entry.mode in FILES and is_named(entry.shown)


def _trouble(entry: Entry, seen: set[str]) -> str:
    """Why something is left out that somebody may miss; empty for a sound file, and for one that nobody would."""
    if entry.mode not in FILES:
        return MODES.get(entry.mode, "no file")
    if not entry.name.endswith(SUFFIX.encode()) or _is_hidden(entry.name):
        return ""
    if not is_named(entry.shown):
        return "a name that no prompt can have"
    if entry.size > MAX_FILE:
        return f"larger than {MAX_FILE // 1024**2} MiB"
    return "another differs from it by capitals alone" if entry.shown.casefold() in seen else ""


def _is_hidden(name: bytes) -> bool:
    """Whether a path is in a folder such as `.github`; one that begins with two dots is no such thing."""
    return any(part.startswith(b".") and not part.startswith(b"..") for part in name.split(b"/"))
