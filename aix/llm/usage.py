"""What a provider says of its answer's tokens and cost, put so that it means the same for all of them."""

from decimal import Decimal

from aix.llm.wire import JSON, count, figures, number
from aix.messages import Usage

TICKS = 10**10
"""How many of the units in which some tell a cost make a dollar."""

READ = ("cached_tokens", "cache_read_input_tokens")
READ_BESIDE = ("prompt_cache_hit_tokens", "num_cached_tokens")
"""How what was read from a cache is called among the details, and beside them."""

WRITTEN = ("cache_write_tokens", "cache_creation_input_tokens")


def openai_usage(said: JSON, into: str, out: str) -> Usage:
    """The usage as OpenAI's protocols tell it, one of which says `prompt` and `completion`, the other `input` and
    `output`. Input contains what was cached and output contains reasoning, but not everywhere."""
    asked, answered = figures(said, f"{into}_tokens_details"), figures(said, f"{out}_tokens_details")
    read = _first(asked, READ) or max(count(said, name) for name in READ_BESIDE)
    written, thought = _first(asked, WRITTEN), count(answered, "reasoning_tokens")
    given, made, total = (count(said, f"{name}_tokens") for name in (into, out, "total"))
    beside = thought > 0 and total == given + made + thought
    return Usage(
        input_tokens=whole(given, read + written),
        output_tokens=made + thought if beside else whole(made, thought),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=thought,
        reported_cost=reported_cost(said),
    )


def whole(tokens: int, part: int) -> int:
    """All the tokens of which some are a part: where the part is more than the whole, it was counted beside it."""
    return tokens if part <= tokens else tokens + part


def reported_cost(said: JSON) -> Decimal | None:
    """What all of it cost, in dollars; None where that is not said. With the user's own key at an aggregator, the cost
    is only its fee, and what the model's maker charges is said beside it."""
    cost = _dollars(said)
    if cost is None or said.get("is_byok") is not True:
        return cost
    beside = number(figures(said, "cost_details"), "upstream_inference_cost")
    return None if beside is None else cost + Decimal(str(beside))


def _dollars(said: JSON) -> Decimal | None:
    places = ((said, "cost", 1), (figures(said, "cost"), "total_cost", 1), (said, "cost_in_usd_ticks", TICKS))
    told = ((number(value, name), unit) for value, name, unit in places)
    return next((Decimal(str(figure)) / unit for figure, unit in told if figure is not None), None)


def _first(said: JSON, names: tuple[str, ...]) -> int:
    return next(filter(None, (count(said, name) for name in names)), 0)
