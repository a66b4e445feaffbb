"""A template's syntax as plain values: what it names, includes and runs, each with its line. Nothing is rendered."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from aix.library.templates.closure import Closure
from aix.library.templates.jinja import (
    KEEPING,
    MAX_TOKENS,
    OPTIONAL,
    Environment,
    Tree,
    is_sh,
    made_by,
    said,
    undeclared,
)

REFERENCES = ("Include", "Import", "FromImport", "Extends")
BRANCHES = ("If", "For", "CondExpr", "And", "Or", "Macro", "CallBlock")
"""What is below one of these need not be reached."""


class NoSyntaxError(Exception):
    """Text that is no template; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that is named; None where the name is computed. It may be `missing`, and is `certain` to be reached."""

    name: str | None
    line: int
    missing: bool
    certain: bool
    taken: tuple[str, ...] = ()
    """The names that are imported from it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `sh`: its command, None where that is computed, and the variables that are its values."""

    command: str | None
    line: int
    values: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Syntax:
    """`uses` has every name that is read with its first line, `wanted` those that nothing in the file makes, `made`
    those that it makes, `optional` those that need not be there. `tags` are lines of message tags in blocks that keep
    their text, `aliases` those where `sh` stands and is not called; `refused` is what a run would end with."""

    uses: Mapping[str, int] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    references: tuple[Reference, ...] = ()
    calls: tuple[Call, ...] = ()
    tags: tuple[int, ...] = ()
    aliases: tuple[int, ...] = ()
    refused: NoSyntaxError | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template as it is written: `kind` is Jinja's word for it, `at` where it begins in the body."""

    kind: str
    text: str
    at: int
    raw: bool = False


def read(body: str, environment: Environment) -> Syntax:
    """The syntax of a body. Raises NoSyntaxError."""
    tree, refused = _parsed(body, environment)
    found = list(_walk(tree))
    try:
        wanted = undeclared(tree)
    except Exception as error:  # noqa: BLE001 - a run would end with it
        wanted, refused = set(), refused or _fault(error)
    names = [node for node, _, _ in found if _kind(node) == "Name"]
    calls = [node for node, _, _ in found if _kind(node) == "Call" and is_sh(node.node)]
    called = {id(call.node) for call in calls}
    return Syntax(
        _firsts((node.name, node.lineno) for node in names if node.ctx == "load"),
        frozenset(wanted - environment.globals.keys()),
        frozenset(
            {node.name for node in names if node.ctx != "load"}
            | {name for node, _, _ in found for name in made_by(node)}
        ),
        frozenset(name for node, _, _ in found for name in _optional(node)),
        tuple(_reference(node, certain) for node, certain, _ in found if _kind(node) in REFERENCES),
        tuple(map(_call, calls)),
        tuple(node.lineno for node, _, kept in found if kept and _kind(node) == "ExtensionAttribute"),
        tuple(node.lineno for node in names if is_sh(node) and id(node) not in called),
        refused,
    )


def _parsed(body: str, environment: Environment) -> "tuple[Any, NoSyntaxError | None]":
    """The tree, with what a run would refuse it for. Raises NoSyntaxError where there is none."""
    try:
        return Tree(body, "", environment).root, None
    except Exception as error:  # noqa: BLE001 - a run would end with it
        refused = _fault(error)
    try:
        return Environment(Closure()).parse(body), refused
    except Exception:  # noqa: BLE001
        raise refused from None


def _fault(error: Exception) -> NoSyntaxError:
    return NoSyntaxError(said(error), getattr(error, "lineno", None) or 1)


def tokens(body: str) -> Iterator[Token]:
    """The pieces of a body, as far as they can be told apart."""
    at, raw = 0, False
    try:
        for _, kind, text in islice(_environment().lex(body), MAX_TOKENS):
            at = max(at, body.find(text, at))  # Jinja leaves out the space that it strips
            yield Token(kind, text, at, raw)
            raw = (raw or kind == "raw_begin") and kind != "raw_end"
            at += len(text)
    except Exception:  # noqa: BLE001 - what is wrong is told by whoever reads the syntax
        return


@cache
def _environment() -> Environment:
    return Environment(Closure())


def _kind(node: Any) -> str:
    return type(node).__name__


def _walk(tree: Any) -> Iterator[tuple[Any, bool, bool]]:
    """Every node in its order, whether it is certain to be reached, and whether its text is kept by a block."""
    waiting = [(tree, True, False)]
    while waiting:
        node, certain, kept = waiting.pop()
        yield node, certain, kept
        below = (certain and _kind(node) not in BRANCHES, kept or isinstance(node, KEEPING))
        waiting += [(child, *below) for child in reversed(list(node.iter_child_nodes()))]


def _firsts(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """What stands first for each name, in their order."""
    found: dict[str, int] = {}
    for name, line in pairs:
        found.setdefault(name, line)
    return found


def _literal(node: Any) -> str | None:
    return node.value if _kind(node) == "Const" and isinstance(node.value, str) else None


def _reference(node: Any, certain: bool) -> Reference:
    taken = [name[0] if isinstance(name, tuple) else name for name in getattr(node, "names", ())]
    missing = getattr(node, "ignore_missing", False)
    return Reference(_literal(node.template), node.lineno, missing, certain, tuple(taken))


def _call(node: Any) -> Call:
    command = _literal(node.args[0]) if node.args and not node.kwargs and node.dyn_kwargs is None else None
    values = tuple(value.name for value in node.args[1:] if _kind(value) == "Name")
    return Call(command, node.lineno, values, len(node.args) - 1 if node.dyn_args is None else -1)


def _optional(node: Any) -> list[str]:
    named = _kind(node) in ("Filter", "Test") and node.name in OPTIONAL and _kind(node.node) == "Name"
    return [node.node.name] if named else []
