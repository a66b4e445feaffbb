"""Jinja as a prompt has it: the sandbox, the message tags, and what a template's source names, calls and uses.

The one door to Jinja2. Nothing of a template is evaluated before it is rendered, and reading one takes a time that its
length bounds, whatever is in it.
"""

import datetime
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.lexer import Lexer, Token, TokenStream, get_lexer
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aix.library.templates import filters
from aix.library.templates.closure import Closure
from aix.library.templates.marks import ROLES, Marks

MAX_TOKENS = 10_000
"""How many words and signs of Jinja a prompt can have, with all that it includes; the texts between count as one."""
MAX_NESTED = 20
"""How deep blocks can stand in each other: Python has no more loops in a loop either."""

KEEPING: tuple[type[Any], ...] = (nodes.AssignBlock, nodes.FilterBlock)
"""The blocks whose text is not the prompt's, or not yet."""
OPTIONAL = ("default", "d", "defined", "undefined")
"""The filters and tests whose variable need not be there."""
_BLOCKS: tuple[type[Any], ...] = (*KEEPING, nodes.Block, nodes.CallBlock, nodes.For, nodes.If, nodes.Macro, nodes.With)
_MAKING: tuple[type[Any], ...] = (nodes.Macro, nodes.Import, nodes.FromImport)


class _MessageTags(Extension):
    """`{% system %}`, `{% user %}` and `{% assistant %}` begin a message."""

    tags = set(ROLES)  # noqa: RUF012 - jinja2 declares it so
    marks: Marks
    keeping = 0
    """How many blocks that keep their text the render is in."""
    read = 0
    """How many tokens were read."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        if source.count("{#") + source.count("{%") > MAX_TOKENS:  # comments and raw texts are no tokens
            raise _too_much(1, name)
        return source

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            self.read += 1
            if self.read > MAX_TOKENS:
                raise _too_much(token.lineno, stream.name)
            yield token

    def parse(self, parser: Parser) -> nodes.Node:
        token = next(parser.stream)
        return self.output("begin", token.lineno, nodes.Const(token.value))

    def output(self, method: str, line: int, *arguments: nodes.Expr) -> nodes.Node:
        """The node that calls a method where the text is written."""
        return nodes.Output([self.call_method(method, list(arguments), lineno=line)], lineno=line)

    def begin(self, role: str) -> str:
        if self.keeping:
            raise jinja2.TemplateRuntimeError("a message tag cannot stand inside a set or filter block")
        return self.marks.begin(role)

    def keep(self, change: int) -> str:
        self.keeping += change
        return ""


def _too_much(line: int, name: str | None) -> jinja2.TemplateSyntaxError:
    return jinja2.TemplateSyntaxError(
        f"a prompt can have {MAX_TOKENS:,} words and signs of Jinja at most: give long data as a value", line, name
    )


class Environment(ImmutableSandboxedEnvironment):
    """Jinja as a prompt has it: the sandbox, the documented globals and filters, and no file system."""

    def __init__(
        self,
        closure: Closure,
        marks: Marks | None = None,
        surroundings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined,
            extensions=[_MessageTags],
            finalize=_shown,
            optimized=False,  # to look for constants takes the square of an expression's depth, and this runs once
            loader=jinja2.FunctionLoader(lambda name: (closure[name].body, name, None) if name in closure else None),
        )
        self._lexer = get_lexer(self)  # what all have in common is locked: a child cannot wait for another thread
        self.globals.pop("lipsum")
        self.globals |= surroundings or {}
        self.filters |= {"json": filters.to_json, "fenced": filters.fenced, "truncate_tokens": filters.truncate_tokens}
        self._tags = cast("_MessageTags", self.extensions[_MessageTags.identifier])
        if marks is not None:
            self._tags.marks = marks

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def join_path(self, template: str, parent: str) -> str:
        """`./x.md` is beside the file that names it; anything else starts at the root of the layer."""
        if not template.startswith("./"):
            return template
        folder, slash, _ = parent.rpartition("/")
        return folder + slash + template.removeprefix("./")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """What the sandbox allows, but for the methods that load modules: a render imports and opens nothing."""
        loads = isinstance(obj, str | bytes | datetime.date) and attr in ("encode", "decode", "strptime")
        return not loads and super().is_safe_attribute(obj, attr, value)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Have each block that keeps its text tell so, for message tags that an include or a macro brings into it."""
        for block in list(source.find_all(KEEPING)):
            enter, leave = (self._tags.output("keep", block.lineno, nodes.Const(change)) for change in (1, -1))
            block.body = [enter, *block.body, leave]
        return super()._generate(source, *args, **kwargs)


@jinja2.pass_context
def _shown(_: object, value: object) -> object:
    """What stands for a value. It takes the context so that Jinja does not call it before there is one."""
    return "" if value is None else value


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a template names, with the line, and whether it may be missing."""

    name: str
    line: int
    optional: bool


class Tree:
    """The template of one file, read and found sound. Raises jinja2's own errors for one that is not."""

    def __init__(self, source: str, name: str, environment: Environment) -> None:
        self.root = environment.parse(source, name)
        self._nodes = list(_walked(self.root))
        self._calls = [call for call in self._all(nodes.Call) if is_sh(call.node)]
        self.commands = tuple((_command(call), call.lineno, _given(call)) for call in self._calls)
        """The commands that `sh` may run, as the source has them, with their lines and what they are given."""
        self.references = tuple(self._references())
        self._refuse_other_names_of_sh()
        self._refuse_computed_escaping()

    @property
    def bound(self) -> set[str]:
        """The names that the file makes itself: they are there in what it includes."""
        stored = {name.name for name in self._all(nodes.Name) if name.ctx != "load"}
        return stored.union(*(made_by(node) for node in self._all(*_MAKING)))

    @property
    def optional(self) -> set[str]:
        """The variables that need not be there: `{{ x | default(…) }}`, `x is defined`."""
        found = (node.node for node in self._all(nodes.Filter, nodes.Test) if node.name in OPTIONAL)
        return {node.name for node in found if isinstance(node, nodes.Name)}

    @property
    def wanted(self) -> list[str]:
        """The names that it uses and does not make, each as often as it stands, in their order."""
        names = undeclared(self.root)
        return [name.name for name in self._all(nodes.Name) if name.name in names]

    def _all(self, *kinds: type[nodes.Node]) -> list[Any]:
        return [node for node in self._nodes if isinstance(node, kinds)]

    def _references(self) -> Iterator[Reference]:
        """Only literal names are allowed."""
        for node in self._all(nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
            named = node.template
            if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
                kind = type(node).__name__.lower().replace("from", "")
                raise jinja2.TemplateSyntaxError(f"{kind} takes a literal name in quotes", node.lineno)
            yield Reference(named.value, node.lineno, getattr(node, "ignore_missing", False))

    def _refuse_other_names_of_sh(self) -> None:
        called = {id(call.node) for call in self._calls}
        for name in self._all(nodes.Name):
            if is_sh(name) and id(name) not in called:
                raise jinja2.TemplateSyntaxError("sh can only be called, by that name", name.lineno)
        for block in self._all(nodes.CallBlock):
            if id(block.call.node) in called:
                raise jinja2.TemplateSyntaxError("sh takes no block: {{ sh(…) }}", block.lineno)
        for node in self._all(*_MAKING):
            if "sh" in made_by(node):
                raise jinja2.TemplateSyntaxError("nothing else can be named sh", node.lineno)

    def _refuse_computed_escaping(self) -> None:
        for modifier in self._all(nodes.EvalContextModifier):
            if not all(isinstance(option.value, nodes.Const) for option in modifier.options):
                raise jinja2.TemplateSyntaxError("autoescape takes true or false", modifier.lineno)


def _walked(root: nodes.Node) -> Iterator[nodes.Node]:
    """Every node below, in the order of the source. Raises for blocks too deep in each other, and for a message tag in
    a block that keeps its text."""
    left: list[tuple[nodes.Node, int, int]] = [(node, 0, 0) for node in reversed([*root.iter_child_nodes()])]
    while left:
        node, depth, kept = left.pop()
        yield node
        if isinstance(node, nodes.ExtensionAttribute) and node.identifier == _MessageTags.identifier and kept:
            raise jinja2.TemplateSyntaxError("a message tag cannot stand inside a set or filter block", kept)
        depth += isinstance(node, _BLOCKS)
        if depth > MAX_NESTED:
            raise jinja2.TemplateSyntaxError(f"blocks stand more than {MAX_NESTED} deep in each other", node.lineno)
        kept = kept or (node.lineno if isinstance(node, KEEPING) else 0)
        left += [(child, depth, kept) for child in reversed([*node.iter_child_nodes()])]


def is_sh(node: nodes.Node) -> bool:
    """Whether a node is the name `sh`, called or not."""
    return isinstance(node, nodes.Name) and node.name == "sh"


def _command(call: nodes.Call) -> str:
    first = call.args[0] if call.args else None
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
        raise jinja2.TemplateSyntaxError("sh takes its command as a literal text in quotes", call.lineno)
    if call.kwargs or call.dyn_kwargs:
        raise jinja2.TemplateSyntaxError("sh takes its values by position, not by name", call.lineno)
    return first.value


def _given(call: nodes.Call) -> tuple[str, ...]:
    """The values of a command as the source has them: texts and names; of anything else, that it is there."""
    spread = [call.dyn_args] if call.dyn_args else []
    return tuple(_written(value) for value in (*call.args[1:], *spread))


def _written(value: nodes.Expr) -> str:
    if isinstance(value, nodes.Const):
        return json.dumps(value.value, ensure_ascii=False, default=str)
    return value.name if isinstance(value, nodes.Name) else "…"


def made_by(node: nodes.Node) -> list[str]:
    """The names that a macro or an import makes; no other node makes any so."""
    if isinstance(node, nodes.FromImport):
        return [name[1] if isinstance(name, tuple) else name for name in node.names]
    return [str(getattr(node, "target", None) or getattr(node, "name", ""))] if isinstance(node, _MAKING) else []


def undeclared(tree: nodes.Template) -> set[str]:
    """The names that a file expects: `meta.find_undeclared_variables`, which would evaluate constants, but for that."""
    generator = meta.TrackingCodeGenerator(cast("Environment", tree.environment))
    generator.optimizer = None
    generator.visit(tree)
    return generator.undeclared_identifiers - _settled(tree.find_all(nodes.If))


def _settled(body: Iterable[nodes.Node]) -> set[str]:
    """The names that are set in these nodes whatever the values are, so in each branch where there are branches."""
    found = set[str]()
    for node in body:
        if isinstance(node, nodes.If) and node.else_:
            branches = (node.body, *(branch.body for branch in node.elif_), node.else_)
            found |= set.intersection(*map(_settled, branches))
        elif isinstance(node, nodes.Assign | nodes.AssignBlock) and isinstance(node.target, nodes.Name):
            found.add(node.target.name)
    return found


def where(error: Exception, files: Container[str]) -> tuple[str, int]:
    """The template and the line in it at which the error rose; Jinja puts template lines into the traceback."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.name if error.name and error.name in files else "", error.lineno
    found, traceback = ("", 0), error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        found = (file, traceback.tb_lineno) if file in files else found
        traceback = traceback.tb_next
    return found


_SAID: tuple[tuple[type[Exception], str], ...] = (
    (RecursionError, "the template calls or includes itself without end, or nests too deep"),
    (MemoryError, "the template needs more memory than there is"),
    (jinja2.TemplateNotFound, "there is no file {}"),
    (jinja2.exceptions.SecurityError, "not allowed in a prompt: {}"),
    (jinja2.TemplateError, "{}"),
)


def said(error: Exception) -> str:
    """What is wrong, in one sentence."""
    message = " ".join((getattr(error, "message", None) or str(error) or type(error).__name__)[:1000].split())
    form = next((form for kind, form in _SAID if isinstance(error, kind)), type(error).__name__ + ": {}")
    return form.format(message[:300])


def advised(error: Exception) -> str:
    """What to do about it, where that is known."""
    if isinstance(error, jinja2.UndefinedError) and (match := re.match(r"'([^']{1,100})' is undefined", str(error))):
        return f"declare it under params, or write {{{{ {match[1]} | default('') }}}}"
    return ""
