"""Finding and keeping prompts across the layers: the user's, the project's, the built-in ones. The first wins."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from aix.config import files
from aix.errors import NotFoundError, TemplateError, UsageError
from aix.library import document
from aix.library.prompt import Prompt
from aix.library.reading import MissingFileError, read_regular

SUFFIX = ".md"
MAX_FILE = 10 * 1024 * 1024
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
        for folder, folders, found in os.walk(self.root):
            folders[:] = [name for name in folders if SEGMENT.fullmatch(name) and not name.startswith("_")]
            inner = Path(folder).relative_to(self.root).parts
            for file in found:
                name = "/".join((*inner, file.removesuffix(SUFFIX)))
                if file.endswith(SUFFIX) and not file.startswith("_") and is_name(name):
                    yield name

    def path(self, name: str) -> Path:
        return self.root / (name + SUFFIX)

    def has(self, name: str) -> bool:
        return is_name(name) and _is_file(self.path(name))

    def prompt(self, name: str) -> Prompt:
        """Read and parse one prompt. Raises TemplateError."""
        path = self.path(name)
        return document.parse(self._text(path, str(path)), name, path, self.name)

    def read(self, name: str) -> str:
        """The text of a file that a prompt of this layer includes, named from the root. Raises TemplateError."""
        if not _is_file_of_a_layer(name):
            raise TemplateError(f"cannot include {name!r}", hint=_OWN)
        return self._text(self.root / name, name)

    def holds(self, path: Path) -> bool:
        """Whether a path, all links followed, is inside the root, where it could be named."""
        try:
            real, root = path.resolve(), self.root.resolve()
        except (OSError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
            return False
        return real.is_relative_to(root) and _is_file_of_a_layer(real.relative_to(root).as_posix())

    def _text(self, path: Path, shown: str) -> str:
        if not self.holds(path):
            raise TemplateError(f"{shown} leads out of the prompts in {self.root}", hint=_OWN)
        return _text(path, shown)


class Library:
    """The layers in their order."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)

    def find(self, name: str) -> tuple[Prompt, Layer] | None:
        """The prompt of that name in the first layer that has it, with its layer."""
        plain = normal(name)
        layer = next((layer for layer in self.layers if layer.has(plain)), None)
        return (layer.prompt(plain), layer) if layer else None

    def get(self, name: str) -> tuple[Prompt, Layer]:
        """Like `find`. Raises NotFoundError with near matches, or TemplateError."""
        if found := self.find(name):
            return found
        near = get_close_matches(normal(name), [name for name, _ in self.names()], n=3, cutoff=0.5)
        raise NotFoundError(
            f"there is no prompt '{name}'",
            hint=f"did you mean {' or '.join(near)}?" if near else "aix list shows all prompts",
            reason="prompt",
        )

    def names(self) -> Iterator[tuple[str, Layer]]:
        """Every prompt that can be run by its name, sorted, with the layer that gives it."""
        found: dict[str, Layer] = {}
        for layer in self.layers:
            for name in layer.names():
                found.setdefault(name, layer)
        return iter(sorted(found.items()))

    def refuse(self, name: str) -> None:
        """Raise UsageError when a new prompt cannot have that name, or one of the first layer has it."""
        plain, layer = normal(name), self.layers[0]
        refuse_name(plain)
        if layer.has(plain):
            raise UsageError(f"'{name}' exists already", hint=f"edit {layer.path(plain)}, or choose another name")

    def create(self, name: str, text: str, check: Callable[[Prompt], object] = bool) -> Prompt:
        """Write a new prompt into the first layer, which is made when it is not there. Raises UsageError when the name
        is taken or cannot be one, TemplateError when the text is no prompt, and what `check` raises: nothing is written
        then."""
        self.refuse(name)
        layer, plain = self.layers[0], normal(name)
        path, data = layer.path(plain), text.encode("utf-8", "surrogateescape")
        if not layer.holds(path):
            raise UsageError(f"{path} leads out of the prompts in {layer.root}", hint="choose another name")
        if len(data) > MAX_FILE:
            raise UsageError(f"'{name}' would be larger than {MAX_FILE // 1024} KiB")
        prompt = document.parse(document.decode(data, str(path)), plain, path, layer.name)
        check(prompt)
        with files.storage(layer.root):
            files.make_private_directory(layer.root)
        files.create_shared(path, data)
        return prompt


def open_file(path: Path) -> tuple[Prompt, Layer]:
    """A prompt in a file anywhere; its own folder is its layer. Raises NotFoundError or TemplateError."""
    if not _is_file(path):
        what = f"{path} is a directory, not a prompt" if _is_directory(path) else f"there is no file {path}"
        raise NotFoundError(what, hint="a prompt of the library is named without ./ and .md")
    if path.suffix == SUFFIX and path.resolve().suffix != SUFFIX:
        raise TemplateError(f"{path} is a link to what is no prompt", hint="put a copy in its place")
    layer = Layer("file", path.parent)
    return document.parse(_text(path, str(path)), path.stem, path, layer.name), layer


def is_file_name(name: str) -> bool:
    """Whether a word means a file rather than a prompt of the library."""
    return name.startswith(("./", "../", "/", "~")) or name.endswith(SUFFIX)


def normal(name: str) -> str:
    return name.replace("\\", "/")


def is_name(name: str) -> bool:
    last = name.split("/")[-1].lower()
    return _are_segments(name) and last not in NOT_PROMPTS and not last.endswith(SUFFIX)


def refuse_name(name: str) -> None:
    """Raise UsageError when no prompt can have that name."""
    if name.split("/")[-1].lower().removesuffix(SUFFIX) in NOT_PROMPTS:
        raise UsageError(f"'{name}' cannot be a prompt: a file of that name means something else in a repository")
    if name.lower().endswith(SUFFIX):
        raise UsageError(f"'{name}' is a file's name", hint=f"the prompt's is without {SUFFIX}: {name[: -len(SUFFIX)]}")
    if not is_name(name):
        raise UsageError(
            f"'{name}' cannot be a prompt's name", hint="letters, digits and . _ - in parts joined by /: web/review"
        )


def _are_segments(name: str) -> bool:
    return all(SEGMENT.fullmatch(segment) for segment in name.split("/"))


def _is_file_of_a_layer(name: str) -> bool:
    return name.endswith(SUFFIX) and _are_segments(name.removesuffix(SUFFIX))


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _text(path: Path, shown: str) -> str:
    try:
        return document.decode(read_regular(path, MAX_FILE), shown)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"there is no file {shown}") from None
    except OSError as error:
        raise TemplateError(f"cannot read {shown}: {(error.strerror or str(error)).lower()}") from None
