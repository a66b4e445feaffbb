"""`aix provider`: who can be asked, and the user's own."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from aix.app import App
from aix.cli import doctor, provider_add, provider_import, provider_info, provider_setup
from aix.cli.options import AsJson, Shell, Yes, show_help
from aix.config.settings import PRIVATE, default_model_key, join_key, leaves, split_key
from aix.errors import AixError, UsageError

HELP = """Look at providers, try them, and add your own.

\b
  aix provider list --usable
  aix provider add box http://localhost:8000/v1 --model qwen3
  aix provider test box
  aix provider quick-setup    finds the model servers of this machine
"""

TEST = """Ask providers for their models, which costs nothing.

It says whether each answers, takes the key, and has its default model. Without a name: all that can be used. The exit
status is that of the first failure: 4 for a key, 7 for the network, 10 for the time.

\b
  aix provider test
  aix provider test openai box
  aix provider test box --send          also sends one short message
"""

REMOVE = """Forget a provider of your own.

Its saved key stays unless you say --key.

\b
  aix provider remove box
"""


def register(cli: typer.Typer) -> None:
    noun = typer.Typer(help=HELP, invoke_without_command=True, rich_markup_mode=None)
    noun.callback()(show_help)
    noun.command("list")(list_providers)
    provider_info.register(noun)
    noun.command("test", help=TEST)(test)
    for part in (provider_add, provider_setup, provider_import):
        part.register(noun)
    noun.command("remove", help=REMOVE)(remove)
    cli.add_typer(noun, name="provider")


def list_providers(
    ctx: typer.Context,
    usable: Annotated[bool, typer.Option("--usable", help="Only those that can be used now.")] = False,
    custom: Annotated[bool, typer.Option("--custom", help="Only your own.")] = False,
    long: Annotated[bool, typer.Option("--long", "-l", help="All of each, on lines of its own.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the providers, and whether each can be used."""
    shell: Shell = ctx.obj
    own = shell.app.settings.section("custom_providers")
    found = [_row(shell.app, name) for name in shell.app.providers.names() if not custom or name in own]
    rows = [row for row in found if not usable or row["usable"]]
    if as_json:
        shell.console.json(rows)
    elif long and shell.console.stdout_is_terminal:
        _print_blocks(shell, rows)
    else:
        _print_table(shell, rows)
    if not rows:
        hint = "aix provider add makes one" if custom else "aix init sets one up"
        shell.console.note(f"there is no provider {'of your own' if custom else 'that can be used'}; {hint}")


def _row(app: App, name: str) -> dict[str, Any]:
    """A provider as a list shows it; a broken one as far as it is known."""
    own = name in app.settings.section("custom_providers")
    head = {"name": name, "kind": "custom" if own else "built-in"}
    try:
        provider = app.providers.get(name)
    except AixError as error:
        nothing = dict.fromkeys(("key", "protocol", "base_url", "default_model"), "")
        return {**head, "usable": False, "state": "broken", **nothing, "error": error.message}
    trouble = app.roster.trouble(provider)
    return {
        **head,
        "usable": not trouble,
        "state": trouble or "ready",
        "key": app.roster.key_label(provider),
        "protocol": provider.protocol,
        "base_url": provider.base_url,
        "default_model": app.roster.default_model(provider),
        "error": None,
    }


COLUMNS: Mapping[str, str] = {
    "provider": "name",
    "state": "state",
    "key": "key",
    "default model": "default_model",
    "address": "base_url",
}
"""What a list says, the most telling first: where there is no room, the last ones are left out."""

NARROW = 16
"""A last column with less room than this is left out."""


def _print_table(shell: Shell, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = dict(COLUMNS)
    while shell.console.stdout_is_terminal and len(columns) > 2 and _room(shell, rows, columns) < NARROW:
        columns.popitem()
    kinds = {} if shell.console.stdout_is_terminal else {"kind": "kind"}
    table = [[str(row[field]) for field in (*columns.values(), *kinds)] for row in rows]
    shell.console.table([*columns, *kinds], table)


def _room(shell: Shell, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> int:
    """What is left of a line for the last column."""
    *others, _ = columns.items()
    taken = [2 + max([len(heading), *(len(str(row[field])) for row in rows)]) for heading, field in others]
    return shell.console.columns - sum(taken)


def _print_blocks(shell: Shell, rows: Sequence[Mapping[str, Any]]) -> None:
    for index, row in enumerate(rows):
        if index:
            shell.console.line()
        for heading, field in COLUMNS.items():
            if row[field]:
                shell.console.line(f"{heading + ':':<15}{row[field]}")


def test(
    ctx: typer.Context,
    providers: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Providers.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send each one short message, too.")] = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    doctor.show(shell, shell.app.try_providers(providers or (), send=send), as_json)


def remove(
    ctx: typer.Context,
    own_provider: Annotated[str, typer.Argument(metavar="NAME", help="A provider of your own.")],
    key: Annotated[bool, typer.Option("--key", help="Delete its saved key, too.")] = False,
    yes: Yes = False,
) -> None:
    shell: Shell = ctx.obj
    settings, providers = shell.app.settings, shell.app.providers
    name = own_provider.removeprefix("custom:")
    if name not in settings.section("custom_providers"):
        built_in = providers.get(own_provider).name
        raise UsageError(f"{built_in} is built in, and stays", hint="aix provider list --custom shows your own")
    if not shell.agreed(f"Forget the provider {name}?", sure=yes):
        return
    saved = settings.section("api_keys").get(name) is not None
    gone = [("custom_providers", name), *([("api_keys", name)] if key else [])]
    settings.save_all({join_key(place): None for place in gone})
    shell.console.note(f"the provider {name} is forgotten{', and its key' if key and saved else ''}")
    app = shell.app.anew()
    if app.providers.find(name):
        shell.console.note(f"{name} is the built-in provider again")
        return
    if saved and not key:
        shell.console.note(f"its key is kept; to delete it: aix config --unset {join_key(('api_keys', name))}")
    for place in _naming(settings.data, name):
        shell.console.warn(f"{place} still names {name}; to take that out: aix config --unset '{place}'")


def _naming(data: Mapping[str, Any], name: str) -> list[str]:
    """The settings that lead to a provider."""
    heads = (name, f"custom:{name}")
    ways = tuple(f"{head}{mark}" for head in heads for mark in ":/")

    def leads(value: Any) -> bool:
        return isinstance(value, str) and (value in heads or value.startswith(ways))

    named = {key: value if isinstance(value, list) else [value] for key, value in leaves(data)}
    elsewhere = {key: values for key, values in named.items() if split_key(key)[0] not in PRIVATE}
    return [key for key, values in elsewhere.items() if key == default_model_key(name) or any(map(leads, values))]
