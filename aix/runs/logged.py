"""What the run log keeps of a run, as values: the row, its attempts, and what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

UNIT = Decimal(10) ** 12
"""How many of the log's units make a dollar; sums of whole numbers are exact."""

LARGEST = 2**63 - 1
"""The largest number that the log can hold."""

Columns = Mapping[str, Any]
"""Some columns of a row, with their values."""

ANSWER = "answer"
"""The role of what the model said."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of the log; the columns are described in data/migrations/0001_runs.sql. Times are milliseconds since 1970,
    `cost` is in units of 10^-12 dollars, None where it is unpriced."""

    id: int
    started: int
    prompt: str
    digest: str
    asked: str
    provider: str
    model: str
    layer: str = ""
    revision: str | None = None
    ended: int | None = None
    finish: str | None = None
    error: str | None = None
    reason: str | None = None
    message: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    estimated: int = 1
    cost: int | None = None
    reported: int = 0
    seconds: float | None = None
    first_token: float | None = None
    key_source: str | None = None
    arguments: str | None = None
    options: str | None = None

    @property
    def dollars(self) -> Decimal | None:
        return None if self.cost is None else Decimal(self.cost) / UNIT


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs are meant; empty and None leave the choice open. `since` (inclusive) and `until` (exclusive) are
    milliseconds; `failed` asks for those with an error, or for those without."""

    prompt: str = ""
    provider: str = ""
    model: str = ""
    since: int | None = None
    until: int | None = None
    failed: bool | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A part of what was said: `kind` is text, image, file or, in an answer, tool_call, which has the tool's name and
    its arguments as text. `data` is None where it was too large to keep."""

    message: int
    role: str
    kind: str
    text: str | None = None
    media_type: str | None = None
    name: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request is expected to take before it is sent; `cost` is None where it is unpriced."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


def units(cost: Decimal | None) -> int | None:
    """A cost as the log keeps it; a figure that is none is nothing that is known."""
    if cost is None or not cost.is_finite():
        return None
    return min(LARGEST, max(0, int((cost * UNIT).to_integral_value())))
