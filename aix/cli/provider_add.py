"""`aix provider add`: a provider of one's own, from a command line or asked for."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from aix.cli import provider_ask
from aix.cli.options import Shell, Yes, flag
from aix.cli.provider_draft import Draft, hides_built_in, may_write, save
from aix.config import provider_row
from aix.config.settings import join_key
from aix.config.values import MODEL_FIELDS
from aix.errors import UsageError

HELP = """Add a provider of your own.

Any address that speaks a protocol aix knows: openai-chat, openai-responses, anthropic-messages, gemini, cohere, ollama
or replicate. Without an address it asks for what it needs.

\b
  aix provider add box http://localhost:8000/v1 --model qwen3
  aix provider add gateway https://llm.example.com \\
      --protocol anthropic-messages --header "X-Team: payments" \\
      --api-key-command "pass show gateway"
"""

FIELDS = ("protocol", "auth_type", "api_key_env", "api_key_command", "max_tokens_field", "timeout")
"""The options that are fields of the row, under the same names."""

PRICES = ("input_price", "output_price")


def register(noun: typer.Typer) -> None:
    noun.command("add", help=HELP)(add)


def add(
    ctx: typer.Context,
    new_provider: Annotated[str, typer.Argument(metavar="[NAME]", help="What to call it.")] = "",
    url: Annotated[str, typer.Argument(metavar="[URL]", help="Where it is: http://localhost:8000/v1")] = "",
    default_model: Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help="Its default model.")] = "",
    protocol: Annotated[str, typer.Option(metavar="PROTOCOL", help="What it speaks, if not openai-chat.")] = "",
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header to send with each call; repeatable.")
    ] = None,
    auth_type: Annotated[str, typer.Option(metavar="TYPE", help="How it takes a key: bearer, api-key, none …")] = "",
    api_key_env: Annotated[str, typer.Option(metavar="VARIABLE", help="The variable that holds its key.")] = "",
    api_key_command: Annotated[str, typer.Option(metavar="COMMAND", help="A command that prints its key.")] = "",
    api_key: Annotated[str, typer.Option("--api-key", hidden=True)] = "",
    max_tokens_field: Annotated[
        str, typer.Option(metavar="FIELD", help="What it calls the longest answer, if not max_tokens.")
    ] = "",
    timeout: Annotated[str, typer.Option(metavar="SECONDS", help="How long a whole answer may take.")] = "",
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Let plain http go there, over a network that others share.")
    ] = False,
    input_price: Annotated[str, typer.Option(metavar="DOLLARS", help="Its model's price for a million tokens.")] = "",
    output_price: Annotated[str, typer.Option(metavar="DOLLARS", help="And for a million tokens of answer.")] = "",
    yes: Yes = False,
) -> None:
    shell: Shell = ctx.obj
    if api_key:
        raise UsageError(
            "a key on a command line stays in the shell's history",
            hint=f"aix api-key custom:{new_provider or 'NAME'} asks for it, once the provider is there",
        )
    draft = _draft(ctx.params)
    name = draft.name
    if not name or (not url and not (draft.row and hides_built_in(name))):
        if not shell.console.person_is_there:
            raise UsageError(
                f"where is {name}?" if name else "aix provider add asks questions, and there is no terminal",
                hint=f"aix provider add {name or 'NAME'} https://…",
            )
        written = provider_ask.fill(shell, draft, sure=yes)
    else:
        written = may_write(shell, name, sure=yes)
    if written:
        save(shell, draft)


def _draft(given: Mapping[str, Any]) -> Draft:
    """What the command line says, each value looked at. Raises UsageError."""
    name = provider_row.checked_name(given["new_provider"]) if given["new_provider"] else ""
    row: dict[str, Any] = {}
    if given["url"]:
        row["base_url"] = provider_row.checked_url(given["url"])
    if given["default_model"]:
        row["default_model"] = provider_row.read("default_model", given["default_model"], "--model")
    row |= {field: provider_row.read(field, given[field], flag(field)) for field in FIELDS if given[field]}
    if given["header"]:
        row["headers"] = provider_row.headers(given["header"], "--header")
    if given["allow_http"]:
        row["allow_http"] = True
    return Draft(name, row, _prices(name, given))


def _prices(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that say what the default model costs."""
    asked = [field for field in PRICES if given[field]]
    if not asked:
        return {}
    if not given["default_model"] or not name:
        raise UsageError(f"{flag(asked[0])} is the price of a model", hint="name it: --model MODEL")
    place = ("models", given["default_model"])
    keys = {field: join_key((*place, field)) for field in asked}
    prices = {keys[field]: provider_row.price(MODEL_FIELDS[field], given[field], flag(field)) for field in asked}
    return {**prices, join_key((*place, "provider")): name}
