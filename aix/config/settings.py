"""What the user set, and where: flag > `AIX_…` variable > config.json > default. Every value knows its source."""

import json
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from aix.config import files
from aix.config.gitignore import ignore_private_files, refuse_when_tracked
from aix.config.paths import Paths
from aix.config.values import FIELDS, KEYS, Kind, check, convert
from aix.errors import ConfigError, UsageError

VARIABLES = {"default_model": "AIX_MODEL", "default_provider": "AIX_PROVIDER"}
"""The two settings whose variable has a shorter name than AIX_<KEY>."""

PRIVATE = ("api_keys", "custom_providers")
"""What a config.json may only set when nobody else could have written or read it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`source` is a variable's name, `config.json` or `default`."""

    key: str
    value: Any
    source: str


class Settings:
    """config.json and the `AIX_…` variables. The file is read when first asked for, and checked as it is read."""

    def __init__(self, paths: Paths, env: Mapping[str, str]) -> None:
        self._paths = paths
        self._env = env

    def get(self, key: str) -> Setting:
        """The value in force for a plain key. Raises ConfigError or UsageError when what is set is not of its type."""
        kind = KEYS[key]
        variable = variable_of(key)
        if text := self._env.get(variable, ""):
            return Setting(key, convert(kind, text, variable), variable)
        if self.data.get(key) is not None:
            return Setting(key, check(kind, self.data[key], key), "config.json")
        return Setting(key, kind.default, "default")

    def variable_over(self, key: str) -> str:
        """The variable that hides what config.json says of a key; empty when there is none."""
        variable = variable_of(key)
        return variable if key in KEYS and self._env.get(variable) else ""

    def find(self, key: str) -> Any:
        """What config.json itself holds at a dotted key, or None."""
        place: Any = self.data
        for segment in split_key(key):
            place = place.get(segment) if isinstance(place, dict) else None
        return place

    def section(self, key: str) -> Mapping[str, Any]:
        """A mapping of config.json, empty when it is not there. Raises ConfigError when it is something else."""
        value = self.find(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ConfigError(f"{key} in config.json must be an object", hint=f"aix config --unset {key}")
        return value

    def items(self) -> Iterator[Setting]:
        """All that is set, each with its source; variables stand in place of what they hide."""
        variables = {key: variable_of(key) for key in KEYS if self._env.get(variable_of(key))}
        for key, value in leaves(self.data):
            if key not in variables:
                yield Setting(key, value, "config.json")
        for key in variables:
            yield self.get(key)

    def set(self, key: str, text: str) -> Setting:
        """Write a value given as text. Raises UsageError for an unknown key or a wrong value."""
        return self.save(key, convert(kind_of(key), text, key))

    def save(self, key: str, value: Any) -> Setting:
        """Write a value as it is; None takes the key out."""
        segments = split_key(key)
        if _holds_key(segments) and value is not None:
            refuse_when_tracked(self._paths.config, self._env)
        self._rewrite(lambda data: _place(data, segments, value))
        return Setting(key, value, "config.json")

    def reset(self, *, everything: bool) -> None:
        """Forget the settings; keys and providers stay unless `everything` is to go."""
        kept = {} if everything else {key: self.data[key] for key in PRIVATE if key in self.data}

        def change(data: dict[str, Any]) -> None:
            data.clear()
            data.update(kept)

        self._rewrite(change)

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """config.json as it stands; empty when there is none. Raises ConfigError."""
        path = self._paths.config
        try:
            if path.is_symlink():
                raise ConfigError(
                    f"{path} is a symbolic link, and aix does not follow it",
                    hint=f"make the directory {path.parent} the link instead, or set AIX_HOME",
                )
            with path.open("rb") as file:
                status = path.stat()
                data = _parsed(file.read(), str(path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {(error.strerror or '').lower()}", hint=f"ls -l {path}") from error
        if any(data.get(section) for section in PRIVATE):
            self._refuse_unsafe(status.st_mode, status.st_uid)
        return data

    def _refuse_unsafe(self, mode: int, owner: int) -> None:
        path = self._paths.config
        user = files.user_id()
        if user is None:
            return
        if owner != user:
            raise ConfigError(
                f"{path} sets keys or providers, but belongs to another user",
                hint=f"chown {user} {path}",
                reason="owner",
            )
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(
                f"{path} sets keys or providers, but others can read it (mode {stat.S_IMODE(mode):04o})",
                hint=f"look at what it sets, then: chmod 600 {path}",
                reason="permissions",
            )

    def _rewrite(self, change: Callable[[dict[str, Any]], None]) -> None:
        _ = self.data  # an unsafe or broken file is refused before anything is written
        path = self._paths.config

        def apply(old: bytes | None) -> bytes:
            data = {} if old is None else _parsed(old, str(path))
            change(data)
            return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"

        files.write_private(path, apply)
        ignore_private_files(path.parent)
        self.__dict__.pop("data", None)


def variable_of(key: str) -> str:
    return VARIABLES.get(key, f"AIX_{key.upper()}")


def split_key(key: str) -> tuple[str, ...]:
    """`models."gpt-4.1".input_price` as its three segments; quotes keep a dot. Raises UsageError."""
    if not re.fullmatch(r'([^".]+|"[^"]+")(\.([^".]+|"[^"]+"))*', key):
        raise UsageError(
            f"'{key}' is not a key", hint="""write dotted words, and quote a dot: 'models."gpt-4.1".input_price'"""
        )
    return tuple(quoted or plain for quoted, plain in re.findall(r'"([^"]+)"|([^".]+)', key))


def join_key(segments: tuple[str, ...]) -> str:
    return ".".join(f'"{segment}"' if "." in segment else segment for segment in segments)


def kind_of(key: str) -> Kind:
    """How values of this key are written. Raises UsageError with near matches when there is no such key."""
    segments = split_key(key)
    if len(segments) == 1 and segments[0] in KEYS:
        return KEYS[segments[0]]
    for pattern, kind in FIELDS:
        if re.fullmatch(pattern, "\0".join(segments)):
            return kind
    known = [
        *KEYS,
        "api_keys.<provider>",
        "<provider>_default_model",
        "roles.<name>",
        "custom_providers.<name>.<field>",
    ]
    near = get_close_matches(key, known, n=2)
    raise UsageError(
        f"there is no setting '{key}'",
        hint=f"did you mean {' or '.join(near)}?" if near else f"the settings are {', '.join(known)}",
    )


def leaves(data: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value with its dotted key; a list counts as one value."""
    for name, value in data.items():
        segments = (*prefix, name)
        if isinstance(value, dict) and value:
            yield from leaves(value, segments)
        else:
            yield join_key(segments), value


def _parsed(data: bytes, path: str) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(
            f"{path} is not valid JSON{where}; it is left as it is",
            hint=f"mend it in an editor, or start anew: mv {path} {path}.broken",
        ) from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path} must hold a JSON object; it is left as it is", hint=f"mv {path} {path}.broken")
    return value


def _place(data: dict[str, Any], segments: tuple[str, ...], value: Any) -> None:
    *parents, last = segments
    place = data
    for segment in parents:
        place = place.setdefault(segment, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{segment} in config.json must be an object", hint=f"aix config --unset {segment}")
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value


def _holds_key(segments: tuple[str, ...]) -> bool:
    return segments[0] == "api_keys" or segments[-1] in ("api_key", "api_keys")
