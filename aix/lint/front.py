"""The front matter: everything that is wrong with it, and what it says where it is right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

from aix.config import yaml
from aix.config.yaml import QUOTE, Node, YamlError
from aix.library.document import KEYS, FaultError, read_fields
from aix.lint.rules import RULES, Change, Finding
from aix.runs.schema import Schema, SchemaError

MOST = 50
"""How many faults of one front matter are told."""

SILENCED = "x-lint"
OFFSET = 1
"""The front matter begins below its `---`."""

NOTHING = Node(None, 0)


@dataclass(frozen=True, slots=True)
class Front:
    """`fields` is what can be read; `node` is None where nothing can. `findings` have the line of the file, and no path
    yet."""

    text: str = ""
    node: Node | None = NOTHING
    fields: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def declared(self) -> Mapping[str, int] | None:
        """The names of the params, with their lines, also of those that are faulty; None where none are declared, or
        nothing can be read."""
        named = self.node.children.get("params") if self.node else None
        if named is None or not isinstance(named.value, dict):
            return None
        return {re.sub("[^A-Za-z0-9_]", "_", name): child.line + OFFSET for name, child in named.children.items()}

    def line(self, *path: str) -> int:
        """The line of the key that a path leads to, as far as it leads."""
        node = found = self.node or NOTHING
        for key in path:
            node = node.children.get(key, NOTHING)
            found = node if node.line else found
        return found.line + OFFSET

    @property
    def models(self) -> Iterator[tuple[int, str]]:
        """The models that are named, with their lines."""
        for key in ("model", "fallback"):
            if self.node and key in self.fields:
                child = self.node.children[key]
                yield from ((item.line + OFFSET, item.source.strip()) for item in child.items or (child,))

    @property
    def silenced(self) -> frozenset[str]:
        """The rules that the file has passed over."""
        words = {item.source for item in self._silencers()}
        return frozenset(word for word in words if word in RULES and RULES[word].silent)

    def _silencers(self) -> Sequence[Node]:
        child = self.node.children.get(SILENCED) if self.node else None
        return () if child is None else child.items or (child,)

    def misnamed_rules(self) -> Iterator[Finding]:
        for item in self._silencers():
            if item.source not in RULES:
                yield _found(item, "unknown-rule", f"{SILENCED} names '{item.source}', which is no rule")
            elif not RULES[item.source].silent:
                yield _found(item, "unknown-rule", f"'{item.source}' cannot be passed over: no run could do with it")


def read(text: str) -> Front:
    """The front matter of a text, without the lines around it."""
    try:
        node = yaml.load(text)
    except YamlError as error:
        finding = Finding(
            "", error.line + OFFSET, "front-matter", error.message, error.hint, tuple(_mended(error, text))
        )
        return Front(text, None, findings=(finding,))
    unknown = list(islice(_unknown(node, text), MOST))
    sound = node
    for gone, _ in unknown:
        sound = without(sound, gone) or NOTHING
    fields, faults = _read(sound)
    findings = [*(finding for _, finding in unknown), *faults, *_schema(node, fields)]
    front = Front(text, node, fields, tuple(findings))
    return replace(front, findings=(*findings, *front.misnamed_rules(), *_contradictions(front)))


def _found(node: Node, rule: str, message: str, hint: str = "", changes: tuple[Change, ...] = ()) -> Finding:
    return Finding("", node.line + OFFSET, rule, message, hint, changes)


def _mended(error: YamlError, text: str) -> Iterator[Change]:
    """The line with quotes that it needs; spaces where there are only tabs."""
    lines = text.splitlines()
    _, quote, new = error.hint.partition(QUOTE)
    if quote and error.line <= len(lines):
        old = lines[error.line - 1]
        if " #" in old:  # it may be a comment, or belong to the value
            return
        yield Change(error.line + OFFSET, old, old[: len(old) - len(old.lstrip())] + new)
    elif all(re.match(r"\t*(?! )", line) for line in lines) and "\t" in {line[:1] for line in lines}:
        for number, line in enumerate(lines, 1):
            inner = line.lstrip("\t")
            if inner != line:
                yield Change(number + OFFSET, line, "  " * (len(line) - len(inner)) + inner)


def _unknown(node: Node, text: str) -> Iterator[tuple[Node, Finding]]:
    """The keys that nobody knows, each with what there is to say of it."""
    lines = text.splitlines()
    for where, inner in _sections(node):
        known = KEYS[where.split(" ")[0]]
        for key, child in inner.children.items():
            if key in known or (not where and key.startswith("x-")):
                continue
            home = next((other for other in ("options", "output") if key in KEYS[other] and not where), "")
            near = [] if home else get_close_matches(key, known, n=2)
            said = f"{where} has no field '{key}'" if where else f"unknown key '{key}'"
            meant = f"did you mean {near[0]}?" if near else f"{where} may hold {', '.join(known)}" if where else ""
            meant = f"it goes under {home}: {{{key}: …}}" if home else meant
            change = (
                _renamed(lines, child.line, key, near)
                if len(near) == 1 and _is_alone(key, near[0], inner, known)
                else ()
            )
            yield child, _found(child, "unknown-field" if where else "unknown-key", said, meant, change)


def _is_alone(key: str, meant: str, section: Node, known: Sequence[str]) -> bool:
    """Whether no other key of a section is the one that is meant, or may be."""
    others = [other for other in section.children if other != key]
    nearest = [near for other in others if other not in known for near in get_close_matches(other, known, n=1)]
    return meant not in (*others, *nearest)


def _sections(node: Node) -> Iterator[tuple[str, Node]]:
    """The mappings whose keys are known, with what they are called in a sentence."""
    yield "", node
    for key in ("options", "output"):
        if key in node.children:
            yield key, node.children[key]
    if "params" in node.children:
        yield from ((f"param '{name}'", child) for name, child in node.children["params"].children.items())


def _renamed(lines: Sequence[str], number: int, key: str, near: Sequence[str]) -> tuple[Change, ...]:
    """The line with the key that is meant, where it is plain which word of it that is."""
    old = lines[number - 1] if number <= len(lines) else ""
    places = [*re.finditer(rf"(?<![^\s{{,]){re.escape(key)}(?=\s*:)", old)]
    if len(places) != 1:
        return ()
    return (Change(number + OFFSET, old, old[: places[0].start()] + near[0] + old[places[0].end() :]),)


def _read(node: Node) -> tuple[Mapping[str, Any], list[Finding]]:
    """What can be read once every faulty part is left out, and the faults."""
    findings: list[Finding] = []
    while len(findings) < MOST:
        try:
            return read_fields(node), findings
        except FaultError as fault:
            rule = "flag-clash" if " both fall on " in fault.message else "wrong-value"
            findings.append(_found(fault.node, rule, fault.message, fault.hint))
            node = without(node, fault.node) or NOTHING
    return {}, findings


def without(node: Node, gone: Node) -> Node | None:
    """A tree without one of its nodes, and without those that are left empty by that."""
    if node is gone:
        return None
    children = {key: kept for key, child in node.children.items() if (kept := without(child, gone))}
    items = tuple(kept for item in node.items if (kept := without(item, gone)))
    if [*children.values(), *items] == [*node.children.values(), *node.items]:
        return node
    if not children and not items:
        return None
    value = [item.value for item in items] if items else {key: child.value for key, child in children.items()}
    return replace(node, value=value, children=children, items=items)


def _schema(node: Node, fields: Mapping[str, Any]) -> Iterator[Finding]:
    schema = fields["output"].schema if "output" in fields else None
    if schema is None:
        return
    try:
        Schema(schema)
    except SchemaError as error:
        place, _, said = str(error).partition(": ")
        found = node.children["output"].children["schema"]
        for key in re.findall(r"[.\[]([\w$-]+)", place):
            found = found.children.get(key) or next(iter(found.items[int(key) :] if key.isdigit() else ()), found)
        yield _found(found, "schema", f"output.schema cannot be used: {place}: {said}")


def _contradictions(front: Front) -> Iterator[Finding]:
    for param in front.fields.get("params", ()):
        if param.required and param.default is not None:
            line = front.line("params", param.name, "required")
            said = f"param '{param.name}' is required and has a default, so nobody is ever asked for it"
            yield Finding("", line, "required-default", said, "leave one of the two out")
        if param.min is not None and param.max is not None and param.min > param.max:
            said = f"no value of param '{param.name}' is at least {param.min:g} and at most {param.max:g}"
            yield Finding(
                "", front.line("params", param.name, "min"), "wrong-value", said, "take min and max the other way"
            )
