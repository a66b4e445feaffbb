"""What a model does not take is left out, lowered or said in words, and every change is one sentence."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aix.llm.catalogue import Model, Price, Rates
from aix.llm.protocols import UNCARRIED
from aix.llm.providers import Dialect, Provider
from aix.messages import File, Image, Message, Part, Request, Text
from aix.runs.fitting import Fitted, estimated, fitted, retirement, unseen, with_instruction

SCHEMA = {"type": "object", "title": "Größe"}
WORDS = 'Answer with JSON only: one value that is valid by this JSON Schema: {"type": "object", "title": "Größe"}'
HI = Message("user", (Text("Hi"),))
ASKED = Request("m", (HI,))
KNOWN = Model("m", "box", capabilities=frozenset({"reasoning", "schema"}))


def fit(request: Request, model: Model | None = None, unsaid: frozenset[str] = frozenset(), **dialect: Any) -> Fitted:
    provider = Provider("box", "openai-chat", "http://127.0.0.1:9", dialect=Dialect(**dialect))
    return fitted(request, provider, unsaid, model)


def test_a_request_that_nobody_objects_to_stays_as_it_is() -> None:
    whole = replace(ASKED, temperature=0.0, top_p=0.5, max_tokens=9, stop=("x",), seed=0, effort="max", schema=SCHEMA)
    for model in (None, KNOWN):
        found = fit(whole, model)
        assert (found.request, found.notes) == (whole, ())


LOST: list[tuple[dict[str, Any], set[str], dict[str, Any], str]] = [
    ({"seed": 0}, {"seed"}, {}, "box:m takes no seed; it was left out"),
    ({"temperature": 0.0}, set(), {"rejects": ("temperature",)}, "box:m takes no temperature; it was left out"),
    (
        {"temperature": 1.0, "top_p": 1.0},
        set(),
        {"rejects": ("temperature", "top_p")},
        "box:m takes no temperature and no top_p; they were left out",
    ),
    (
        {"temperature": 1.0, "top_p": 1.0, "stop": ("x",), "max_tokens": 5},
        {"stop"},
        {"rejects": ("temperature", "top_p")},
        "box:m takes no temperature, no top_p and no stop; they were left out",
    ),
]


@pytest.mark.parametrize(("options", "unsaid", "deviations", "note"), LOST, ids=lambda value: str(value)[:30])
def test_what_a_protocol_provider_or_model_does_not_take_is_left_out_and_said(
    options: dict[str, Any], unsaid: set[str], deviations: dict[str, Any], note: str
) -> None:
    request, kept = replace(ASKED, **options), replace(ASKED, max_tokens=options.get("max_tokens"))
    at_provider = fit(request, None, frozenset(unsaid), **deviations)
    at_model = fit(request, Model("m", "box", dialect=deviations), frozenset(unsaid))
    for found in (at_provider, at_model):
        assert (found.request, found.notes) == (kept, (note,))


def test_what_nobody_set_is_not_missed() -> None:
    assert fit(ASKED, None, frozenset({"seed", "stop"}), rejects=("temperature", "effort", "schema")).notes == ()


@pytest.mark.parametrize(
    ("asked", "efforts", "taken", "notes"),
    [
        ("high", ("low", "high"), "high", ()),
        ("max", ("low", "high"), "high", ("box:m takes no effort 'max'; 'high' is asked for",)),
        ("none", ("low", "high"), "low", ("box:m takes no effort 'none'; 'low' is asked for",)),
        ("xhigh", (), "xhigh", ()),
    ],
)
def test_effort_is_the_nearest_that_the_model_takes(
    asked: str, efforts: tuple[str, ...], taken: str, notes: tuple[str, ...]
) -> None:
    found = fit(replace(ASKED, effort=asked), replace(KNOWN, efforts=efforts))
    assert (found.request.effort, found.notes) == (taken, notes)


@pytest.mark.parametrize(
    ("model", "asked", "taken", "notes"),
    [
        (Model("m", "box", capabilities=frozenset({"tools"})), "low", None, ("no effort",)),
        (Model("m", "box", sources={"capabilities": "a source"}), "low", None, ("no effort",)),
        (Model("m", "box", capabilities=frozenset({"tools"})), "none", None, ()),
        (Model("m", "box"), "low", "low", ()),
        (None, "low", "low", ()),
    ],
)
def test_a_model_that_is_known_not_to_reason_is_not_told_how_hard(
    model: Model | None, asked: str, taken: str | None, notes: tuple[str, ...]
) -> None:
    found = fit(replace(ASKED, effort=asked), model)
    assert found.request.effort == taken
    assert found.notes == tuple(f"box:m takes {note}; it was left out" for note in notes)


def test_an_answer_is_never_asked_to_be_longer_than_it_can_be() -> None:
    model = replace(KNOWN, max_output=4096)
    found = fit(replace(ASKED, max_tokens=9000), model)
    assert found.request.max_tokens == 4096
    assert found.notes == ("box:m answers with 4096 tokens at most; max_tokens was lowered to that from 9000",)
    assert found.dialect.default_max_tokens == 4096
    assert fit(replace(ASKED, max_tokens=4096), model).notes == ()
    assert fit(ASKED, replace(KNOWN, max_output=99999)).dialect.default_max_tokens == Dialect().default_max_tokens


NO_SCHEMA = replace(KNOWN, capabilities=frozenset({"reasoning"}))


@pytest.mark.parametrize(
    ("way", "unsaid", "model", "sent", "said"),
    [
        ("native", (), None, True, False),
        ("native", (), KNOWN, True, False),
        ("json_object", (), KNOWN, True, True),
        ("words", (), KNOWN, False, True),
        ("native", ("schema",), None, False, True),
        ("json_object", ("schema",), None, False, True),
        ("native", (), NO_SCHEMA, False, True),
        ("json_object", (), NO_SCHEMA, True, True),
    ],
)
def test_a_schema_is_said_in_words_where_it_cannot_be_sent_whole(
    way: str, unsaid: tuple[str, ...], model: Model | None, sent: bool, said: bool
) -> None:
    found = fit(replace(ASKED, schema=SCHEMA), model, frozenset(unsaid), schema=way)
    assert found.request.schema == (SCHEMA if sent else None)
    assert found.request.messages[0].text == (f"Hi\n\n{WORDS}" if said else "Hi")
    assert found.notes == ()


SYSTEM, OTHER, ANSWER = (
    Message("system", (Text("Be brief."),)),
    Message("user", (Text("Bye"),)),
    Message("assistant", (Text("Hello"),)),
)


@pytest.mark.parametrize(
    ("messages", "texts"),
    [
        ((SYSTEM, HI), ["Be brief.\n\nNow.", "Hi"]),
        ((SYSTEM, SYSTEM, HI), ["Be brief.", "Be brief.\n\nNow.", "Hi"]),
        ((HI, ANSWER, OTHER), ["Hi\n\nNow.", "Hello", "Bye"]),
        ((ANSWER,), ["Now.", "Hello"]),
    ],
)
def test_an_instruction_stands_where_instructions_stand(messages: tuple[Message, ...], texts: list[str]) -> None:
    assert [message.text for message in with_instruction(messages, "Now.")] == texts


def test_more_than_a_model_can_hold_is_a_warning_with_both_figures() -> None:
    request = replace(ASKED, messages=(Message("user", (Text("word" * 101),)),))
    note = "about 101 tokens (estimated) are more than the 100 that box:m reads and writes"
    assert fit(request, replace(KNOWN, context=100)).notes == (note,)
    assert fit(request, replace(KNOWN, context=101)).notes == ()


@pytest.mark.parametrize(
    ("retires", "successor", "said"),
    [
        ("", "n", ""),
        ("2027-01-21", "n", ""),
        ("2027-01-20", "n", "box:m retires on 2027-01-20; its successor is n"),
        ("2026-11-22", "", "box:m retires on 2026-11-22"),
        ("2026-11-21", "n", "box:m was retired on 2026-11-21; its successor is n"),
        ("2024-02-30", "", "box:m was retired on 2024-02-30"),
    ],
)
def test_a_model_that_ends_soon_or_has_ended_is_named_with_its_successor(
    retires: str, successor: str, said: str
) -> None:
    model = replace(KNOWN, retires=retires, successor=successor)
    assert retirement(model, date(2026, 11, 21)) == said


SHOT, PLAN = Image(b"", "image/png"), File(b"", "application/pdf", "plan.pdf")


@pytest.mark.parametrize(
    ("parts", "can", "lacking"),
    [
        ((SHOT,), ("vision",), ""),
        ((SHOT,), ("pdf",), "vision"),
        ((PLAN,), ("vision",), "pdf"),
        ((SHOT, PLAN), ("vision", "pdf"), ""),
        ((SHOT,), (), ""),
        ((), ("tools",), ""),
    ],
    ids=str,
)
def test_what_a_model_is_known_not_to_see_is_found(parts: tuple[Part, ...], can: tuple[str, ...], lacking: str) -> None:
    request = replace(ASKED, messages=(Message("user", (Text("Look."), *parts)),))
    assert unseen(request, Model("m", "box", capabilities=frozenset(can))) == lacking


@pytest.mark.parametrize("name", ["cohere", "ollama", "replicate"])
def test_what_a_protocol_has_no_place_for_is_seen_by_no_model(name: str) -> None:
    request = replace(ASKED, messages=(Message("user", (SHOT, PLAN)),))
    assert unseen(request, Model("m", name), UNCARRIED[name]) == "pdf"
    assert unseen(request, Model("m", name)) == ""


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (Text("abcdefgh"), 2),
        (SHOT, 1000),
        (PLAN, 2000),
        (File(b"<</Type /Pages>><</Type/Page>><</Type /Page/A 1>>", "application/pdf", "two.pdf"), 4000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_images_and_pages_count_too(part: Part, tokens: int) -> None:
    assert estimated((Message("user", (part,)),)) == tokens


@pytest.mark.parametrize(
    ("rates", "max_tokens", "max_output", "costs"),
    [
        ({"input": 2, "output": 10}, None, 1000, ("0.000006", "0.010006")),
        ({"input": 2, "output": 10}, 100, 1000, ("0.000006", "0.001006")),
        ({"input": 2, "output": 10}, None, None, ("0.000006", None)),
        ({"input": 2}, 100, None, (None, None)),
    ],
)
def test_what_it_costs_is_known_as_far_as_the_rates_are(
    rates: Mapping[str, int], max_tokens: int | None, max_output: int | None, costs: tuple[str | None, str | None]
) -> None:
    price = Price("a source", "2026-11-21", Rates(**{name: Decimal(rate) for name, rate in rates.items()}))
    found = fit(replace(ASKED, max_tokens=max_tokens), replace(KNOWN, max_output=max_output, prices=(price,)))
    assert (found.cost(3, 0), found.cost(3, found.longest)) == tuple(cost and Decimal(cost) for cost in costs)
