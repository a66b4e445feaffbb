"""A prompt and its params: what a prompt file declares, and how text from a command line becomes a value."""

import datetime
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aix.bounded import ExhaustedError
from aix.config.values import boolean, number
from aix.errors import UsageError
from aix.library.templates.patterns import unfit

ParamType = Literal["string", "text", "integer", "number", "boolean", "date", "json", "list", "file", "image"]


def _plain(text: str) -> str:
    """A number as everybody writes it: Python would read `1_0` and other scripts' digits too. Raises ValueError."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return text


def _json(text: str) -> Any:
    """JSON, without Python's `NaN` and `Infinity`. Raises ValueError."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(text: str) -> None:
    raise ValueError(text)


READERS: Mapping[ParamType, tuple[Callable[[str], Any], str]] = {
    "string": (str, "a text"),
    "text": (str, "a text"),
    "integer": (lambda text: int(_plain(text)), "a whole number, such as 3"),
    "number": (lambda text: number(_plain(text)), "a number, such as 0.5"),
    "boolean": (boolean, "true or false"),
    "date": (datetime.date.fromisoformat, "a date, such as 2026-11-21"),
    "json": (_json, 'JSON, such as {"a": 1}'),
    "list": (lambda text: [text], "a list"),
    "file": (Path, "the path of a file"),
    "image": (Path, "the path of an image"),
}
"""How each type reads a text, and how it is described to a person whose text it is not."""

FROM_FILE: frozenset[ParamType] = frozenset({"text", "json"})
"""The types whose text may come from a file or stdin: `--diff-file PATH`, `-p diff@PATH`."""

PATHS: frozenset[ParamType] = frozenset({"file", "image"})

EMPTY: Mapping[ParamType, Any] = {"string": "", "text": "", "list": [], "boolean": False, "file": ""}
"""What a template sees of a param without a value; the other types are none."""


WRITTEN: frozenset[ParamType] = frozenset({"string", "text", "date", "list"})
"""The types for which a value is what was written: `1.10` and `017` stay what they look like."""

MAX_LISTED = 30
"""How many names one sentence has."""


@dataclass(frozen=True, slots=True)
class Written:
    """A plain value, with the text that stands for it, or the texts of a list."""

    value: Any
    text: str | list[str]


@dataclass(frozen=True, slots=True)
class Param:
    """One declared value of a prompt. `min` and `max` bound integers and numbers, `pattern` a whole text."""

    name: str
    type: ParamType = "string"
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    pattern: str | None = None
    min: float | None = None
    max: float | None = None
    help: str = ""
    short: str = ""
    stdin: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def file_flag(self) -> str:
        return f"{self.flag}-file" if self.type in FROM_FILE else ""

    @property
    def flags(self) -> tuple[str, ...]:
        """All that the param falls on, on a command line."""
        negative = f"--no-{self.flag[2:]}" if self.type == "boolean" else ""
        return tuple(filter(None, (self.flag, negative, self.file_flag, self.short and f"-{self.short}")))

    @property
    def empty(self) -> Any:
        return EMPTY.get(self.type)

    def read(self, text: str) -> Any:
        """The value that `text` means. Raises UsageError, which says what would do."""
        reader, says = READERS[self.type]
        try:
            value = reader(text)
        except (ValueError, OverflowError, RecursionError):
            raise self._wrong(f"must be {says}", text) from None
        return self.checked(value)

    def accept(self, value: Any) -> Any:
        """A value from a param file or a default: one that is of the type already, or a text that means one."""
        if isinstance(value, Written):
            value = value.text if self.type in WRITTEN else value.value
        if self.type == "json":
            return self.checked(value)
        if self.type == "list":
            return self.checked([self._text(item) for item in (value if isinstance(value, list) else [value])])
        if isinstance(value, str):
            return self.read(value)
        if self.type in ("string", "text"):
            return self.read(self._text(value))
        if not _IS.get(self.type, _never)(value):
            raise self._wrong(f"must be {READERS[self.type][1]}", json.dumps(value))
        return self.checked(value)

    def checked(self, value: Any) -> Any:
        """The value, when it is within what the param allows. Raises UsageError."""
        for item in value if self.type == "list" else [value]:
            if self.choices and item not in self.choices:
                raise self._wrong(f"must be one of {listed([str(choice) for choice in self.choices])}", str(item))
        if self.pattern is not None:
            self._refuse_unfit([str(item) for item in (value if self.type == "list" else [value])])
        if self.type in ("integer", "number"):
            if self.min is not None and value < self.min:
                raise self._wrong(f"must be at least {self.min}", str(value))
            if self.max is not None and value > self.max:
                raise self._wrong(f"must be at most {self.max}", str(value))
        return value

    def _refuse_unfit(self, texts: Sequence[str]) -> None:
        """Raise UsageError for a text that does not fit the pattern, or where that cannot be said in time."""
        assert self.pattern is not None
        try:
            wrong = unfit(self.pattern, texts)
        except ExhaustedError as error:
            raise UsageError(
                f"whether param '{self.name}' fits its pattern cannot be said: that {error.why}",
                hint=f"the prompt's pattern is at fault: {self.pattern[:60]}",
            ) from None
        if wrong is not None:
            raise self._wrong(f"must match {self.pattern}", wrong)

    def _text(self, value: Any) -> str:
        """A plain value of JSON or YAML as text."""
        if not isinstance(value, str | bool | int | float):
            raise self._wrong("must be a text", json.dumps(value))
        return value if isinstance(value, str) else json.dumps(value)

    def _wrong(self, must: str, text: str) -> UsageError:
        shown = f"'{text}'" if len(text) <= 60 else f"'{text[:60]}…'"
        return UsageError(f"param '{self.name}' {must}" + ("" if self.secret else f", not {shown}"))


@dataclass(frozen=True, slots=True)
class Clash:
    """Two params that fall on one flag."""

    first: Param
    second: Param
    flag: str

    @property
    def message(self) -> str:
        return f"params '{self.first.name}' and '{self.second.name}' both fall on {self.flag}"


def clash(params: Sequence[Param]) -> Clash | None:
    """The first two params that fall on one flag."""
    owners: dict[str, Param] = {}
    for param in params:
        for flag in param.flags:
            if flag in owners:
                return Clash(owners[flag], param, flag)
            owners[flag] = param
    return None


@dataclass(frozen=True, slots=True)
class Output:
    """How the answer is meant: `format` is text, markdown or json; `schema` a JSON Schema that it follows."""

    format: str = "markdown"
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file as it was read.

    `body_line` is the line of the file on which the body begins. `params` is None where the file declares none, and the
    variables that the body uses are its params. `extra` keeps unknown front matter. `text` is the whole file.
    """

    name: str
    text: str
    body: str
    body_line: int = 1
    path: Path | None = None
    layer: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    params: tuple[Param, ...] | None = None
    model: str = ""
    fallback: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    output: Output = field(default_factory=Output)
    template: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return str(self.path) if self.path else self.name


_IS: Mapping[ParamType, Callable[[Any], bool]] = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value),
    "boolean": lambda value: isinstance(value, bool),
}


def is_finite(value: float) -> bool:
    return -math.inf < value < math.inf


def listed(texts: Sequence[str]) -> str:
    """Names in a sentence: not all of very many."""
    more = f" and {len(texts) - MAX_LISTED:,} more" if len(texts) > MAX_LISTED else ""
    return ", ".join(texts[:MAX_LISTED]) + more


def _never(_: Any) -> bool:
    return False
