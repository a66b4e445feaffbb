"""How figures are said to a person: dollars, and what is too long to be read."""

import re
from bisect import bisect_right
from decimal import Decimal
from itertools import accumulate
from unicodedata import category, east_asian_width

from aix.llm.money import dollars as dollars  # whoever shows one takes it from here

SHOWN = 60
BASE64 = re.compile(r"[A-Za-z0-9+/]{2000,}={0,2}")
"""What nobody reads on a terminal."""

FIRST_MARK, MARKS = "\u0300", ("Mn", "Me", "Cf")
"""What takes no column of its own: by kind, and from which letter on there is any."""


def amount(cost: Decimal | None) -> str | None:
    """An amount for a program to read: all its digits, and no exponent."""
    return None if cost is None else f"{cost:f}"


def price_of(sending: Decimal | None, worst: Decimal | None, *, exact: bool) -> str:
    """What it costs to send something, and what with the longest answer; both are None where nobody knows."""
    if sending is None:
        return "unpriced"
    most = "" if worst is None else f", {dollars(worst, exact=exact)} at most with the answer"
    return f"{dollars(sending, exact=exact)} to send{most}"


def paid(cost: Decimal | None, *, exact: bool) -> str:
    """What something cost; `unpriced` where nobody knows."""
    return "unpriced" if cost is None else dollars(cost, exact=exact)


def so_many_runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def per_million(rate: Decimal | None) -> str:
    """A rate as short as it goes; empty where nobody knows."""
    return "" if rate is None else f"{rate.normalize():f}"


def about(count: int | None) -> str:
    """About how many tokens, as a person says it: `400k`, `1.05M`."""
    if count is None:
        return ""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000_000:.3g}M" if count >= 999_500 else f"{count / 1_000:.3g}k"


def without_base64(text: str) -> str:
    """The text with each long run of base64 cut to its beginning and its length."""
    return BASE64.sub(lambda run: f"{run[0][:SHOWN]}…({len(run[0])} characters of base64)", text)


def width(text: str) -> int:
    """How many columns a text takes: some scripts are twice as wide, and marks stand on the letter before them."""
    return len(text) if text.isascii() else sum(map(_width, text))


def cut(text: str, room: int) -> str:
    """A text without its middle where there is no room for all of it: both ends tell more."""
    if width(text) <= room:
        return text
    tail = _beginning(text[::-1], (room - 1) // 2)[::-1]
    return f"{_beginning(text, room - 1 - width(tail))}…{tail}"


def _beginning(text: str, room: int) -> str:
    """As many letters as there is room for."""
    return text[: bisect_right([*accumulate(map(_width, text))], room)]


def _width(letter: str) -> int:
    if letter < FIRST_MARK:
        return 1
    return 0 if category(letter) in MARKS else 1 + (east_asian_width(letter) in "WF")
