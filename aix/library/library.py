"""Finding and keeping prompts across the layers: the user's, the project's, the built-in ones. The first wins."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from aix.config import files
from aix.errors import NotFoundError, TemplateError, UsageError
from aix.library import document
from aix.library.prompt import Prompt

SUFFIX = ".md"
MAX_FILE = 10 * 1024 * 1024
SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
NOT_PROMPTS = frozenset(
    {"readme", "license", "changelog", "contributing", "code_of_conduct", "security", "agents", "claude", "gemini"}
)


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of prompts under a name. Nothing outside of `root` can be read through it."""

    name: str
    root: Path

    def names(self) -> Iterator[str]:
        """The prompts of the folder, sorted; partials (`_x`) and what is no prompt are left out."""
        for folder, folders, found in os.walk(self.root):
            folders[:] = sorted(name for name in folders if SEGMENT.fullmatch(name))
            inner = Path(folder).relative_to(self.root).parts
            for file in sorted(found):
                name = "/".join((*inner, file.removesuffix(SUFFIX)))
                if file.endswith(SUFFIX) and not Path(name).name.startswith("_") and is_name(name):
                    yield name

    def path(self, name: str) -> Path:
        return self.root / (name + SUFFIX)

    def has(self, name: str) -> bool:
        return is_name(name) and self.path(name).is_file()

    def prompt(self, name: str) -> Prompt:
        """Read and parse one prompt. Raises TemplateError."""
        path = self.path(name)
        return document.parse(self._text(path, path), name, path, self.name)

    def read(self, name: str) -> str:
        """The text of a file that a prompt of this layer includes, named from the root. Raises TemplateError."""
        plain = name.removesuffix(SUFFIX)
        if not name.endswith(SUFFIX) or not all(SEGMENT.fullmatch(segment) for segment in plain.split("/")):
            raise TemplateError(
                f"cannot include '{name}'", hint="name a .md file of the same folder of prompts, without '..'"
            )
        return self._text(self.root / name, Path(name))

    def _text(self, path: Path, shown: Path) -> str:
        try:
            real = path.resolve(strict=True)
            if not real.is_relative_to(self.root.resolve()):
                raise TemplateError(f"{shown} leads out of {self.root}", hint="copy the file into the folder")
            return document.decode(_read_regular(real), str(shown))
        except FileNotFoundError:
            raise TemplateError(f"there is no file {shown}") from None
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links is a RuntimeError before Python 3.13
            said = getattr(error, "strerror", None) or str(error)
            raise TemplateError(f"cannot read {shown}: {said.lower()}") from None


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

    def create(self, name: str, text: str) -> Prompt:
        """Write a new prompt into the first layer. Raises UsageError when the name is taken or cannot be one, and
        TemplateError (nothing is written) when the text is no prompt."""
        self.refuse(name)
        layer, plain = self.layers[0], normal(name)
        path = layer.path(plain)
        prompt = document.parse(text, plain, path, layer.name)
        files.create_shared(path, text.encode("utf-8", "surrogateescape"))
        return prompt


def open_file(path: Path) -> tuple[Prompt, Layer]:
    """A prompt in a file anywhere; its own folder is its layer. Raises NotFoundError or TemplateError."""
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", hint="a prompt of the library is named without ./ and .md")
    layer = Layer("file", path.parent)
    return document.parse(document.decode(_read_regular(path), str(path)), path.stem, path, layer.name), layer


def is_file_name(name: str) -> bool:
    """Whether a word means a file rather than a prompt of the library."""
    return name.startswith(("./", "../", "/", "~")) or name.endswith(SUFFIX)


def normal(name: str) -> str:
    return name.replace("\\", "/")


def is_name(name: str) -> bool:
    segments = name.split("/")
    return all(SEGMENT.fullmatch(segment) for segment in segments) and segments[-1].lower() not in NOT_PROMPTS


def refuse_name(name: str) -> None:
    """Raise UsageError when no prompt can have that name."""
    if name.split("/")[-1].lower() in NOT_PROMPTS:
        raise UsageError(f"'{name}' cannot be a prompt: a file of that name means something else in a repository")
    if not is_name(name):
        raise UsageError(
            f"'{name}' cannot be a prompt's name", hint="letters, digits and . _ - in parts joined by /: web/review"
        )


def _read_regular(path: Path) -> bytes:
    """The bytes of a regular file of a bearable size; a device or a FIFO is not opened to be waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise TemplateError(f"{path} is not a regular file")
        if status.st_size > MAX_FILE:
            raise TemplateError(f"{path} is larger than {MAX_FILE // 1024 // 1024} MiB")
        return file.read()
