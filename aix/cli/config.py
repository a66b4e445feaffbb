"""`aix config`: settings, looked at and set."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from aix.cli.options import AsJson, Shell, Yes
from aix.config.limits import OWN, read
from aix.config.secrets import KEY_SHAPE, mask
from aix.config.settings import Setting, is_private, join_key, kind_of, split_key
from aix.config.values import KEYS, LIMITS, convert
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
    given = {
        "--list": "" if listing else None,
        "--get": get,
        "--set": setting,
        "--unset": unset,
        "--reset": reset or None,
    }
    asked = [option for option, text in given.items() if text is not None]
    words = [word for word in (get, setting, unset, key, value) if word is not None]
    action = asked[0] if asked else _BY_WORDS[len(words)]
    if len(asked) > 1:
        raise UsageError(f"give one of {', '.join(given)}")
    if everything and not reset:
        raise UsageError("--all goes with --reset")
    if action == "--set":
        words = _pair(words)
    if len(words) > _WORDS[action]:
        raise UsageError(f"'{words[_WORDS[action]]}' is one word too many", hint="aix config --help")
    actions: dict[str, Callable[[], None]] = {
        "--list": lambda: _list(shell, as_json=as_json),
        "--get": lambda: _get(shell, *words, as_json=as_json),
        "--set": lambda: _set(shell, *words),
        "--unset": lambda: _unset(shell, *words),
        "--reset": lambda: _reset(shell, everything=everything, sure=yes),
    }
    actions[action]()


_BY_WORDS = ("--list", "--get", "--set")
"""What is done when no option says it: by how many words there are."""

_WORDS = {"--list": 0, "--get": 1, "--set": 2, "--unset": 1, "--reset": 0}
"""How many words each takes."""


ROLE_AT = {"roles": 0, "packs": 1}
"""Where in the rest of a key the name of a role stands."""


def shown(setting: Setting) -> str:
    """A value as it may be seen: keys masked, texts plain, the rest as JSON."""
    value = masked(split_key(setting.key), setting.value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def masked(segments: tuple[str, ...], value: Any) -> Any:
    """The value with every key in it masked, wherever in it that is."""
    if isinstance(value, dict):
        return {name: masked((*segments, name), inner) for name, inner in value.items()}
    if not is_private(segments):
        return value
    return [mask(str(item)) for item in value] if isinstance(value, list) else mask(str(value))


def _list(shell: Shell, *, as_json: bool) -> None:
    settings = sorted((*shell.app.settings.items(), *_environment_keys(shell)), key=lambda setting: setting.key)
    if as_json:
        rows = [{"key": s.key, "value": masked(split_key(s.key), s.value), "source": s.source} for s in settings]
        shell.console.json(rows)
    elif shell.console.stdout_is_terminal:
        shell.console.table(["key", "value", "source"], [[s.key, shown(s), s.source] for s in settings], fold=True)
    else:
        for setting in settings:
            shell.console.line(f"{setting.key} = {shown(setting)} ({setting.source})")
    if not settings:
        shell.console.note("nothing is set; aix config --help shows how")


def _environment_keys(shell: Shell) -> list[Setting]:
    """The keys that the environment gives to the providers there are."""
    env, providers = shell.app.env, shell.app.providers
    return [
        Setting(join_key(("api_keys", name)), env[variable], variable)
        for name in providers.names()
        for variable in providers.get(name).key_env
        if env.get(variable, "").strip()
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


def _pair(words: list[str]) -> list[str]:
    """KEY and VALUE, also when they came as one word."""
    key, equals, value = words[0].partition("=")
    if bool(equals) == (len(words) > 1):
        raise UsageError(f"--set {key}: to what?", hint=f"aix config --set {key} VALUE")
    return [key, value] if equals else words


def _set(shell: Shell, key: str, text: str) -> None:
    section, *names = split_key(key)
    if KEY_SHAPE.search(text) and not is_private((section, *names)):
        raise UsageError(f"that looks like an API key, which {key} is not", hint="aix api-key PROVIDER asks for it")
    if key == "default_provider":
        shell.app.providers.get(text)
    if key == "limits":
        _refuse_strangers(shell, text)
    _refuse_taken(shell, section, names)
    setting = shell.app.settings.set(key, text)
    shell.console.note(f"{key} = {shown(setting)}")
    if "headers" in names:
        shell.console.warn("if that is a secret: it stays in the shell's history")
    elif is_private((section, *names)):
        shell.console.warn("a key on a command line stays in the shell's history; aix api-key asks without showing it")
    if section == "api_keys" and names[0] not in shell.app.providers.names():
        shell.console.warn(f"there is no provider '{names[0]}' yet that would use it")
    if variable := shell.app.settings.variable_over(key):
        shell.console.warn(f"{variable} is set in the environment and wins over it")


def _refuse_strangers(shell: Shell, text: str) -> None:
    """Raise NotFoundError for a limit of a provider that there is not: nothing would ever be held back by it."""
    for limit in read(convert(LIMITS, text, "limits"), OWN):
        if limit.provider and "*" not in limit.provider:
            shell.app.providers.get(limit.provider)


def _refuse_taken(shell: Shell, section: str, names: list[str]) -> None:
    """Raise UsageError for a role that bears a provider's name: `--model` would mean the provider."""
    role = names[ROLE_AT[section] : ROLE_AT[section] + 1] if section in ROLE_AT else []
    if role and shell.app.providers.find(role[0]):
        raise UsageError(f"{role[0]} is a provider's name, so no role can have it", hint=f"such as my-{role[0]}")


def _unset(shell: Shell, key: str) -> None:
    if shell.app.settings.find(key) is None:
        kind_of(key)
        shell.console.note(f"{key} was not set")
        return
    shell.app.settings.save(key, None)
    shell.console.note(f"{key} is no longer set")


def _reset(shell: Shell, *, everything: bool, sure: bool) -> None:
    what = "all settings, keys and custom providers" if everything else "all settings but keys and custom providers"
    if not shell.agreed(f"Forget {what}?", sure=sure):
        return
    shell.app.settings.reset(everything=everything)
    shell.console.note(f"forgot {what}")
