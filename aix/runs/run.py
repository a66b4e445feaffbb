"""One run: what was asked for, and how far it got."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aix.llm.exchange import Attempt
from aix.llm.retry import Patience
from aix.llm.routing import Route, Target
from aix.messages import Collector, Message, Response, Usage
from aix.runs.logged import Estimate

if TYPE_CHECKING:
    from aix.llm.catalogue import Price
    from aix.runs.answers import Found

TRIAL = "(test)"
"""What stands in the place of a prompt's name where a model is only tried."""

COUNTS = tuple(field.name for field in fields(Usage) if field.name != "reported_cost")


@dataclass(frozen=True, slots=True)
class Order:
    """What one run asks for by flags: `options` are fields of a Request, `fallback` who is asked when the first fails,
    `alone` that nobody is; `max_cost` is in dollars. None and empty leave the choice open."""

    provider: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    stream: bool | None = None
    timeout: float | None = None
    pack: str = ""
    fallback: tuple[str, ...] = ()
    alone: bool = False
    max_cost: Decimal | None = None
    log: bool = True


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
    layer: str = ""
    revision: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False
    """Whether a value of it is a secret, so that no text of it may be kept."""
    messages: tuple[Message, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """What is asked for besides the messages, for who runs it again."""
    route: Route | None = None
    target: Target | None = None
    """Who is asked: the first of the route, until one fails."""
    number: int | None = None
    """Its place in the run log; None where it is not logged."""
    started: int = 0
    """When it was first asked for an answer, in milliseconds since 1970."""
    expected: Estimate = field(default_factory=Estimate)
    """What its last request was expected to take."""
    executed: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    patience: Patience = field(default_factory=Patience)
    collector: Collector = field(default_factory=Collector)
    aside: list[tuple[Collector, "Price | None"]] = field(default_factory=list)
    """Answers that were paid for and are not the one, each with what its model costs."""
    found: "Found | None" = None
    """What of the answer is wanted, where that is not simply all of it."""
    price: "Price | None" = None
    """What the model that is asked costs, as far as the catalogue knows."""

    @property
    def asked(self) -> Target:
        """Who is asked. Only for whoever sends, who has chosen."""
        assert self.target is not None
        return self.target

    @property
    def chosen(self) -> Target:
        """Who was to answer, whoever did."""
        return self.route.targets[0] if self.route else self.asked

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
        finishes = [answer.finish for answer, _ in self.answers]
        return _sum([finish.usage for finish in finishes if finish and finish.usage])

    @property
    def answers(self) -> "list[tuple[Response, Price | None]]":
        """All answers, each with what the model costs that gave it; the one that counts is the last."""
        return [(collector.response, price) for collector, price in (*self.aside, (self.collector, self.price))]

    def begin_again(self) -> None:
        """Another answer is to take the place of this one."""
        self.aside.append((self.collector, self.price))
        self.collector = Collector()

    def take_back(self) -> None:
        """The answer is what it was before it began again."""
        (self.collector, self.price), self.aside[-1] = self.aside[-1], (self.collector, self.price)


def _sum(usages: Sequence[Usage]) -> Usage | None:
    if len(usages) < 2:
        return usages[0] if usages else None
    counts = {name: sum(getattr(usage, name) for usage in usages) for name in COUNTS}
    costs = [usage.reported_cost for usage in usages if usage.reported_cost is not None]
    return Usage(**counts, reported_cost=sum(costs, Decimal()) if len(costs) == len(usages) else None)
