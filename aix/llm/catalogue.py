"""Which models there are, what each can do and what it costs: lines of data, each with its source and date."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from aix.messages import Usage

MILLION = Decimal(1_000_000)

DATE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
"""What a provider puts behind a model's name to mean one edition of it."""

VARIANT = re.compile(r":(free|nitro|floor|online|thinking|extended|exacto)$")
"""What an aggregator puts behind a model's name to have it served otherwise, at a price of its own."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens; None where nobody says. What has no cache price is paid as input, and reasoning
    without a price of its own as output."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal | None:
        """Dollars; None where a rate that it takes is not known."""
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        if self.input is None or self.output is None:
            return None
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        thought = min(usage.reasoning_tokens, usage.output_tokens)
        thinking = self.output if self.reasoning is None else self.reasoning
        into = max(0, usage.input_tokens - cached) * self.input
        into += usage.cache_read_tokens * read + usage.cache_write_tokens * written
        return (into + (usage.output_tokens - thought) * self.output + thought * thinking) / MILLION


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
    maker names in its place; `prices` come best first: the user's own, refreshed, generated, the seed's. `sources` says
    of each figure where it is from, and `note` is what a source says in words.
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
    note: str = ""

    @property
    def price(self) -> Price | None:
        """The price that counts; None when it is unpriced, which is not the same as free."""
        return next(iter(self.prices), None)

    def can(self, capability: str) -> bool:
        """Whether it can do something, as far as anybody says what it can do."""
        said = self.capabilities or "capabilities" in self.sources
        return capability in self.capabilities if said else True

    def is_retired(self, today: date) -> bool:
        """Whether its maker has ended it by then."""
        return bool(self.retires) and self.retires <= today.isoformat()


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures are from: a package and its version, a page, the user; and when it said so (ISO)."""

    name: str
    version: str = ""
    date: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


FREE = Price("local", "", Rates(Decimal(0), Decimal(0)))
"""The price of what runs on a machine of the user's, where nobody says another."""

Record = Mapping[str, Any]
"""What one source says of one model, as it stands in the data."""

Said = tuple[Source, Record]


ANY = ""
"""In the place of a provider: whichever has the model."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Records by provider, model and source; those of a model stand best first."""

    sources: Mapping[str, Source]
    models: Mapping[str, Mapping[str, Mapping[str, Record]]]

    def said(self, provider: str, model: str) -> Iterator[Said]:
        """What each source says of a model, the best first."""
        for place in dict.fromkeys((provider, ANY)):
            for key, record in self.models.get(place, {}).get(model, {}).items():
                yield self.sources[key], record


class Catalogue:
    """Every model that is known, out of layers of which the first is the best; `free` are the providers whose models
    cost nothing."""

    def __init__(self, layers: Sequence[Layer], free: Collection[str] = ()) -> None:
        self._layers = layers
        self._free = free
        self._indexes: dict[str, Mapping[str, str]] = {}

    def find(self, provider: str, model: str) -> Model | None:
        """A model by its id or an alias, in any case, with or without a date; another variant of a known model has its
        figures, and no price."""
        if self._said(provider, model):
            return self._model(provider, model)
        index = self._index(provider)
        asked = model.casefold().removeprefix(f"{provider}/".casefold())
        usual = DATE.sub("", asked)
        for name in (model.casefold(), asked, usual, f"{usual}-latest", *_editions(asked, index)):
            if name in index:
                return self._model(provider, index[name])
        plain = self.find(provider, VARIANT.sub("", model)) if VARIANT.search(asked) else None
        return self._priced(replace(plain, id=model, prices=())) if plain else None

    def listed(self, provider: str, text: str) -> str:
        """What the provider calls a model that it lists, asked for by any of its names; empty where it lists none.
        A date that is asked for stays, as it names an edition."""
        found = self.find(provider, text)
        if found is None or not self._is_listed(provider, found.id) or _is_led(provider, text, found.id):
            return ""
        names = {name.casefold() for name in (found.id, *found.aliases)}
        return found.id if text.casefold() in names or not DATE.search(text) else text

    def get(self, provider: str, model: str) -> Model:
        """Like `find`; of a model that is not known, as much as its provider says."""
        return self.find(provider, model) or self._priced(Model(model, provider))

    def of(self, provider: str) -> list[Model]:
        """The models of a provider, in the order of their names."""
        return [self._model(provider, model) for model in self.ids(provider)]

    def all(self) -> list[Model]:
        """The models of every provider."""
        return [model for provider in self._providers() for model in self.of(provider)]

    def near(self, provider: str, text: str) -> list[str]:
        """Ids of a provider's models that are written much like a text; of all, as `provider:id`, where it is empty."""
        if provider:
            ids = {model.casefold(): model for model in self.ids(provider)}
        else:
            ids = {f"{name}:{one}".casefold(): f"{name}:{one}" for name in self._providers() for one in self.ids(name)}
        return [ids[match] for match in get_close_matches(text.casefold(), ids, n=3, cutoff=0.6)]

    def said(self, model: Model) -> list[Model]:
        """The model as each source alone has it, the best first."""
        return [merged(model.provider, model.id, [one]) for one in self._said(model.provider, model.id)]

    def said_by(self, source: str) -> list[Model]:
        """The models of which a source says something, each as it has them."""
        pairs = ((provider, model) for provider in self._providers() for model in self.ids(provider))
        return [
            merged(provider, record.get("id", model), [(one, record)])
            for provider, model in pairs
            for one, record in self._said(provider, model)
            if one.name == source
        ]

    @property
    def sources(self) -> list[Source]:
        """All sources, the best first."""
        return [source for layer in self._layers for source in layer.sources.values()]

    def _providers(self) -> list[str]:
        return list(dict.fromkeys(provider for layer in self._layers for provider in layer.models if provider != ANY))

    def ids(self, provider: str) -> list[str]:
        """What a provider calls its models; of ANY, what the user knows of whichever has it."""
        return sorted({model for layer in self._layers for model in layer.models.get(provider, {})})

    def _is_listed(self, provider: str, model: str) -> bool:
        return any(model in layer.models.get(provider, {}) for layer in self._layers)

    def _said(self, provider: str, model: str) -> list[Said]:
        return [said for layer in self._layers for said in layer.said(provider, model)]

    def _model(self, provider: str, model: str) -> Model:
        return self._priced(merged(provider, model, self._said(provider, model)))

    def _priced(self, model: Model) -> Model:
        return replace(model, prices=(FREE,)) if model.provider in self._free and not model.prices else model

    def _index(self, provider: str) -> Mapping[str, str]:
        """Names in lower case, and the ids that they mean; an id wins over another model's alias."""
        if provider not in self._indexes:
            ids = [*self.ids(ANY), *self.ids(provider)]
            aliases = {alias.casefold(): one for one in ids for alias in _aliases(one, self._said(provider, one))}
            self._indexes[provider] = {**aliases, **{one.casefold(): one for one in ids}}
        return self._indexes[provider]


def _is_led(provider: str, text: str, model: str) -> bool:
    """Whether a text begins with the provider's name, which is no part of what the provider calls the model."""
    head = f"{provider}/".casefold()
    return text.casefold().startswith(head) and not model.casefold().startswith(head)


def _editions(asked: str, index: Mapping[str, str]) -> list[str]:
    """The dated names of a model that is asked for without a date, the newest first."""
    return sorted((name for name in index if name.startswith(asked) and DATE.sub("", name) == asked), reverse=True)


def merged(provider: str, model: str, said: Sequence[Said]) -> Model:
    """One model out of what its sources say: each figure from the first that has it, the prices of all."""
    sources: dict[str, str] = {}
    figures: dict[str, Any] = {}
    for source, record in said:
        for name in FIGURES:
            if name in record and name not in figures:
                figures[name], sources[name] = FIGURES[name](record[name]), f"{source} ({source.date})"
    dialect = {key: value for _, record in reversed(said) for key, value in record.get("dialect", {}).items()}
    return Model(
        model,
        provider,
        **figures,
        dialect=dialect,
        aliases=tuple(dict.fromkeys(_aliases(model, said))),
        prices=_filled([price(source, record) for source, record in said if "price" in record]),
        sources=sources,
    )


FIGURES: Mapping[str, Any] = {
    "name": str,
    "context": int,
    "max_output": int,
    "capabilities": frozenset,
    "efforts": tuple,
    "retires": str,
    "successor": str,
    "note": str,
}
"""What a record may say besides prices, aliases and its dialect, and what becomes of each."""


def _aliases(model: str, said: Sequence[Said]) -> list[str]:
    """The other names of a model; a source may write its id in a way of its own."""
    return [
        name for _, record in said for name in (*record.get("aliases", ()), record.get("id", model)) if name != model
    ]


def _filled(prices: Sequence[Price]) -> tuple[Price, ...]:
    """The prices; where the first does not say what input or output costs, it means the next one's rates to stay."""
    if len(prices) < 2 or None not in (prices[0].rates.input, prices[0].rates.output):
        return tuple(prices)
    best, second, *others = prices
    pairs = ((name, getattr(best.rates, name)) for name in Rates.__dataclass_fields__)
    rates = {name: getattr(second.rates, name) if rate is None else rate for name, rate in pairs}
    return (replace(best, rates=Rates(**rates), tiers=best.tiers or second.tiers), second, *others)


def price(source: Source, record: Record) -> Price:
    """What a record says that its model costs."""
    tiers = tuple(Tier(above, rates(row)) for above, *row in record.get("tiers", ()))
    return Price(str(source), source.date, rates(record["price"]), tiers)


def rates(row: Sequence[Any]) -> Rates:
    """Rates in the order of their fields; what is left out, or null, is not known."""
    return Rates(*(None if figure is None else Decimal(str(figure)) for figure in row))
