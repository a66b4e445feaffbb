"""From a prompt's body and values to messages. The one door to Jinja2.

A template comes from a stranger, and so do the values: the language is sandboxed, files are reached only by literal
names inside the prompt's own layer, commands only through `sh`, and nothing inside a value is ever interpreted. A
message begins where the template's source says so: the tags leave marks that are random for each render, so no value
can hold one. Nothing of a template is evaluated before `render`.
"""

import datetime
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aix.errors import AixError, RefusedError, TemplateError
from aix.library import filters
from aix.library.closure import Closure, Source
from aix.library.document import RESERVED, split
from aix.library.marks import ROLES, Marks
from aix.library.prompt import Param, Prompt, clash
from aix.library.reading import MissingFileError
from aix.messages import Image, Message

MAX_OUTPUT = 10 * 1024 * 1024

Read = Callable[[str], str]
"""Gives the text of a file that a prompt names, from the prompt's own layer; raises TemplateError."""


def nothing(name: str) -> str:
    """The layer of a prompt that has none. Raises TemplateError."""
    raise MissingFileError(f"a prompt from standard input has no folder to include '{name}' from")


class Template:
    """A prompt with every file that it includes, read once: what was hashed is what is rendered."""

    def __init__(self, prompt: Prompt, read: Read) -> None:
        self._prompt = prompt
        self._main = _file_name(prompt)
        self._closure = Closure()
        self._environment = Environment(self._closure)
        self._trees: dict[str, nodes.Template] = {}
        main = Source(prompt.place, prompt.body, prompt.body_line, prompt.text)
        if prompt.template:
            self._add(self._main, main, read)
        else:
            self._closure.add(self._main, main)

    @property
    def digest(self) -> str:
        """`sha256:…` over the prompt and all that it includes."""
        return self._closure.digest

    @property
    def params(self) -> tuple[Param, ...]:
        """The params that the prompt declares; where it declares none, each variable that it uses is a text param,
        required unless the template says what to do without it. Raises TemplateError."""
        if self._prompt.params is not None:
            return self._prompt.params
        params = tuple(Param(name, type="text", required=required) for name, required in self._variables().items())
        if found := clash(params):
            raise TemplateError(f"{self._prompt.place}: {found.message}", hint="declare them under params")
        return params

    @property
    def includes(self) -> tuple[str, ...]:
        """The files that it includes, and those that they include, named from the root of its layer."""
        return tuple(name for name in self._closure if name != self._main)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that `sh` may run, as the source has them."""
        return tuple(_command(call) for tree in self._trees.values() for call in _sh_calls(tree))

    def render(
        self,
        values: Mapping[str, Any],
        surroundings: Mapping[str, Any],
        *,
        commands: bool = True,
        max_output: int = MAX_OUTPUT,
    ) -> tuple[Message, ...]:
        """The messages. `values` holds plain data, and `Image`s where they are to stand; `surroundings` stands besides.

        Without `commands`, `sh(…)` gives `[command: …]`. Raises TemplateError with file:line, or RefusedError when a
        command is not trusted.
        """
        marks = Marks(self._prompt.place)
        if not self._prompt.template:
            return marks.messages(self._prompt.body)
        names = {name: marks.stand_in(value) if isinstance(value, Image) else value for name, value in values.items()}
        try:
            names, always = deepcopy((names, dict(surroundings)))  # `{% set x.a %}…{% endset %}` can change a value
            environment = Environment(self._closure, marks, {**always, "sh": self._sh(commands)})
            text = _joined(environment.get_template(self._main).generate(names), max_output)
        except AixError:
            raise
        except Exception as error:
            raise self._explained(error) from error
        return marks.messages(text)

    def _sh(self, commands: bool) -> Callable[..., str]:
        name = self._prompt.name
        shown = self._prompt.path if self._prompt.layer == "file" else name

        def sh(command: str, *_: object) -> str:
            if not commands:
                return f"[command: {command}]"
            raise RefusedError(
                f"'{name}' runs a command, and its content is not trusted: {' '.join(command.split())}",
                hint=f"aix show {shown}, and to run it without its commands: --disable-commands",
                reason="untrusted",
            )

        return sh

    def _add(self, name: str, source: Source, read: Read) -> None:
        """Read and check one file, then what it names, depth first; the order is the digest's."""
        self._closure.add(name, source)
        try:
            tree = self._environment.parse(source.body, name)
            _check(tree)
            references = list(_references(tree))
        except Exception as error:
            raise self._explained(error, name) from error
        self._trees[name] = tree
        named = tuple(self._environment.join_path(reference, name) for reference, _, _ in references)
        self._closure.link(name, named)
        for path, (_, line, optional) in zip(named, references, strict=True):
            if path not in self._closure:
                self._follow(path, source.at(line), read, optional=optional)

    def _follow(self, path: str, at: str, read: Read, *, optional: bool) -> None:
        """Add the file that is named at a place; one that may be missing may be missing, and nothing else."""
        try:
            text = read(path)
        except TemplateError as error:
            if optional and isinstance(error, MissingFileError):
                return
            raise TemplateError(f"{at}: {error.message}", hint=error.hint) from None
        _, body, body_line = split(text, path)
        self._add(path, Source(path, body, body_line, text), read)

    def _variables(self) -> dict[str, bool]:
        """The variables that can be given, in the order in which they first stand, and whether each must be."""
        optional = {name for tree in self._trees.values() for name in _optional(tree)}
        found: dict[str, bool] = {}
        for file, tree in self._trees.items():
            inherited = {name for above in self._closure.above(file) for name in _bound(self._trees[above])}
            try:
                wanted = undeclared(tree) - inherited - {*RESERVED, *self._environment.globals}
            except Exception as error:
                raise self._explained(error, file) from error
            names = (node.name for node in tree.find_all(nodes.Name))
            found |= {name: name not in optional for name in names if name in wanted}
        return found

    def _explained(self, error: Exception, file: str = "") -> TemplateError:
        """A TemplateError in one sentence, with the file and line of the template."""
        name, line = _where(error, self._closure)
        at = self._closure[name or file or self._main].at(line)
        message = getattr(error, "message", None) or str(error) or type(error).__name__
        return TemplateError(f"{at}: {_said(error, ' '.join(message.split()))}", hint=_hint(error))


_KEEPING: tuple[type[Any], ...] = (nodes.AssignBlock, nodes.FilterBlock)
"""The blocks whose text is not the prompt's, or not yet."""


class _MessageTags(Extension):
    """`{% system %}`, `{% user %}` and `{% assistant %}` begin a message."""

    tags = set(ROLES)  # noqa: RUF012 - jinja2 declares it so
    marks: Marks
    keeping = 0
    """How many blocks that keep their text the render is in."""

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
        self.globals.pop("lipsum")
        self.globals |= surroundings or {}
        self.filters |= {"json": filters.to_json, "fenced": filters.fenced, "truncate_tokens": filters.truncate_tokens}
        self._tags = cast("_MessageTags", self.extensions[_MessageTags.identifier])
        if marks is not None:
            self._tags.marks = marks

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
        for block in list(source.find_all(_KEEPING)):
            enter, leave = (self._tags.output("keep", block.lineno, nodes.Const(change)) for change in (1, -1))
            block.body = [enter, *block.body, leave]
        return super()._generate(source, *args, **kwargs)


@jinja2.pass_context
def _shown(_: object, value: object) -> object:
    """What stands for a value. It takes the context so that Jinja does not call it before there is one."""
    return "" if value is None else value


def _file_name(prompt: Prompt) -> str:
    """The prompt's file, named from the root of its layer as an include would name it."""
    folder, slash, _ = prompt.name.rpartition("/")
    return folder + slash + (prompt.path.name if prompt.path else f"{prompt.name}.md")


def _joined(pieces: Iterable[str], limit: int) -> str:
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TemplateError(f"the prompt renders to more than {limit // 1024 // 1024} MiB")
        kept.append(piece)
    return "".join(kept)


def _references(tree: nodes.Template) -> Iterator[tuple[str, int, bool]]:
    """The files that a template names, with the line and whether it may be missing. Only literal names are allowed."""
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        named = getattr(node, "template", None)
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
            kind = type(node).__name__.lower().replace("from", "")
            raise jinja2.TemplateSyntaxError(f"{kind} takes a literal name in quotes", node.lineno)
        yield named.value, node.lineno, getattr(node, "ignore_missing", False)


def _check(tree: nodes.Template) -> None:
    """Refuse what the sandbox cannot: a caught message tag, and `sh` by any other name or with a computed command."""
    for block in tree.find_all(_KEEPING):
        if any(node.identifier == _MessageTags.identifier for node in block.find_all(nodes.ExtensionAttribute)):
            raise jinja2.TemplateSyntaxError("a message tag cannot stand inside a set or filter block", block.lineno)
    for modifier in tree.find_all(nodes.EvalContextModifier):
        if not all(isinstance(option.value, nodes.Const) for option in modifier.options):
            raise jinja2.TemplateSyntaxError("autoescape takes true or false", modifier.lineno)
    calls = list(_sh_calls(tree))
    called = {id(call.node) for call in calls}
    for call in calls:
        _command(call)
    for name in tree.find_all(nodes.Name):
        if name.name == "sh" and id(name) not in called:
            raise jinja2.TemplateSyntaxError("sh can only be called, by that name", name.lineno)
    for node in tree.find_all((nodes.Macro, nodes.Import, nodes.FromImport)):
        if "sh" in _named(node):
            raise jinja2.TemplateSyntaxError("nothing else can be named sh", node.lineno)


def _command(call: nodes.Call) -> str:
    first = call.args[0] if call.args else None
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
        raise jinja2.TemplateSyntaxError("sh takes its command as a literal text in quotes", call.lineno)
    if call.kwargs or call.dyn_kwargs:
        raise jinja2.TemplateSyntaxError("sh takes its values by position, not by name", call.lineno)
    return first.value


def _sh_calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "sh":
            yield call


def _named(node: nodes.Node) -> list[str]:
    """The names that a macro or an import makes."""
    if isinstance(node, nodes.FromImport):
        return [name[1] if isinstance(name, tuple) else name for name in node.names]
    return [str(getattr(node, "target", None) or getattr(node, "name", ""))]


def _bound(tree: nodes.Template) -> Iterator[str]:
    """The names that a file makes itself: they are there in what it includes."""
    yield from (name.name for name in tree.find_all(nodes.Name) if name.ctx != "load")
    for node in tree.find_all((nodes.Macro, nodes.Import, nodes.FromImport)):
        yield from _named(node)


def undeclared(tree: nodes.Template) -> set[str]:
    """The names that a file expects: `meta.find_undeclared_variables`, which would evaluate constants, but for that."""
    generator = meta.TrackingCodeGenerator(cast("Environment", tree.environment))
    generator.optimizer = None
    generator.visit(tree)
    return generator.undeclared_identifiers


def _optional(tree: nodes.Template) -> Iterator[str]:
    """The variables that need not be there: `{{ x | default(…) }}`, `x is defined`."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        if node.name in ("default", "d", "defined", "undefined") and isinstance(node.node, nodes.Name):
            yield node.node.name


def _where(error: Exception, files: Container[str]) -> tuple[str, int]:
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


def _said(error: Exception, message: str) -> str:
    form = next((form for kind, form in _SAID if isinstance(error, kind)), type(error).__name__ + ": {}")
    return form.format(message[:300])


def _hint(error: Exception) -> str:
    if isinstance(error, jinja2.UndefinedError) and (match := re.match(r"'([^']+)' is undefined", str(error))):
        return f"declare it under params, or write {{{{ {match[1]} | default('') }}}}"
    return ""
