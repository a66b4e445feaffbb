"""What a run cost: the provider's own word first, else the price of the tokens, over all its answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aix.llm.catalogue import FREE, Price, Rates, Tier
from aix.llm.protocols import protocol
from aix.llm.wire import parsed
from aix.messages import Finish, TextDelta, Usage, collect
from aix.runs.run import Run, cost_of

WIRE = Path(__file__).parent.parent / "llm" / "wire"


def rates(*figures: str | None) -> Rates:
    return Rates(*(None if figure is None else Decimal(figure) for figure in figures))


def price(*figures: str | None, above: tuple[int, Rates] | None = None) -> Price:
    return Price("list", "2026-11-21", rates(*figures), (Tier(*above),) if above else ())


@dataclass(frozen=True)
class Case:
    """A recorded answer, with other figures in its `usage` where none was recorded, and what it costs: `sum` is the
    arithmetic, in millionths of a dollar."""

    recorded: str
    price: Price | None
    sum: str | None
    usage: Mapping[str, Any] = field(default_factory=dict)


OPENAI = price("0.75", "4.5", "0.075")
CLAUDE = price("1", "5", "0.1", "1.25")
GEMINI = price("2", "12", "0.2", above=(200_000, rates("4", "18", "0.4")))
DEEPSEEK = price("0.27", "1.10", "0.07")
MISTRAL = price("0.5", "1.5", "0.05")

CASES: Mapping[str, Case] = {
    "openai: cached input, and no price for writing a cache": Case(
        "openai-responses/cached-usage", OPENAI, "(2400 - 1920 - 256)*0.75 + 1920*0.075 + 256*0.75 + 310*4.5"
    ),
    "openai: reasoning is output": Case("openai-responses/reasoning-summary", OPENAI, "21*0.75 + 90*4.5"),
    "a price for reasoning": Case(
        "openai-responses/reasoning-summary", price("2", "8", None, None, "3"), "21*2 + (90 - 80)*8 + 80*3"
    ),
    "anthropic: a cache is read and written, beside the input": Case(
        "anthropic-messages/cache-usage", CLAUDE, "21*1 + 4096*0.1 + 188086*1.25 + 12*5"
    ),
    "anthropic: no price for a cache": Case(
        "anthropic-messages/cache-usage", price("1", "5"), "(21 + 4096 + 188086)*1 + 12*5"
    ),
    "gemini: what was thought is output": Case("gemini/thinking", GEMINI, "8*2 + (5 + 88)*12"),
    "gemini: cached, with a tool's prompt": Case(
        "gemini/cached-usage", GEMINI, "(2400 + 75 - 1920)*2 + 1920*0.2 + (31 + 200)*12"
    ),
    "gemini: at the edge": Case("gemini/thinking", GEMINI, "200000*2 + (5 + 88)*12", {"promptTokenCount": 200_000}),
    "gemini: above it, all of it is dearer": Case(
        "gemini/thinking", GEMINI, "200001*4 + (5 + 88)*18", {"promptTokenCount": 200_001}
    ),
    "gemini: cached, above it": Case(
        "gemini/cached-usage",
        GEMINI,
        "(250000 - 200000)*4 + 200000*0.4 + (31 + 200)*18",
        {"promptTokenCount": 250_000, "cachedContentTokenCount": 200_000, "toolUsePromptTokenCount": 0},
    ),
    "openrouter: what it says counts": Case("openai-chat/cached-usage-and-cost", OPENAI, "108.53"),
    "openrouter: also where nobody else knows": Case("openai-chat/openrouter-reasoning", None, "513"),
    "openrouter: also where it is nothing": Case("openai-chat/openrouter-reasoning", OPENAI, "0", {"cost": 0}),
    "deepseek: nothing was cached": Case("openai-chat/reasoning-content", DEEPSEEK, "18*0.27 + 41*1.10"),
    "deepseek: hits and misses": Case(
        "openai-chat/reasoning-content",
        DEEPSEEK,
        "(18 - 12)*0.27 + 12*0.07 + 41*1.10",
        {"prompt_cache_hit_tokens": 12, "prompt_cache_miss_tokens": 6},
    ),
    "mistral": Case("openai-chat/mistral-thinking-list", MISTRAL, "14*0.5 + 41*1.5"),
    "mistral: cached": Case(
        "openai-chat/mistral-thinking-list", MISTRAL, "(14 - 8)*0.5 + 8*0.05 + 41*1.5", {"num_cached_tokens": 8}
    ),
    "groq": Case("openai-chat/groq-usage", price("0.59", "0.79"), "38*0.59 + 4*0.79"),
    "groq: cached": Case(
        "openai-chat/groq-usage",
        price("0.15", "0.60", "0.075"),
        "(38 - 32)*0.15 + 32*0.075 + 4*0.60",
        {"prompt_tokens_details": {"cached_tokens": 32}},
    ),
    "cohere: what is billed, not what is counted": Case("cohere/cached-usage", price("2.5", "10"), "1200*2.5 + 7*10"),
    "ollama: free": Case("openai-chat/ollama", FREE, "0"),
    "an unknown model": Case("openai-chat/groq-usage", None, None),
    "a model whose output has no price": Case("openai-chat/groq-usage", price("1", None), None),
    "a tier without a price": Case(
        "gemini/thinking", price("2", "12", above=(200_000, rates(None, None))), None, {"promptTokenCount": 200_001}
    ),
}


def counted(case: Case) -> Usage:
    """The usage of a recorded answer, straight from its bytes."""
    name, folder = case.recorded.partition("/")[0], WIRE / case.recorded
    value = json.loads((folder / "response.json").read_bytes())
    place = next((key for key in ("usage", "usageMetadata") if key in value), "")
    body = json.dumps(value | {place: value[place] | case.usage} if case.usage else value).encode()
    finish = collect(protocol(name).decode(parsed(body, name))).finish
    assert finish is not None
    assert finish.usage is not None
    return finish.usage


@cache
def streamed(recorded: str) -> Usage | None:
    module = protocol(recorded.partition("/")[0])
    finish = collect(module.decode_stream(module.frames([(WIRE / recorded / "stream.txt").read_bytes()]))).finish
    return finish.usage if finish else None


@pytest.mark.parametrize("name", CASES)
def test_an_answer_costs_what_the_arithmetic_says(name: str) -> None:
    case = CASES[name]
    dollars = None if case.sum is None else worked_out(case.sum) / 1_000_000
    assert cost_of(counted(case), case.price) == dollars
    if not case.usage:
        assert streamed(case.recorded) == counted(case)


def worked_out(text: str) -> Decimal:
    """What a sum comes to, in exact decimals."""
    exact: Decimal = eval(re.sub(r"[\d.]+", r"Decimal('\g<0>')", text))
    return exact


LIST = price("2", "10", "0.2", above=(200_000, rates("4", "15")))
REPORTED = Usage(100, 10, reported_cost=Decimal("0.5"))


@pytest.mark.parametrize(
    ("usages", "price", "cost", "reported"),
    [
        ([Usage(1000, 100)], LIST, "0.003", False),
        ([Usage(1000, 100, cache_read_tokens=500)], LIST, "0.0021", False),
        ([Usage(200_001, 0)], LIST, "0.800004", False),
        ([REPORTED], LIST, "0.5", True),
        ([REPORTED], None, "0.5", True),
        ([Usage(1000, 100), REPORTED], LIST, "0.503", False),
        ([Usage(1000, 100), REPORTED], None, None, False),
        ([Usage(1000, 100)], None, None, False),
        ([], LIST, None, True),
    ],
)
def test_a_run_costs_what_all_its_answers_cost(
    usages: list[Usage], price: Price | None, cost: str | None, reported: bool
) -> None:
    run = Run("greet", "sha256:0", price=price)
    for number, usage in enumerate(usages):
        if number:
            run.begin_again()
        run.collector.note(Finish("stop", usage))
    assert run.cost == (None if cost is None else Decimal(cost))
    assert run.cost_is_reported is reported


CHEAP = price("1", "2")


@pytest.mark.parametrize("taken_back", [False, True])
def test_each_answer_costs_what_its_own_model_costs(taken_back: bool) -> None:
    run = Run("greet", "sha256:0", price=LIST)
    run.collector.note(TextDelta("first"))
    run.collector.note(Finish("stop", Usage(1000, 100)))
    run.begin_again()
    run.price = CHEAP
    run.collector.note(Finish("stop", Usage(2000, 10)))
    if taken_back:
        run.take_back()
    assert run.cost == worked_out("1000*2 + 100*10 + 2000*1 + 10*2") / 1_000_000
    assert (run.response.text, run.price) == (("first", LIST) if taken_back else ("", CHEAP))


def test_more_digits_than_a_float_has_are_kept() -> None:
    dear = price("0.123456789", "0.987654321")
    assert dear.cost(Usage(999_999_999, 1)) == Decimal("123.456789864197532")
