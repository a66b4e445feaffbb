"""Which models there are, what each can do and what it costs: lines of data, each with its source and date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aix.messages import Usage

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens; None where nobody says. What has no cache price is paid as input."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal | None:
        """Dollars; None where a rate that it takes is not known."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        if self.input is None or self.output is None:
            return None
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        total = max(0, usage.input_tokens - cached) * self.input + usage.output_tokens * self.output
        return (total + usage.cache_read_tokens * read + usage.cache_write_tokens * written) / MILLION


@dataclass(frozen=True, slots=True)
class Tier:
    """The rates of a whole request whose input is above `above` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What one source says that a model costs; `date` is when it said so (ISO)."""

    source: str
    date: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()

    def cost(self, usage: Usage) -> Decimal | None:
        """Dollars for a request: all of it at the rates of the highest tier that its input reaches."""
        reached = [tier for tier in self.tiers if usage.input_tokens > tier.above]
        return (max(reached, key=lambda tier: tier.above).rates if reached else self.rates).cost(usage)


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one provider. What nobody says is None or empty.

    `capabilities` are of `vision pdf reasoning tools schema`; `efforts` the levels that it takes, least first;
    `dialect` where it leaves its provider's dialect (fields of Dialect); `retires` an ISO date; `successor` what its
    maker names in its place; `prices` come best first: the user's own, refreshed, generated, the seed's.
    """

    id: str
    provider: str
    name: str = ""
    context: int | None = None
    max_output: int | None = None
    capabilities: frozenset[str] = frozenset()
    efforts: tuple[str, ...] = ()
    dialect: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    retires: str = ""
    successor: str = ""
    prices: tuple[Price, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def price(self) -> Price | None:
        """The price that counts; None when it is unpriced, which is not the same as free."""
        return next(iter(self.prices), None)
