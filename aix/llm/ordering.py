"""Who of the candidates is asked, in which order: what each can take, a strategy, and a rest after a failure. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from aix.errors import NotFoundError
from aix.llm.catalogue import Model, Rates
from aix.llm.money import dollars
from aix.llm.routing import Candidates, Group, Needs, Out, Route, Target, at_home

UNSEEN: Mapping[str, str] = {"vision": "images", "pdf": "PDF files"}
"""What a model without a capability cannot read."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of targets, and of the request: `tokens` is about how long it is, 0 where nobody knows, `lacking`
    the capability that it takes and a target does not have. `cost` is in dollars for this request, `speed` in seconds
    for a usual answer, as measured; `cooling` says why a target rests. None and empty are nothing."""

    model: Callable[[Target], Model]
    tokens: int = 0
    lacking: Callable[[Target], str] = lambda _: ""
    cost: Callable[[Target], Decimal | None] = lambda _: None
    speed: Callable[[Target], float | None] = lambda _: None
    cooling: Callable[[Target], str] = lambda _: ""


Aside = tuple[Target, str]
"""A target that is not asked, and why."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """The targets of a group that fit, in its order; those that cannot take the request; those that are not what the
    group wants."""

    fit: tuple[Target, ...]
    unable: tuple[Aside, ...]
    unwanted: tuple[Aside, ...]


def arranged(candidates: Candidates, facts: Facts) -> Route:
    """Who is asked, in this order. The first who cannot take the request is asked where there is nobody else, as the
    catalogue may be wrong; nobody is where nobody is what is wanted."""
    sifted = [_sifted(group, facts) for group in candidates.groups]
    unable = [aside for one in sifted for aside in one.unable]
    unwanted = [aside for one in sifted for aside in one.unwanted]
    fit = _distinct(target for one in sifted for target in one.fit) or [target for target, _ in unable[:1]]
    home = at_home(Route(tuple(fit)), candidates)  # first, as no rest is a reason to hand on to somebody remote
    asked = _rested(home.targets, facts)
    if asked:
        notes = (asked[0].note, *_passed_over(candidates.groups[0], unable, fit[0], asked[0], facts))
        asked[0] = replace(asked[0], note="; ".join(filter(None, notes)))
    names = {target.name for target in asked}
    aside = {target.name: Out(target.name, why) for target, why in (*unable, *unwanted) if target.name not in names}
    steps = (*candidates.steps, *_steps(candidates.groups, asked, facts))
    return Route(tuple(asked), (*candidates.out, *aside.values(), *home.out), steps)


def alone(route: Route) -> Route:
    """The route with nobody behind its first."""
    first, others = route.targets[:1], route.targets[1:]
    return replace(route, targets=first, out=(*route.out, *(Out(other.name, "--no-fallback") for other in others)))


def _sifted(group: Group, facts: Facts) -> Sifted:
    wanted = [(target, _unwanted(facts.model(target), target.needs)) for target in group.targets]
    able = [(target, _unable(target, facts)) for target, why in wanted if not why]
    fit = BY_STRATEGY[group.strategy]([target for target, why in able if not why], facts)
    return Sifted(tuple(fit), _asides(able), _asides(wanted))


def _asides(judged: Iterable[Aside]) -> tuple[Aside, ...]:
    return tuple((target, why) for target, why in judged if why)


def _unwanted(model: Model, needs: Sequence[Needs]) -> str:
    """Why a model is not all that is wanted; empty where it is, or nobody says."""
    return next((why for one in needs if (why := _missed(model, one))), "")


def _missed(model: Model, needs: Needs) -> str:
    """What of its needs a model does not meet. Without a price it is above any ceiling."""
    if needs.context and model.context and model.context < needs.context:
        return f"it holds {model.context} tokens, and {needs.context} are wanted"
    if lacking := sorted(name for name in needs.capabilities if not model.can(name)):
        return f"it has no {lacking[0]}, which is wanted"
    rates = model.price.rates if model.price else Rates()
    dear = _above(rates.input, needs.max_input_price, "in")
    return dear or _above(rates.output, needs.max_output_price, "out")


def _above(rate: Decimal | None, ceiling: Decimal | None, way: str) -> str:
    if ceiling is None or (rate is not None and rate <= ceiling):
        return ""
    cost = "is unpriced" if rate is None else f"costs ${rate:f} per million tokens {way}"
    return f"it {cost}, and ${ceiling:f} is the most that is wanted"


def _unable(target: Target, facts: Facts) -> str:
    """Why a target cannot take the request; empty where it can, or nobody says."""
    if lacking := facts.lacking(target):
        return f"it cannot read {UNSEEN.get(lacking, lacking)}"
    window = facts.model(target).context
    return f"it holds {window} tokens, and this is about {facts.tokens}" if window and window < facts.tokens else ""


def _cheapest(targets: Sequence[Target], facts: Facts) -> list[Target]:
    """By what this request costs; who has no price comes last."""
    costs = {target.name: facts.cost(target) for target in targets}
    return sorted(targets, key=lambda target: ((cost := costs[target.name]) is None, cost or 0))


def _fastest(targets: Sequence[Target], facts: Facts) -> list[Target]:
    """By what was measured; who was not comes last."""
    speeds = {target.name: facts.speed(target) for target in targets}
    return sorted(targets, key=lambda target: ((speed := speeds[target.name]) is None, speed or 0))


BY_STRATEGY: Mapping[str, Callable[[Sequence[Target], Facts], list[Target]]] = {
    "ordered": lambda targets, _: list(targets),
    "cheapest": _cheapest,
    "fastest": _fastest,
}


def _distinct(targets: Iterable[Target]) -> list[Target]:
    found: dict[str, Target] = {}
    for target in targets:
        found.setdefault(target.name, target)
    return list(found.values())


def _rested(targets: Sequence[Target], facts: Facts) -> list[Target]:
    """Who rests comes behind all others; where all do, the order stays."""
    return sorted(targets, key=lambda target: bool(facts.cooling(target)))


def _passed_over(named: Group, unable: Sequence[Aside], best: Target, first: Target, facts: Facts) -> Iterator[str]:
    """What the user is to know where others than those who were named first, or are best, are asked first."""
    instead = f"asking {first.name} instead"
    usual = named.targets[0].name if named.strategy == "ordered" else ""
    for target, why in unable:
        if target.name == usual != first.name:
            yield f"{target.name} is passed over, as {why}; {instead}"
    if best.name != first.name:
        yield f"{facts.cooling(best)}; {instead}"


def _steps(groups: Sequence[Group], asked: Sequence[Target], facts: Facts) -> Iterator[str]:
    """A sentence for each thing that has changed the order."""
    for group in groups:
        names = {target.name for target in group.targets}
        ranked = BY_STRATEGY[group.strategy]([target for target in asked if target.name in names], facts)
        if group.strategy in SAID and len(ranked) > 1:
            yield SAID[group.strategy](ranked, facts)
    for target in asked if len(asked) > 1 else ():
        if why := facts.cooling(target):
            yield f"{why}, so {target.name} comes behind those who do not"


def _priced(targets: Sequence[Target], facts: Facts) -> str:
    said = (
        f"{one.name} ({'unpriced' if (cost := facts.cost(one)) is None else f'about {dollars(cost)}'})"
        for one in targets
    )
    return f"the cheapest for this request comes first: {', '.join(said)}"


def _measured(targets: Sequence[Target], facts: Facts) -> str:
    said = (
        f"{one.name} ({'not measured' if (speed := facts.speed(one)) is None else f'{speed:.1f} s'})" for one in targets
    )
    return f"the fastest for a usual answer comes first: {', '.join(said)}"


SAID: Mapping[str, Callable[[Sequence[Target], Facts], str]] = {"cheapest": _priced, "fastest": _measured}


def nobody_fits(route: Route) -> NotFoundError:
    """The error for a route that has nobody to ask."""
    said = "\n".join(f"{out.name}: {out.why}" for out in route.out)
    return NotFoundError("no model that may be asked has what the role wants", hint=said, reason="model")
