"""The settings there are, and how the value of each is written: two tables and what reads them."""

import json
import math
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aix.config import limits
from aix.errors import ConfigError, UsageError


@dataclass(frozen=True, slots=True)
class Kind:
    """`says` describes what is accepted, `read` makes the value of a text, `accepts` judges one from JSON; `fault` says
    what is wrong with one, where there is more to say."""

    says: str
    read: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    default: Any = None
    fault: Callable[[Any], str] = lambda _: ""


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


def _dollars(text: str) -> float:
    return number(text.strip().removeprefix("$"))


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text.strip()


def _keys(text: str) -> str | list[str]:
    """One key, or several as a JSON list."""
    value: str | list[str] = json.loads(text) if text.lstrip().startswith("[") else _word(text)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _matching(pattern: str) -> Callable[[Any], bool]:
    return lambda value: _is_word(value) and re.fullmatch(pattern, value) is not None


_is_key = _matching("[!-~]+")
_is_url = _matching(r"https?://[^\s@?#/]+(/[^\s?#]*)?")
_is_header = _matching("[!-~]([ -~]*[!-~])?")
_is_header_name = _matching(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _is_keys(value: Any) -> bool:
    return all(map(_is_key, value)) if isinstance(value, list) else _is_key(value)


def _is_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_header_name, value)) and all(map(_is_header, value.values()))


def _words(text: str) -> list[str]:
    """Words with commas between, or a JSON list."""
    words: list[str] = json.loads(text) if text.lstrip().startswith("[") else [word.strip() for word in text.split(",")]
    return words


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_word, value))


def _some_of(choices: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: _are_words(value) and set(value) <= set(choices)


TIER_FIELDS = ("input_price", "output_price", "cache_read_price", "cache_write_price", "reasoning_price")


def _are_tiers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_tier, value))


def _is_tier(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_count(value.get("above")):
        return False
    return all(name == "above" or (name in TIER_FIELDS and PRICE.accepts(value[name])) for name in value)


def _one_of(*choices: str) -> Kind:
    return Kind(f"one of {', '.join(choices)}", _word, lambda value: value in choices)


def _boolean_kind(default: bool | None = None) -> Kind:
    return Kind("true or false", boolean, lambda value: isinstance(value, bool), default)


def _number_from_0_to(highest: float, says: str) -> Kind:
    return Kind(says, number, lambda value: _is_number(value) and 0 <= value <= highest)


WORD = Kind("a text on one line", _word, _is_word)
KEY = Kind("a key without spaces, or a list of such", _keys, _is_keys)
HEADER = Kind("a text that can stand in an HTTP header", _word, _is_header)
COUNT = Kind("a whole number above 0", int, _is_count)
SECONDS = Kind("a number of seconds above 0", number, lambda value: _is_number(value) and value > 0)

LIMITS = Kind(
    f"a list as JSON: {limits.EXAMPLE}", json.loads, lambda value: not limits.fault(value), fault=limits.fault
)

KEYS: dict[str, Kind] = {
    "default_provider": WORD,
    "default_model": WORD,
    "max_tokens": COUNT,
    "temperature": _number_from_0_to(math.inf, "a number, 0 or above"),
    "top_p": _number_from_0_to(1, "a number from 0 to 1"),
    "stream": _boolean_kind(True),
    "execute": _boolean_kind(False),
    "timeout": replace(SECONDS, default=600.0),
    "connect_timeout": replace(SECONDS, default=15.0),
    "first_byte_timeout": replace(SECONDS, default=300.0),
    "silence_timeout": replace(SECONDS, default=300.0),
    "max_cost": replace(_number_from_0_to(limits.HIGHEST, "an amount of dollars, 0 or above"), read=_dollars),
    "commands_enabled": _boolean_kind(True),
    "editor": WORD,
    "keyring": _boolean_kind(False),
    "log": replace(_one_of("off", "figures", "full"), default="full"),
    "log_keep": Kind("a whole number of days above 0", int, _is_count, 90),
}
"""The plain settings. Each can also be set for one command by its `AIX_…` variable."""

PROTOCOLS = (
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "gemini",
    "cohere",
    "ollama",
    "replicate",
)
"""The protocols that a provider of the user's own may speak."""

PROVIDER_FIELDS: dict[str, Kind] = {
    "base_url": Kind("an address such as https://box.example/v1, without a user name or a query", _word, _is_url),
    "protocol": _one_of(*PROTOCOLS),
    "default_model": WORD,
    "headers": Kind('HTTP headers as a JSON object: {"X-Name": "value"}', json.loads, _is_headers),
    "auth_type": _one_of("bearer", "api-key", "x-api-key", "x-goog-api-key", "none"),
    "allow_http": _boolean_kind(),
    **dict.fromkeys(("timeout", "connect_timeout", "first_byte_timeout", "silence_timeout"), SECONDS),
    "max_tokens_field": WORD,
    "api_key": KEY,
    "api_keys": KEY,
    "api_key_env": WORD,
    "api_key_command": WORD,
}
"""What a row of `custom_providers` may hold."""

CAPABILITIES = ("vision", "pdf", "reasoning", "tools", "schema")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""What a model may be able to do, and how hard it may be asked to think; the least first."""

PRICE = _number_from_0_to(100_000, "dollars per million tokens, from 0 to 100000")

MODEL_FIELDS: dict[str, Kind] = {
    "provider": WORD,
    "name": WORD,
    "context": COUNT,
    "max_output": COUNT,
    "input_price": PRICE,
    "output_price": PRICE,
    "cache_read_price": PRICE,
    "cache_write_price": PRICE,
    "reasoning_price": PRICE,
    "tiers": Kind('prices above a size as JSON: [{"above": 200000, "input_price": 4, ...}]', json.loads, _are_tiers),
    "capabilities": Kind(f"some of {', '.join(CAPABILITIES)}", _words, _some_of(CAPABILITIES)),
    "efforts": Kind(f"some of {', '.join(EFFORTS)}", _words, _some_of(EFFORTS)),
    "aliases": Kind("other names, with commas between", _words, _are_words),
}
"""What a row of `models` may hold."""

STRATEGIES = ("ordered", "cheapest", "fastest")
"""How the models of a role are put in order."""

TRIGGERS = ("connect", "timeout", "context", "5xx", "limit", "unanswered")
"""After what else than a status the next model can be asked."""


def _some_words(value: Any) -> bool:
    return _are_words(value) and bool(value)


def _role(text: str) -> Any:
    """A model, several with commas between, or JSON."""
    return json.loads(text) if text.lstrip().startswith(("{", "[")) else _words(text) if "," in text else _word(text)


def _is_role(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_word(value) or _some_words(value)
    return all(name in ROLE_FIELDS and ROLE_FIELDS[name].accepts(inner) for name, inner in value.items())


def _fallback(text: str) -> Any:
    """Models with commas between, or JSON. Either is kept as an object, to which `fallback.on` can be added."""
    return json.loads(text) if text.lstrip().startswith("{") else {"targets": _words(text)}


def _is_fallback(value: Any) -> bool:
    if not isinstance(value, dict):
        return _some_words(value)
    return all(name in FALLBACK_FIELDS and FALLBACK_FIELDS[name].accepts(inner) for name, inner in value.items())


def _triggers(text: str) -> list[str | int]:
    return [int(word) if str(word).isdecimal() else word for word in _words(text)]


def _are_triggers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_trigger, value))


def _is_trigger(value: Any) -> bool:
    """What is wrong with a request (400) is wrong wherever it is sent."""
    return value in TRIGGERS or (re.fullmatch("[45][0-9]{2}", str(value)) is not None and str(value) != "400")


MODELS = Kind("models, with commas between", _words, _some_words)
PATTERNS = Kind("providers or provider:model, with commas between; * stands for anything", _words, _some_words)

ROLE_FIELDS: dict[str, Kind] = {
    "models": MODELS,
    "strategy": _one_of(*STRATEGIES),
    "context": COUNT,
    "capabilities": MODEL_FIELDS["capabilities"],
    "max_input_price": PRICE,
    "max_output_price": PRICE,
}
"""What a role may say of its models."""

FALLBACK_FIELDS: dict[str, Kind] = {
    "targets": MODELS,
    "on": Kind(f"statuses above 400, or some of {', '.join(TRIGGERS)}", _triggers, _are_triggers),
}
"""Whom to ask when a model fails, and after what."""

ROLE = Kind(
    f"a model, models with commas between, or a JSON object of {', '.join(ROLE_FIELDS)}",
    _role,
    _is_role,
)
FALLBACK = Kind(
    f"models with commas between, or a JSON object of {' and '.join(FALLBACK_FIELDS)}", _fallback, _is_fallback
)

FIELDS: dict[tuple[str, ...], Kind] = {
    **{(name,): kind for name, kind in KEYS.items()},
    ("?*_default_model",): WORD,
    ("api_keys", "?*"): KEY,
    ("roles", "?*"): ROLE,
    **{("roles", "?*", name): kind for name, kind in ROLE_FIELDS.items()},
    ("packs", "?*", "?*"): ROLE,
    **{("packs", "?*", "?*", name): kind for name, kind in ROLE_FIELDS.items()},
    ("fallback",): FALLBACK,
    **{("fallback", name): kind for name, kind in FALLBACK_FIELDS.items()},
    ("allow",): PATTERNS,
    ("deny",): PATTERNS,
    ("limits",): LIMITS,
    **{("custom_providers", "?*", name): kind for name, kind in PROVIDER_FIELDS.items()},
    ("custom_providers", "?*", "headers", "?*"): HEADER,
    **{("models", "?*", name): kind for name, kind in MODEL_FIELDS.items()},
}
"""Every setting, as a pattern for each segment of its key."""


def convert(kind: Kind, text: str, where: str) -> Any:
    """The value that a text means. Raises UsageError."""
    wrong = ""
    try:
        value = kind.read(text)
        if kind.accepts(value):
            return value
        wrong = kind.fault(value)
    except (ValueError, OverflowError, RecursionError):
        pass
    raise UsageError(f"{where}: {wrong}" if wrong else f"{where} must be {kind.says}")


def check(kind: Kind, value: Any, key: str) -> Any:
    """A value of config.json, when it is of its kind. Raises ConfigError."""
    if not kind.accepts(value):
        raise ConfigError(f"{key} in config.json must be {kind.says}", hint=f"aix config --unset {shlex.quote(key)}")
    return value
