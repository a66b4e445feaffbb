"""What one run may cost at most: how long an answer it pays for. Pure."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from aix.errors import RefusedError
from aix.llm.money import dollars, unpriced
from aix.llm.routing import Target
from aix.runs.fitting import Fitted

MARGIN = Decimal("1.5")
"""How many times what is estimated the input is taken to be: code, and scripts other than Latin, are more tokens than
their letters make believe."""

SHORTEST = 16
"""The tokens below which no answer is worth asking for."""

ENDLESS = 1_000_000
"""The tokens that no answer has."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What a run may cost at most, in dollars, and how much of that it has spent already."""

    most: Decimal
    spent: Decimal = Decimal()

    def cut(self, target: Target, fit: Fitted) -> int | None:
        """At how many tokens the answer has to be cut; None where it may be as long as it gets. Raises RefusedError
        where nobody knows, and where it pays for no answer that is worth having."""
        sending, shortest = (self._cost(target, fit, answer) for answer in (0, SHORTEST))
        left = self.most - self.spent
        if self._cost(target, fit, _longest(fit)) <= left:
            return None
        each = (shortest - sending) / SHORTEST
        paid = int(((left - sending) / each).to_integral_value(ROUND_FLOOR)) if each else 0
        if fit.request.max_tokens:
            raise self._refusal(target, fit, _longest(fit), paid)
        if shortest > left:
            raise self._refusal(target, fit, SHORTEST)
        return min(paid, max(SHORTEST, (fit.model.context or ENDLESS) - _input(fit)))

    def check(self, target: Target, fit: Fitted) -> None:
        """Raise RefusedError where the answer may cost more all the same: it thinks, or cannot be told to be short."""
        if self._cost(target, fit, _longest(fit)) > self.most - self.spent:
            raise self._refusal(target, fit, _longest(fit))

    def _cost(self, target: Target, fit: Fitted, answer: int) -> Decimal:
        cost = fit.cost(_input(fit), answer)
        if cost is None:
            raise unpriced(target, f"the cap of {dollars(self.most)}", "max_cost")
        return cost

    def _refusal(self, target: Target, fit: Fitted, answer: int, paid: int = 0) -> RefusedError:
        """The error for a request that costs too much with an answer of so many tokens; so many are `paid` for."""
        cost, known = self._cost(target, fit, answer), answer < ENDLESS
        may = f"may cost {dollars(cost, exact=False)}" if known else "may cost anything"
        already = f", and {dollars(self.spent)} is spent already" if self.spent else ""
        ways = [f"--max-tokens {paid}"] if paid >= SHORTEST else []
        ways += [f"--max-cost {(self.spent + cost).quantize(Decimal('0.0001'), ROUND_CEILING)}"] if known else []
        return RefusedError(
            f"an answer of {answer if known else 'any number of'} tokens by {target.name} {may}{already};"
            f" the cap is {dollars(self.most)}",
            hint="\n".join([*ways, "a cheaper model: aix model list --max-price 1"]),
            reason="max_cost",
        )


def _input(fit: Fitted) -> int:
    return int(fit.tokens * MARGIN)


def _longest(fit: Fitted) -> int:
    """The tokens that the answer has at most: what it reads and writes together bounds it too."""
    return fit.longest or fit.model.context or ENDLESS
