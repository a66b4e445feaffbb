"""YAML in, with lines and sources; YAML out. The one door to PyYAML.

Scalars follow YAML 1.2: `no` is a word, `1:30` is a word, `0o17` is octal, `017` is seventeen. Anchors, merges, custom
tags and duplicate keys are refused: front matter comes from strangers, and none of them is needed to say what a
prompt has to say.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 32

QUOTE = "quote the value: "
"""How the hint of an error begins that ends with the line to paste."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = type("_Dumper", (yaml.SafeDumper,), {})  # the C one writes 🎉 as an escape
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class YamlError(Exception):
    """Text that is not YAML, or YAML that is not accepted here. `line` counts from 1."""

    def __init__(self, message: str, line: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint


Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A value with where it stands: `source` is a scalar as it was written, `line` counts from 1. `span` is from which
    letter of the text to which the value goes, `key` the same for its key."""

    value: Any
    line: int
    source: str = ""
    children: Mapping[str, "Node"] = field(default_factory=dict)
    items: tuple["Node", ...] = ()
    span: Span = (0, 0)
    key: Span = (0, 0)


def load(text: str) -> Node:
    """Read one YAML document. Raises YamlError; an empty document is a null."""
    if found := _FORBIDDEN.search(text):
        raise YamlError(f"not valid YAML (the character {found[0]!a})", text.count("\n", 0, found.start()) + 1)
    try:
        return _Reader(text).document()
    except yaml.YAMLError as error:
        raise _explained(error, text) from error


def dump(value: Any) -> str:
    """YAML text of plain data, in the order given: a mapping a line for each key, a list of plain values on one."""
    if isinstance(value, dict) and value:
        return "".join(
            _dump({key: inner}, flow=None if isinstance(inner, list) else False) for key, inner in value.items()
        )
    return _dump(value, flow=False)


def line(key: str, value: Any) -> str:
    """A key with a text or a list of texts, on one line however long it is."""
    texts = [value] if isinstance(value, str) else value
    style = None if all(text.isprintable() for text in texts) else '"'
    flow = False if isinstance(value, str) else None
    given = _dump({key: value}, flow, width=2**30, style=style).removesuffix("\n")
    return f"{key}{given[given.index(':') :]}"


def _dump(value: Any, flow: bool | None, width: int = 100, style: str | None = None) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=width,
        default_flow_style=flow,
        default_style=style,
    )
    return text


_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: float("nan")),
)


for _pattern, _ in _NUMBERS:  # so that a text that looks like one of these is written with quotes
    _Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"{_pattern.pattern}\Z"), [*"+-.0123456789"])


def scalar(text: str) -> Any:
    """What a plain (unquoted) scalar means in YAML 1.2's core schema."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) <= 400:  # a number longer than that is no number that anybody means
        for pattern, convert in _NUMBERS:
            if pattern.fullmatch(text):
                return convert(text)
    return text


class _Reader:
    """Builds Nodes from PyYAML's events, so that every value keeps its line and nothing is resolved by YAML 1.1."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._last = 0
        """Where the collection ended that was read last."""

    def document(self) -> Node:
        next(self._events)  # the stream begins
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, 1)
        node = self._node(next(self._events), depth=0)
        next(self._events)  # the document ends
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise YamlError("more than one YAML document", event.start_mark.line + 1)
        return node

    def _node(self, event: Any, depth: int, key: Any = None) -> Node:
        self._accept(event, event.start_mark.line + 1, depth)
        line = (key or event).start_mark.line + 1
        at = _span(key) if key else (0, 0)
        if isinstance(event, yaml.ScalarEvent):
            value = scalar(event.value) if event.implicit[0] else event.value
            return Node(value, line, event.value, span=_span(event), key=at)
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(self._sequence(depth))
            return Node([item.value for item in items], line, items=items, span=self._whole(event, items), key=at)
        children = dict(self._mapping(depth))
        value = {name: child.value for name, child in children.items()}
        return Node(value, line, children=children, span=self._whole(event, tuple(children.values())), key=at)

    def _whole(self, event: Any, inner: tuple[Node, ...]) -> Span:
        """From where to where a collection goes. One in block style ends with what is last in it: YAML sees only by
        the next key, after comments, that it has ended."""
        end = self._last if event.flow_style or not inner else inner[-1].span[1]
        return event.start_mark.index, end

    def _accept(self, event: Any, line: int, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise YamlError("anchors and aliases (& and *) are not accepted", line, "write the value out, or quote it")
        if event.tag is not None:
            raise YamlError(f"the tag {event.tag} is not accepted", line, "leave the tag out, or quote the value")
        if depth > MAX_DEPTH:
            raise YamlError(f"nested more than {MAX_DEPTH} deep", line)

    def _sequence(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)
        self._last = _span(event)[1]

    def _mapping(self, depth: int) -> Iterator[tuple[str, Node]]:
        seen: set[str] = set()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if key.children or key.items or not isinstance(key.value, str | int | float | bool | None):
                raise YamlError("a key must be a word", key.line)
            if key.source == "<<" and event.implicit[0]:  # in quotes it is a word like any other
                raise YamlError("merges (<<) are not accepted", key.line, "write the values out")
            if key.source in seen:
                raise YamlError(f"the key '{key.source}' stands twice", key.line, "delete one of the two")
            seen.add(key.source)
            yield key.source, self._node(next(self._events), depth + 1, event)
        self._last = _span(event)[1]


def _span(event: Any) -> Span:
    return event.start_mark.index, event.end_mark.index


def _explained(error: yaml.YAMLError, text: str) -> YamlError:
    """PyYAML's complaint in one sentence, with the quoted line to paste where quoting is what is missing."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    number = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    for line in (number, number - 1):
        if quoted := _quoted(text, line):
            return YamlError(f"not valid YAML ({problem})", line, QUOTE + quoted)
    tabs = "\t" in (text.splitlines() or [""])[min(number, len(text.splitlines())) - 1]
    return YamlError(f"not valid YAML ({problem})", number, "indent with spaces, not with tabs" if tabs else "")


def _quoted(text: str, number: int) -> str | None:
    """The numbered line with its value quoted, when its value holds what only quotes can hold."""
    lines = text.splitlines()
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    match = re.fullmatch(r"([\w.-]+:\s+)([^'\"\[{|>\s].*)", line)
    if not match or not (": " in match[2] or match[2].endswith(":") or match[2][0] in "@`%&*!"):
        return None
    value = match[2].replace("\\", "\\\\").replace('"', '\\"')
    return f'{match[1]}"{value}"'
