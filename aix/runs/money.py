"""How an amount of dollars is said to a person."""

from decimal import Decimal


def dollars(cost: Decimal, *, exact: bool = True) -> str:
    """An amount, with two figures that say something; `~` where it is only about so much."""
    digits = 2 if not cost else max(2, 1 - cost.adjusted())
    return f"{'' if exact or not cost else '~'}${cost:.{digits}f}"
