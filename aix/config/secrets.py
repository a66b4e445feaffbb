"""Keys: how they are held, and where one comes from."""

import binascii
import contextlib
import json
import os
import re
import signal
import string
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from aix.config import system_keyring
from aix.errors import AuthError, ConfigError

COMMAND_SECONDS = 30.0
COMMAND, KEYRING, SAVED = "api_key_command", "system keyring", "config.json"
LAST_WORDS = 4096
MOST_SAID = 200

KEY_SHAPE = re.compile(r"\b(?:sk|gsk|xai|pplx|nvapi|hf|r8)[-_][A-Za-z0-9_-]{16,}|\bAIza[A-Za-z0-9_-]{30,}")
"""What is most likely a key that was put in the wrong place."""


UNRESERVED = frozenset(f"{string.ascii_letters}{string.digits}-._~")
"""What stands for itself in a URL."""


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
    """A key with the place it was found in: a variable's name, a field of the provider's row, COMMAND, KEYRING or
    SAVED."""

    secret: Secret
    source: str


@dataclass(frozen=True, slots=True)
class KeySources:
    """Where to look for a provider's key: `own` is the provider's part of config.json, `variables` the environment's
    names for it in order, `saved` what `api_keys.NAME` holds, `secrets` what a key command is not to see, `keyring`
    whether the system's keyring is asked too."""

    name: str
    own: Mapping[str, Any]
    variables: Sequence[str]
    saved: Any
    secrets: Sequence[Secret] = ()
    keyring: bool = False


def mask(text: str) -> str:
    """`abcd***wxyz`; a short key shows nothing of itself."""
    return f"{text[:4]}***{text[-4:]}" if len(text) >= 16 else "***"


@dataclass(frozen=True, slots=True)
class Place:
    """A place where a key is looked for; `read` says what is there, and runs the command that prints it."""

    source: str
    read: Callable[[], list[str]]


def find_keys(sources: KeySources, env: Mapping[str, str]) -> Iterator[Key]:
    """The keys that there are, best first. A key command runs, and a keyring is opened, only when nothing before it was
    taken."""
    for place in places(sources, env):
        for text in place.read():
            yield Key(checked(text, sources.name, place.source), place.source)


def keys_at(place: Place, name: str) -> list[Key]:
    """All keys in one place, but for a command, which is not run. Raises AixError for one that can be none."""
    texts = [] if place.source == COMMAND else place.read()
    return [Key(checked(text, name, place.source), place.source) for text in texts]


def has_key(sources: KeySources, env: Mapping[str, str]) -> bool:
    """Whether there is a key, without running the command that may print one."""
    return any(place.source == COMMAND or place.read() for place in places(sources, env))


def places(sources: KeySources, env: Mapping[str, str]) -> Iterator[Place]:
    """Where to look, the best place first."""
    name, own = sources.name, sources.own
    for field in ("api_key", "api_keys"):
        yield Place(f"custom_providers.{name}.{field}", partial(_texts, own.get(field)))
    for variable in sources.variables:
        yield Place(variable, partial(_texts, env.get(variable)))
    if command := own.get(COMMAND):
        yield Place(COMMAND, lambda: [_output(str(command), sources, env)])
    if sources.keyring:
        yield Place(KEYRING, lambda: _texts(system_keyring.find(name)))
    yield Place(SAVED, partial(_texts, sources.saved))


def conventional_variable(name: str) -> str:
    """The variable that holds the key of the provider `name`: `vllm-local` is VLLM_LOCAL_API_KEY."""
    return name.upper().replace("-", "_").replace(".", "_") + "_API_KEY"


def checked(text: str, name: str, source: str = "") -> Secret:
    """A key as it can stand in a header. Raises AuthError; the message never holds the key."""
    key = text.strip()
    place = f"the key for {name}" + (f" from {source}" if source else "")
    ways = {"": f"aix api-key {name}", SAVED: f"aix api-key {name}", KEYRING: f"aix api-key {name} --keyring"}
    hint = ways.get(source, f"look at {source}")
    if not key:
        raise AuthError(f"{place} is empty", hint=hint)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise AuthError(f"{place} holds a space, a line break or a letter that no key has", hint=hint)
    return Secret(key)


def known_secrets(env: Mapping[str, str], data: Mapping[str, Any]) -> list[Secret]:
    """Every key in the environment and in config.json, longest first, so that replacing them hides each whole."""
    custom = data.get("custom_providers")
    rows = [row for row in custom.values() if isinstance(row, dict)] if isinstance(custom, dict) else []
    named = [row.get("api_key_env") for row in rows]
    texts = set(_strings([data.get("api_keys"), *([row.get(field) for field in PRIVATE_FIELDS] for row in rows)]))
    texts |= {value.strip() for name, value in env.items() if _is_key(name) or name in named}
    return [Secret(text) for text in sorted(texts, key=len, reverse=True) if len(text) >= 8]


def hidden(text: str, secrets: Sequence[Secret]) -> str:
    """The text with each of these secrets masked, however it is written there."""
    for secret in secrets:
        for written in forms(secret):
            text = text.replace(written, repr(secret))
    return text


def forms(secret: Secret) -> list[str]:
    """How a secret may be written: as it is, inside JSON, in a URL, or somewhere within Base64."""
    text = secret.reveal()
    quoted = json.dumps(text)[1:-1]
    data = text.encode()
    wholes = (data[skip:][: (len(data) - skip) // 3 * 3] for skip in range(3))  # what goes before moves it along
    encoded = (binascii.b2a_base64(whole, newline=False).decode() for whole in wholes)
    in_url = "".join(f"%{byte:02X}" if chr(byte) not in UNRESERVED else chr(byte) for byte in data)
    return list(dict.fromkeys([text, quoted, quoted.replace("/", "\\/"), in_url, *filter(None, encoded)]))


def hidden_with_likes(text: str, secrets: Sequence[Secret]) -> str:
    """The text with each of these secrets masked, and whatever looks like a key."""
    return KEY_SHAPE.sub(lambda found: mask(found[0]), hidden(text, secrets))


PRIVATE_FIELDS = ("api_key", "api_keys", "headers")
"""What in a row of `custom_providers` is a secret, or may be one."""


def _strings(value: Any) -> Iterator[str]:
    """Every text inside plain data."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def without_keys(env: Mapping[str, str], secrets: Sequence[Secret] = ()) -> dict[str, str]:
    """The environment for a process that aix starts: no variable that holds, or is named like, a key."""
    values = {secret.reveal() for secret in secrets}
    return {name: value for name, value in env.items() if not _is_key(name) and value.strip() not in values}


def _is_key(variable: str) -> bool:
    endings = ("_API_KEY", "_API_TOKEN", "_AUTH_TOKEN", "_AD_TOKEN", "_AI_TOKEN")
    return variable.upper().endswith(endings) or variable.upper() in {
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


def _output(command: str, sources: KeySources, env: Mapping[str, str]) -> str:
    """What the user's own key command prints. It runs in a group of its own, so that all of it ends with the clock."""
    with (
        tempfile.TemporaryFile() as told,  # not a pipe, which a process left behind would hold open
        subprocess.Popen(  # noqa: S602 - the command is the user's own line in the user's own private file
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=told,
            stdin=subprocess.DEVNULL,
            env=without_keys({name: env[name] for name in env if name not in sources.variables}, sources.secrets),
            start_new_session=True,
        ) as process,
    ):
        try:
            out, _ = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise AuthError(f"api_key_command of {sources.name} did not end within {COMMAND_SECONDS:g} s") from None
        if process.returncode != 0:
            raise AuthError(
                f"api_key_command of {sources.name} failed with status {process.returncode}",
                cause=_last_line(told, sources.secrets),
                hint=f"aix config --get custom_providers.{sources.name}.api_key_command",
            )
    return out.decode(errors="replace")


def _last_line(told: IO[bytes], secrets: Sequence[Secret]) -> str:
    """What a command said last, without anything that is a key or looks like one."""
    told.seek(max(0, told.seek(0, os.SEEK_END) - LAST_WORDS))
    lines = told.read().decode(errors="replace").strip().splitlines()
    text = lines[-1].strip() if lines else ""
    return hidden_with_likes(text, secrets)[:MOST_SAID]
