"""How figures are said to a person: dollars, and what is too long to be read."""

import re
from decimal import Decimal
from unicodedata import east_asian_width

from aix.runs.money import dollars as dollars  # whoever shows one takes it from here

SHOWN = 60
BASE64 = re.compile(r"[A-Za-z0-9+/]{2000,}={0,2}")
"""What nobody reads on a terminal."""


def amount(cost: Decimal | None) -> str | None:
    """An amount for a program to read: all its digits, and no exponent."""
    return None if cost is None else f"{cost:f}"


def price_of(sending: Decimal | None, worst: Decimal | None, *, exact: bool) -> str:
    """What it costs to send something, and what with the longest answer; both are None where nobody knows."""
    if sending is None:
        return "unpriced"
    most = "" if worst is None else f", {dollars(worst, exact=exact)} at most with the answer"
    return f"{dollars(sending, exact=exact)} to send{most}"


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
    """How many columns a text takes: some scripts are twice as wide."""
    return len(text) + sum(letter >= "\u1100" and east_asian_width(letter) in "WF" for letter in text)


def cut(text: str, room: int) -> str:
    """A text without its middle where there is no room for all of it: both ends tell more."""
    if width(text) <= room:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while width(head) + width(tail) >= room and tail:
        head, tail = (head[:-1], tail) if width(head) >= width(tail) else (head, tail[1:])
    return f"{head}…{tail}"
