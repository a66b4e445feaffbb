"""`aix model`: which models there are, what they can do, and what they cost."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import typer

from aix.cli import model_info, model_own, model_trial
from aix.cli.figures import about, cut, per_million
from aix.cli.options import AsJson, Shell, show_help
from aix.config import provider_row
from aix.config.values import CAPABILITIES, MODEL_FIELDS
from aix.errors import NotFoundError, UsageError
from aix.llm.catalogue import Model

HELP = """Look at models: what they can do, and what they cost.

\b
  aix model list --usable --vision
  aix model info gpt-5.5
  aix model add --id my-model --provider box --input-price 0.2
  aix model refresh                     fetches what is published today
  aix model test                        sends a few words to the default model
"""

LIST = """List the models that are known, by provider and name.

Words narrow it to those that have them all in their name. Prices are dollars for a million tokens in and out; what no
source has a price for is unpriced. On a terminal `can` is short for vision, pdf, reasoning, tools, schema; in a pipe
each model is one line: provider:model, context, input, output, capabilities, with tabs between.

\b
  aix model list claude
  aix model list --provider openai --max-price 1
  aix model list --usable --live        asks the providers themselves
  aix model list --source seed --json   what one source says
"""


NARROW = 24
"""Names are not cut shorter than this."""


def register(cli: typer.Typer) -> None:
    noun = typer.Typer(help=HELP, invoke_without_command=True, rich_markup_mode=None)
    noun.callback()(show_help)
    noun.command("list", help=LIST)(list_models)
    for part in (model_info, model_own, model_trial):
        part.register(noun)
    cli.add_typer(noun, name="model")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in a list; `known` is false where only its provider says that there is one."""

    model: Model
    known: bool = True


def list_models(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]", help="What their names have in them.")] = None,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Only those of one provider.")] = "",
    vision: Annotated[bool, typer.Option("--vision", help="Only those that see images.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Only those that read PDF files.")] = False,
    reasoning: Annotated[bool, typer.Option("--reasoning", help="Only those that reason.")] = False,
    tools: Annotated[bool, typer.Option("--tools", help="Only those that call tools.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Only those that answer by a JSON schema.")] = False,
    priced: Annotated[bool, typer.Option("--priced", help="Only those with a price.")] = False,
    max_price: Annotated[str, typer.Option(metavar="DOLLARS", help="Only those whose input costs no more.")] = "",
    usable: Annotated[bool, typer.Option("--usable", help="Only those that can be asked now.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="Only those that are retired, hidden else.")] = False,
    source: Annotated[str, typer.Option(metavar="NAME", help="Only what one source says, as it says it.")] = "",
    live: Annotated[bool, typer.Option("--live", help="Ask the providers which models they have.")] = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    wanted = (vision, pdf, reasoning, tools, schema)
    filters = _Filters(
        words=tuple(word.casefold() for word in words or ()),
        capabilities=frozenset(name for name, asked in zip(CAPABILITIES, wanted, strict=True) if asked),
        priced=priced,
        ceiling=_ceiling(max_price),
        retired=None if source and not retired else retired,
        today=shell.app.clock.today,
    )
    if provider:
        shell.app.providers.get(provider)
    if live and source:
        raise UsageError("--live asks the providers, and --source a file", hint="leave one of them out")
    found = _live(shell, provider) if live else _known(shell, provider, source)
    asked = set(_usable(shell)) if usable else set()
    rows = [one for one in found if filters.let(one.model) and (not usable or one.model.provider in asked)]
    if as_json:
        shell.console.json([_row(one, live=live) for one in rows])
        return
    _print(shell, rows)


@dataclass(frozen=True, slots=True)
class _Filters:
    """What a model must have to be listed; `retired` None lists both kinds."""

    words: tuple[str, ...]
    capabilities: frozenset[str]
    priced: bool
    ceiling: Decimal | None
    retired: bool | None
    today: datetime.date

    def let(self, model: Model) -> bool:
        text = f"{model.provider}:{model.id} {model.name}".casefold()
        return (
            all(word in text for word in self.words)
            and self.capabilities <= model.capabilities
            and (self.retired is None or self.retired == model.is_retired(self.today))
            and self._pays(model)
        )

    def _pays(self, model: Model) -> bool:
        rate = model.price.rates.input if model.price else None
        known = rate is not None or not self.priced
        return known and (self.ceiling is None or (rate is not None and rate <= self.ceiling))


def _ceiling(text: str) -> Decimal | None:
    return Decimal(str(provider_row.price(MODEL_FIELDS["input_price"], text, "--max-price"))) if text else None


def _known(shell: Shell, provider: str, source: str) -> list[Listed]:
    """What the catalogue has, or one source of it. Raises NotFoundError for a source that there is not."""
    catalogue, name = shell.app.catalogue, provider.removeprefix("custom:")
    if not source:
        return [Listed(model) for model in (catalogue.of(name) if name else catalogue.all())]
    names = dict.fromkeys(one.name for one in catalogue.sources)
    if source not in names:
        raise NotFoundError(f"there is no source '{source}'", hint=f"there are {', '.join(names)}", reason="source")
    return [Listed(model) for model in catalogue.said_by(source) if not name or model.provider == name]


def _usable(shell: Shell) -> Iterator[str]:
    return (row.name for row in shell.app.providers.sound() if not shell.app.roster.trouble(row))


def _live(shell: Shell, provider: str) -> list[Listed]:
    """What the providers say that they have: one of them, or all that can be used."""
    catalogue, found = shell.app.catalogue, list[Listed]()
    for answer in shell.app.ask_for_models([provider] if provider else list(_usable(shell))):
        if answer.error and not provider:
            shell.console.warn(f"{answer.provider.name}: {answer.error.message}")
        elif answer.error:
            raise answer.error
        for name in sorted(answer.models):
            known = catalogue.find(answer.provider.name, name)
            found.append(Listed(known or catalogue.get(answer.provider.name, name), known=known is not None))
    return found


def _row(listed: Listed, *, live: bool) -> Mapping[str, Any]:
    return model_info.facts(listed.model) | ({"known": listed.known} if live else {})


def _print(shell: Shell, rows: Sequence[Listed]) -> None:
    terminal = shell.console.stdout_is_terminal
    headings = ["model", "context", "input", "output", "can"]
    cells = [_cells(one, short=terminal) for one in rows]
    if terminal:
        beside = sum(2 + max(map(len, column)) for column in list(zip(headings, *cells, strict=True))[1:])
        cells = [[cut(name, max(NARROW, shell.console.columns - beside - 2)), *others] for name, *others in cells]
    shell.console.table(headings, cells)
    if not rows:
        shell.console.note("no model is like that; aix model list shows all")
    new = sum(not one.known for one in rows)
    if new:
        shell.console.note(f"{new} of them {'is' if new == 1 else 'are'} not in the catalogue: aix model refresh")


def _cells(listed: Listed, *, short: bool) -> list[str]:
    model, price = listed.model, listed.model.price
    can = [name for name in CAPABILITIES if name in model.capabilities]
    rates = [price.rates.input, price.rates.output] if price else [None, None]
    figures = [per_million(rate) for rate in rates] if None not in rates else ["unpriced", ""]
    said = "".join(name[0] for name in can) if short else ",".join(can)
    context = about(model.context) if short else str(model.context or "")
    return [f"{model.provider}:{model.id}", context, *figures, said if listed.known else "(new)"]
