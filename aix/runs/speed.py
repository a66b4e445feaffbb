"""How fast models have answered here, as the run log has it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from statistics import median

from aix.errors import StorageError
from aix.llm.routing import Target
from aix.runs.runlog import RunLog

USUAL_TOKENS = 500
"""How long the answer is by which models are compared."""

RUNS = 50
SECONDS = 14 * 24 * 3600.0
"""How many runs count, and how old they may be."""

GOOD = """
SELECT a.first_token + :tokens * max(0, a.seconds - a.first_token) / r.output_tokens AS seconds
FROM runs r JOIN attempts a ON a.run = r.id
WHERE r.provider = :provider AND r.model = :model AND r.started >= :since AND r.error IS NULL AND r.output_tokens > 0
  AND a.error = '' AND a.first_token IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM attempts o WHERE o.run = a.run AND o.number <> a.number AND o.error = '')
ORDER BY r.started DESC LIMIT :runs
"""
"""What a usual answer would have taken, by each run that came to a good end at its first answer, the last first."""


def measured(log: RunLog, targets: Iterable[Target], now: float) -> Mapping[str, float]:
    """Seconds for a usual answer, by the names of targets, as far as they were asked lately; `now` is seconds since the
    epoch."""
    found: dict[str, float] = {}
    limits = {"tokens": USUAL_TOKENS, "runs": RUNS, "since": int((now - SECONDS) * 1000)}
    with suppress(StorageError), log.reading() as base:
        for target in targets:
            rows = base.execute(GOOD, {**limits, "provider": target.provider.name, "model": target.model})
            if seconds := [row["seconds"] for row in rows]:
                found[target.name] = median(seconds)
    return found
