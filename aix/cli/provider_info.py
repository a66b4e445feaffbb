"""`aix provider info`: all that is known of one provider, and where each part of it comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any

import typer

from aix.app import App
from aix.cli.options import AsJson, Shell
from aix.cli.provider_draft import hides_built_in
from aix.config.secrets import mask
from aix.config.settings import default_model_key
from aix.health.roster import KeyPlace
from aix.llm.providers import Dialect, Provider

HELP = """Show a provider, and where each part of it comes from.

\b
  aix provider info openai
  aix provider info openai --json
"""

ALWAYS = ("protocol", "base_url", "auth_type")
"""What is said even where it is as usual."""

APART = (
    *("name", "custom", "default_model", "key_env", "moved_key_env", "token_env", "tokens", "base_url_env", "host_env"),
    *("header_env", "address", "respelt", "forms", "hosts", "telling", "open"),
)
"""What other lines tell, or what is of use to the program alone."""

PARTS = ("headers", "paths", "roles", "statuses", "hints")
"""The fields that have fields of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is known, and its source."""

    field: str
    value: Any
    source: str

    @property
    def shown(self) -> str:
        if isinstance(self.value, list | tuple):
            return ", ".join(map(str, self.value))
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value) or "none"


def register(noun: typer.Typer) -> None:
    noun.command("info", help=HELP)(info)


def info(
    ctx: typer.Context,
    provider: Annotated[str, typer.Argument(metavar="NAME", help="A provider.")],
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    app, found = shell.app, shell.app.providers.get(provider)
    trouble, places = app.roster.trouble(found), app.roster.key_places(found)
    lines = list(_Known(app, found).lines())
    variables = list(_variables(app.env, found))
    if as_json:
        shell.console.json(
            {
                "name": found.name,
                "kind": "custom" if found.custom else "built-in",
                "usable": not trouble,
                "state": trouble or "ready",
                "fields": {line.field: {"value": line.value, "source": line.source} for line in lines},
                "keys": [_key(place, places) for place in places],
                "variables": variables,
            }
        )
        return
    state = Line("state", trouble or "ready", "")
    told = [state, *_shown(lines), *_key_lines(places), *_variable_lines(variables)]
    shell.console.table(["field", "value", "from"], [[line.field, line.shown, line.source] for line in told], fold=True)


@dataclass(frozen=True, slots=True)
class _Known:
    """The fields of a provider's row, each with its source."""

    app: App
    provider: Provider

    def lines(self) -> Iterator[Line]:
        """All but those of which nobody said anything."""
        provider = self.provider
        yield self._default_model()
        for name, value in _said(provider, ALWAYS).items():
            if name not in (*APART, *PARTS, "dialect"):
                yield Line(name, value, self._source(name))
        for part in PARTS:
            for name, value in getattr(provider, part).items():
                hidden = part == "headers" and provider.custom
                yield Line(f"{part}.{name}", mask(value) if hidden else value, self._source(part, name))
        for name, value in _said(provider.dialect).items():
            yield Line(f"dialect.{name}", value, self._source(name))

    @property
    def _own(self) -> Mapping[str, Any]:
        row = self.app.settings.section("custom_providers").get(self.provider.name)
        return row if self.provider.custom and isinstance(row, dict) else {}

    def _source(self, field: str, part: str = "") -> str:
        """Where a field comes from, or a part of it."""
        if field in self._own and (not part or part in self._own[field]):
            return "config.json"
        moved, header = self.provider.moved_by(self.app.env), self.provider.header_env.get(part, "")
        if (field in ("base_url", "allow_http") and moved) or self.app.env.get(header):
            return f"${header or moved}"
        return "built in" if hides_built_in(self.provider.name) and "base_url" not in self._own else "usual"

    def _default_model(self) -> Line:
        setting = default_model_key(self.provider.name)
        if value := self.app.settings.find(setting):
            return Line("default_model", str(value), f"config.json, {setting}")
        return Line("default_model", self.provider.default_model, self._source("default_model"))


def _said(row: Provider | Dialect, always: Sequence[str] = ()) -> dict[str, Any]:
    """The fields that are other than usual."""
    found = {}
    for field in fields(row):
        usual = field.default_factory() if field.default_factory is not MISSING else field.default
        value = getattr(row, field.name)
        if field.name in always or value != usual:
            found[field.name] = value
    return found


def _shown(lines: Sequence[Line]) -> Iterator[Line]:
    """The fields as a person reads them: all of the dialect in one line."""
    dialect = [line for line in lines if line.field.startswith("dialect.")]
    yield from (line for line in lines if line not in dialect)
    if dialect:
        said = [f"{line.field.removeprefix('dialect.')}={line.shown}" for line in dialect]
        yield Line("dialect", said, " and ".join(dict.fromkeys(line.source for line in dialect)))


def _key(place: KeyPlace, places: Sequence[KeyPlace]) -> dict[str, Any]:
    """A place where a key is looked for, as JSON: the first that has one is in use."""
    return {
        "source": place.source,
        "set": place.there,
        "in_use": place is next((other for other in places if other.there), None),
        "keys": [repr(key) for key in place.keys],
        "error": place.error or None,
    }


def _key_lines(places: Sequence[KeyPlace]) -> Iterator[Line]:
    used = next((place for place in places if place.there), None)
    for place in places:
        keys = ", ".join(map(repr, place.keys))
        said = place.error or keys or ("not run here" if place.there else "not set")
        yield Line("key, in use" if place is used else "key", said, place.source)


def _variables(env: Mapping[str, str], provider: Provider) -> Iterator[dict[str, Any]]:
    """The variables that a provider reads, and which of them are set."""
    for variable in provider.variables(env):
        yield {"name": variable.name, "meaning": variable.meaning, "set": variable.is_set}


def _variable_lines(variables: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for variable in variables:
        said = "set" if variable["set"] else "not set"
        if variable["meaning"] != "its key":
            yield Line("variable", f"{said}: {variable['meaning']}", f"${variable['name']}")
