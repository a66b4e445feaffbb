"""What is taken out of an answer: the JSON in it with what it means, or the code block."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_DIGITS = 4300
"""Python reads no longer number, and nobody means one."""
MAX_SEARCHED = 1024 * 1024
"""In how long a text JSON is looked for; what is longer must be JSON as a whole."""

_SPACE = " \t\n\r"
_TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"( *)(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\s*")
_VALUE = re.compile(r'\{|\[(?=\s*(?:[\[{"\]\-0-9]|true|false|null))')
"""Where an object or a list begins; `[see below]` and `[x]` are words."""


class UnfoundError(Exception):
    """An answer does not hold, or not just once, what is wanted of it; the words go on after "the answer"."""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of an answer, exactly as the model wrote it, and its data where it is JSON."""

    text: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of Markdown: the first word behind its fence, in lower case, and what stands inside."""

    language: str
    text: str


def find_json(text: str) -> Found:
    """The JSON of an answer: all of it, else its only JSON block, else the only object or list in its prose.

    Raises UnfoundError.
    """
    try:
        return Found(text, load_json(text))
    except ValueError as error:
        found = list(_candidates(text)) if len(text) <= MAX_SEARCHED else []
        if not found:
            raise UnfoundError(f"is not JSON: {error}") from None
    if len(found) > 1:
        raise UnfoundError(f"holds {len(found)} JSON values, and no word which one is meant")
    try:
        return Found(found[0], load_json(found[0]))
    except ValueError as error:
        raise UnfoundError(f"holds what is not JSON: {error}") from None


def find_code(text: str) -> Found:
    """What stands in the only code block of an answer. Raises UnfoundError."""
    blocks, _ = split_blocks(text)
    if len(blocks) != 1:
        count = f"{len(blocks)} code blocks, and no word which one is meant" if blocks else "no code block"
        raise UnfoundError(f"holds {count}")
    return Found(blocks[0].text)


EXTRACTS: Mapping[str, Callable[[str], Found]] = {"code": find_code, "json": find_json}
"""What `--extract` takes."""


def load_json(text: str) -> Any:
    """The value of a JSON text to the letter: every key once, and every number one that programs agree on.

    Raises ValueError with what is wrong.
    """
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{error.msg[:1].lower()}{error.msg[1:]} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if rest := text[end:].strip(_SPACE):
        raise ValueError(f"it goes on after its end: {rest[:40]}")
    if nested_deeper(value, MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    return value


def nested_deeper(value: Any, depth: int) -> bool:
    """Whether objects and lists stand in each other more than `depth` deep."""
    level = [value]
    for _ in range(depth):
        around = [item for item in level if isinstance(item, dict | list)]
        level = [inner for item in around for inner in (item.values() if isinstance(item, dict) else item)]
    return any(isinstance(item, dict | list) for item in level)


def split_blocks(text: str) -> tuple[list[Block], str]:
    """The fenced blocks of a Markdown text, and the text without them. A block without an end is none."""
    lines = _LINE.findall(text)
    blocks, prose, at = list[Block](), list[str](), 0
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        end = _closing(lines, at, opening) if opening else 0
        if opening is None:
            prose.append(lines[at])
        elif end:
            blocks.append(_block(opening, lines[at + 1 : end]))
            at = end
        else:
            return blocks, "".join([*prose, *lines[at:]])
        at += 1
    return blocks, "".join(prose)


def _closing(lines: list[str], at: int, opening: re.Match[str]) -> int:
    """The line of the fence that ends a block; 0 where there is none."""
    fence = opening[2] or opening[4]
    close = re.compile(rf" {{0,{len(opening[1]) + 3}}}{fence[0]}{{{len(fence)},}}\s*")
    return next((number for number in range(at + 1, len(lines)) if close.fullmatch(lines[number])), 0)


def _block(opening: re.Match[str], lines: list[str]) -> Block:
    """A block in a list is indented as its fence is, which is no part of it."""
    words = (opening[3] or opening[5] or "").split()
    indent = re.compile(f" {{0,{len(opening[1])}}}")
    return Block(words[0].lower() if words else "", "".join(indent.sub("", line, count=1) for line in lines))


def _candidates(text: str) -> Iterator[str]:
    """What may be the JSON of an answer that is not JSON as a whole."""
    blocks, prose = split_blocks(text)
    if named := [block.text for block in blocks if block.language == "json"]:
        yield from named
    elif unnamed := [block.text for block in blocks if not block.language and _is_json(block.text)]:
        yield from unnamed
    else:
        yield from _values(prose)


def _values(text: str) -> Iterator[str]:
    """The objects and lists of a text, up to the first that is none: a part of broken JSON is not what was meant."""
    at = 0
    while match := _VALUE.search(text, at):
        try:
            _, at = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            return
        yield text[match.start() : at]


def _is_json(text: str) -> bool:
    try:
        load_json(text)
    except ValueError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that stands twice, programs differ in which value they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {json.dumps(twice, ensure_ascii=False)} stands twice in an object")
    return found


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= MAX_DIGITS else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]}{'…' * (len(text) > 20)} is no number in JSON, or too large a one")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_whole, parse_constant=_no_number)
