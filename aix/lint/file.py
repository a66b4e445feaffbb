"""One prompt file, or one partial: everything that is wrong with it. Nothing is rendered, nothing runs."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aix.config.secrets import Secret
from aix.errors import AixError, TemplateError
from aix.library.document import RESERVED, decode, split
from aix.library.layer import Layer, read_bytes
from aix.library.place import Place
from aix.library.prompt import Param, clash
from aix.lint import text as texts
from aix.lint.front import Front, read
from aix.lint.rules import Finding
from aix.lint.script import Script, Use
from aix.lint.syntax import tokens

MOST = 100
"""How many findings are told of one file."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a layer under the name that an include would give it. One that is `named` on the command line counts
    wherever it leads, and whatever it is called."""

    layer: Layer
    name: str
    named: bool = False

    @property
    def path(self) -> Path:
        return self.layer.root / self.name

    @property
    def is_partial(self) -> bool:
        """Whether it is only for others to include."""
        return any(part.startswith("_") for part in self.name.split("/"))

    @property
    def is_ours(self) -> bool:
        """Whether aix writes to its layer."""
        return Place(self.name, self.layer).editable

    def data(self) -> bytes:
        """Raises TemplateError."""
        return read_bytes(self.path, str(self.path)) if self.named else self.layer.data(self.path)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known besides the files: the flags that `aix run` has itself, and every spelling of a key."""

    flags: Collection[str] = ()
    keys: Sequence[tuple[str, Secret]] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a file, the models that it names, with their lines, and the rules that it has passed over."""

    findings: tuple[Finding, ...] = ()
    models: tuple[tuple[int, str], ...] = ()
    silenced: frozenset[str] = frozenset()


def look(file: File, data: bytes, known: Knowledge) -> Seen:
    """What there is to say of a file that holds `data`."""
    path = str(file.path)
    try:
        text = decode(data, path)
        front_text, _, _ = split(text, path)
    except TemplateError as error:
        return Seen((_refused(error, path, "front-matter" if "front matter" in error.message else "unreadable"),))
    front = Front() if file.is_partial else read(front_text)
    findings = [*front.findings, *_keys(text, known)]
    if front.fields.get("template", True):
        findings += _body(Script(file.layer, file.name, text), front, known, partial=file.is_partial)
    elif front.declared:
        findings += [_unused(name, line) for name, line in front.declared.items()]
    placed = [finding if finding.path else replace(finding, path=path) for finding in findings]
    kept = [finding for finding in placed if finding.rule not in front.silenced or finding.path != path]
    ordered = sorted(dict.fromkeys(kept), key=lambda one: (one.path != path, one.path, one.line))
    return Seen(tuple(ordered[:MOST]), tuple(front.models), front.silenced)


def _refused(error: AixError, path: str, rule: str) -> Finding:
    """What an error says as a finding, at the line that it names."""
    match = re.match(r"(?P<path>.*?):(?P<line>\d+): (?P<said>.*)", error.message, re.DOTALL)
    if match is None:
        return Finding(path, 1, rule, error.message.removeprefix(f"{path}: "), error.hint)
    return Finding(path, int(match["line"]) if match["path"] == path else 1, rule, match["said"], error.hint)


def _keys(text: str, known: Knowledge) -> Iterator[Finding]:
    for at, said in texts.keys(text, known.keys):
        hint = "take it out, and have it replaced: whoever has the file has the key"
        yield Finding("", texts.at_line(text, at, 1), "secret", said, hint)


def _unused(name: str, line: int) -> Finding:
    return Finding("", line, "unused-param", f"param '{name}' is used nowhere", "use it, or take it out")


def _body(script: Script, front: Front, known: Knowledge, *, partial: bool) -> Iterator[Finding]:
    yield from _texts(script, front)
    yield from script.faults()
    if partial or front.node is None:
        return
    yield from script.out_of_place()
    params = {param.name: param for param in front.fields.get("params", ())}
    declared = front.declared
    variables = script.variables()
    if declared is None:
        yield from _implied_clash(variables)
        params = {}
        lines = {name: line for name, (path, line, _) in variables.items() if not path}
        yield from _own_flags([(name, lines.get(name, 1), ()) for name in variables], known)
    else:
        yield from script.undefined(variables, declared, front.line("params"))
        named = [(param.name, declared[param.name], param.flags) for param in params.values()]
        yield from _own_flags(named, known)
        if script.whole:
            unused = (name for name in declared if name not in script.uses and name not in RESERVED)
            yield from (_unused(name, declared[name]) for name in unused)
    yield from script.commands(params)


def _implied_clash(variables: Mapping[str, Use]) -> Iterator[Finding]:
    """Two variables that would be params of one flag, where none are declared."""
    if found := clash([Param(name, type="text") for name in variables]):
        path, line, _ = variables[found.second.name]
        yield Finding("", 1 if path else line, "flag-clash", found.message, "declare them under params")


def _texts(script: Script, front: Front) -> Iterator[Finding]:
    pieces = list(tokens(script.body))
    for rule, look_for in (("lookalike", texts.lookalikes), ("old-placeholder", texts.placeholders)):
        for at, said, hint in look_for(pieces, front.declared):
            yield Finding("", texts.at_line(script.body, at, script.body_line), rule, said, hint)


def _own_flags(params: Sequence[tuple[str, int, tuple[str, ...]]], known: Knowledge) -> Iterator[Finding]:
    """The params whose flag means something else to `aix run`."""
    for name, line, flags in params:
        flag = "--" + name.replace("_", "-")
        if flag in known.flags:
            said = f"{flag} is a flag of aix run, so param '{name}' is reachable only as -p {name}=VALUE"
            yield Finding("", line, "own-flag", said, "give it another name")
            continue
        for other in sorted({*flags} & {*known.flags}):
            yield Finding(
                "", line, "own-flag", f"{other} of param '{name}' means aix run's own {other}", "choose another"
            )
