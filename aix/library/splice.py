"""Changing the front matter of a prompt file in place: what is not changed keeps every byte."""

import codecs
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from aix.config import yaml
from aix.config.yaml import Node, YamlError
from aix.errors import TemplateError
from aix.library.document import KEYS, decode, parse, split

Value = str | Sequence[str] | None
"""What a key is to hold: a text, a list of texts, or nothing, which takes the key away."""

Cut = tuple[int, int, str]
"""From which letter to which, and what comes in its place."""

_KEYS = KEYS[""]
_END = re.compile(r"\r\n|\r|\n")
_BOM = codecs.BOM_UTF8


def splice(data: bytes, changes: Mapping[str, Value], place: str) -> bytes:
    """The prompt file `data` with some top-level keys of its front matter changed, added or taken away. `place` is how
    it is named in an error. Raises TemplateError, also where that cannot be done without touching anything else."""
    text = decode(data, place)
    parse(text, place)
    front, _, body_line = split(text, place)
    root = yaml.load(front)
    wanted = {key: value for key, value in changes.items() if not _holds(root.children.get(key), value)}
    if not wanted:
        return data
    if body_line == 1:
        new = _with_front(data, wanted)
    else:
        start = text.index("\n") + 1
        new = _cut(data, [(start + a, start + b, said) for a, b, said in _cuts(front, root, wanted)])
    _check(data, new, wanted, place)
    return new


def _holds(node: Node | None, value: Value) -> bool:
    if not value:
        return node is None
    if node is None or isinstance(node.value, dict):
        return False
    return node.value is not None and ([item.source for item in node.items] or node.source) == value


def _with_front(data: bytes, changes: Mapping[str, Value]) -> bytes:
    """The file with a front matter of its own, in its own kind of line end."""
    bom = _BOM if data.startswith(_BOM) else b""
    lines = ["---", *(yaml.line(key, value) for key, value in changes.items()), "---", ""]
    return bom + _line_end(data).join(lines).encode() + data[len(bom) :]


def _line_end(data: bytes) -> str:
    found = _END.search(data.decode())
    return found[0] if found else "\n"


def _cuts(front: str, root: Node, changes: Mapping[str, Value]) -> list[Cut]:
    return [
        _removed(front, root.children[key])
        if not value
        else _replaced(front, root.children[key], key, value)
        if key in root.children
        else _added(front, root, key, value)
        for key, value in changes.items()
    ]


def _replaced(front: str, node: Node, key: str, value: Value) -> Cut:
    """A new value in the old one's place. One that stood below its key comes beside it, before the comments there."""
    said = yaml.line(key, value).partition(":")[2]
    colon = front.index(":", node.key[1]) + 1
    between = front[colon : node.span[0]]
    end = _end(front, node)
    if node.span[0] == node.span[1]:
        return colon, colon, said
    return (colon, end, said + between.rstrip()) if "\n" in between else (node.span[0], end, said[1:])


def _removed(front: str, node: Node) -> Cut:
    return _line_start(front, node.key[0]), _next_line(front, _end(front, node)), ""


def _added(front: str, root: Node, key: str, value: Value) -> Cut:
    """A new line below the keys that come before it where aix writes them, else as the first."""
    before = [node for name, node in root.children.items() if name in _KEYS[: _KEYS.index(key)]]
    first = min((node.key[0] for node in root.children.values()), default=0)
    indent = " " * (first - _line_start(front, first))
    at = max((_next_line(front, node.span[1]) for node in before), default=0)
    return at, at, f"{indent}{yaml.line(key, value)}\n"


def _end(front: str, node: Node) -> int:
    """Where the value ends; empty lines below a block of text are left where they are."""
    start, end = node.span
    return start + len(front[start:end].rstrip())


def _line_start(front: str, at: int) -> int:
    return front.rfind("\n", 0, at) + 1


def _next_line(front: str, at: int) -> int:
    """Where the line after the one that ends at `at`, or that `at` is in, begins."""
    if at and front[at - 1 : at] == "\n":
        return at
    return front.find("\n", at) + 1 or len(front)


def _cut(data: bytes, cuts: list[Cut]) -> bytes:
    """The file with the cuts of its text, in which each line end is one letter, made in the file as it is."""
    bom = _BOM if data.startswith(_BOM) else b""
    raw, newline = data[len(bom) :].decode(), _line_end(data)
    longer = [match.start() for match in re.finditer("\r\n", raw)]
    longer = [start - number for number, start in enumerate(longer)]
    for _, (start, end, said) in sorted(enumerate(cuts), key=lambda cut: (cut[1][0], cut[0]), reverse=True):
        first, last = (at + bisect_left(longer, at) for at in (start, end))
        raw = raw[:first] + said.replace("\n", newline) + raw[last:]
    return bom + raw.encode()


def _check(data: bytes, new: bytes, changes: Mapping[str, Value], place: str) -> None:
    """Raise TemplateError when the new file is no prompt, or another one than was asked for."""
    (was, body), (now, new_body) = _parts(data, place), _parts(new, place)
    left = {key: _told(node) for key, node in was.items() if key not in changes}
    kept = [(key, _told(node)) for key, node in now.items() if key not in changes]
    made = all(_holds(now.get(key), value) for key, value in changes.items())
    if not made or kept != list(left.items()) or body != new_body:
        raise TemplateError(f"{place}: the front matter is written in a way that only an editor can change")
    parse(decode(new, place), place)


def _parts(data: bytes, place: str) -> tuple[Mapping[str, Node], str]:
    front, body, _ = split(decode(data, place), place)
    try:
        return yaml.load(front).children, body
    except YamlError:
        return {}, body


def _told(node: Node) -> Any:
    """What a node says, wherever it stands."""
    inner = {key: _told(child) for key, child in node.children.items()} or [_told(item) for item in node.items]
    return type(node.value), node.source, inner
