"""The line that says what a run took, and what `--json` says of it, out of runs as they may end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from aix.cli.report import succeeded
from aix.cli.usage_line import usage_line
from aix.llm.catalogue import Price, Rates
from aix.llm.exchange import Attempt
from aix.llm.providers import Providers
from aix.llm.routing import Route, Target
from aix.messages import Event, Finish, ReasoningDelta, TextDelta, Usage
from aix.runs.logged import Estimate
from aix.runs.run import Run

PROVIDERS = Providers({}, {})
OPENAI, GROQ = (Target(PROVIDERS.get(name), model) for name, model in (("openai", "gpt-5.4-mini"), ("groq", "llama")))
PRICE = Price("list", "2026-11-21", Rates(Decimal("0.75"), Decimal("4.5")))
WHOLE = Usage(1234, 456)


def attempt(seconds: float, first: float | None, error: str = "", status: int = 200) -> Attempt:
    return Attempt("openai", "gpt-5.4-mini", status, error, seconds, first)


@dataclass(frozen=True)
class Case:
    line: str
    events: tuple[Event, ...] = (TextDelta("Hello"), Finish("stop", WHOLE))
    attempts: tuple[Attempt, ...] = (attempt(3.2, 0.4),)
    price: Price | None = PRICE
    targets: tuple[Target, ...] = (OPENAI,)
    target: Target = OPENAI
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        run = Run("greet", "sha256:0", route=Route(self.targets), target=self.target, price=self.price, executed=True)
        run.expected, run.attempts = Estimate(30, 2000, Decimal(1)), list(self.attempts)
        for event in self.events:
            run.collector.note(event)
        return run


NAME = "openai:gpt-5.4-mini"
TOKENS = "1234 tokens in, 456 out"
CASES: Mapping[str, Case] = {
    "usual": Case(f"{NAME} · {TOKENS} · ~$0.003 · 0.4+2.8 s, 163/s", more={"tokens_per_second": 162.9}),
    "another name": Case(
        f"openai:gpt-5.4-mini-2026-03-17 · {TOKENS} · ~$0.003 · 0.4+2.8 s, 163/s",
        (TextDelta("Hi"), Finish("stop", WHOLE, model="gpt-5.4-mini-2026-03-17")),
    ),
    "cached, and reasoning that nobody saw": Case(
        f"{NAME} · 1234 tokens in (1000 cached), 456 out (400 reasoning) · ~$0.003 · 0.4+2.8 s, 20/s",
        (TextDelta("Hi"), Finish("stop", Usage(1234, 456, 1000, 0, 400))),
    ),
    "reasoning that was shown": Case(
        f"{NAME} · 1234 tokens in, 456 out (400 reasoning) · ~$0.003 · 0.4+2.8 s, 163/s",
        (ReasoningDelta("Hm"), TextDelta("Hi"), Finish("stop", Usage(1234, 456, reasoning_tokens=400))),
    ),
    "a cost that is told": Case(
        f"{NAME} · {TOKENS} · $0.0041 · 0.4+2.8 s, 163/s",
        (TextDelta("Hi"), Finish("stop", Usage(1234, 456, reported_cost=Decimal("0.0041")))),
        more={"cost": "0.0041", "cost_estimated": False},
    ),
    "unpriced": Case(
        f"{NAME} · {TOKENS} · unpriced · 0.4+2.8 s, 163/s",
        price=None,
        more={"cost": None, "cost_estimated": False, "unpriced": True},
    ),
    "free": Case(
        f"{NAME} · {TOKENS} · $0.00 · 0.4+2.8 s, 163/s",
        price=Price("local", "", Rates(Decimal(0), Decimal(0))),
        more={"cost": "0", "cost_estimated": False},
    ),
    "in one piece": Case(
        f"{NAME} · {TOKENS} · ~$0.003 · 3.2 s", attempts=(attempt(3.2, 3.16),), more={"tokens_per_second": None}
    ),
    "a first try that failed": Case(
        f"{NAME} · {TOKENS} · ~$0.003 · 1.5+2.8 s, 163/s",
        attempts=(attempt(1.1, None, "RATE_LIMIT", 429), attempt(3.2, 0.4)),
        more={"seconds": 4.3},
    ),
    "another than was asked first": Case(
        f"groq:llama instead of {NAME} · {TOKENS} · ~$0.003 · 0.4+2.8 s, 163/s",
        targets=(OPENAI, GROQ),
        target=GROQ,
        more={"provider": "groq", "model": "llama"},
    ),
    "a long one": Case(f"{NAME} · {TOKENS} · ~$0.003 · 3.0+120 s, 4/s", attempts=(attempt(123.0, 3.0),)),
    "broken off": Case(
        f"{NAME} · ~30 tokens in, ~3 out · ~$0.000036 · 3.2 s",
        (TextDelta("Hello, world"),),
        (attempt(3.2, 0.4, "INCOMPLETE"),),
        more={"usage_estimated": True, "cost": "0.000036", "cost_estimated": True, "tokens_per_second": None},
    ),
    "interrupted": Case(
        f"{NAME} · ~30 tokens in, ~3 out · ~$0.000036 · 3.2 s",
        (TextDelta("Hello, world"),),
        (attempt(3.2, 0.4, "INTERRUPTED"),),
    ),
    "nobody counted": Case(
        f"{NAME} · ~30 tokens in, ~3 out · ~$0.000036 · 0.4+2.8 s",
        (TextDelta("Hello, world"), Finish("stop")),
        more={"usage_estimated": True, "tokens_per_second": None},
    ),
    "refused": Case(
        "",
        (),
        (attempt(0.4, None, "AUTH", 401),),
        more={"usage": None, "usage_estimated": False, "cost": None, "cost_estimated": False, "seconds": 0.4},
    ),
    "nothing came, and may be charged": Case(
        "",
        (),
        (attempt(300.0, None, "TIMEOUT", 0),),
        more={"usage_estimated": True, "cost": "1", "cost_estimated": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_a_run(name: str) -> None:
    case = CASES[name]
    assert usage_line(case.run) == case.line
    said = succeeded(case.run)
    assert {key: said[key] for key in case.more} == case.more


def test_the_usual_line_fits_a_usual_terminal() -> None:
    assert len(f"aix: {CASES['usual'].line}") <= 80


def test_before_anybody_was_chosen_there_is_nothing_to_say() -> None:
    assert usage_line(Run("greet", "sha256:0")) == ""
