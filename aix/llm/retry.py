"""Which failure may be sent again, and when. Pure: the clock and the dice are the caller's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aix.errors import AixError, NetworkError

ATTEMPTS = 3
RETRIES = 4
"""How often anything may be sent again in one run, whichever key and target it goes to."""

MAX_WAIT = 20.0
QUICK = 2.0
"""Seconds: longer than that is waited only where nobody else can be asked, and who took longer than that to fail is
asked again only there."""

FIRST_WAIT, WORST_WAIT = 0.5, 8.0

FINAL = frozenset({400, 401, 402, 403, 404, 413, 422})
"""Never sent again, whatever the headers say."""

NEVER: Mapping[str, str] = {"x-should-retry": "false"}
"""The headers of an answer that says so itself."""

RETRIED = frozenset({408, 409, 429, 498, 529, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: its error, the answer's headers (names in lower case), whether it never got through, and how
    many seconds it took."""

    error: AixError
    headers: Mapping[str, str]
    unconnected: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """`seconds` to wait before the next attempt; `too_long` says that the provider asked for more than we wait."""

    seconds: float
    too_long: bool = False


def _nobody(_: AixError) -> bool:
    return False


@dataclass(slots=True)
class Patience:
    """What is left of a run's retries, over all its keys and targets; `others` tells whether another could be asked
    after an error, so that no long wait is worth it."""

    retries: int = RETRIES
    others: Callable[[AixError], bool] = _nobody

    def longest(self, error: AixError) -> float:
        """The longest wait after an error."""
        return QUICK if self.others(error) else MAX_WAIT


def wait(failure: Failure, attempt: int, *, dice: float, patience: Patience) -> Wait | None:
    """How long to wait after `attempt` (from 1) failed; None when it is final.

    `dice` is a random number from 0 to 1: where the provider asks for no wait, ours has full jitter.
    """
    if attempt >= ATTEMPTS or not patience.retries or not _retried(failure):
        return None
    if failure.seconds > QUICK and patience.others(failure.error):
        return None
    asked = failure.error.wait
    if asked is None:
        return Wait(min(WORST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1)) * dice)
    return Wait(asked, too_long=asked > patience.longest(failure.error))


def _retried(failure: Failure) -> bool:
    if failure.error.reason == "quota" or failure.error.status in FINAL:
        return False
    if (asked := failure.headers.get("x-should-retry", "").lower()) in ("true", "false"):
        return asked == "true"
    if isinstance(failure.error, NetworkError):
        return failure.unconnected
    return failure.error.status in RETRIED
