"""How fast a run was: what its attempts tell of the answer that came."""

from dataclasses import dataclass

from aix.messages import Response
from aix.runs.run import Run

SHORTEST = 0.05
"""Seconds: an answer that is written in less came in one piece, whatever it looks like."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for all attempts together, and of those for the writing of the answer that came: from its first token to
    its end. `rate` is in tokens a second. None where the answer did not come piece by piece, or not to its end."""

    seconds: float
    writing: float | None = None
    rate: float | None = None


def pace(run: Run) -> Pace:
    """How long it all took, and how fast the answer was written."""
    seconds = round(sum(attempt.seconds for attempt in run.attempts), 3)
    answered = next((attempt for attempt in reversed(run.attempts) if not attempt.error), None)
    if answered is None or answered.first_token is None:
        return Pace(seconds)
    writing = round(answered.seconds - answered.first_token, 3)
    if writing < SHORTEST:
        return Pace(seconds)
    written = _written(run.response)
    return Pace(seconds, writing, round(written / writing, 1) if written else None)


def _written(answer: Response) -> int:
    """The tokens that came piece by piece; reasoning that nobody was shown came before the first of them."""
    usage = answer.finish.usage if answer.finish else None
    if usage is None:
        return 0
    return usage.output_tokens if answer.reasoning else max(0, usage.output_tokens - usage.reasoning_tokens)
