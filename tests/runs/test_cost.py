"""What a run cost: the provider's own word first, else the catalogue's price of the tokens, over all its answers."""

from decimal import Decimal

import pytest

from aix.llm.catalogue import Price, Rates, Tier
from aix.messages import Finish, Usage
from aix.runs.run import Run

PRICE = Price(
    "list",
    "2026-11-21",
    Rates(Decimal(2), Decimal(10), Decimal("0.2")),
    (Tier(200_000, Rates(Decimal(4), Decimal(15))),),
)
REPORTED = Usage(100, 10, reported_cost=Decimal("0.5"))


@pytest.mark.parametrize(
    ("usages", "price", "cost", "reported"),
    [
        ([Usage(1000, 100)], PRICE, "0.003", False),
        ([Usage(1000, 100, cache_read_tokens=500)], PRICE, "0.0021", False),
        ([Usage(200_001, 0)], PRICE, "0.800004", False),
        ([REPORTED], PRICE, "0.5", True),
        ([REPORTED], None, "0.5", True),
        ([Usage(1000, 100), REPORTED], PRICE, "0.503", False),
        ([Usage(1000, 100), REPORTED], None, None, False),
        ([Usage(1000, 100)], None, None, False),
        ([], PRICE, None, True),
    ],
)
def test_a_run_costs_what_all_its_answers_cost(
    usages: list[Usage], price: Price | None, cost: str | None, reported: bool
) -> None:
    run = Run("greet", "sha256:0", price=price)
    for number, usage in enumerate(usages):
        if number:
            run.begin_again()
        run.collector.note(Finish("stop", usage))
    assert run.cost == (None if cost is None else Decimal(cost))
    assert run.cost_is_reported is reported
