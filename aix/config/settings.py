"""What the user set, and where: flag > `AIX_…` variable > config.json > default. Every value knows its source."""

import json
import re
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import Any

from aix.cached import cached_property
from aix.config import files
from aix.config.gitignore import ignore_private_files, refuse_when_tracked
from aix.config.paths import Paths
from aix.config.secrets import PRIVATE_FIELDS
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
            raise ConfigError(f"{key} in config.json must be an object", hint=f"aix config --unset {shlex.quote(key)}")
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
        self.save_all({key: value})
        return Setting(key, value, "config.json")

    def save_all(self, values: Mapping[str, Any]) -> None:
        """Write several values at once: all of them, or none."""
        places = {split_key(key): value for key, value in values.items()}
        if any(is_private(segments) and value is not None for segments, value in places.items()):
            refuse_when_tracked(self._paths.config, self._env)

        def change(data: dict[str, Any]) -> None:
            for segments, value in places.items():
                _place(data, segments, value)

        self._rewrite(change)

    def reset(self, *, everything: bool) -> None:
        """Forget the settings; keys and providers stay unless `everything` is to go."""

        def change(data: dict[str, Any]) -> None:
            for key in list(data):
                if everything or key not in PRIVATE:
                    del data[key]

        self._rewrite(change)

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """config.json as it stands; empty when there is none. Raises ConfigError."""
        path = self._paths.config
        try:
            status = path.lstat()
            _refuse_special(path, status.st_mode)
            data = _parsed(path.read_bytes(), str(path))
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
            text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
            return text.encode("utf-8", "backslashreplace")  # half a surrogate pair stays the escape that it was

        ignore_private_files(path.parent)
        files.write_private(path, apply)
        self.__dict__.pop("data", None)


def variable_of(key: str) -> str:
    return VARIABLES.get(key, f"AIX_{key.upper()}")


_PLAIN = r'[^".=\s]+'
_QUOTED = r'"(?:[^"\\]|\\.)*"'


def split_key(key: str) -> tuple[str, ...]:
    """`models."gpt-4.1".input_price` as its three segments; quotes keep a dot. Raises UsageError."""
    try:
        if re.fullmatch(rf"({_PLAIN}|{_QUOTED})(\.({_PLAIN}|{_QUOTED}))*", key):
            found = re.findall(f"{_PLAIN}|{_QUOTED}", key)
            return tuple(json.loads(segment) if segment.startswith('"') else segment for segment in found)
    except ValueError:
        pass
    name, equals, _ = key.partition("=")  # what follows may be a secret
    hint = f"aix config --set {name} VALUE" if equals else """quote a dot: 'models."gpt-4.1".input_price'"""
    raise UsageError(f"'{name}{equals}' is not a setting's name", hint=hint)


def join_key(segments: Sequence[str]) -> str:
    return ".".join(
        segment if re.fullmatch(_PLAIN, segment) else json.dumps(segment, ensure_ascii=False) for segment in segments
    )


def default_model_key(provider: str) -> str:
    """The setting that says which model a provider is asked for."""
    return join_key((f"{provider}_default_model",))


def is_private(segments: Sequence[str]) -> bool:
    """Whether the value at a key is a secret, or may hold one."""
    return segments[0] == "api_keys" or not set(PRIVATE_FIELDS).isdisjoint(segments[2:])


def kind_of(key: str) -> Kind:
    """How values of this key are written. Raises UsageError with near matches when there is no such key."""
    segments = split_key(key)
    for pattern, kind in FIELDS.items():
        if len(pattern) == len(segments) and all(map(fnmatchcase, segments, pattern)):
            return kind
    known = [_written(pattern, segments) for pattern in FIELDS if _is_near(pattern, segments)]
    near = get_close_matches(key, known, n=2)
    every = dict.fromkeys(_written(row, ()) if len(row) < 3 else f"{row[0]}.<name>.…" for row in FIELDS)
    near_or_all = f"did you mean {' or '.join(near)}?" if near else f"the settings are {', '.join(every)}"
    raise UsageError(f"there is no setting '{key}'", hint=near_or_all)


def _is_near(pattern: tuple[str, ...], own: tuple[str, ...]) -> bool:
    """Whether each word of a pattern that is not a person's own is nearly theirs."""
    pairs = zip(pattern, own, strict=False)
    return all(wanted == "?*" or get_close_matches(given, [wanted]) for wanted, given in pairs)


def _written(pattern: tuple[str, ...], own: tuple[str, ...]) -> str:
    """A setting's name as a person would write it: with a word of their own where any will do."""
    words = zip_longest(pattern, own[: len(pattern)], fillvalue="<name>")
    return ".".join(given if wanted == "?*" else wanted.replace("?*", "<provider>") for wanted, given in words)


def leaves(data: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value with its dotted key; a list counts as one value, a null as none."""
    for name, value in data.items():
        segments = (*prefix, name)
        if isinstance(value, dict) and value:
            yield from leaves(value, segments)
        elif value is not None:
            yield join_key(segments), value


def _refuse_special(path: Path, mode: int) -> None:
    """Raise ConfigError when config.json is anything but a file: a link leads elsewhere, a pipe never ends."""
    if stat.S_ISLNK(mode):
        raise ConfigError(
            f"{path} is a symbolic link, and aix does not follow it",
            hint=f"make the directory {path.parent} the link instead, or set AIX_HOME",
        )
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is not a file", hint=f"mv {path} {path}.broken")


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
    """Put a value in its place; None takes out what is there, and the objects that this leaves empty."""
    *parents, last = segments
    places = [data]
    for depth, segment in enumerate(parents, 1):
        inner = places[-1].setdefault(segment, {})
        if not isinstance(inner, dict):
            key = join_key(segments[:depth])
            raise ConfigError(f"{key} in config.json must be an object", hint=f"aix config --unset {shlex.quote(key)}")
        places.append(inner)
    if value is not None:
        places[-1][last] = value
        return
    places[-1].pop(last, None)
    for place, segment in reversed(list(zip(places, parents, strict=False))):
        if not place[segment]:
            del place[segment]
