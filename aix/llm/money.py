"""Dollars: how an amount is said to a person, and what is said where nobody knows it."""

import shlex
from decimal import Decimal

from aix.errors import RefusedError
from aix.llm.routing import Target

DIGITS = 12
"""How many the smallest amount has that is more than nothing."""


def dollars(cost: Decimal, *, exact: bool = True) -> str:
    """An amount as money is written: in dollars and cents, and below a dollar with three figures where they say more,
    or two and a `~` where it is only about so much."""
    digits = 2 if not cost else min(DIGITS, max(2, (2 if exact else 1) - cost.adjusted()))
    whole, _, cents = f"{cost:,.{digits}f}".partition(".")
    return f"{'' if exact or not cost else '~'}${whole}.{cents[:2]}{cents[2:].rstrip('0')}"


def unpriced(target: Target, bound: str, reason: str) -> RefusedError:
    """The error for a model whose cost nobody knows, where that is bounded."""
    return RefusedError(
        f"{target.name} is unpriced, so {bound} cannot be kept",
        hint="say what a million tokens cost (0 is free):"
        f" aix model add --id {shlex.quote(target.model)} --provider {shlex.quote(target.provider.name)}"
        " --input-price DOLLARS --output-price DOLLARS",
        reason=reason,
    )
