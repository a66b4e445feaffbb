"""A prompt file as text: YAML front matter and a body, read without loss and with the line of every fault."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from aix.bounded import ExhaustedError
from aix.config import yaml
from aix.config.values import EFFORTS
from aix.config.yaml import Node, YamlError
from aix.errors import TemplateError, UsageError
from aix.library.prompt import FROM_FILE, PATHS, Output, Param, ParamType, Prompt, clash
from aix.library.templates import patterns

MAX_FRONT_MATTER = 64 * 1024
MAX_WARNINGS = 20
LARGEST = sys.float_info.max
FORMATS = ("text", "markdown", "json")

RESERVED = frozenset(
    {"now", "today", "cwd", "os", "user", "git", "sh"}
    | {"self", "super", "loop", "caller", "varargs", "kwargs"}
    | {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"}
)
"""Names that mean something in every template."""

_BEGIN = re.compile(r"---[ \t]*\n")
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)


class FaultError(Exception):
    """Something is wrong with a node of the front matter; `parse` turns it into a TemplateError with file:line."""

    def __init__(self, message: str, node: Node, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.node = node
        self.line = node.line
        self.hint = hint


def decode(data: bytes, place: str) -> str:
    """The text of a prompt file: UTF-8, a BOM dropped, every line end a line feed. Raises TemplateError."""
    try:
        return _lines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = _lines(error.object[: error.start].decode("utf-8"))
        raise TemplateError(f"{place}:{before.count(chr(10)) + 1}: not UTF-8 text", hint=f"file {place}") from None


def split(text: str, place: str) -> tuple[str, str, int]:
    """The front matter, the body, and the line on which the body begins. Raises TemplateError."""
    begin = _BEGIN.match(text)
    if begin is None:
        return "", text, 1
    end = _END.search(text, begin.end())
    if end is None:
        raise TemplateError(f"{place}:1: the front matter has no end", hint="close it with a line that holds only ---")
    front = text[begin.end() : end.start()]
    if len(front.encode()) > MAX_FRONT_MATTER:
        raise TemplateError(f"{place}:1: the front matter is larger than {MAX_FRONT_MATTER // 1024} KiB")
    return front, text[end.end() :], text.count("\n", 0, end.end()) + 1


def parse(text: str, name: str, path: Path | None = None, layer: str = "") -> Prompt:
    """Read a prompt file's text. Raises TemplateError with file:line and what to do."""
    place = str(path) if path else name
    front, body, body_line = split(text, place)
    try:
        node = yaml.load(front)
        fields = read_fields(node)
        extra = {key: child.value for key, child in node.children.items() if key not in _FIELDS}
    except (FaultError, YamlError) as error:
        raise TemplateError(f"{place}:{error.line + 1}: {error.message}", hint=error.hint) from None
    warnings = tuple(_unknown(node, _FIELDS, place))
    return Prompt(name, text, body, body_line, path, layer, extra=extra, warnings=warnings, **fields)


def read_fields(node: Node) -> dict[str, Any]:
    """What the front matter gives, by the names of a Prompt's fields. Raises FaultError."""
    _mapping(node)
    return {key: read(node.children[key]) for key, read in _FIELDS.items() if _is_given(node, key)}


def declare(text: str, fields: Mapping[str, Any]) -> str:
    """The text of a prompt file with more front matter; what is empty is left out. Raises UsageError for a key that the
    text gives already, TemplateError for a text that cannot be split."""
    given = {key: value for key, value in fields.items() if value}
    if not given:
        return text
    begin = _BEGIN.match(text)
    if begin is None:
        return f"---\n{yaml.dump(given)}---\n{text}"
    front, _, _ = split(text, "the text")
    try:
        own = yaml.load(front).children
    except YamlError as error:
        raise TemplateError(f"the text:{error.line + 1}: {error.message}", hint=error.hint) from None
    if twice := [key for key in given if key in own]:
        raise UsageError(f"the text gives its {twice[0]} itself", hint="give it once: there, or on the command line")
    return f"---\n{yaml.dump(given)}{text[begin.end() :]}"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_given(node: Node, key: str) -> bool:
    """A key without a value says nothing."""
    return key in node.children and node.children[key].value is not None


def _mapping(node: Node) -> Node:
    if node.value is not None and not isinstance(node.value, dict):
        raise FaultError("the front matter must be `key: value` lines", node)
    return node


def _unknown(node: Node, known: Mapping[str, Any], place: str) -> Iterator[str]:
    unknown = [(key, child) for key, child in node.children.items() if key not in known and not key.startswith("x-")]
    for key, child in unknown[:MAX_WARNINGS]:
        near = get_close_matches(key, known, n=1)
        yield f"{place}:{child.line + 1}: unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else "")
    if more := unknown[MAX_WARNINGS:]:
        yield f"{place}: {len(more):,} more unknown keys"


def _text(node: Node) -> str:
    if node.value is None or isinstance(node.value, dict | list):
        raise FaultError("must be a text", node)
    return node.source


def _word(node: Node) -> str:
    if not (text := _text(node).strip()):
        raise FaultError("must not be empty", node)
    return text


def _words(node: Node) -> tuple[str, ...]:
    if isinstance(node.value, list):
        return tuple(_word(item) for item in node.items)
    return (_word(node),)


def _tags(node: Node) -> tuple[str, ...]:
    """A tag has no comma: `tags: a, b` are two, as they are on a command line."""
    return tuple(tag for word in _words(node) for tag in map(str.strip, word.split(",")) if tag)


def _boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise FaultError(f"must be true or false, not '{node.source}'", node)
    return node.value


def _number(node: Node) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float) or not -LARGEST <= node.value <= LARGEST:
        raise FaultError(f"must be a number, not '{node.source}'", node)
    return node.value


def _count(node: Node) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise FaultError(f"must be a whole number, not '{node.source}'", node)
    return node.value


def _within(read: Callable[[Node], float], low: float, high: float = float("inf")) -> Callable[[Node], float]:
    def bounded(node: Node) -> float:
        if not low <= (value := read(node)) <= high:
            allowed = f"at least {low}" if high == float("inf") else f"from {low} to {high}"
            raise FaultError(f"must be {allowed}, not {node.source}", node)
        return value

    return bounded


def _one_of(choices: tuple[str, ...]) -> Callable[[Node], str]:
    def read(node: Node) -> str:
        text = _word(node)
        if text not in choices:
            near = get_close_matches(text, choices, n=1)
            raise FaultError(f"must be one of {', '.join(choices)}", node, f"did you mean {near[0]}?" if near else "")
        return text

    return read


def _short(node: Node) -> str:
    text = _word(node)
    if not re.fullmatch("[A-Za-z]", text):
        raise FaultError("short must be one letter", node)
    return text


def _schema(node: Node) -> Mapping[str, Any]:
    if not isinstance(node.value, dict):
        raise FaultError("schema must be an object", node)
    try:
        json.dumps(node.value, allow_nan=False)
    except ValueError:
        raise FaultError("schema holds a number that JSON cannot", node) from None
    return node.value


def _fields(node: Node, readers: Mapping[str, Callable[[Node], Any]], what: str, example: str) -> dict[str, Any]:
    """The fields of a mapping that allows just these."""
    if not isinstance(node.value, dict):
        raise FaultError(f"{what} must be `key: value` pairs", node, f"in braces, or each on a line below: {example}")
    for key, child in node.children.items():
        if key not in readers:
            near = get_close_matches(key, readers, n=1)
            allowed = f"did you mean {near[0]}?" if near else f"{what} may hold {', '.join(readers)}"
            raise FaultError(f"{what} has no field '{key}'", child, allowed)
    return {key: _named(key, readers[key], child) for key, child in node.children.items() if _is_given(node, key)}


def _named(key: str, read: Callable[[Node], Any], node: Node) -> Any:
    try:
        return read(node)
    except FaultError as fault:
        if fault.message.startswith(("must", "is not")):
            fault.message = f"{key} {fault.message}"
        raise


def _options(node: Node) -> dict[str, Any]:
    return _fields(node, _OPTIONS, "options", "{max_tokens: 800}")


def _output(node: Node) -> Output:
    return Output(**_fields(node, {"format": _one_of(FORMATS), "schema": _schema}, "output", "{format: json}"))


def _params(node: Node) -> tuple[Param, ...]:
    if not isinstance(node.value, dict):
        raise FaultError("params must be `name: {…}` pairs", node, "such as params: {topic: {required: true}}")
    params = tuple(_param(name, child) for name, child in node.children.items())
    _refuse_patterns(node)
    if found := clash(params):
        raise FaultError(found.message, node.children[found.second.name])
    if sum(param.stdin for param in params) > 1:
        second = [param for param in params if param.stdin][1]
        raise FaultError("only one param can take stdin", node.children[second.name])
    return params


def _refuse_patterns(params: Node) -> None:
    """Raise for what is no regular expression. All of a file are read at once, so that they take one child's time."""
    found = [(name, node.children["pattern"]) for name, node in params.children.items() if _is_given(node, "pattern")]
    try:
        said = patterns.faults([pattern.source.strip() for _, pattern in found])
    except ExhaustedError as error:
        raise FaultError(f"the pattern of '{found[0][0]}' cannot be read: that {error.why}", found[0][1]) from None
    for (_, pattern), fault in zip(found, said, strict=True):
        if fault:
            raise FaultError(f"pattern is not a regular expression ({fault})", pattern)


def _param(name: str, node: Node) -> Param:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise FaultError(
            f"'{name}' cannot be a param's name", node, f"letters, digits and _, no digit first: {_as_name(name)}"
        )
    if name in RESERVED:
        raise FaultError(f"'{name}' means something in every template, so no param can have that name", node)
    param = Param(name, **({} if node.value is None else _fields(node, _PARAM, f"param '{name}'", "{type: text}")))
    _check_param(param, node)
    plain = replace(param, pattern=None)  # a stranger's expression may never end: it is not run to look at a prompt
    if _is_given(node, "choices"):
        items = node.children["choices"].items
        param = replace(param, choices=tuple(_typed(plain, item, "a choice") for item in items))
    if _is_given(node, "default"):
        param = replace(
            param, default=_typed(replace(plain, choices=param.choices), node.children["default"], "the default")
        )
    return param


def _as_name(text: str) -> str:
    """The param's name that a text comes nearest to."""
    name = re.sub("[^A-Za-z0-9_]", "_", text[:60])
    return name if re.match("[A-Za-z_]", name) else f"_{name}"


def _typed(param: Param, node: Node, what: str) -> Any:
    """A default or a choice. A text keeps what was written, so that `1.10` and `no` stay what they look like."""
    try:
        if param.type in ("string", "text", "date"):
            return param.read(_text(node))
        if param.type != "list":
            return param.accept(node.value)
        if what == "a choice":
            return _text(node)
        return param.checked([_text(item) for item in (node.items if isinstance(node.value, list) else [node])])
    except FaultError as fault:
        raise FaultError(f"{what} of '{param.name}' {fault.message}", fault.node) from None
    except UsageError as error:
        raise FaultError(error.message.replace("param", f"{what} of", 1), node) from None


def _check_param(param: Param, node: Node) -> None:
    for wrong, message in (
        (
            param.type in PATHS and "default" in node.children,
            "file and image take no default: a prompt cannot name what to read",
        ),
        (
            param.stdin and param.type not in FROM_FILE | {"string"},
            f"stdin goes with text and json, not with {param.type}",
        ),
        (
            param.type not in ("integer", "number") and (param.min, param.max) != (None, None),
            "min and max go with numbers",
        ),
        (param.type not in ("string", "text", "list") and param.pattern is not None, "pattern goes with texts"),
        (None not in (param.min, param.max) and param.min > param.max, "min is greater than max"),  # type: ignore[operator]
    ):
        if wrong:
            raise FaultError(f"param '{param.name}': {message}", node)


def _deferred(_: Node) -> None:
    """Read once the param's type is known."""


def _choices(node: Node) -> tuple[Any, ...]:
    """Only that there are some; each is read once the param's type is known."""
    if not node.items:
        raise FaultError("must be a list of values", node)
    return ()


_PARAM: Mapping[str, Callable[[Node], Any]] = {
    "type": _one_of(get_args(ParamType)),
    "required": _boolean,
    "default": _deferred,
    "choices": _choices,
    "pattern": _word,
    "min": _number,
    "max": _number,
    "help": _text,
    "short": _short,
    "stdin": _boolean,
    "secret": _boolean,
}

_OPTIONS: Mapping[str, Callable[[Node], Any]] = {
    "temperature": _within(_number, 0),
    "top_p": _within(_number, 0, 1),
    "max_tokens": _within(_count, 1),
    "stop": _words,
    "seed": _count,
    "effort": _one_of(EFFORTS),
}
"""What a prompt may ask of a request. It can never set where the request goes, or with which key."""

_FIELDS: Mapping[str, Callable[[Node], Any]] = {
    key: (lambda node, key=key, read=read: _named(key, read, node))  # type: ignore[misc]
    for key, read in {
        "description": _text,
        "tags": _tags,
        "model": _word,
        "fallback": _words,
        "params": _params,
        "options": _options,
        "output": _output,
        "template": _boolean,
    }.items()
}

KEYS: Mapping[str, tuple[str, ...]] = {
    "": tuple(_FIELDS),
    "param": tuple(_PARAM),
    "options": tuple(_OPTIONS),
    "output": tuple(Output.__dataclass_fields__),
}
"""The keys that there are: of all, of each param, of two others."""
