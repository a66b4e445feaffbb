"""A stranger's regular expressions. One may never end, nor may its reading, so that is done in a child that does."""

import re
import warnings
from collections.abc import Sequence

from aix.bounded import Limits, bounded

PATIENCE = Limits(wall=3.0, cpu=1.0, memory=256 * 1024**2)


def faults(patterns: Sequence[str]) -> list[str]:
    """What is wrong with each, a word of Python's own; empty for one that is sound. Raises ExhaustedError."""
    return list(bounded(lambda: [_fault(pattern) for pattern in patterns], PATIENCE)) if patterns else []


def _fault(pattern: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python only warns of would be said on every run
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return str(error)
    return ""


def unfit(pattern: str, texts: Sequence[str]) -> str | None:
    """The first of the texts that does not fit the whole of a pattern; None where all do. Raises ExhaustedError."""
    if not texts:
        return None

    def found() -> int | None:
        fits = re.compile(pattern).fullmatch
        return next((number for number, text in enumerate(texts) if not fits(text)), None)

    number = bounded(found, PATIENCE)
    return None if number is None else texts[number]
