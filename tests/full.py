"""How much of a long count an ordinary test makes; with AIX_FULL=1 it makes all of it."""

import os
from typing import TypeVar

FULL = bool(os.environ.get("AIX_FULL"))

Amount = TypeVar("Amount")


def full(reduced: Amount, whole: Amount) -> Amount:
    """The one that is asked for."""
    return whole if FULL else reduced
