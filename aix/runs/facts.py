"""What is known of targets when it is decided in which order they are asked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from aix.errors import AixError
from aix.llm.catalogue import Catalogue, Model
from aix.llm.ordering import Facts
from aix.llm.protocols import UNCARRIED
from aix.llm.routing import Candidates, Route, Target
from aix.messages import Request, Usage
from aix.runs.cooldown import Rest
from aix.runs.fitting import estimated, expected_answer, unseen

USUAL_QUESTION = 1000
"""How many tokens a request is taken to have where there is none yet."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs tell: who rests after a failure, and how many seconds each of some targets takes for a usual
    answer, by their names. `failed` and `answered` take down what later runs are to know."""

    rest: Callable[[Target], Rest | None] = lambda _: None
    speeds: Callable[[Iterable[Target]], Mapping[str, float]] = lambda _: {}
    failed: Callable[[Target, AixError], None] = lambda _, __: None
    answered: Callable[[Target], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Explained:
    """A route as far as it is known; `strategy` orders the models that are asked first, and `error` is what a run would
    end with before it sends anything."""

    route: Route
    strategy: str = ""
    error: AixError | None = None


def facts_of(request: Request, candidates: Candidates, catalogue: Catalogue, past: Past) -> Facts:
    """The facts for one request. The past is looked at once, and speeds only where somebody wants the fastest."""
    every = [target for group in candidates.groups for target in group.targets]
    racing = [target for group in candidates.groups if group.strategy == "fastest" for target in group.targets]
    rests = {target.name: str(past.rest(target) or "") for target in every}
    speeds = past.speeds(racing) if racing else {}
    tokens = estimated(request.messages)

    def model(target: Target) -> Model:
        return catalogue.get(target.provider.name, target.model)

    def cost(target: Target) -> Decimal | None:
        known = model(target)
        answer = expected_answer(request.max_tokens, known.max_output)
        return known.price.cost(Usage(tokens or USUAL_QUESTION, answer)) if known.price else None

    return Facts(
        model,
        tokens,
        lacking=lambda target: unseen(request, model(target), UNCARRIED[target.provider.protocol]),
        cost=cost,
        speed=lambda target: speeds.get(target.name),
        cooling=lambda target: rests[target.name],
    )
