"""A prompt's template with all that it includes: which names it needs, and what is wrong between the files."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from aix.cached import cached_property
from aix.config.reading import MissingFileError
from aix.errors import TemplateError
from aix.library.document import RESERVED, split
from aix.library.layer import SUFFIX, Layer, listed
from aix.library.prompt import Param
from aix.library.templates.closure import Closure, Source
from aix.library.templates.jinja import Environment
from aix.lint.advice import RAW, advice
from aix.lint.commands import of_calls
from aix.lint.rules import Finding
from aix.lint.syntax import NoSyntaxError, Reference, Syntax, read

NO_SYNTAX = Syntax()

Use = tuple[str, int, bool]
"""Where a variable is used first: the path of the file, empty for the prompt's own, the line there, and whether it must
be there."""


class Script:
    """The text of the file `name` of a layer. Findings in it have no path, those in what it includes have theirs."""

    def __init__(self, layer: Layer, name: str, text: str) -> None:
        _, body, body_line = split(text, name)
        self.body = body
        self.body_line = body_line
        self._layer = layer
        self._main = name
        self._closure = Closure()
        self._environment = Environment(self._closure)
        self._lines = {name: body_line}
        self._files: dict[str, Syntax] = {}
        self._links: dict[str, list[tuple[str, Reference]]] = {}
        self._faults: list[Finding] = []
        self._add(name, body, text)

    @property
    def whole(self) -> bool:
        """Whether every file of it could be read."""
        return not any(fault.rule in ("include", "syntax") for fault in self._faults)

    @cached_property
    def uses(self) -> frozenset[str]:
        """Every name that is read somewhere."""
        return frozenset(name for syntax in self._files.values() for name in syntax.uses)

    def faults(self) -> Iterator[Finding]:
        """What is wrong whatever the params are."""
        yield from self._faults
        yield from self._cycles()
        yield from self._untaken()
        for name, syntax in self._files.items():
            misused = list(self._misused(name, syntax))
            yield from misused
            if syntax.refused and not misused and self.whole:
                hint = advice(syntax.refused.message, "", self._environment)
                yield self._at(name, syntax.refused.line, "syntax", syntax.refused.message, "" if hint == RAW else hint)

    def _untaken(self) -> Iterator[Finding]:
        """Each name that is imported from a file that does not have it."""
        for name, links in self._links.items():
            for path, reference in links:
                made = self._files.get(path, NO_SYNTAX).made
                for taken in reference.taken:
                    if path in self._links and taken not in made:
                        near = get_close_matches(taken, made, n=1)
                        hint = f"did you mean {near[0]}?" if near else ""
                        yield self._at(name, reference.line, "undefined", f"{path} has no macro '{taken}'", hint)

    def _misused(self, name: str, syntax: Syntax) -> Iterator[Finding]:
        """The message tags and commands of a file that no run would take."""
        for line in syntax.tags:
            said = "a message tag cannot stand inside a set or filter block"
            yield self._at(name, line, "message-tag", said, "put it outside of the block")
        for line in syntax.aliases:
            yield self._at(name, line, "sh-call", "sh can only be called, by that name", 'sh("command", value)')
        for call in syntax.calls:
            if call.command is None:
                said = "sh takes its command as a literal text in quotes, and its values after it"
                yield self._at(name, call.line, "sh-call", said, 'sh("git log \\"$1\\"", value)')

    def variables(self) -> Mapping[str, Use]:
        """The variables that have to come from outside, in the order in which they are used."""
        optional = {name for syntax in self._files.values() for name in syntax.optional}
        found: dict[str, Use] = {}
        for file, syntax in self._files.items():
            inherited = {name for above in self._closure.above(file) for name in self._files[above].made}
            wanted = syntax.wanted - inherited - RESERVED
            place = "" if file == self._main else file
            for name, line in syntax.uses.items():
                if name in wanted:
                    found.setdefault(name, (place, self._line(file, line), name not in optional))
        return found

    def out_of_place(self) -> Iterator[Finding]:
        """What the prompt's own file takes for the inside of a loop or a call."""
        own = self._files[self._main]
        for name, block in (("loop", "{% for %}"), ("caller", "a macro that {% call %} calls")):
            if name in own.wanted and name in own.uses and name not in own.optional:
                said = f"'{name}' is there only inside of {block}"
                yield self._at(self._main, own.uses[name], "undefined", said, "move it, or keep what it says with set")

    def undefined(
        self, variables: Mapping[str, Use], declared: Mapping[str, int], params_line: int
    ) -> Iterator[Finding]:
        """The variables that must be there and are not declared."""
        for name, (place, line, required) in variables.items():
            if required and name not in declared:
                near = get_close_matches(name, declared, n=1)
                hint = f"did you mean {near[0]}?" if near else f"declare it, or write {{{{ {name} | default('') }}}}"
                used = f"; {place}:{line} uses it" if place else ""
                said = f"'{name}' is not declared under params{used}"
                yield Finding("", params_line if place else line, "undefined", said, hint)

    def commands(self, params: Mapping[str, Param]) -> Iterator[Finding]:
        """What is likely to go wrong with commands."""
        for name, syntax in self._files.items():
            for finding in of_calls(syntax.calls, params):
                yield self._placed(name, finding)

    def _add(self, name: str, body: str, text: str) -> None:
        try:
            self._closure.add(name, Source(name, body, self._lines[name], text))
            self._files[name] = syntax = read(body, self._environment)
        except NoSyntaxError as fault:
            self._files[name] = NO_SYNTAX
            hint = advice(fault.message, body.split("\n")[fault.line - 1 :][0], self._environment)
            self._faults.append(self._at(name, fault.line, "syntax", fault.message, hint))
            return
        except TemplateError as error:  # too many files, or too long
            self._files[name] = NO_SYNTAX
            self._faults.append(self._at(name, 1, "syntax", error.message.removeprefix(f"{name}: ")))
            return
        links = self._links[name] = []
        for reference in syntax.references:
            if reference.name is None:
                said = "include, import and extends take a literal name in quotes"
                self._faults.append(self._at(name, reference.line, "include", said))
                continue
            path = self._environment.join_path(reference.name, name)
            links.append((path, reference))
            if path not in self._files:
                self._follow(path, name, reference)
        self._closure.link(name, tuple(path for path, _ in links))

    def _follow(self, path: str, name: str, reference: Reference) -> None:
        try:
            text = self._layer.read(path)
            _, body, self._lines[path] = split(text, path)
        except TemplateError as error:
            if not (reference.missing and isinstance(error, MissingFileError)):
                hint = self._near(path) or error.hint
                self._faults.append(self._at(name, reference.line, "include", error.message, hint))
            return
        self._add(path, body, text)

    def _near(self, path: str) -> str:
        """Which file beside the one that is not there may be meant."""
        folder, slash, file = path.rpartition("/")
        beside = (entry.name for entry in listed(str(self._layer.root / folder)) if entry.name.endswith(SUFFIX))
        near = get_close_matches(file, beside, n=1) if ".." not in folder and not path.startswith("/") else ()
        return f'did you mean "{folder}{slash}{near[0]}"?' if near else ""

    def _cycles(self) -> Iterator[Finding]:
        """Each include by which a file comes back to itself whatever the values are."""
        for name, links in self._links.items():
            for path, reference in links:
                if reference.certain and name in {path, *self._reached(path)}:
                    round_ = name if path == name else f"{path}, which includes {name} again"
                    said = f"it includes {round_}, and so without end"
                    yield self._at(
                        name, reference.line, "include-cycle", said, "take one include out, or put it in an if"
                    )

    def _reached(self, name: str) -> set[str]:
        """The files that are certain to be included from one."""
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            links = self._links.get(waiting.pop(), ())
            new = {path for path, reference in links if reference.certain} - reached
            reached |= new
            waiting += new
        return reached

    def _line(self, name: str, line: int) -> int:
        return self._lines[name] + line - 1

    def _at(self, name: str, line: int, rule: str, message: str, hint: str = "") -> Finding:
        return self._placed(name, Finding("", line, rule, message, hint))

    def _placed(self, name: str, finding: Finding) -> Finding:
        """A finding in a file's body as one in the file."""
        path = "" if name == self._main else str(self._layer.root / name)
        return replace(finding, path=path, line=self._line(name, finding.line))
