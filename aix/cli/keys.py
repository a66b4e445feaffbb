"""`aix api-key`: save, look at and delete a provider's keys."""

from enum import StrEnum
from typing import Annotated

import typer

from aix.cli import ask
from aix.cli.options import Shell, Yes
from aix.cli.streams import Stdin
from aix.config import system_keyring
from aix.config.secrets import Secret, checked, mask
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
    add: Annotated[
        bool, typer.Option("--add", help="Keep those that are saved; the new one comes after them.")
    ] = False,
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep it in the system's keyring instead.")] = False,
    yes: Yes = False,
) -> None:
    """Save a provider's key in config.json, which only you can read.

    \b
      aix api-key openrouter                   asks, without showing it
      pass show openai | aix api-key openai    reads it from a pipe
      aix api-key custom:vllm-local
      aix api-key openai --add                 one more, for when that is used up
      aix api-key openai --keyring             in the system's keyring
      aix api-key openai --action get          masked, with where each comes from
    """
    shell: Shell = ctx.obj
    found = shell.app.providers.get(provider)
    if key:
        raise UsageError(
            "a key on a command line stays in the shell's history", hint=f"aix api-key {found.name} asks for it"
        )
    if add and (keyring or action is not Action.SET):
        raise UsageError("--add is for saving a key in config.json", hint=f"aix api-key {found.name} --add")
    place = _Keyring(shell, found) if keyring else _Config(shell, found, add)
    if action is Action.GET:
        _get(shell, found)
    elif action is Action.DELETE:
        _delete(shell, found, place, sure=yes)
    else:
        _set(shell, found, place, sure=yes)


class _Config:
    """The keys that config.json holds for a provider; with `add` a new one does not replace them."""

    def __init__(self, shell: Shell, provider: Provider, add: bool) -> None:
        self._shell, self._provider, self._add = shell, provider, add

    @property
    def name(self) -> str:
        return str(self._shell.app.paths.config)

    def saved(self) -> list[str]:
        value = self._shell.app.settings.section("api_keys").get(self._provider.name)
        texts = value if isinstance(value, list) else [value]
        return [text for text in texts if isinstance(text, str)]

    def replaced(self) -> list[str]:
        """The keys that saving another would take away."""
        return [] if self._add else self.saved()

    def save(self, secret: Secret) -> None:
        others = [text for text in self.saved() if text != secret.reveal()] if self._add else []
        self._write([*others, secret.reveal()] if others else secret.reveal())

    def delete(self) -> None:
        self._write(None)

    def _write(self, value: str | list[str] | None) -> None:
        self._shell.app.settings.save(join_key(("api_keys", self._provider.name)), value)


class _Keyring:
    """The key that the system's keyring holds for a provider."""

    def __init__(self, shell: Shell, provider: Provider) -> None:
        self._shell, self._provider = shell, provider
        self.name = "the system keyring"

    def saved(self) -> list[str]:
        found = system_keyring.find(self._provider.name)
        return [found] if found else []

    replaced = saved

    def save(self, secret: Secret) -> None:
        """Keep it there, and see that keys are looked for there."""
        system_keyring.save(self._provider.name, secret.reveal())
        if not self._shell.app.settings.get("keyring").value:
            self._shell.app.settings.save("keyring", True)

    def delete(self) -> None:
        system_keyring.delete(self._provider.name)


def _get(shell: Shell, provider: Provider) -> None:
    keys = shell.app.runner.keys.all(provider)
    for key in keys:
        shell.console.line(f"{key.secret!r} ({key.source})")
    if not keys:
        shell.console.note(f"{provider.name} has no key, and needs none")


def _delete(shell: Shell, provider: Provider, place: _Config | _Keyring, *, sure: bool) -> None:
    saved = place.saved()
    if not saved:
        shell.console.note(f"there is no saved key for {provider.name}")
        return
    what = "key" if len(saved) == 1 else f"{len(saved)} keys"
    if not shell.agreed(f"Delete the saved {what} for {provider.name}?", sure=sure):
        return
    place.delete()
    shell.console.note(f"the {what} for {provider.name} {'is' if len(saved) == 1 else 'are'} deleted")


def _set(shell: Shell, provider: Provider, place: _Config | _Keyring, *, sure: bool) -> None:
    if provider.keyless:
        raise UsageError(
            f"{provider.name} takes no key", hint=f"aix run hello --name Ada --provider {provider.name} -x"
        )
    stdin = Stdin()
    if stdin.kind == "terminal":
        old = place.replaced()
        what = f"key {mask(old[0])}" if len(old) == 1 else f"{len(old)} keys"
        if old and not shell.agreed(f"Replace the saved {what} for {provider.name}?", sure=sure):
            return
        if provider.key_page:
            shell.console.note(f"get a key at {provider.key_page}")
        text = ask.secret(f"Key for {provider.name}:")
    else:
        text = stdin.read() if stdin.kind != "closed" else ""
    secret = checked(text, provider.name)
    place.save(secret)
    shell.console.note(f"saved the key {secret!r} for {provider.name} in {place.name}")
    _warn(shell, provider, secret.reveal())


def _warn(shell: Shell, provider: Provider, key: str) -> None:
    other = shell.app.providers.named_by_key(key)
    if other and other != provider.name and not provider.custom:
        shell.console.warn(f"it looks like a key of {other}; if so: aix api-key {other}")
    for variable in provider.key_env:
        if shell.app.env.get(variable):
            shell.console.warn(f"{variable} is set and comes first; this key is used when that one is turned down")
