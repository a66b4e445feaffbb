"""The settings there are, and how the value of each is written: two tables and what reads them."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aix.errors import AixError, ConfigError, UsageError


@dataclass(frozen=True, slots=True)
class Kind:
    """`says` describes what is accepted, `read` makes the value of a text, `accepts` judges one from JSON."""

    says: str
    read: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    default: Any = None


BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def boolean(text: str) -> bool:
    """`true yes on 1` and `false no off 0` in any case. Raises ValueError."""
    try:
        return BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(text) from None


def number(text: str) -> float:
    """A finite number. Raises ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text.strip()


def _words(text: str) -> str | list[str]:
    """One key, or several as a JSON list."""
    if not text.lstrip().startswith("["):
        return _word(text)
    value = json.loads(text)
    if not _is_words(value):
        raise ValueError(text)
    return list(value)


def _object(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


def _is_words(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _boolean_kind(default: bool | None) -> Kind:
    return Kind("true or false", boolean, _is_boolean, default)


WORD = Kind("a text", _word, _is_word)
WORDS = Kind("a text, or a list of them", _words, _is_words)
BOOLEAN = _boolean_kind(None)
COUNT = Kind("a whole number above 0", int, _is_count)
NUMBER = Kind("a number", number, _is_number)
SECONDS = Kind("a number of seconds above 0", number, lambda value: _is_number(value) and value > 0)
OBJECT = Kind("a JSON object", _object, lambda value: isinstance(value, dict))

KEYS: dict[str, Kind] = {
    "default_provider": WORD,
    "default_model": WORD,
    "max_tokens": COUNT,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "stream": _boolean_kind(True),
    "execute": _boolean_kind(False),
    "timeout": Kind(SECONDS.says, number, SECONDS.accepts, 600.0),
    "commands_enabled": _boolean_kind(True),
    "editor": WORD,
}
"""The plain settings. Each can also be set for one command by its `AIX_…` variable."""

FIELDS: tuple[tuple[str, Kind], ...] = (
    (r"[^\0]+_default_model", WORD),
    (r"api_keys\0[^\0]+", WORDS),
    (r"roles\0[^\0]+", WORD),
    (r"custom_providers\0[^\0]+\0(base_url|protocol|default_model|auth_type|api_key_env|api_key_command)", WORD),
    (r"custom_providers\0[^\0]+\0(api_key|api_keys)", WORDS),
    (r"custom_providers\0[^\0]+\0(max_tokens_field)", WORD),
    (r"custom_providers\0[^\0]+\0(allow_http)", BOOLEAN),
    (r"custom_providers\0[^\0]+\0(timeout)", SECONDS),
    (r"custom_providers\0[^\0]+\0(headers)", OBJECT),
    (r"custom_providers\0[^\0]+\0headers\0[^\0]+", WORD),
)
"""The settings whose name has a part that is the user's, as patterns over the segments joined by NUL."""


def convert(kind: Kind, text: str, where: str) -> Any:
    """The value that a text means. Raises UsageError."""
    try:
        value = kind.read(text)
    except (ValueError, OverflowError, RecursionError):
        raise _wrong(UsageError, kind, where) from None
    if not kind.accepts(value):
        raise _wrong(UsageError, kind, where)
    return value


def check(kind: Kind, value: Any, key: str) -> Any:
    """A value of config.json, when it is of its kind. Raises ConfigError."""
    if not kind.accepts(value):
        raise _wrong(ConfigError, kind, f"{key} in config.json")
    return value


def _wrong(error: type[AixError], kind: Kind, where: str) -> AixError:
    return error(f"{where} must be {kind.says}")
