"""From a prompt's body and values to messages. The one door to Jinja2.

A template comes from a stranger, and so do the values: the language is sandboxed, files are reached only by literal
names inside the prompt's own layer, commands only through `sh`, and nothing inside a value is ever interpreted. A
message begins where the template's source says so: the tags leave marks that are random for each render, so no value
can hold one.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aix.errors import AixError, RefusedError, TemplateError
from aix.library.document import RESERVED, split
from aix.library.prompt import Param, Prompt
from aix.messages import Image, Message, Part, Role, Text

MAX_OUTPUT = 10 * 1024 * 1024
ROLES = ("system", "user", "assistant")

Read = Callable[[str], str]
"""Gives the text of a file that a prompt names, from the prompt's own layer; raises TemplateError."""


def nothing(name: str) -> str:
    """The layer of a prompt that has none. Raises TemplateError."""
    raise TemplateError(f"a prompt from standard input has no folder to include '{name}' from")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a prompt's closure: its body, where that stands, and the digest's share of the whole file."""

    place: str
    body: str
    body_line: int
    text: str


class Template:
    """A prompt with every file that it includes, read once: what was hashed is what is rendered."""

    def __init__(self, prompt: Prompt, read: Read) -> None:
        self._prompt = prompt
        self._environment = _Environment()
        self._sources: dict[str, Source] = {}
        self._trees: dict[str, nodes.Template] = {}
        main = Source(prompt.place, prompt.body, prompt.body_line, prompt.text)
        if prompt.template:
            self._add(prompt.name, main, read)
        else:
            self._sources[prompt.name] = main

    @property
    def digest(self) -> str:
        """`sha256:…` over the prompt and its closure. Names and paths are not in it, so a renamed prompt keeps it."""
        whole = hashlib.sha256(b"aix prompt 1")
        for source in self._sources.values():
            data = source.text.encode("utf-8", "surrogatepass")
            whole.update(b"%d\n" % len(data) + data)
        return f"sha256:{whole.hexdigest()}"

    @property
    def params(self) -> tuple[Param, ...]:
        """The params that the prompt declares; where it declares none, each variable that it uses is a text param,
        required unless the template says what to do without it."""
        if self._prompt.params is not None:
            return self._prompt.params
        return tuple(Param(name, type="text", required=required) for name, required in self._variables().items())

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
        if not self._prompt.template:
            return _messages([("user", self._prompt.body)], {})
        marks = self._environment.begin({name: source.body for name, source in self._sources.items()})
        names = {name: marks.place(value) if isinstance(value, Image) else value for name, value in values.items()}
        try:
            template = self._environment.get_template(
                self._prompt.name, globals={**surroundings, "sh": self._sh(commands)}
            )
            text = _joined(template.generate(names), max_output)
        except AixError:
            raise
        except Exception as error:
            raise self._explained(error) from error
        return _messages(list(self._split(text, marks)), marks.images)

    def _sh(self, commands: bool) -> Callable[..., str]:
        name = self._prompt.name

        def sh(command: str, *_: object) -> str:
            if not commands:
                return f"[command: {command}]"
            raise RefusedError(
                f"'{name}' runs a command, and its content is not trusted: {command}",
                hint=f"aix show {name}, and to run it without its commands: --disable-commands",
                reason="untrusted",
            )

        return sh

    def _add(self, name: str, source: Source, read: Read) -> None:
        """Read and check one file, then what it names, depth first; the order is the digest's."""
        self._sources[name] = source
        try:
            tree = self._environment.parse(source.body, name)
            references = list(_references(tree))
            _check(tree)
        except (jinja2.TemplateSyntaxError, RecursionError) as error:
            raise self._explained(error) from error
        self._trees[name] = tree
        for reference, line, optional in references:
            path = self._environment.join_path(reference, name)
            if path in self._sources:
                continue
            try:
                text = read(path)
            except TemplateError as error:
                if optional:
                    continue
                at = source.body_line + line - 1
                raise TemplateError(f"{source.place}:{at}: {error.message}", hint=error.hint) from None
            _, body, body_line = split(text, path)
            self._add(path, Source(path, body, body_line, text), read)

    def _variables(self) -> dict[str, bool]:
        """The variables that can be given, in the order in which they first stand, and whether each must be."""
        known = {*RESERVED, *self._environment.globals}
        known |= {
            name.name for tree in self._trees.values() for name in tree.find_all(nodes.Name) if name.ctx != "load"
        }
        optional = {name for tree in self._trees.values() for name in _optional(tree)}
        found: dict[str, bool] = {}
        for file, tree in self._trees.items():
            try:
                wanted = meta.find_undeclared_variables(tree)
            except jinja2.TemplateSyntaxError as error:
                error.name = file
                raise self._explained(error) from error
            names = (node.name for node in tree.find_all(nodes.Name))
            found |= {name: name not in optional for name in names if name in wanted and name not in known}
        return found

    def _split(self, text: str, marks: "_Marks") -> Iterator[tuple[Role, str]]:
        """The text of each message, in order. Raises TemplateError when a mark was caught and lost on the way."""
        pieces = re.split(marks.message, text)
        if [int(number) for number in pieces[1::3]] != list(range(marks.count)):
            raise TemplateError(
                f"{self._prompt.place}: a message tag stands inside a set or filter block",
                hint="begin messages outside of it",
            )
        yield "user", pieces[0]
        for role, body in zip(pieces[2::3], pieces[3::3], strict=True):
            yield cast("Role", role), body

    def _explained(self, error: Exception) -> TemplateError:
        """A TemplateError in one sentence, with the file and line of the template."""
        name, line = _where(error, self._sources)
        source = self._sources.get(name, self._sources[self._prompt.name])
        at = f"{source.place}:{source.body_line + line - 1}" if line else source.place
        message = getattr(error, "message", None) or str(error) or type(error).__name__
        return TemplateError(f"{at}: {_said(error, message)}", hint=_hint(error))


class _Marks:
    """The marks of one render: `message` finds where one begins, `place` gives an image's stand-in."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(16)
        self.count = 0
        self.images: dict[str, Image] = {}
        self.message = re.compile(f"\x02{self._token}:([0-9]+):({'|'.join(ROLES)})\x03")

    def begin(self, role: str) -> str:
        self.count += 1
        return f"\x02{self._token}:{self.count - 1}:{role}\x03"

    def place(self, image: Image) -> str:
        stand_in = f"\x02{self._token}:image:{len(self.images)}\x03"
        self.images[stand_in] = image
        return stand_in


class _MessageTags(Extension):
    """`{% system %}`, `{% user %}` and `{% assistant %}` begin a message."""

    tags = set(ROLES)  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        token = next(parser.stream)
        call = self.call_method("mark", [nodes.Const(token.value)], lineno=token.lineno)
        return nodes.Output([call], lineno=token.lineno)

    def mark(self, role: str) -> str:
        return cast("_Environment", self.environment).marks.begin(role)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja as a prompt has it: the sandbox, the documented globals and filters, and no file system."""

    def __init__(self) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, extensions=[_MessageTags], finalize=_shown)
        self.globals.pop("lipsum")
        self.filters |= {"json": _json, "fenced": _fenced, "truncate_tokens": _truncate_tokens}
        self.marks = _Marks()

    def begin(self, bodies: Mapping[str, str]) -> _Marks:
        self.loader = jinja2.FunctionLoader(lambda name: (bodies[name], name, None) if name in bodies else None)
        self.marks = _Marks()
        return self.marks

    def join_path(self, template: str, parent: str) -> str:
        """`./x.md` is beside the file that names it; anything else starts at the root of the layer."""
        if not template.startswith("./"):
            return template
        folder, slash, _ = parent.rpartition("/")
        return folder + slash + template.removeprefix("./")


def _shown(value: object) -> object:
    return "" if value is None else value


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def _fenced(text: str, language: str = "") -> str:
    """A Markdown code block whose fence is longer than any in the text, so that the text cannot close it."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    ended = text if text.endswith("\n") else text + "\n"
    return f"{fence}{language}\n{ended}{fence}"


def _truncate_tokens(text: str, count: int) -> str:
    """The beginning of the text, about `count` tokens of it (four characters each)."""
    return text if len(text) <= count * 4 else text[: count * 4] + "…"


def _joined(pieces: Iterator[str], limit: int) -> str:
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TemplateError(f"the prompt renders to more than {limit // 1024 // 1024} MiB")
        kept.append(piece)
    return "".join(kept)


def _messages(pieces: Sequence[tuple[Role, str]], images: Mapping[str, Image]) -> tuple[Message, ...]:
    """Each text trimmed, an empty one dropped, the images where their stand-ins are."""
    messages = []
    for role, text in pieces:
        parts = tuple(_parts(text.strip(), images))
        if parts:
            messages.append(Message(role, parts))
    return tuple(messages)


def _parts(text: str, images: Mapping[str, Image]) -> Iterator[Part]:
    stand_ins = "|".join(re.escape(stand_in) for stand_in in images)
    for piece in re.split(f"({stand_ins})", text) if images else [text]:
        if piece in images:
            yield images[piece]
        elif piece:
            yield Text(piece)


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
    for block in tree.find_all((nodes.AssignBlock, nodes.FilterBlock)):
        if any(node.identifier == _MessageTags.identifier for node in block.find_all(nodes.ExtensionAttribute)):
            raise jinja2.TemplateSyntaxError("a message tag cannot stand inside a set or filter block", block.lineno)
    calls = list(_sh_calls(tree))
    called = {id(call.node) for call in calls}
    for call in calls:
        _command(call)
    for node in tree.find_all(nodes.Name):
        if node.name == "sh" and id(node) not in called:
            raise jinja2.TemplateSyntaxError("sh can only be called, by that name", node.lineno)
    for bound in tree.find_all((nodes.Macro, nodes.Import, nodes.FromImport)):
        if "sh" in _bound(bound):
            raise jinja2.TemplateSyntaxError("nothing else can be named sh", bound.lineno)


def _command(call: nodes.Call) -> str:
    first = call.args[0] if call.args else None
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
        raise jinja2.TemplateSyntaxError("sh takes its command as a literal text in quotes", call.lineno)
    return first.value


def _bound(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.FromImport):
        return [name[1] if isinstance(name, tuple) else name for name in node.names]
    return [str(getattr(node, "target", None) or getattr(node, "name", ""))]


def _sh_calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "sh":
            yield call


def _optional(tree: nodes.Template) -> Iterator[str]:
    """The variables that need not be there: `{{ x | default(…) }}`, `x is defined`."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        if node.name in ("default", "d", "defined", "undefined") and isinstance(node.node, nodes.Name):
            yield node.node.name


def _where(error: Exception, sources: Mapping[str, Source]) -> tuple[str, int]:
    """The template and the line in it at which the error rose; Jinja puts template lines into the traceback."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.name or "", error.lineno
    found, traceback = ("", 0), error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        found = (file, traceback.tb_lineno) if file in sources else found
        traceback = traceback.tb_next
    return found


_SAID: tuple[tuple[type[Exception], str], ...] = (
    (RecursionError, "the template calls or includes itself without end"),
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
