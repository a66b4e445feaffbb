"""`aix route`: who would be asked, in which order, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.app import App
from aix.cli.console import Console, column_widths
from aix.cli.figures import about, per_million
from aix.cli.options import AsJson, LibraryFolder, NoProject, Shell
from aix.cli.report import failed
from aix.cli.run_flags import Fallback, ModelName, NoFallback, Pack, ProviderName, refuse_route
from aix.config.secrets import hidden
from aix.errors import UsageError
from aix.library.prompt import Prompt
from aix.library.reference import reference
from aix.llm.catalogue import Rates
from aix.llm.routing import BUILT_IN_ROLES, Target
from aix.messages import Message, Text
from aix.runs.run import Order

if TYPE_CHECKING:
    from aix.runs.cooldown import Rest
    from aix.runs.facts import Explained

HELP = """Show who would be asked, in which order, and why.

WHAT is a prompt, a prompt file, a model or a role; without it, nothing is named. Where a prompt has the name of a model
it is the prompt, and --model means the model. Nothing is sent, and no key is needed.

Prices are dollars for a million tokens in and out. In a pipe each who is asked is a line, with tabs between: place,
provider:model, prices, context, health, why. --json has all of it. Where a run would fail before it sends anything,
this ends with the same exit status.

\b
  aix route                             the default
  aix route strong                      a role
  aix route review --fallback groq      a prompt
  aix route review | head -n 1 | cut -f 2
"""

HEADINGS = ("", "model", "in", "out", "context", "health", "why")

NAMELESS = Prompt("", "", "")
"""What is asked for where no prompt is named."""


def register(cli: typer.Typer) -> None:
    cli.command("route", help=HELP)(route)


def route(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="[WHAT]", help="A prompt, a prompt file, a model or a role.")] = "",
    provider: ProviderName = "",
    model: ModelName = "",
    pack: Pack = "",
    fallback: Fallback = None,
    no_fallback: NoFallback = False,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    as_json: AsJson = False,
) -> None:
    refuse_route(ctx)
    shell: Shell = ctx.obj
    prompt = _prompt(shell, what, library) if what else NAMELESS
    if prompt is None and model:
        raise UsageError(f"'{what}' and --model {model} both name a model", hint="leave one of them out")
    order = Order(provider, model if prompt else what, pack=pack, fallback=tuple(fallback or ()), alone=no_fallback)
    prompt = prompt or NAMELESS
    explained = shell.app.runner.explained(order, prompt, (Message("user", (Text(prompt.body),)),))
    if explained.error:
        secrets = shell.app.known_secrets()
        explained.error.reword(lambda text: hidden(text, secrets))
    rows = [_row(shell.app, target) for target in explained.route.targets]
    if as_json:
        shell.console.json(_object(explained, rows))
    else:
        _print(shell.console, explained, rows)
    if error := explained.error:
        shell.console.error(error)
        raise typer.Exit(error.exit_code)


def _prompt(shell: Shell, what: str, library: str | None) -> Prompt | None:
    """The prompt that a word means; None where it means a model. Raises NotFoundError where it means neither."""
    home = shell.app.prompts.library_at(library)
    if not home.means(what):
        if _is_model(shell.app, what):
            return None
        if not reference(what).revision:
            home.place(what, f"aix route --model {what} takes it for a model")
    return shell.app.prompts.choose(what, library, str).prompt


def _is_model(app: App, text: str) -> bool:
    """Whether a word is spelt as a model is, or is the name of a role, a provider or a model."""
    settings = app.settings
    packs = [role for pack in settings.section("packs").values() if isinstance(pack, dict) for role in pack]
    roles = {*BUILT_IN_ROLES, *settings.section("roles"), *app.project_settings.get("roles", {}), *packs}
    known = (app.catalogue.find(provider, text) for provider in app.providers.names())
    return ":" in text or "/" in text or text in {*roles, *app.providers.names()} or any(known)


@dataclass(frozen=True, slots=True)
class Row:
    """One who is asked: what it costs and holds, as far as anybody says, and whether it can be asked now."""

    target: Target
    rates: Rates
    context: int | None
    health: str
    rest: "Rest | None"

    def cells(self, *, short: bool) -> list[str]:
        prices = [per_million(self.rates.input), per_million(self.rates.output)]
        context = about(self.context) if short else str(self.context or "")
        figures = prices if all(prices) else ["unpriced", ""]
        return [self.target.name, *figures, context, self.health, self.target.note or self.target.why]

    @property
    def sentence(self) -> str:
        """All of it, for a terminal that is too narrow for a table."""
        name, into, out, context, health, why = self.cells(short=True)
        price = f"{into} in, {out} out" if out else into
        return "; ".join(filter(None, (name, health, price, context and f"{context} tokens", why)))

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "provider": self.target.provider.name,
            "model": self.target.model,
            "input_price": per_million(self.rates.input) or None,
            "output_price": per_million(self.rates.output) or None,
            "context": self.context,
            "health": self.health,
            "rests": {"seconds": self.rest.seconds, "after": self.rest.after} if self.rest else None,
            "why": self.target.why or None,
            "note": self.target.note or None,
        }


def _row(app: App, target: Target) -> Row:
    model, rest = app.catalogue.get(target.provider.name, target.model), app.past.rest(target)
    health = app.roster.trouble(target.provider) or (f"rests {rest.seconds} s" if rest else "ready")
    return Row(target, model.price.rates if model.price else Rates(), model.context, health, rest)


def _print(console: Console, explained: "Explained", rows: Sequence[Row]) -> None:
    """Who is asked, who is not, and how it came to that; in a pipe only the first of these."""
    terminal, found = console.stdout_is_terminal, explained.route
    cells = [[str(place), *row.cells(short=terminal)] for place, row in enumerate(rows, 1)]
    if terminal and not column_widths([HEADINGS, *cells], console.columns):
        for place, row in enumerate(rows, 1):
            console.entry(str(place), "1", row.sentence)
    else:
        console.table(HEADINGS, cells, fold=True)
    if terminal:
        _list(console, "not asked:", [f"{out.name}: {out.why}" for out in found.out])
        _list(console, "how it came to this:", found.steps)


def _list(console: Console, heading: str, lines: Sequence[str]) -> None:
    if lines:
        console.line(f"\n{heading}")
    for line in lines:
        console.entry("-", "2", line)


def _object(explained: "Explained", rows: Sequence[Row]) -> dict[str, Any]:
    found, error = explained.route, explained.error
    return {
        **(failed(error, None) if error else {"version": 1, "ok": True, "error": None}),
        "strategy": explained.strategy or None,
        "asked": [row.as_json for row in rows],
        "out": [asdict(out) for out in found.out],
        "steps": list(found.steps),
    }
