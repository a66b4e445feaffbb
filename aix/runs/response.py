"""What a run came to, as one value: what was answered, by whom, and what it took."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from aix import messages
from aix.llm.exchange import Attempt
from aix.messages import Usage
from aix.runs.pace import pace
from aix.runs.run import Run
from aix.runs.spent import Spent, spent


@dataclass(frozen=True, slots=True)
class Response(messages.Response):
    """An answer with what it took; `text` is what is wanted of it, and `data` its JSON where a schema or `extract` asks
    for that.

    `model` is the one that answered, in the provider's own words. `run` is the number in the log, None where nothing is
    logged. `usage` and `cost` (dollars) count all answers that were paid for; None says that nobody knows, and
    `unpriced` that there is no price for the model. `seconds` are those of all attempts together.
    """

    data: Any
    prompt: str
    digest: str
    provider: str
    model: str
    run: int | None
    usage: Usage | None
    usage_estimated: bool
    cost: Decimal | None
    cost_estimated: bool
    unpriced: bool
    seconds: float
    tokens_per_second: float | None
    attempts: tuple[Attempt, ...]


def response_of(run: Run) -> Response:
    """A run, as far as it got. Of one of which nothing came and nothing can have been charged, no figures are known."""
    came, took, told, speed = run.response, spent(run), run.usage, pace(run)
    known = told is not None or took.usage != Usage()
    cost = took.cost if known else None
    return Response(
        run.text,
        came.reasoning,
        came.tool_calls,
        came.finish,
        data=run.data,
        prompt=run.prompt,
        digest=run.digest,
        provider=run.target.provider.name if run.target else "",
        model=_model(run),
        run=run.number,
        usage=_usage(took, told) if known else None,
        usage_estimated=known and not took.exact,
        cost=cost,
        cost_estimated=bool(cost) and not took.reported,
        unpriced=cost is None and run.price is None,
        seconds=speed.seconds,
        tokens_per_second=speed.rate,
        attempts=tuple(run.attempts),
    )


def _model(run: Run) -> str:
    """Who answered, or else was asked; empty where nobody was."""
    finish = run.response.finish
    return (finish.model if finish else "") or (run.target.model if run.target else "")


def _usage(took: Spent, told: Usage | None) -> Usage:
    return replace(took.usage, reported_cost=told.reported_cost if told else None)
