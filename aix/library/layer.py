"""A folder of prompts: which files in it are prompts, what they may be called, and reading one without leaving it."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aix.config.reading import MissingFileError, read_regular
from aix.errors import TemplateError, UsageError
from aix.library import document
from aix.library.prompt import Prompt

SUFFIX = ".md"
MAX_FILE = 10 * 1024 * 1024
MAX_SEGMENT, MAX_NAME = 200, 1000
"""How many letters a new name may have, in a part and as a whole, and that of an included file as a whole: the file's
name, and those of what is kept beside it, are longer."""
SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
NOT_PROMPTS = frozenset(
    {"readme", "license", "changelog", "contributing", "code_of_conduct", "security", "agents", "claude", "gemini"}
)

_OWN = "a prompt can name the .md files of its own folder of prompts, without '..'"


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of prompts under a name. Nothing outside of `root` can be read through it."""

    name: str
    root: Path

    def names(self) -> Iterator[str]:
        """The prompts of the folder; partials (`_x`) and what is no prompt are left out."""
        return (name for name, _ in self.files())

    def files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """The same, each with its file as the folder has it. A folder that is a link is not entered."""
        folders = [("", os.fspath(self.root))]
        while folders:
            inside, folder = folders.pop()
            for file in listed(folder):
                if _is_folder(file):
                    folders += [(f"{inside}{file.name}/", file.path)] if _is_entered(file) else []
                elif _is_prompt(file.name):
                    yield inside + file.name.removesuffix(SUFFIX), file

    @property
    def revision(self) -> str:
        """The commit that it is as of; empty for the files as they are."""
        return ""

    def shown(self, name: str) -> str:
        """How a prompt's file is named, for a person or another program."""
        return str(self.path(name))

    def path(self, name: str) -> Path:
        return self.root / (name + SUFFIX)

    def has(self, name: str) -> bool:
        return is_name(name) and is_file(self.path(name))

    def prompt(self, name: str) -> Prompt:
        """Read and parse one prompt. Raises TemplateError."""
        path = self.path(name)
        return document.parse(document.decode(self.data(path), str(path)), name, path, self.name)

    def read(self, name: str) -> str:
        """The text of a file that a prompt of this layer includes, named from the root. Raises TemplateError."""
        if len(name) > MAX_NAME or not is_file_of_a_layer(name):
            near = name + SUFFIX
            meant = f"an include names a file: {near}" if len(near) <= MAX_NAME and is_file_of_a_layer(near) else _OWN
            raise TemplateError(f"cannot include {name[:200]!r}", hint=meant)
        return document.decode(self.data(self.root / name, name), name)

    def data(self, path: Path, shown: str = "") -> bytes:
        """What a file of the layer holds, `shown` being how it is named in an error. Raises TemplateError."""
        if not self.holds(path):
            raise TemplateError(f"{shown or path} leads out of the prompts in {self.root}", hint=_OWN)
        return read_bytes(path, shown or str(path))

    def holds(self, path: Path) -> bool:
        """Whether a path, all links followed, is inside the root, where it could be named."""
        try:
            real, root = path.resolve(), self.root.resolve()
        except (OSError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
            return False
        return real.is_relative_to(root) and is_file_of_a_layer(real.relative_to(root).as_posix())

    def holds_name(self, path: Path) -> bool:
        """Whether the folder that a file's name is in, all links followed, is inside the root. The file itself may be a
        link to anywhere."""
        try:
            return path.parent.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):
            return False


def listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _is_folder(file: os.DirEntry[str]) -> bool:
    try:
        return file.is_dir()
    except OSError:  # a loop of links
        return False


def _is_entered(folder: os.DirEntry[str]) -> bool:
    return not folder.name.startswith("_") and bool(SEGMENT.fullmatch(folder.name)) and not folder.is_symlink()


def _is_prompt(file: str) -> bool:
    return file.endswith(SUFFIX) and not file.startswith("_") and _ends_a_name(file[: -len(SUFFIX)])


def is_name(name: str) -> bool:
    folder, slash, last = name.rpartition("/")
    return (not slash or _are_segments(folder)) and _ends_a_name(last)


def _ends_a_name(segment: str) -> bool:
    small = segment.lower()
    return bool(SEGMENT.fullmatch(segment)) and small not in NOT_PROMPTS and not small.endswith(SUFFIX)


def refuse_name(name: str) -> None:
    """Raise UsageError when no new prompt can have that name."""
    if len(name) > MAX_NAME or any(len(segment) > MAX_SEGMENT for segment in name.split("/")):
        hint = f"at most {MAX_SEGMENT} letters in a part, and {MAX_NAME} in all"
        raise UsageError(f"'{name[:40]}…' is too long for a prompt's name", hint=hint)
    if name.split("/")[-1].lower().removesuffix(SUFFIX) in NOT_PROMPTS:
        raise UsageError(f"'{name}' cannot be a prompt: a file of that name means something else in a repository")
    if name.lower().endswith(SUFFIX):
        raise UsageError(f"'{name}' is a file's name", hint=f"the prompt's is without {SUFFIX}: {name[: -len(SUFFIX)]}")
    if not is_name(name):
        raise UsageError(
            f"'{name}' cannot be a prompt's name",
            hint="letters from A to Z, digits and . _ - in parts joined by /: web/review",
        )


def _are_segments(name: str) -> bool:
    return all(SEGMENT.fullmatch(segment) for segment in name.split("/"))


def is_file_of_a_layer(name: str) -> bool:
    """Whether a file of that name, as a path from the root, can be named in a layer."""
    return name.endswith(SUFFIX) and _are_segments(name.removesuffix(SUFFIX))


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long


def oddity(path: Path) -> str:
    """What is in the place of a file and is none, in words; empty for a file, and where there is nothing."""
    try:
        mode = os.stat(path).st_mode if os.path.exists(path) else os.lstat(path).st_mode  # noqa: PTH110, PTH116
    except (OSError, ValueError):
        return ""
    return next((what for is_it, what in _ODD if is_it(mode)), "")


_ODD: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a link to what is not there"),
)


def read_bytes(path: Path, shown: str) -> bytes:
    try:
        return read_regular(path, MAX_FILE)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"there is no file {shown}") from None
    except OSError as error:
        raise TemplateError(f"cannot read {shown}: {(error.strerror or str(error)).lower()}") from None
