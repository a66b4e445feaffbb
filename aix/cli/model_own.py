"""`aix model add` and `aix model remove`: figures of the user's own."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from aix.app import App
from aix.cli.options import Shell, divided, flag
from aix.cli.provider_draft import Draft, exists, save
from aix.config import provider_row
from aix.config.settings import join_key
from aix.config.values import MODEL_FIELDS, convert
from aix.errors import NotFoundError, UsageError
from aix.llm.shelf import placed

PRICES = ("input_price", "output_price", "cache_read_price", "cache_write_price")
CUSTOM = "custom"
"""What stands for a provider that is still to be named."""


def register(cli: typer.Typer) -> None:
    cli.command("add")(add)
    cli.command("remove")(remove)


def add(
    ctx: typer.Context,
    new_model: Annotated[str, typer.Option("--id", metavar="MODEL", help="What the provider calls it.")],
    provider: Annotated[str, typer.Option(metavar="NAME", help="Who has it; `custom` for one with --base-url.")],
    base_url: Annotated[str, typer.Option(metavar="URL", help="Where the provider is, to add that too.")] = "",
    input_price: Annotated[str, typer.Option(metavar="DOLLARS", help="For a million tokens in; 0 is free.")] = "",
    output_price: Annotated[str, typer.Option(metavar="DOLLARS", help="For a million tokens out.")] = "",
    cache_read_price: Annotated[str, typer.Option(metavar="DOLLARS", help="For a million tokens out of a cache.")] = "",
    cache_write_price: Annotated[str, typer.Option(metavar="DOLLARS", help="For a million tokens into it.")] = "",
    context: Annotated[str, typer.Option(metavar="TOKENS", help="How much fits in, with the answer.")] = "",
    max_output: Annotated[str, typer.Option(metavar="TOKENS", help="How long an answer can be.")] = "",
    capability: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="vision, pdf, reasoning, tools or schema; repeatable.")
    ] = None,
    alias: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Another name for it; repeatable.")] = None,
) -> None:
    """Add a model of your own, or figures for one.

    What is not given stays as it is. With --base-url the provider is added too.

    \b
      aix model add --id my-model --provider box --context 32768
      aix model add --id gpt-5.5 --provider openai --input-price 4.5
      aix model add --id my-custom-model --provider custom \\
        --base-url http://192.168.1.50:8000/v1 --input-price 0 --output-price 0
    """
    shell: Shell = ctx.obj
    model = convert(MODEL_FIELDS["name"], new_model, "--id")
    fields = _fields(ctx.params)
    name = _provider(shell.app, provider, base_url)
    values = _values(shell.app, name, model, fields)
    if base_url and not _there(shell, name, base_url):
        row = {"base_url": provider_row.checked_url(base_url, "--base-url"), "default_model": model}
        save(shell, Draft(name, row, values))
    else:
        shell.app.settings.save_all(values)
    shell.console.note(f"saved the model {name}:{model} in {shell.app.paths.config}")


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line says of the model, each figure looked at. Raises UsageError."""
    fields: dict[str, Any] = {
        name: provider_row.price(MODEL_FIELDS[name], given[name], flag(name)) for name in PRICES if given[name]
    }
    for name in ("context", "max_output"):
        if given[name]:
            fields[name] = convert(MODEL_FIELDS[name], given[name].replace("_", ""), flag(name))
    for name, option in (("capabilities", "capability"), ("aliases", "alias")):
        if words := divided(given[option]):
            fields[name] = convert(MODEL_FIELDS[name], ",".join(words), f"--{option}")
    return fields


def _provider(app: App, name: str, base_url: str) -> str:
    """The provider's name; one that is still to be named is called after its host. Raises UsageError."""
    plain = name.removeprefix("custom:")
    if not base_url:
        if plain == CUSTOM:
            raise UsageError(
                "--provider custom stands for a new one, which needs an address", hint="add --base-url http://…/v1"
            )
        return app.providers.get(name).name
    if plain != CUSTOM:
        return provider_row.checked_name(plain, "--provider")
    host = urlsplit(provider_row.checked_url(base_url, "--base-url")).hostname or ""
    return provider_row.checked_name(re.sub("[^A-Za-z0-9]+", "-", host).strip("-") or "box", "--provider")


def _there(shell: Shell, name: str, base_url: str) -> bool:
    """Whether the user has the provider already. Raises UsageError for one of that name elsewhere."""
    if not exists(shell, name):
        return False
    known = shell.app.providers.get(f"custom:{name}").base_url.rstrip("/")
    if known != provider_row.checked_url(base_url, "--base-url"):
        raise UsageError(
            f"you have a provider {name} already, at {known}", hint=f"leave out --base-url, or --provider my-{name}"
        )
    return True


def _values(app: App, provider: str, model: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is written: under the model's id, or with its provider's name where another has a model of that id."""
    row = app.settings.section("models").get(model, {})
    taken = isinstance(row, dict) and row.get("provider", provider) != provider
    place = ("models", f"{provider}:{model}" if taken else model)
    return {join_key((*place, name)): value for name, value in {"provider": provider, **fields}.items()}


def remove(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of your own, or PROVIDER:MODEL.")],
) -> None:
    """Forget the figures that you set.

    What else is known of the model counts again.

    \b
      aix model remove my-model
    """
    shell: Shell = ctx.obj
    settings, names = shell.app.settings, shell.app.providers.names()
    rows = {key: row if isinstance(row, dict) else {} for key, row in settings.section("models").items()}
    places = {key: placed(key, row, names) for key, row in rows.items()}
    found = [key for key, (provider, id_) in places.items() if model in (key, id_, f"{provider}:{id_}")]
    if not found:
        own = ", ".join(f"{provider}:{id_}" if provider else id_ for provider, id_ in places.values())
        raise NotFoundError(
            f"you have no model '{model}' of your own",
            hint=f"you have {own}" if own else "aix model add --id MODEL --provider NAME adds one",
            reason="model",
        )
    if len(found) > 1:
        named = " or ".join(f"{places[key][0]}:{places[key][1]}" for key in found)
        raise UsageError(f"there are {len(found)} models '{model}' of your own", hint=f"name its provider: {named}")
    settings.save(join_key(("models", found[0])), None)
    shell.console.note(f"{model} is no longer a model of your own")
