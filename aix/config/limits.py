"""The setting `limits`: what it may hold, and what it means. Pure."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from aix.config.pattern import fits
from aix.errors import ConfigError

PERIODS = ("run", "hour", "day", "week", "month")
ROLLING = re.compile(r"([1-9][0-9]{0,3})([mhd])")
SECONDS = {"m": 60, "h": 3600, "d": 86400}
MEASURES = ("cost", "calls", "tokens", "input_tokens", "output_tokens")
SCOPES = ("provider", "model", "prompt")
FIELDS = ("per", "rolling", *MEASURES, *SCOPES)
HIGHEST = 10**15

OWN = "config.json"
"""How the user's own file is called, in which a command can change a limit."""

EXAMPLE = '[{"per": "day", "cost": 5}]'


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` of `measure` at most in each `per`, or within `rolling` seconds, for the runs of a scope. It stands in
    the entry `place` of `entries`, which are in the file `source`."""

    measure: str
    amount: Decimal
    per: str = ""
    rolling: int = 0
    provider: str = ""
    model: str = ""
    prompt: str = ""
    source: str = field(default=OWN, compare=False)
    entries: Sequence[Mapping[str, Any]] = field(default=(), compare=False, repr=False)
    place: int = field(default=0, compare=False)

    def covers(self, provider: str, model: str, prompt: str) -> bool:
        """Whether a run of this model by this provider is in its scope."""
        return (
            fits(self.provider or "*", provider)
            and fits(self.prompt or "*", prompt)
            and any(fits(self.model or "*", name) for name in (f"{provider}:{model}", model))
        )

    @property
    def window(self) -> str:
        """Its time, as it is said after an amount."""
        return f"per {self.per}" if self.per else f"in {self.entries[self.place]['rolling']}"

    @property
    def scope(self) -> str:
        """Whom it is for, as it is said after its time; empty where it is for all."""
        who = self.model or self.provider
        return "".join((f" for {who}" if who else "", f" for the prompt {self.prompt}" if self.prompt else ""))

    @property
    def is_own(self) -> bool:
        """Whether the user set it, and not a project."""
        return self.source == OWN

    def raised(self, least: Decimal) -> str:
        """The command that raises it to twice what it is, or to `least` where that is more."""
        amount = max(2 * self.amount, least)
        entry = {**self.entries[self.place], self.measure: _plain(amount)}
        entries = [*self.entries[: self.place], entry, *self.entries[self.place + 1 :]]
        return f"aix config --set limits {shlex.quote(json.dumps(entries, ensure_ascii=False))}"


def read(value: Any, source: str) -> tuple[Limit, ...]:
    """The limits that a file sets, one for each measure of an entry. Raises ConfigError."""
    if wrong := fault(value):
        raise ConfigError(
            f"limits in {source}: {wrong}", hint="aix config --unset limits" if source == OWN else f"mend {source}"
        )
    return tuple(
        Limit(
            measure,
            Decimal(str(entry[measure])),
            entry.get("per", ""),
            _seconds(entry.get("rolling", "")),
            entry.get("provider", "").removeprefix("custom:"),
            entry.get("model", ""),
            entry.get("prompt", ""),
            source,
            value,
            place,
        )
        for place, entry in enumerate(value or ())
        for measure in MEASURES
        if measure in entry
    )


def fault(value: Any) -> str:
    """What keeps a value from being limits, in a sentence; empty where nothing does."""
    if value is None:
        return ""
    if not isinstance(value, list):
        return f"they are a list, such as {EXAMPLE}"
    faults = ((place, said) for place, entry in enumerate(value, 1) for said in _faults(entry))
    return next((f"entry {place} {said}" for place, said in faults), "")


def _faults(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "is not an object"
        return
    yield from (f"has '{name}', which is not a field of a limit{_near(name)}" for name in entry if name not in FIELDS)
    if len({"per", "rolling"} & entry.keys()) != 1:
        yield "must have either 'per' or 'rolling'"
    if not set(MEASURES) & entry.keys():
        yield f"limits nothing: it needs {_listed(MEASURES)}"
    for name, value in entry.items():
        accepts, says = WANTED[name]
        if not accepts(value):
            yield f"has a '{name}' that is not {says}"


def _near(name: str) -> str:
    near = get_close_matches(name, FIELDS, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= HIGHEST


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and value.isprintable()


def _is_rolling(value: Any) -> bool:
    return isinstance(value, str) and ROLLING.fullmatch(value) is not None


COUNTED = (_is_count, "a whole number, 0 or above")
NAMED = (_is_name, "a name")
WANTED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "per": (lambda value: value in PERIODS, f"{_listed(PERIODS)}"),
    "rolling": (_is_rolling, "a time such as 30m, 24h or 7d"),
    "cost": (_is_amount, "an amount of dollars, 0 or above"),
    **dict.fromkeys(MEASURES[1:], COUNTED),
    **dict.fromkeys(SCOPES, NAMED),
}
"""What each field accepts, and how that is said."""


def _seconds(rolling: str) -> int:
    match = ROLLING.fullmatch(rolling)
    return int(match[1]) * SECONDS[match[2]] if match else 0


def _plain(amount: Decimal) -> int | float:
    """The number as JSON writes it."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
