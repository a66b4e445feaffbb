"""The files of a layer that lint looks at: its prompts, its partials, and those that nobody would find."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from aix.errors import NotFoundError, UsageError
from aix.library.layer import SEGMENT, SUFFIX, Layer, is_name
from aix.library.library import Library, is_file_name
from aix.library.place import FILE, PROJECT, USER
from aix.lint.file import File
from aix.lint.rules import Finding


def files(layer: Layer) -> Iterator[File | Finding]:
    """The files in the order of their names, and what is wrong with names. A folder that is a link is not entered, nor
    one whose name begins with a dot."""
    known: dict[str, str] = {}
    for folder, folders, names in os.walk(layer.root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(folder, layer.root).replace(os.sep, "/")
        head = "" if inside == "." else f"{inside}/"
        for name in sorted(names):
            if name.lower().endswith(SUFFIX) and not name.startswith("."):
                yield from _file(File(layer, head + name), known)


def chosen(
    library: Library, words: Sequence[str], layer: str, path_of: Callable[[str], Path]
) -> Iterator[File | Finding]:
    """The files that words mean; without any those of a layer, or of the user and the project. Raises NotFoundError or
    UsageError."""
    if not words:
        meant = [one for one in library.layers if one.name == layer or (not layer and one.name in (USER, PROJECT))]
        if not meant:
            there = ", ".join(one.name for one in library.layers)
            raise NotFoundError(f"there is no layer '{layer}'", hint=f"there are {there}", reason="layer")
        return chain.from_iterable(map(files, meant))
    return _once(chain.from_iterable([_meant(library, word, path_of(word)) for word in words]))


def _once(found: Iterator[File | Finding]) -> Iterator[File | Finding]:
    """Each file once, however many words mean it."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        known = (str(one.path), one.rule if isinstance(one, Finding) else "")
        if known not in seen:
            seen.add(known)
            yield one


def _meant(library: Library, word: str, path: Path) -> Iterator[File | Finding]:
    if is_file_name(word) or (_is_directory(path) and not library.means(word)):
        return _at(library, path)
    place = library.place(word)
    return iter([File(place.layer, place.name + SUFFIX)])


def _at(library: Library, path: Path) -> Iterator[File | Finding]:
    """What a path means: all files of a folder, or a single one, of the layer that it lies in; else its folder is the
    layer. Raises NotFoundError or UsageError."""
    if _is_directory(path):
        layers = (layer for layer in library.layers if _real(layer.root) == _real(path))
        return files(next(layers, Layer(FILE, path)))
    if not os.path.lexists(path):
        raise NotFoundError(f"there is no file {path}", hint="a prompt of the library is named without ./ and .md")
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} does not end in {SUFFIX}", hint=f"aix create NAME - < {path}")
    real = _real(path.parent)
    roots = ((layer, _real(layer.root)) for layer in library.layers)
    inside = (
        File(layer, (real.relative_to(root) / path.name).as_posix())
        for layer, root in roots
        if real.is_relative_to(root)
    )
    return iter([next(inside, File(Layer(FILE, path.parent), path.name, named=True))])


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a name is too long


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
        return path


def _file(file: File, known: dict[str, str]) -> Iterator[File | Finding]:
    """The file, if it can be a prompt or a partial."""
    path, plain = str(file.path), file.name.removesuffix(SUFFIX)
    if not file.name.endswith(SUFFIX) or not all(map(SEGMENT.fullmatch, plain.split("/"))):
        said = f"no prompt can have the name '{file.name}', so it is not listed"
        yield Finding(
            path, 1, "file-name", said, "letters from A to Z, digits and . _ - in parts joined by /, then .md"
        )
        return
    if not (is_name(plain) or file.is_partial):  # README.md and its like
        return
    if (other := known.setdefault(plain.casefold(), plain)) != plain:
        said = f"'{plain}' and '{other}' differ only in case, and some disks keep one of them"
        yield Finding(path, 1, "same-name", said, f"aix rename {plain} NEW-NAME")
    yield file
