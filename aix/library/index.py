"""What a list says of each prompt, kept between runs, so that a prompt is read again only when its file has changed.

The index is a help and never believed blindly: which prompts there are, and when each was changed, is asked of the
folder every time. It can be deleted at any time, and what cannot be written or read costs nothing but time.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aix
from aix.config import files
from aix.config.reading import read_own
from aix.errors import StorageError, TemplateError
from aix.library import document
from aix.library.layer import Layer, read_bytes
from aix.library.prompt import Prompt

FORMAT = 2
MAX_INDEX = 64 * 1024 * 1024
MAX_SAID = 4096
"""Of how many letters a prompt's facts may be for the index to keep them."""

RACY = 2 * 10**9
"""A file that was changed less than so many nanoseconds before it was read may have been changed again since without
another time."""

STALE = 90 * 24 * 3600
"""The index of a folder that has not changed for so many seconds goes: the folder may have gone too."""

LEAST = 50
"""A folder of fewer prompts is read in no time, and has no index."""

SILENT = 1.0
"""How long files are read before that is said."""

Stamp = list[int]
"""When a file was changed in its text and otherwise, its size and its number; nothing for what is no regular file."""

Row = list[Any]
"""A file's stamp, then what an Entry has after its layer."""


class Entry(NamedTuple):
    """What a list says of a prompt. `first` is the first line of the body where there is no description; `params` are
    their names, those that may be left out in brackets. `error` says what is wrong with a broken one. `linked` is
    one whose file may be elsewhere: it is no regular file of the folder itself."""

    name: str
    layer: Layer
    description: str = ""
    first: str = ""
    params: str = ""
    model: str = ""
    error: str = ""
    tags: Sequence[str] = ()
    linked: bool = False

    @property
    def about(self) -> str:
        return self.description or self.first

    @property
    def path(self) -> Path:
        return self.layer.path(self.name)

    @property
    def body(self) -> str:
        """The text below the front matter as it is now; nothing where it cannot be read."""
        path = self.path
        place = str(path)
        with suppress(TemplateError):
            return document.split(document.decode(_data(self.layer, path, linked=self.linked), place), place)[1]
        return ""


_NONE: Row = []
_NOWHEN: Stamp = [0, 0, 0, 0]
_STAMP = len(_NOWHEN)


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Index:
    """The indexes in `folder`, one for each folder of at least so many prompts; without it nothing is kept. `tell` is
    told what takes a while."""

    folder: Path | None = None
    tell: Callable[[str], None] = _silent
    least: int = LEAST
    racy: int = RACY

    def entries(self, layer: Layer) -> list[Entry]:
        """What there is to say of each prompt of a layer, in no order."""
        known, new = self._load(layer.root), False
        kept: dict[str, Row] = {}
        found: list[Entry] = []
        waiting = _Waiting(lambda: self.tell(f"reading the prompts in {layer.root}"))
        for name, file in layer.files():
            stamp, row, lasting = _stamp(file), known.get(name, _NONE), True
            if not stamp or row[:_STAMP] != stamp:
                waiting.look()
                row, lasting = _read(layer, name, stamp, self.racy)
                new = new or lasting
            found.append(Entry._make((name, layer, *row[_STAMP:], not stamp)))
            if lasting:
                kept[name] = row
        if (new or len(kept) != len(known)) and len(found) >= self.least:
            self._save(layer.root, kept)
        return found

    def _load(self, root: Path) -> Mapping[str, Row]:
        """The rows that were kept of a folder, if the file is the user's own, as it was written, and about that
        folder."""
        if self.folder is None:
            return {}
        with suppress(OSError):
            digest, _, data = read_own(_path(self.folder, root), MAX_INDEX).partition(b"\n")
            if digest == _digest(root, data):
                rows: Mapping[str, Row] = json.loads(data)
                return rows
        return {}

    def _save(self, root: Path, rows: Mapping[str, Row]) -> None:
        """Keep the rows. Where that cannot be, or another aix is doing it, it is left undone."""
        if self.folder is None:
            return
        data = json.dumps(rows, separators=(",", ":")).encode()
        whole = _digest(root, data) + b"\n" + data
        with suppress(StorageError, OSError):
            files.write_private(_path(self.folder, root), lambda _: whole, patience=0)
            for path in self.folder.glob("*.json"):
                if time.time() - path.lstat().st_mtime > STALE:
                    path.unlink()


class _Waiting:
    """Says once, when some time has passed, that it does."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._end = time.monotonic() + SILENT
        self._tell = tell

    def look(self) -> None:
        if time.monotonic() > self._end:
            self._end = float("inf")
            self._tell()


def _path(folder: Path, root: Path) -> Path:
    return folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json"


def _digest(root: Path, data: bytes) -> bytes:
    """The first line of an index: of what it holds, its folder, and this aix, as another may read prompts otherwise."""
    about = f"{FORMAT} {aix.__version__} {root}\n"
    return hashlib.sha256(os.fsencode(about) + data).hexdigest().encode()


def _stamp(file: os.DirEntry[str]) -> Stamp:
    try:
        status = file.stat(follow_symlinks=False)
    except OSError:
        return []
    regular = stat.S_ISREG(status.st_mode)
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino] if regular else []


def _read(layer: Layer, name: str, stamp: Stamp, racy: int) -> tuple[Row, bool]:
    """The row for what a file holds now, and whether that lasts for as long as the file has this stamp."""
    settled = bool(stamp) and max(stamp[:2]) + racy < time.time_ns()
    stamp, path = stamp or _NOWHEN, layer.path(name)
    try:
        data = _data(layer, path, linked=not stamp)
    except TemplateError as error:  # the file may be readable the next time, without any change to it
        return [*stamp, *_broken(path, error)], False
    facts = _facts(data, name, layer)
    return [*stamp, *facts], settled and sum(map(len, (*facts[:-1], *facts[-1]))) <= MAX_SAID


def _data(layer: Layer, path: Path, *, linked: bool) -> bytes:
    """What a file of the layer holds; where a link may lead is looked at, which takes longer. Raises TemplateError."""
    return layer.data(path) if linked else read_bytes(path, str(path))


def _facts(data: bytes, name: str, layer: Layer) -> Row:
    path = layer.path(name)
    try:
        prompt = document.parse(document.decode(data, str(path)), name, path, layer.name)
    except TemplateError as error:
        return _broken(path, error)
    first = "" if prompt.description else next(filter(None, map(str.strip, prompt.body.splitlines())), "")
    return [prompt.description, first, _wanted(prompt), prompt.model, "", list(prompt.tags)]


def _broken(path: Path, error: TemplateError) -> Row:
    short = error.message.replace(f"{path}:", "line ", 1)
    return [f"(broken) {short}", "", "", "", error.message, []]


def _wanted(prompt: Prompt) -> str:
    """The params, those that may be left out in brackets."""
    return " ".join(param.name if param.required else f"[{param.name}]" for param in prompt.params or ())
