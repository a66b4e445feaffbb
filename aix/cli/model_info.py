"""`aix model info`: all that is known of one model, and who says so."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Annotated, Any

import typer

from aix.app import App
from aix.cli.figures import about, per_million
from aix.cli.options import AsJson, Shell
from aix.config.values import CAPABILITIES
from aix.errors import NotFoundError
from aix.llm.catalogue import Model, Price, Rates

FIGURES = ("name", "context", "max_output", "capabilities", "efforts", "retires", "successor", "note")


def register(cli: typer.Typer) -> None:
    cli.command("info")(info)


def info(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model, or PROVIDER:MODEL.")],
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a model.

    Each figure has its source and its date. Where sources disagree, all are shown, the one that counts first.

    \b
      aix model info claude-haiku-4-5
      aix model info openrouter:anthropic/claude-opus-4.6
    """
    shell: Shell = ctx.obj
    found, *others = models_named(shell.app, model)
    said = shell.app.catalogue.said(found)
    roles = list(_roles(shell.app, found))
    if as_json:
        sources = [facts(one) | {"sources": one.sources} for one in said]
        shell.console.json(facts(found) | {"sources": found.sources, "said": sources, "roles": roles})
        return
    elsewhere = [f"{one.provider}:{one.id}" for one in others]
    named = {"aliases": found.aliases, "roles": roles, "also at": elsewhere}
    lines = [("model:", f"{found.provider}:{found.id}", ""), *_figures(found, said), *_prices(found)]
    lines += [(f"{heading}:", ", ".join(texts), "") for heading, texts in named.items() if texts]
    if shell.console.stdout_is_terminal:
        shell.console.table(["field", "value", "from"], [(head.rstrip(":"), *rest) for head, *rest in lines], fold=True)
        return
    for heading, text, source in lines:
        shell.console.line(f"{heading:<14}{text}{f'  [{source}]' if source else ''}")


def models_named(app: App, text: str) -> list[Model]:
    """The models that a text means: its provider's, or everybody's, direct ones first. Raises NotFoundError."""
    for mark in ":/":
        name, _, rest = text.partition(mark)
        if rest and (provider := app.providers.find(name)):
            if one := app.catalogue.find(provider.name, rest) or app.catalogue.find(provider.name, text):
                return [one]
            raise _missing(app, provider.name, rest)
    rows = sorted((app.providers.get(name) for name in app.providers.names()), key=lambda row: row.aggregator)
    if models := [model for row in rows if (model := app.catalogue.find(row.name, text))]:
        return models
    raise _missing(app, "", text)


def _missing(app: App, provider: str, model: str) -> NotFoundError:
    near = [f"{provider}:{one}" if provider else one for one in app.catalogue.near(provider, model)]
    if not near and not provider:
        near = sorted(
            f"{one.provider}:{one.id}" for one in app.catalogue.all() if model.casefold() in one.id.casefold()
        )
    where = f" of {provider}" if provider else ""
    return NotFoundError(
        f"no model '{model}'{where} is known",
        hint=f"did you mean {' or '.join(near[:3])}?"
        if near
        else "aix model list shows all; aix model refresh asks anew",
        reason="model",
    )


def facts(model: Model) -> dict[str, Any]:
    """A model as JSON: amounts are texts, so that no figure is lost; null is what nobody says."""
    return {
        "provider": model.provider,
        "id": model.id,
        "name": model.name or None,
        "context": model.context,
        "max_output": model.max_output,
        "capabilities": [name for name in CAPABILITIES if name in model.capabilities],
        "efforts": list(model.efforts),
        "aliases": list(model.aliases),
        "retires": model.retires or None,
        "successor": model.successor or None,
        "note": model.note or None,
        "unpriced": model.price is None,
        "prices": [_price(price) for price in model.prices],
    }


def _price(price: Price) -> dict[str, Any]:
    tiers = [{"above": tier.above, **_rates(tier.rates)} for tier in price.tiers]
    return {**_rates(price.rates), "tiers": tiers, "source": price.source, "date": price.date or None}


def _rates(rates: Rates) -> dict[str, str | None]:
    named = {name: getattr(rates, name) for name in Rates.__dataclass_fields__}
    return {name: None if rate is None else per_million(rate) for name, rate in named.items()}


Line = tuple[str, str, str]
"""What is said of a model: the heading, the text, and who says so."""


def _figures(model: Model, said: list[Model]) -> Iterator[Line]:
    """Each figure, then what other sources say instead."""
    for field in FIGURES:
        shown: dict[str, str] = {}
        for one in (model, *said):
            if (text := _text(getattr(one, field))) and field in one.sources:
                shown.setdefault(text, one.sources[field])
        heading = f"{field.replace('_', ' ')}:"
        for text, source in shown.items():
            yield heading, text, source
            heading = "  or"


def _text(value: Any) -> str:
    if isinstance(value, frozenset):
        return ", ".join(name for name in CAPABILITIES if name in value)
    return ", ".join(value) if isinstance(value, tuple) else str(value or "")


def _differing(prices: Sequence[Price]) -> list[Price]:
    """The price that counts, and those that say something else."""
    return [price for index, price in enumerate(prices) if index == 0 or not _repeats(price, prices[0])]


def _repeats(price: Price, other: Price) -> bool:
    pairs = [(price.rates, other.rates), *zip_longest(_tiers(price), _tiers(other), fillvalue=Rates())]
    said = [(getattr(one, name), getattr(two, name)) for one, two in pairs for name in Rates.__dataclass_fields__]
    return len(price.tiers) == len(other.tiers) and all(one in (None, two) for one, two in said)


def _tiers(price: Price) -> list[Rates]:
    return [tier.rates for tier in price.tiers]


def _prices(model: Model) -> Iterator[Line]:
    """The price, its tiers below it, then what other sources say instead."""
    heading = "price:"
    for price in _differing(model.prices):
        yield heading, _per_million(price.rates), f"{price.source} ({price.date})" if price.date else price.source
        for tier in price.tiers:
            yield "", f"above {about(tier.above)} tokens in: {_per_million(tier.rates)}", ""
        heading = "  or"
    if not model.prices:
        yield heading, "unpriced", ""


def _per_million(rates: Rates) -> str:
    if rates.input is None or rates.output is None:
        return "unpriced"
    said = [f"${per_million(rates.input)} in", f"${per_million(rates.output)} out"]
    said += [f"${per_million(rates.cache_read)} cache read"] if rates.cache_read is not None else []
    said += [f"${per_million(rates.cache_write)} cache write"] if rates.cache_write is not None else []
    said += [f"${per_million(rates.reasoning)} reasoning"] if rates.reasoning is not None else []
    return f"{', '.join(said)} per million tokens"


def _roles(app: App, model: Model) -> Iterator[str]:
    """The roles that mean this model: its provider's own, and the user's."""
    provider = app.providers.find(model.provider)
    names = {model.id, *model.aliases}
    for role, name in (provider.roles if provider else {}).items():
        if name in names:
            yield f"{model.provider} {role}"
    for role, text in app.settings.section("roles").items():
        said = text.get("models") if isinstance(text, dict) else text
        models = said if isinstance(said, list) else [said]
        if not {f"{model.provider}:{name}" for name in names}.union(names).isdisjoint(map(str, models)):
            yield role
