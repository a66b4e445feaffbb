"""What a run cost: the provider's own word first, else the price of the tokens, over all its answers."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aix.llm.catalogue import FREE, Price, Rates, Tier
from aix.llm.money import dollars
from aix.llm.protocols import protocol
from aix.llm.wire import parsed
from aix.messages import Finish, TextDelta, Usage, collect
from aix.runs.logged import Estimate
from aix.runs.run import Run
from aix.runs.spent import cost_of, spent

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

TIERED = price("3", "15", "0.3", "3.75", above=(200_000, rates("6", "22.5", "0.6", "7.5")))
GROK = price("3", "15", "0.75")
EDGE = {"input_tokens": 21, "cache_read_input_tokens": 11_893, "cache_creation_input_tokens": 188_086}
THOUGHT = {"total_tokens": 142, "completion_tokens_details": {"reasoning_tokens": 100}}

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
    "openai: a cache is read and written, at prices of their own": Case(
        "openai-chat/groq-usage",
        price("1.25", "10", "0.125", "1.5625"),
        "(3000 - 1000 - 1500)*1.25 + 1000*0.125 + 1500*1.5625 + 40*10",
        {
            "prompt_tokens": 3000,
            "completion_tokens": 40,
            "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 1500},
        },
    ),
    "anthropic: what is cached counts towards the edge": Case(
        "anthropic-messages/cache-usage", TIERED, "21*3 + 11893*0.3 + 188086*3.75 + 12*15", EDGE
    ),
    "anthropic: one token more": Case(
        "anthropic-messages/cache-usage",
        TIERED,
        "21*6 + 11894*0.6 + 188086*7.5 + 12*22.5",
        {**EDGE, "cache_read_input_tokens": 11_894},
    ),
    "xai: reasoning beside the completion": Case("openai-chat/groq-usage", GROK, "38*3 + (4 + 100)*15", THOUGHT),
    "xai: without a total, more than the completion": Case(
        "openai-chat/groq-usage", GROK, "38*3 + (4 + 100)*15", {**THOUGHT, "total_tokens": None}
    ),
    "xai: reasoning in the completion": Case(
        "openai-chat/groq-usage", GROK, "38*3 + 104*15", {**THOUGHT, "completion_tokens": 104}
    ),
    "xai: its own word, in ticks": Case(
        "openai-chat/groq-usage", GROK, "37756000/10000", {**THOUGHT, "cost_in_usd_ticks": 37_756_000}
    ),
    "xai: the same in the other protocol": Case(
        "openai-responses/text", GROK, "318319000/10000", {"cost_in_usd_ticks": 318_319_000}
    ),
    "openrouter: with a key of one's own the fee and the maker's price": Case(
        "openai-chat/openrouter-reasoning",
        OPENAI,
        "25.7 + 513",
        {"cost": 0.0000257, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.000513}},
    ),
    "openrouter: the fee alone is not the cost": Case(
        "openai-chat/openrouter-reasoning",
        OPENAI,
        "21*0.75 + 30*4.5",
        {"cost": 0.0000257, "is_byok": True, "cost_details": None},
    ),
    "openrouter: the maker's price is in it otherwise": Case(
        "openai-chat/openrouter-reasoning", OPENAI, "513", {"cost_details": {"upstream_inference_cost": 0.000513}}
    ),
    "perplexity: with what a search costs": Case(
        "openai-chat/groq-usage",
        price("1", "1"),
        "5042",
        {"cost": {"input_tokens_cost": 3.8e-05, "output_tokens_cost": 4e-06, "total_cost": 0.005042}},
    ),
    "perplexity: in the other protocol": Case(
        "openai-responses/text", None, "6013", {"cost": {"currency": "USD", "total_cost": 0.006013}}
    ),
    "perplexity: cached": Case(
        "openai-responses/text",
        price("2", "10", "0.2"),
        "(9 - 5)*2 + 5*0.2 + 4*10",
        {"input_tokens_details": {"cache_read_input_tokens": 5, "cache_creation_input_tokens": 0}},
    ),
    "ollama: what it counts, where it has a price": Case("ollama/text", price("1", "3"), "11*1 + 7*3"),
    "replicate: what official models count": Case("replicate/text", price("0.65", "2.75"), "11*0.65 + 7*2.75"),
    "cohere: not what it adds to a prompt": Case("cohere/text", price("2.5", "10"), "11*2.5 + 7*10"),
    "cohere: cached": Case(
        "cohere/text", price("2.5", "10", "0.25"), "(11 - 4)*2.5 + 4*0.25 + 7*10", {"cached_tokens": 4}
    ),
    "a lie: cached tokens beside the input": Case(
        "openai-chat/groq-usage",
        price("2", "10", "0.2"),
        "38*2 + 5000*0.2 + 4*10",
        {"prompt_tokens_details": {"cached_tokens": 5000}},
    ),
    "a lie: gemini's cached tokens beside the input": Case(
        "gemini/cached-usage", GEMINI, "75*2 + 1920*0.2 + (31 + 200)*12", {"promptTokenCount": 0}
    ),
    "a lie: negative": Case(
        "openai-chat/groq-usage", OPENAI, "4*4.5", {"prompt_tokens": -38, "cost": -1, "total_tokens": -1}
    ),
    "a lie: fractions": Case("openai-chat/groq-usage", OPENAI, "38*0.75 + 4*4.5", {"prompt_tokens": 38.9}),
    "a lie: texts": Case(
        "openai-chat/groq-usage", OPENAI, "38*0.75", {"completion_tokens": "4", "cost": "0.1", "is_byok": "yes"}
    ),
    "a lie: beyond all bounds": Case(
        "openai-chat/groq-usage", OPENAI, "38*0.75", {"completion_tokens": 1e30, "cost": 1e30}
    ),
    "a lie: other kinds": Case(
        "openai-chat/groq-usage",
        OPENAI,
        "38*0.75 + 4*4.5",
        {"cost": {"total_cost": True}, "prompt_tokens_details": [1], "completion_tokens_details": "x"},
    ),
    "an unknown model": Case("openai-chat/groq-usage", None, None),
    "a model whose output has no price": Case("openai-chat/groq-usage", price("1", None), None),
    "a tier without a price": Case(
        "gemini/thinking", price("2", "12", above=(200_000, rates(None, None))), None, {"promptTokenCount": 200_001}
    ),
}


def answered(case: Case) -> tuple[str, dict[str, Any]]:
    """The protocol of a case, and the whole answer with the case's usage."""
    value = json.loads((WIRE / case.recorded / "response.json").read_bytes())
    place = next((key for key in ("usage", "usageMetadata") if key in value), "")
    changed = {place: value[place] | case.usage} if place else case.usage
    return case.recorded.partition("/")[0], value | changed


def counted(case: Case) -> Usage | None:
    name, body = answered(case)
    finish = collect(protocol(name).decode(parsed(json.dumps(body).encode(), name))).finish
    return finish.usage if finish else None


STREAMS: Mapping[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
    "openai-chat": lambda body: [
        {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": None},
        {"choices": [], "usage": body["usage"]},
    ],
    "openai-responses": lambda body: [{"type": "response.completed", "response": body}],
    "anthropic-messages": lambda body: [
        {"type": "message_start", "message": {**body, "stop_reason": None}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": body["usage"]},
        {"type": "message_stop"},
    ],
    "gemini": lambda body: [body, body],
    "cohere": lambda body: [{"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": body["usage"]}}],
}
"""The last events of a stream that says the same as a whole answer."""


@cache
def recorded(name: str) -> Usage | None:
    """What the recorded stream of an answer tells."""
    return told(name.partition("/")[0], (WIRE / name / "stream.txt").read_bytes())


def streamed(case: Case) -> Usage | None:
    if not case.usage:
        return recorded(case.recorded)
    name, body = answered(case)
    return told(name, b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in STREAMS[name](body)))


def told(name: str, stream: bytes) -> Usage | None:
    module = protocol(name)
    finish = collect(module.decode_stream(module.frames([stream]))).finish
    return finish.usage if finish else None


@pytest.mark.parametrize("name", CASES)
def test_an_answer_costs_what_the_arithmetic_says(name: str) -> None:
    case, usage = CASES[name], counted(CASES[name])
    assert usage is not None
    assert cost_of(usage, case.price) == (None if case.sum is None else worked_out(case.sum) / 1_000_000)
    if not case.recorded.startswith("replicate"):  # whose streams tell nothing of it
        assert streamed(case) == usage
    assert usage.cache_read_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens


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
        ([], LIST, "0", False),
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
    took = spent(run)
    assert took.cost == (None if cost is None else Decimal(cost))
    assert took.reported is reported


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
    assert spent(run).cost == worked_out("1000*2 + 100*10 + 2000*1 + 10*2") / 1_000_000
    assert (run.response.text, run.price) == (("first", LIST) if taken_back else ("", CHEAP))


def test_more_digits_than_a_float_has_are_kept() -> None:
    dear = price("0.123456789", "0.987654321")
    assert dear.cost(Usage(999_999_999, 1)) == Decimal("123.456789864197532")


@pytest.mark.parametrize(
    ("usage", "into", "out", "exact"),
    [
        (Usage(11, 7), 11, 7, True),
        (Usage(0, 7), 30, 7, False),
        (Usage(11, 0), 11, 6, False),
        (Usage(0, 0), 30, 6, False),
        (None, 30, 6, False),
        (Usage(0, 0, reported_cost=Decimal(1)), 0, 0, True),
    ],
)
def test_no_answer_takes_nothing(usage: Usage | None, into: int, out: int, exact: bool) -> None:
    run = Run("greet", "sha256:0", price=CHEAP, expected=Estimate(30, 2000, Decimal("0.00403")))
    run.collector.note(TextDelta("twelve letters and more"))
    run.collector.note(Finish("stop", usage))
    took = spent(run)
    assert (took.usage.input_tokens, took.usage.output_tokens, took.exact) == (into, out, exact)
    assert took.cost == (1 if usage and usage.reported_cost else worked_out(f"{into}*1 + {out}*2") / 1_000_000)


@pytest.mark.parametrize(
    ("amount", "exact", "about"),
    [
        ("0", "$0.00", "$0.00"),
        ("0.01", "$0.01", "~$0.01"),
        ("0.0123", "$0.0123", "~$0.012"),
        ("0.5", "$0.50", "~$0.50"),
        ("0.123456", "$0.123", "~$0.12"),
        ("0.9999", "$1.00", "~$1.00"),
        ("0.000171", "$0.000171", "~$0.00017"),
        ("0.0000001", "$0.0000001", "~$0.0000001"),
        ("1.239", "$1.24", "~$1.24"),
        ("12.3", "$12.30", "~$12.30"),
        ("1234.5", "$1,234.50", "~$1,234.50"),
        ("1E+6", "$1,000,000.00", "~$1,000,000.00"),
    ],
)
def test_an_amount_looks_like_money(amount: str, exact: str, about: str) -> None:
    assert (dollars(Decimal(amount)), dollars(Decimal(amount), exact=False)) == (exact, about)
