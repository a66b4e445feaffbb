"""From a prompt's body and values to messages.

A template comes from a stranger, and so do the values: the language is sandboxed, files are reached only by literal
names inside the prompt's own layer, commands only through `sh`, and nothing inside a value is ever interpreted. A
message begins where the template's source says so: the tags leave marks that are random for each render, so no value
can hold one. Nothing of a template is evaluated before `render`.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from aix.bounded import ExhaustedError, Limits, bounded
from aix.config.reading import MissingFileError
from aix.errors import AixError, RefusedError, TemplateError
from aix.library.document import RESERVED, split
from aix.library.prompt import Param, Prompt, clash
from aix.library.templates.closure import MAX_LITERAL, Closure, Source
from aix.library.templates.jinja import Environment, Tree, advised, said, where
from aix.library.templates.marks import Marks
from aix.library.trust.commands import Command, Sh, called, refused
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
        self._closure = Closure() if prompt.template else Closure(MAX_LITERAL)
        self._environment = Environment(self._closure)
        self._trees: dict[str, Tree] = {}
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
    def files(self) -> Mapping[str, str]:
        """The texts that the digest is over, by the names that an include gives them, the prompt's own first."""
        return {name: self._closure[name].text for name in self._closure}

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
        return tuple(call.text for call in self.calls)

    @property
    def calls(self) -> tuple[Command, ...]:
        """The same with their places."""
        calls = ((name, call) for name, tree in self._trees.items() for call in tree.commands)
        return tuple(Command(text, name, self._closure[name].line(line), given) for name, (text, line, given) in calls)

    def render(
        self,
        values: Mapping[str, Any],
        surroundings: Mapping[str, Any],
        *,
        sh: Sh | None = None,
        limits: Limits | None = None,
        max_output: int = MAX_OUTPUT,
    ) -> tuple[Message, ...]:
        """The messages. `values` holds plain data, and `Image`s where they are to stand; `surroundings` stands besides.

        `sh` is what the template calls by that name; without it, every command is refused. With `limits` a child
        process does it, within them: then `sh` may do nothing that this process is to know of. Raises TemplateError
        with file:line, or RefusedError when a command is not trusted.
        """
        marks = Marks(self._prompt.place)
        if not self._prompt.template:
            return marks.messages(self._prompt.body)
        names = {name: marks.stand_in(value) if isinstance(value, Image) else value for name, value in values.items()}
        always = deepcopy({**surroundings, "sh": sh or refused(self._prompt, self.digest)})
        environment = Environment(self._closure, marks, always)

        def work() -> str:
            return self._text(environment, names, max_output)

        return marks.messages(work() if limits is None else self._limited(work, marks, limits))

    def _text(self, environment: Environment, values: Mapping[str, Any], max_output: int) -> str:
        """The rendered text, with its marks. Raises TemplateError or RefusedError."""
        try:
            own = deepcopy(dict(values))  # `{% set x.a %}…{% endset %}` can change a value
            return _joined(environment.get_template(self._main).generate(own), max_output, self._prompt.place)
        except AixError:
            raise
        except Exception as error:
            raise self._explained(error) from error

    def _limited(self, work: Callable[[], str], marks: Marks, limits: Limits) -> str:
        """What `work` gives in a child that ends, whatever the template does. Raises as `work` does."""

        def told() -> dict[str, Any]:
            try:
                return {"text": work(), "begun": marks.begun}
            except AixError as error:
                words = {"message": error.message, "hint": error.hint, "reason": error.reason}
                return {"refused": isinstance(error, RefusedError), "error": words}

        try:
            found = bounded(told, limits)
        except ExhaustedError as error:
            may = f"{limits.cpu:g} s of computing, {limits.wall:g} s in all and {limits.memory // 1024**2} MiB"
            raise TemplateError(
                f"{self._prompt.place}: its rendering {error.why}",
                hint=f"a prompt that is not trusted has {may}; look at it with: aix show {called(self._prompt)}",
            ) from None
        if "error" in found:
            raise (RefusedError if found["refused"] else TemplateError)(**found["error"])
        marks.begun = found["begun"]
        return str(found["text"])

    def _add(self, name: str, source: Source, read: Read) -> None:
        """Read and check one file, then what it names, depth first; the order is the digest's."""
        self._closure.add(name, source)
        try:
            tree = Tree(source.body, name, self._environment)
        except Exception as error:
            raise self._explained(error, name) from error
        self._trees[name] = tree
        named = tuple(self._environment.join_path(reference.name, name) for reference in tree.references)
        self._closure.link(name, named)
        for path, reference in zip(named, tree.references, strict=True):
            if path not in self._closure:
                self._follow(path, source.at(reference.line), read, optional=reference.optional)

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
        always = {*RESERVED, *self._environment.globals}
        optional = {name for tree in self._trees.values() for name in tree.optional}
        found: dict[str, bool] = {}
        for file, tree in self._trees.items():
            inherited = {name for above in self._closure.above(file) for name in self._trees[above].bound}
            try:
                wanted = tree.wanted
            except Exception as error:
                raise self._explained(error, file) from error
            found |= {name: name not in optional for name in wanted if name not in inherited | always}
        return found

    def _explained(self, error: Exception, file: str = "") -> TemplateError:
        """A TemplateError in one sentence, with the file and line of the template."""
        name, line = where(error, self._closure)
        at = self._closure[name or file or self._main].at(line)
        return TemplateError(f"{at}: {said(error)}", hint=advised(error))


def _file_name(prompt: Prompt) -> str:
    """The prompt's file, named from the root of its layer as an include would name it."""
    folder, slash, _ = prompt.name.rpartition("/")
    return folder + slash + (prompt.path.name if prompt.path else f"{prompt.name}.md")


def _joined(pieces: Iterable[str], limit: int, place: str) -> str:
    kept, size = [], 0
    for piece in filter(None, pieces):
        size += len(piece)
        if size > limit:
            raise TemplateError(f"{place}: it renders to more than {limit // 1024 // 1024} MiB")
        kept.append(piece)
    return "".join(kept)
