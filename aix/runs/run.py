"""One run: what was asked for, and how far it got."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aix.llm.exchange import Attempt
from aix.llm.routing import Target
from aix.messages import Collector, Message, Response, Usage

if TYPE_CHECKING:
    from aix.llm.catalogue import Price
    from aix.runs.answers import Found

COUNTS = tuple(field.name for field in fields(Usage) if field.name != "reported_cost")


@dataclass(frozen=True, slots=True)
class Order:
    """What one run asks for by flags: `options` are fields of a Request; None and empty leave the choice open."""

    provider: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    stream: bool | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of the answer, by flags: `schema` is a file or JSON, `fail_if` are expressions."""

    schema: str | None = None
    extract: str = ""
    fail_if: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """One prompt and one answer, as far as they got: what `--json` prints, also after a failure."""

    prompt: str
    digest: str
    messages: tuple[Message, ...] = ()
    target: Target | None = None
    executed: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    collector: Collector = field(default_factory=Collector)
    aside: list[Collector] = field(default_factory=list)
    """Answers that were paid for and are not the one."""
    found: "Found | None" = None
    """What of the answer is wanted, where that is not simply all of it."""
    price: "Price | None" = None
    """What the model that is asked costs, as far as the catalogue knows."""

    @property
    def response(self) -> Response:
        return self.collector.response

    @property
    def text(self) -> str:
        """What is handed on of the answer."""
        return self.found.text if self.found else self.response.text

    @property
    def data(self) -> Any:
        return self.found.data if self.found else None

    @property
    def usage(self) -> Usage | None:
        """The tokens of all answers together; None where no provider told any."""
        return _sum(self._usages)

    @property
    def cost(self) -> Decimal | None:
        """Dollars for all answers together: what the provider says, else what the catalogue makes of the tokens; None
        where neither is known."""
        costs = [self._cost(usage) for usage in self._usages]
        return sum(filter(None, costs), Decimal()) if costs and None not in costs else None

    @property
    def cost_is_reported(self) -> bool:
        """Whether the provider itself says what all of it costs."""
        return all(usage.reported_cost is not None for usage in self._usages)

    @property
    def _usages(self) -> list[Usage]:
        finishes = [collector.response.finish for collector in (*self.aside, self.collector)]
        return [finish.usage for finish in finishes if finish and finish.usage]

    def _cost(self, usage: Usage) -> Decimal | None:
        if usage.reported_cost is not None:
            return usage.reported_cost
        return self.price.cost(usage) if self.price else None

    def begin_again(self) -> None:
        """Another answer is to take the place of this one."""
        self.aside.append(self.collector)
        self.collector = Collector()

    def take_back(self) -> None:
        """The answer is what it was before it began again."""
        self.collector, self.aside[-1] = self.aside[-1], self.collector


def _sum(usages: Sequence[Usage]) -> Usage | None:
    if len(usages) < 2:
        return usages[0] if usages else None
    counts = {name: sum(getattr(usage, name) for usage in usages) for name in COUNTS}
    costs = [usage.reported_cost for usage in usages if usage.reported_cost is not None]
    return Usage(**counts, reported_cost=sum(costs, Decimal()) if len(costs) == len(usages) else None)
