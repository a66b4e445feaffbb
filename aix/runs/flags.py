"""What a flag of a run may be, however it comes: as a word of a command line, or as an argument of a Python call."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import partial
from typing import Any

from aix.config.limits import HIGHEST
from aix.config.values import KEYS, convert
from aix.errors import UsageError
from aix.llm.effort import LEVELS
from aix.runs.answers import EXTRACTS
from aix.runs.run import Order, Wanted


def setting(key: str, text: str) -> Any:
    """The flag of a setting, read just as the setting itself is read. Raises UsageError."""
    return convert(KEYS[key], text, f"--{key.replace('_', '-')}")


def dollars_of(text: str) -> Decimal:
    """An amount of dollars, exactly as it is written. Raises UsageError."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if amount.is_finite() and 0 <= amount <= HIGHEST:
        return abs(amount)
    raise UsageError(f"--max-cost must be an amount of dollars, not '{text}'", hint="--max-cost 0.05")


def level(text: str) -> str:
    """A level of effort. Raises UsageError."""
    if text in LEVELS:
        return text
    near = get_close_matches(text.lower(), LEVELS, n=1)
    raise UsageError(
        f"--effort must be one of {', '.join(LEVELS)}, not '{text}'", hint=f"did you mean {near[0]}?" if near else ""
    )


def part(text: str) -> str:
    """A part of the answer. Raises UsageError."""
    if text in EXTRACTS:
        return text
    raise UsageError(f"--extract must be one of {', '.join(EXTRACTS)}, not '{text}'")


def refuse_empty(name: str, texts: Sequence[str]) -> None:
    """Raise UsageError for a flag that was given nothing."""
    if any(not text.strip() for text in texts):
        raise UsageError(f"--{name} is empty", hint="an unset variable? leave the flag out for the default")


def refuse_empty_stop(texts: Sequence[str]) -> None:
    """Raise UsageError for an answer that would end before it begins."""
    if "" in texts:
        raise UsageError("--stop is empty", hint="an unset variable? leave the flag out for no stop")


def refuse_both(fallback: Sequence[str], *, none: bool) -> None:
    """Raise UsageError where somebody is to stand in and nobody is."""
    if fallback and none:
        raise UsageError("--fallback and --no-fallback contradict each other", hint="leave one of them out")


def order_of(given: Mapping[str, Any]) -> Order:
    """What the arguments of a Python call ask for. Raises UsageError."""
    fallback, stop = several(given.get("fallback")), several(given.get("stop"))
    none = bool(given.get("no_fallback"))
    names: dict[str, Any] = {name: given.get(name) or "" for name in NAMES}
    for name, texts in {**{name: [text] for name, text in names.items()}, "fallback": fallback, "stop": stop}.items():
        refuse_others(name, texts)
    for name, text in names.items():
        refuse_empty(name, [text] if text else [])
    refuse_empty("fallback", fallback)
    refuse_empty_stop(stop)
    refuse_both(fallback, none=none)
    read = {name: reader(str(given[name])) for name, reader in READERS.items() if given.get(name) is not None}
    timeout, max_cost = read.pop("timeout", None), read.pop("max_cost", None)
    return Order(
        **names,
        options={**read, "stop": stop or None},
        timeout=timeout,
        fallback=fallback,
        alone=none,
        max_cost=max_cost,
        log=given.get("log", True),
    )


def wanted_of(given: Mapping[str, Any]) -> Wanted:
    """What the arguments of a Python call want of the answer. Raises UsageError."""
    schema, extract = given.get("schema"), given.get("extract")
    if isinstance(schema, Mapping):
        schema = _json(schema)
    elif schema is not None:
        schema = os.fsdecode(schema) if isinstance(schema, os.PathLike) else schema
        refuse_others("schema", [schema])
        refuse_empty("schema", [schema])
    return Wanted(schema, part(extract) if extract else "")


def several(value: Any) -> tuple[Any, ...]:
    """One, or as many as there are; None and an empty text are none."""
    if value is None or value == "":
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def refuse_others(name: str, texts: Sequence[object]) -> None:
    """Raise UsageError for what is no text."""
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"--{name} must be a text, not a Python {type(text).__name__}")


def _json(schema: Mapping[str, Any]) -> str:
    try:
        return json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"--schema cannot be used: it is not JSON: {error}") from None


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--seed must be a whole number, not '{text}'") from None


NAMES = ("provider", "model", "pack")
READERS: Mapping[str, Callable[[str], Any]] = {
    **{key: partial(setting, key) for key in ("max_tokens", "temperature", "top_p", "timeout")},
    "seed": _seed,
    "effort": level,
    "max_cost": dollars_of,
}
"""What reads the value of an argument."""
