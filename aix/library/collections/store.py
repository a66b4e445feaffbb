"""The files of collections on this machine: a folder for each pin, written beside its place and then renamed."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from aix.config import files
from aix.config.reading import read_regular
from aix.errors import ConfigError
from aix.library.collections.lock import Collection, Lock, pin_of, read_lock
from aix.library.collections.tree import Tree
from aix.library.layer import SUFFIX

MANIFEST = ".aix-collection.json"
"""What a folder says of itself, in a file whose name no file of a collection can have."""
MAX_MANIFEST = 64 * 1024 * 1024
REPOSITORIES, LIBRARIES, NOTE = "repositories", "libraries", ".path"
TEMPORARY = ".aix-{}.tmp"
PATIENCE = 600.0
"""How long one command waits for another that fetches."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of files is: which pin of which source, what was left out of it, and a digest over what was not."""

    pin: str
    source: str
    path: str
    left_out: Mapping[str, str]
    digest: str


class Store:
    """All that is kept of collections in `data`, for each library whose `lock` names some of it."""

    def __init__(self, data: Path, lock: Path) -> None:
        self.data = data
        self._lock = lock

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes what is here for that long. What killed commands left is gone first."""
        with files.storage(self.data):
            files.make_private_directory(self.data)
            with files.locked(self.data, PATIENCE):
                self._register()
                self.sweep()
                yield

    def root(self, collection: Collection) -> Path:
        return self.data / collection.folder

    def repository(self, source: str) -> Path:
        """Where the objects of a URL are, or will be."""
        return repository_in(self.data, source)

    def write(self, collection: Collection, tree: Tree) -> None:
        """Make the folder of a collection, which is whole as soon as it is there. Raises StorageError."""
        root = self.root(collection)
        if self.is_whole(collection):
            return
        beside = self._temporary()
        with files.storage(root):
            try:
                _write(beside, collection, tree)
                if os.path.lexists(root):
                    root.rename(self._temporary())
                beside.rename(root)
            finally:
                _remove(beside)

    def manifest(self, collection: Collection) -> Manifest | None:
        """What the folder of a collection says of itself; None for one that is not there, or is another's."""
        found = manifest_in(self.root(collection))
        return found if found and found.pin == collection.pin else None

    def files(self, collection: Collection) -> dict[str, bytes]:
        """The files of a collection as they are in its folder."""
        return files_in(self.root(collection))

    def is_whole(self, collection: Collection) -> bool:
        """Whether a collection is here, and nobody has changed its files."""
        manifest = self.manifest(collection)
        return manifest is not None and pin_of(self.files(collection)) == manifest.digest

    def sweep(self) -> None:
        """Remove what no library's lock names. Where a lock cannot be read, nothing can be said of the rest."""
        for left in self.data.glob(TEMPORARY.format("*")):
            _remove(left)
        try:
            locks = [
                read_lock(Path(os.fsdecode(note.read_bytes()))) for note in (self.data / LIBRARIES).glob(f"*{NOTE}")
            ]
        except (ConfigError, OSError):
            return
        for left in self._folders() - {self.data / name for lock in locks for name in _kept(self.data, lock)}:
            _remove(left)

    def _temporary(self) -> Path:
        return self.data / TEMPORARY.format(secrets.token_hex(8))

    def _register(self) -> None:
        """Note which library's lock keeps what is here."""
        note = self.data / LIBRARIES / f"{sha256(os.fsencode(self._lock)).hexdigest()[:16]}{NOTE}"
        if not note.exists():
            files.write_private(note, lambda _: os.fsencode(self._lock))

    def _folders(self) -> set[Path]:
        return {*self.data.glob("*@*"), *(self.data / REPOSITORIES).glob("*.git")}


def repository_in(data: Path, source: str) -> Path:
    return data / REPOSITORIES / f"{sha256(source.encode()).hexdigest()[:16]}.git"


def manifest_in(root: Path) -> Manifest | None:
    """What a folder of files says of itself."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said: dict[str, Any] = json.loads(read_regular(root / MANIFEST, MAX_MANIFEST))
        left_out = {str(name): str(why) for name, why in said["left_out"].items()}
        return Manifest(said["pin"], said["source"], said["path"], left_out, said["digest"])
    return None


def files_in(root: Path) -> dict[str, bytes]:
    found = {}
    for folder, _, names in os.walk(root):
        inner = Path(folder).relative_to(root)
        for name in names:
            if name.endswith(SUFFIX):
                found[(inner / name).as_posix()] = (Path(folder) / name).read_bytes()
    return found


def _kept(data: Path, lock: Lock) -> Iterator[str]:
    """What a lock keeps here."""
    for collection in lock.collections:
        yield collection.folder
        yield repository_in(data, collection.source).relative_to(data).as_posix()


def _write(root: Path, collection: Collection, tree: Tree) -> None:
    """Write all of a folder, and see it to the disk. The names of its files are sound by now."""
    root.mkdir(mode=files.PRIVATE_DIRECTORY)
    for folder in sorted({name.rpartition("/")[0] for name in tree.files} - {""}):
        (root / folder).mkdir(mode=files.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    for name, data in tree.files.items():
        _create(root / name, data)
    said = Manifest(collection.pin, collection.source, collection.path, tree.left_out, pin_of(tree.files))
    _create(root / MANIFEST, json.dumps(asdict(said), indent=1).encode() + b"\n")
    if hasattr(os, "sync"):
        os.sync()  # one for all: with thousands of files, one for each would take minutes


def _create(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE)
    with open(descriptor, "wb") as file:
        file.write(data)


def _remove(path: Path) -> None:
    """A link goes, and not what it leads to."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
