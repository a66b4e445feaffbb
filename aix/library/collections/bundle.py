"""Prompts on their way out: which files go together, what is said of them, and a folder to share them in."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aix.config import files
from aix.config.secrets import KEY_SHAPE, Secret, forms, mask
from aix.errors import UsageError
from aix.library import document
from aix.library.collections.archive import refuse_clash
from aix.library.collections.survey import prompt_names
from aix.library.collections.tar import MAX_BYTES, MAX_ENTRIES
from aix.library.layer import SUFFIX, Layer, is_file_of_a_layer
from aix.library.prompt import Prompt
from aix.library.templates.template import Template

README, ATTRIBUTES = "README.md", ".gitattributes"
LINE_ENDS = b"*.md text eol=lf\n"
"""What keeps a prompt the same to the byte on every system that checks it out."""

PAGE = """# {name}

{description}

| prompt | what it is for |
|---|---|
{rows}

## Use it

```sh
aix collection add URL --name {name}
aix run {name}:{first} --help
```

`URL` is where this repository can be cloned from.
"""


def with_includes(prompt: Prompt, layer: Layer) -> dict[str, bytes]:
    """The files of a prompt, with all that it includes. Raises TemplateError for a prompt that is not sound."""
    names = (prompt.name + SUFFIX, *Template(prompt, layer.read).includes)
    return {name: layer.data(layer.root / name, name) for name in names}


def of_layer(layer: Layer) -> dict[str, bytes]:
    """All files of a layer that can be named in it; others, and links that lead out, are left out. Raises UsageError
    for a layer without prompts, and for one that is too large to be shared."""
    found: dict[str, bytes] = {}
    size = 0
    for name in _files_of(layer.root):
        if layer.holds(layer.root / name):
            found[name] = layer.data(layer.root / name, name)
            size += len(found[name])
        if len(found) >= MAX_ENTRIES or size > MAX_BYTES:
            raise UsageError(f"{layer.root} has more than {MAX_ENTRIES - 1} files or {MAX_BYTES // 1024**2} MiB")
    if not prompt_names(found):
        raise UsageError(f"there are no prompts in {layer.root}")
    return found


def joined(parts: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """The files of several parts as those of one. Raises UsageError when two that differ have one name."""
    found: dict[str, bytes] = {}
    whose: dict[str, str] = {}
    for part, files_of_part in parts.items():
        for name, data in files_of_part.items():
            if found.setdefault(name, data) != data:
                raise UsageError(
                    f"{name} of '{part}' is not the one of '{whose[name]}', and only one of them can be in there",
                    hint="aix copy gives one of the prompts another name",
                )
            whose.setdefault(name, part)
    refuse_clash(found, UsageError)
    return found


def about(found: Mapping[str, bytes]) -> str:
    """What the README among files says first: the line below its title; empty where there is none."""
    with suppress(UnicodeDecodeError):
        lines = (" ".join(line.split()) for line in found.get(README, b"").decode().splitlines())
        first = next((line for line in lines if line and not line.startswith(("#", "<", "|", "!", "[", "`"))), "")
        return "".join(letter for letter in first if letter.isprintable())
    return ""


def keys_in(found: Mapping[str, bytes], secrets: Sequence[Secret]) -> Iterator[str]:
    """Where a text holds a key that aix knows, or what looks like one: `review.md:12: sk-p***wxyz`."""
    known = [(form, secret) for secret in secrets for form in forms(secret)]
    for name, data in found.items():
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            shown = [repr(secret) for form, secret in known if form in line]
            shown += [] if shown else [mask(key) for key in KEY_SHAPE.findall(line)]
            yield from (f"{name}:{number}: {key}" for key in shown[:1])


def page(name: str, description: str, found: Mapping[str, bytes]) -> bytes:
    """The README of a new collection."""
    prompts = prompt_names(found)
    rows = "\n".join(f"| `{prompt}` | {_cell(_description(found, prompt))} |" for prompt in prompts)
    first = prompts[0] if prompts else "NAME"
    said = _cell(description) or f"Prompts that are shared under the name {name}."
    return PAGE.format(name=name, description=said, rows=rows, first=first).encode()


def write_folder(root: Path, found: Mapping[str, bytes]) -> None:
    """Write files into a folder that is empty or not there yet: all of them, or none. Raises UsageError or
    StorageError."""
    made = refuse_full(root)
    try:
        for name, data in found.items():
            files.create_shared(root / name, data)
    except BaseException:
        _undo(root, found, made=made)
        raise


def refuse_full(root: Path) -> bool:
    """Whether a folder has to be made. Raises UsageError when something is there that is no empty folder."""
    if not os.path.lexists(root):
        return True
    with files.storage(root):
        if root.is_symlink() or not root.is_dir() or any(root.iterdir()):
            raise UsageError(f"{root} exists already, and is no empty folder", hint="name another with --into DIR")
    return False


def _undo(root: Path, found: Mapping[str, bytes], *, made: bool) -> None:
    """Take away what was written, as far as that can be done."""
    if made:
        shutil.rmtree(root, ignore_errors=True)
        return
    for name in found:
        with suppress(OSError):
            (root / name).unlink()
        for folder in Path(name).parents[:-1]:
            with suppress(OSError):
                (root / folder).rmdir()


def _files_of(root: Path) -> Iterator[str]:
    """The names of the files in a folder that may be shared, sorted within each folder."""
    for folder, folders, names in os.walk(root):
        inner = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if is_file_of_a_layer(name + SUFFIX))
        yield from (file for name in sorted(names) if is_file_of_a_layer(file := (inner / name).as_posix()))


def _description(found: Mapping[str, bytes], name: str) -> str:
    text = document.decode(found[name + SUFFIX], name)
    return document.parse(text, name).description


def _cell(text: str) -> str:
    """A text as it can stand in a table of Markdown, where it says nothing but itself."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
