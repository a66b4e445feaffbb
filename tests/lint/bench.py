"""Where lint is tried: a folder with some files, and what is found in one of them."""

from pathlib import Path

from aix.config.secrets import Secret
from aix.library.layer import Layer
from aix.lint.file import File, Knowledge, Seen, look
from aix.lint.text import spellings

OWN_KEY = "correct-horse-battery-staple"
FLAGS = frozenset({"--model", "--file-file", "--no-stream", "-m", "-x"})
KNOWN = Knowledge(FLAGS, spellings([Secret(OWN_KEY)]))


def put(folder: Path, files: dict[str, str]) -> Layer:
    """A layer with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return Layer("user", folder)


def seen(folder: Path, text: str, beside: dict[str, str] | None = None, name: str = "p.md") -> Seen:
    """What lint sees in a file with others beside it."""
    layer = put(folder, {name: text, **(beside or {})})
    file = File(layer, name)
    return look(file, file.data(), KNOWN)


def found(folder: Path, text: str, beside: dict[str, str] | None = None, name: str = "p.md") -> list[str]:
    """The same as `line rule`, with the file's name before it where that is another."""
    path = str(folder / name)
    return [
        ("" if one.path == path else f"{Path(one.path).name}:") + f"{one.line} {one.rule}"
        for one in seen(folder, text, beside, name).findings
    ]
