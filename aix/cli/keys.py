"""`aix api-key`: save, look at and delete a provider's key."""

from enum import StrEnum
from typing import Annotated

import typer

from aix.cli import ask
from aix.cli.options import Shell, Yes
from aix.cli.streams import Stdin
from aix.config.secrets import checked, mask
from aix.config.settings import join_key
from aix.errors import UsageError
from aix.llm.providers import Provider


class Action(StrEnum):
    SET = "set"
    GET = "get"
    DELETE = "delete"


def register(cli: typer.Typer) -> None:
    cli.command("api-key")(api_key)


def api_key(
    ctx: typer.Context,
    provider: Annotated[str, typer.Argument(help="A provider; a custom one as custom:NAME or NAME.")],
    key: Annotated[str, typer.Argument(hidden=True)] = "",
    action: Annotated[Action, typer.Option(help="What to do with its key.")] = Action.SET,
    yes: Yes = False,
) -> None:
    """Save a provider's key in config.json, which only you can read.

    \b
      aix api-key openrouter                   asks, without showing it
      pass show openai | aix api-key openai    reads it from a pipe
      aix api-key custom:vllm-local
      aix api-key openai --action get
    """
    shell: Shell = ctx.obj
    found = shell.app.providers.get(provider)
    if key:
        raise UsageError(
            "a key on a command line stays in the shell's history", hint=f"aix api-key {found.name} asks for it"
        )
    if action is Action.GET:
        _get(shell, found)
    elif action is Action.DELETE:
        _delete(shell, found, sure=yes)
    else:
        _set(shell, found, sure=yes)


def _saved(shell: Shell, provider: Provider) -> str | None:
    value = shell.app.settings.section("api_keys").get(provider.name)
    return value[0] if isinstance(value, list) and value else value if isinstance(value, str) else None


def _get(shell: Shell, provider: Provider) -> None:
    key = None if provider.keyless else shell.app.runner.key(provider)
    if key is None:
        shell.console.note(f"{provider.name} has no key, and needs none")
        return
    shell.console.line(f"{key.secret!r} ({key.source})")


def _delete(shell: Shell, provider: Provider, *, sure: bool) -> None:
    if _saved(shell, provider) is None:
        shell.console.note(f"there is no saved key for {provider.name}")
        return
    if not shell.agreed(f"Delete the saved key for {provider.name}?", sure=sure):
        return
    shell.app.settings.save(_place(provider), None)
    shell.console.note(f"the key for {provider.name} is deleted")


def _set(shell: Shell, provider: Provider, *, sure: bool) -> None:
    if provider.keyless:
        raise UsageError(
            f"{provider.name} takes no key", hint=f"aix run hello --name Ada --provider {provider.name} -x"
        )
    old = _saved(shell, provider)
    stdin = Stdin()
    if stdin.kind == "terminal":
        if old and not shell.agreed(f"Replace the saved key {mask(old)} for {provider.name}?", sure=sure):
            return
        if provider.key_page:
            shell.console.note(f"get a key at {provider.key_page}")
        text = ask.secret(f"Key for {provider.name}:")
    else:
        text = stdin.read() if stdin.kind != "closed" else ""
    secret = checked(text, provider.name)
    shell.app.settings.save(_place(provider), secret.reveal())
    shell.console.note(f"saved the key {secret!r} for {provider.name} in {shell.app.paths.config}")
    _warn(shell, provider, secret.reveal())


def _warn(shell: Shell, provider: Provider, key: str) -> None:
    other = shell.app.providers.named_by_key(key)
    if other and other != provider.name and not provider.custom:
        shell.console.warn(f"it looks like a key of {other}; if so: aix api-key {other}")
    for variable in provider.key_env:
        if shell.app.env.get(variable):
            shell.console.warn(f"{variable} is set in the environment and wins over it")


def _place(provider: Provider) -> str:
    return join_key(("api_keys", provider.name))
