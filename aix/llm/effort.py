"""How hard to think: the levels that a Request may name, and what they come to where a provider counts tokens."""

from collections.abc import Collection, Mapping

from aix.config.values import EFFORTS

BUDGET: Mapping[str, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 4096,
    "medium": 8192,
    "high": 16384,
    "xhigh": 24576,
    "max": 32768,
}
"""The tokens that may be spent on thinking, by level."""

LEVELS = EFFORTS
"""Every level, least first."""


def nearest(level: str, accepted: Collection[str]) -> str:
    """The accepted level that is closest, the lower of two that are as close; the level itself where all are taken.

    `none` is no little of thinking, so it stands for another level only where there is nothing else.
    """
    known = [candidate for candidate in LEVELS if candidate in accepted]
    known = [candidate for candidate in known if (candidate == "none") == (level == "none")] or known
    if level not in LEVELS or not known:
        return level
    wanted = LEVELS.index(level)
    return min(known, key=lambda candidate: abs(LEVELS.index(candidate) - wanted))
