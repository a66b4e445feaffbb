"""What a run took: what the providers say of their answers, and an estimate where they say nothing."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from aix.llm.exchange import Attempt
from aix.messages import Response, Usage, estimate_tokens
from aix.runs.logged import LARGEST, Columns, Estimate, units
from aix.runs.run import COUNTS, Run

if TYPE_CHECKING:
    from aix.llm.catalogue import Price

LOST = frozenset({"TIMEOUT", "NETWORK", "PROVIDER", "INCOMPLETE", "INTERRUPTED"})
"""How an attempt ends whose answer was perhaps written, and charged for, and never came."""


@dataclass(frozen=True, slots=True)
class Spent:
    """`usage` counts what is known and what is guessed; `exact` says that nothing of it is; `cost` is in dollars, None
    where it is unpriced; `reported` says that the providers themselves told all of the cost."""

    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = Decimal()
    exact: bool = True
    reported: bool = False

    def with_more(self, estimate: Estimate) -> Columns:
        """What is reserved for a request besides."""
        costs = (self.cost, estimate.cost)
        return {
            "input_tokens": _count(self.usage.input_tokens + estimate.input_tokens),
            "output_tokens": _count(self.usage.output_tokens + estimate.output_tokens),
            "cost": None if None in costs else units(sum(filter(None, costs), Decimal())),
            "estimated": 1,
            "reported": 0,
        }

    @property
    def columns(self) -> Columns:
        """The figures as the log has them."""
        return {
            **{name: _count(getattr(self.usage, name)) for name in COUNTS},
            "cost": units(self.cost),
            "estimated": int(not self.exact),
            "reported": int(self.reported),
        }


def spent(run: Run) -> Spent:
    """What all answers of a run took together. Where none came, and one may have been written, it is what was expected;
    where nobody can have written one, it is nothing."""
    answers = [(answer, price) for answer, price in run.answers if came(answer)]
    lost = any(map(may_be_charged, run.attempts))
    if not answers:
        return _all_of(run.expected) if lost else Spent()
    usages = [_counted(answer, run.expected) for answer, _ in answers]
    told = all(_told(answer) == usage for usage, (answer, _) in zip(usages, answers, strict=True))
    costs = [cost_of(usage, price) for usage, (_, price) in zip(usages, answers, strict=True)]
    return Spent(
        Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in COUNTS}),
        None if None in costs else sum(filter(None, costs), Decimal()),
        exact=told and not lost,
        reported=told and all(usage.reported_cost is not None for usage in usages),
    )


def _all_of(expected: Estimate) -> Spent:
    return Spent(Usage(expected.input_tokens, expected.output_tokens), expected.cost, exact=False)


def cost_of(usage: Usage, price: "Price | None") -> Decimal | None:
    """Dollars for one answer: what the provider says, else what its price makes of the tokens."""
    if usage.reported_cost is not None:
        return usage.reported_cost
    return price.cost(usage) if price else None


def came(answer: Response) -> bool:
    """Whether anything of an answer came."""
    return bool(answer.text or answer.reasoning or answer.tool_calls or answer.finish)


def may_be_charged(attempt: Attempt) -> bool:
    """Whether an answer was perhaps written of which nothing came."""
    refused = 300 <= attempt.status < 500
    return attempt.error in LOST and attempt.sent and attempt.first_token is None and not refused


def _counted(answer: Response, expected: Estimate) -> Usage:
    """What is told of an answer; what is left out of that, and cannot be nothing, by its text."""
    told, guess = _told(answer), _guess(answer, expected)
    if told is None or told.reported_cost is not None:
        return told or guess
    made = told.output_tokens or guess.output_tokens
    return replace(told, input_tokens=told.input_tokens or guess.input_tokens, output_tokens=made)


def _told(answer: Response) -> Usage | None:
    return (answer.finish.usage or None) if answer.finish else None


def _guess(answer: Response, expected: Estimate) -> Usage:
    """The tokens of an answer by its text."""
    calls = "".join(call.name + call.arguments for call in answer.tool_calls)
    return Usage(expected.input_tokens, estimate_tokens(answer.text + answer.reasoning + calls))


def _count(number: int) -> int:
    """A number that somebody else wrote, as the log can hold it."""
    return min(LARGEST, max(0, number))
