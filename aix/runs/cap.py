"""What one run may cost at most: how long an answer it pays for. Pure."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from aix.errors import RefusedError
from aix.llm.routing import Target
from aix.runs.budget import unpriced
from aix.runs.fitting import Fitted
from aix.runs.money import dollars

MARGIN = Decimal("1.5")
"""How many times what is estimated the input is taken to be: code, and scripts other than Latin, are more tokens than
their letters make believe."""

SHORTEST = 16
"""The tokens below which no answer is worth asking for."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What a run may cost at most, in dollars, and how much of that it has spent already."""

    most: Decimal
    spent: Decimal = Decimal()

    def cut(self, target: Target, fit: Fitted) -> int | None:
        """At how many tokens the answer has to be cut; None where it may be as long as it gets. Raises RefusedError
        where nobody knows, and where it pays for no answer that is worth having."""
        tokens = int(fit.tokens * MARGIN)
        sending, shortest, longest = (fit.cost(tokens, answer) for answer in (0, SHORTEST, fit.longest))
        if sending is None or shortest is None:
            raise unpriced(target, f"the cap of {dollars(self.most)}", "max_cost")
        if longest is not None and self.spent + longest <= self.most:
            return None
        each, window = (shortest - sending) / SHORTEST, fit.model.context
        paid = int(((self.most - self.spent - sending) / each).to_integral_value(ROUND_FLOOR)) if each else window
        if fit.request.max_tokens:
            raise self._refusal(target, fit.longest, longest, paid or 0)
        if self.spent + shortest > self.most:
            raise self._refusal(target, SHORTEST, shortest)
        return min(paid, window) if paid and window else paid

    def _refusal(self, target: Target, answer: int | None, cost: Decimal | None, paid: int = 0) -> RefusedError:
        """The error for a request that costs too much with an answer of so many tokens; so many are `paid` for."""
        may = f"may cost {dollars(cost, exact=False)}" if cost is not None else "may cost anything"
        already = f", and {dollars(self.spent)} is spent already" if self.spent else ""
        least = None if cost is None else (self.spent + cost).quantize(Decimal("0.0001"), ROUND_CEILING)
        ways = [f"--max-tokens {paid}"] if paid >= SHORTEST else []
        ways += [f"--max-cost {least}"] if least is not None else []
        return RefusedError(
            f"an answer of {answer or 'any number of'} tokens by {target.name} {may}{already};"
            f" the cap is {dollars(self.most)}",
            hint="\n".join([*ways, "a cheaper model: aix model list --max-price 1"]),
            reason="max_cost",
        )
