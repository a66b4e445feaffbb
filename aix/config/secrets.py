"""Keys: how they are held, and where one comes from."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aix.errors import AuthError, ConfigError

COMMAND_SECONDS = 30.0


class Secret:
    """A key. Its text is reached only by `reveal()`; printing, formatting and tracebacks show `abcd***wxyz`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return mask(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Key:
    """A key with the place it was found in: a variable's name, `config.json` or `api_key_command`."""

    secret: Secret
    source: str


@dataclass(frozen=True, slots=True)
class KeySources:
    """Where to look for a provider's key: `own` is the provider's part of config.json, `variables` the environment's
    names for it in order, `saved` what `api_keys.NAME` holds."""

    name: str
    own: Mapping[str, Any]
    variables: Sequence[str]
    saved: Any


def mask(text: str) -> str:
    """`abcd***wxyz`; a short key shows nothing of itself."""
    return f"{text[:4]}***{text[-4:]}" if len(text) >= 16 else "***"


def find_keys(sources: KeySources, env: Mapping[str, str]) -> Iterator[Key]:
    """The keys that there are, best first. A key command runs only when nothing before it was taken."""
    for text in _texts(sources.own.get("api_key")):
        yield Key(checked(text, sources.name), f"custom_providers.{sources.name}.api_key")
    for text in _texts(sources.own.get("api_keys")):
        yield Key(checked(text, sources.name), f"custom_providers.{sources.name}.api_keys")
    for variable in sources.variables:
        if env.get(variable, "").strip():
            yield Key(checked(env[variable], sources.name), variable)
    if command := sources.own.get("api_key_command"):
        yield Key(checked(_output(str(command), sources.name, env), sources.name), "api_key_command")
    for text in _texts(sources.saved):
        yield Key(checked(text, sources.name), "config.json")


def conventional_variable(name: str) -> str:
    """The variable that holds the key of the provider `name`: `vllm-local` is VLLM_LOCAL_API_KEY."""
    return name.upper().replace("-", "_").replace(".", "_") + "_API_KEY"


def checked(text: str, name: str) -> Secret:
    """A key as it can stand in a header. Raises AuthError; the message never holds the key."""
    key = text.strip()
    if not key:
        raise AuthError(f"the key for {name} is empty", hint=f"aix api-key {name}")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise AuthError(
            f"the key for {name} holds a space, a line break or a letter that no key has",
            hint=f"copy it again: aix api-key {name}",
        )
    return Secret(key)


def known_secrets(env: Mapping[str, str], data: Mapping[str, Any]) -> list[Secret]:
    """Every key in the environment and in config.json, longest first, so that replacing them hides each whole."""
    own = [row for row in (data.get("custom_providers") or {}).values() if isinstance(row, dict)]
    places = [*(data.get("api_keys") or {}).values(), *(row.get(key) for row in own for key in ("api_key", "api_keys"))]
    texts = {text for place in places for text in (place if isinstance(place, list) else [place])}
    texts |= {value.strip() for name, value in env.items() if _is_key(name)}
    return [Secret(text) for text in sorted(filter(_is_long, texts), key=len, reverse=True)]


def _is_long(text: Any) -> bool:
    return isinstance(text, str) and len(text) >= 8


def without_keys(env: Mapping[str, str], secrets: Sequence[Secret] = ()) -> dict[str, str]:
    """The environment for a process that aix starts: no variable that holds, or is named like, a key."""
    values = {secret.reveal() for secret in secrets}
    return {name: value for name, value in env.items() if not _is_key(name) and value not in values}


def _is_key(variable: str) -> bool:
    return variable.upper().endswith(("_API_KEY", "_API_TOKEN", "_AUTH_TOKEN", "_AD_TOKEN")) or variable.upper() in {
        "HF_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    }


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in values):
        raise ConfigError("a key in config.json is not a text", hint="aix config --list shows which")
    return [text for text in values if text.strip()]


def _output(command: str, name: str, env: Mapping[str, str]) -> str:
    """What the user's own key command prints. It runs in a group of its own, so that all of it ends with the clock."""
    with subprocess.Popen(  # noqa: S602 - the command is the user's own line in the user's own private file
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=without_keys(env),
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise AuthError(f"api_key_command of {name} did not end within {COMMAND_SECONDS:.0f} s") from None
    if process.returncode != 0:
        raise AuthError(
            f"api_key_command of {name} failed with status {process.returncode}",
            hint=f"aix config --get custom_providers.{name}.api_key_command",
        )
    return out.decode(errors="replace")
