"""Time and chance, as values, so that tests can bring their own."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

MOMENT = 0.2
"""A signal that comes just before a wait begins is seen only after it, so no single wait may be long."""


def pause(seconds: float) -> None:
    """Sleep, and see a signal within a moment."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        time.sleep(min(remaining, MOMENT))


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic` measures, in seconds; `now` is seconds since the epoch; `dice` gives a number from 0 to 1."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = pause
    dice: Callable[[], float] = random.random

    @property
    def today(self) -> date:
        """The day on which this runs, the same everywhere."""
        return datetime.fromtimestamp(self.now(), UTC).date()
