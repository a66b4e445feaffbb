"""`aix config`: settings, looked at and set."""

import json
from typing import Annotated, Any

import typer

from aix.cli import ask
from aix.cli.options import AsJson, Shell, Yes
from aix.config.secrets import mask
from aix.config.settings import Setting, kind_of, split_key
from aix.config.values import KEYS
from aix.errors import UsageError

HELP = """Look at settings, and change them.

\b
  aix config                                    all that is set, and where
  aix config default_provider                   one setting
  aix config default_provider openai            set it
  aix config --set default_model openai:gpt-5.5
  aix config --set temperature=0.2
  aix config --unset temperature
"""


def register(cli: typer.Typer) -> None:
    cli.command("config", help=HELP)(config)


def config(
    ctx: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="A setting; dots lead inwards.")] = None,
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="What to set it to.")] = None,
    listing: Annotated[bool, typer.Option("--list", "-l", help="Everything that is set.")] = False,
    get: Annotated[str | None, typer.Option("--get", "-g", metavar="KEY", help="One setting.")] = None,
    setting: Annotated[str | None, typer.Option("--set", metavar="KEY VALUE | KEY=VALUE", help="Set it.")] = None,
    unset: Annotated[str | None, typer.Option("--unset", metavar="KEY", help="Take it out.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Forget all settings but keys and providers.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --reset: keys and providers too.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    asked = [listing, get is not None, setting is not None, unset is not None, reset]
    words = [word for word in (key, value) if word is not None]
    if sum(asked) > 1:
        raise UsageError("give one of --list, --get, --set, --unset and --reset")
    if everything and not reset:
        raise UsageError("--all goes with --reset")
    if setting is not None:
        _set(shell, *_pair(setting, words))
    elif any(asked) and words:
        raise UsageError(f"'{words[0]}' is one word too many", hint="aix config --help")
    elif reset:
        _reset(shell, everything=everything, sure=yes)
    elif unset is not None:
        _unset(shell, unset)
    elif get is not None or len(words) == 1:
        _get(shell, get if get is not None else words[0], as_json=as_json)
    elif len(words) == 2:
        _set(shell, words[0], words[1])
    else:
        _list(shell, as_json=as_json)


def shown(setting: Setting) -> str:
    """A value as it may be seen: keys masked, texts plain, the rest as JSON."""
    value = masked(split_key(setting.key), setting.value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def masked(segments: tuple[str, ...], value: Any) -> Any:
    """The value with every key in it masked, wherever in it that is."""
    if isinstance(value, dict):
        return {name: masked((*segments, name), inner) for name, inner in value.items()}
    if not _is_private(segments):
        return value
    return [mask(str(item)) for item in value] if isinstance(value, list) else mask(str(value))


def _is_private(segments: tuple[str, ...]) -> bool:
    return segments[0] == "api_keys" or segments[-1] in ("api_key", "api_keys") or "headers" in segments[2:3]


def _list(shell: Shell, *, as_json: bool) -> None:
    settings = sorted((*shell.app.settings.items(), *_environment_keys(shell)), key=lambda setting: setting.key)
    if as_json:
        rows = [{"key": s.key, "value": masked(split_key(s.key), s.value), "source": s.source} for s in settings]
        shell.console.json(rows)
    elif shell.console.stdout_is_terminal:
        shell.console.table(["key", "value", "source"], [[s.key, shown(s), s.source] for s in settings])
    else:
        for setting in settings:
            shell.console.line(f"{setting.key} = {shown(setting)} ({setting.source})")
    if not settings:
        shell.console.note("nothing is set; aix config --help shows how")


def _environment_keys(shell: Shell) -> list[Setting]:
    """The keys that the environment gives to the providers there are."""
    env, providers = shell.app.env, shell.app.providers
    return [
        Setting(f"api_keys.{name}", env[variable], variable)
        for name in providers.names()
        for variable in providers.get(name).key_env
        if env.get(variable)
    ]


def _get(shell: Shell, key: str, *, as_json: bool) -> None:
    settings = shell.app.settings
    if key in KEYS:
        setting = settings.get(key)
    else:
        setting = Setting(key, settings.find(key), "config.json")
        if setting.value is None:
            setting = next((s for s in _environment_keys(shell) if s.key == key), setting)
        if setting.value is None:
            kind_of(key)  # an unknown key is an error with near matches; a known one is only not set
    if as_json:
        value = masked(split_key(key), setting.value)
        shell.console.json({"key": key, "value": value, "source": setting.source if value is not None else None})
    elif setting.value is None:
        shell.console.note(f"{key} is not set")
    else:
        shell.console.line(shown(setting))


def _pair(text: str, words: list[str]) -> tuple[str, str]:
    if len(words) > 1:
        raise UsageError(f"'{words[1]}' is one word too many", hint="quote a value that has spaces")
    if words:
        return text, words[0]
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: to what?", hint=f"aix config --set {text} VALUE")
    return key, value


def _set(shell: Shell, key: str, text: str) -> None:
    setting = shell.app.settings.set(key, text)
    shell.console.note(f"{key} = {shown(setting)}")
    if _is_private(split_key(key)):
        shell.console.warn("a key on a command line stays in the shell's history; aix api-key asks without showing it")
    variable = shell.app.settings.variable_over(key)
    if variable:
        shell.console.warn(f"{variable} is set in the environment and wins over it")


def _unset(shell: Shell, key: str) -> None:
    if shell.app.settings.find(key) is None:
        kind_of(key)
        shell.console.note(f"{key} was not set")
        return
    shell.app.settings.save(key, None)
    shell.console.note(f"{key} is no longer set")


def _reset(shell: Shell, *, everything: bool, sure: bool) -> None:
    what = "all settings, keys and custom providers" if everything else "all settings but keys and custom providers"
    if not sure:
        if not shell.console.person_is_there:
            raise UsageError(f"--reset forgets {what}", hint="to do it: aix config --reset --yes")
        if not ask.confirm(f"Forget {what}?"):
            shell.console.note("nothing is changed")
            return
    shell.app.settings.reset(everything=everything)
    shell.console.note(f"forgot {what}")
