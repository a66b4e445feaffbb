"""In which order the candidates are asked: what each can take, strategies, and rests."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from aix.llm.catalogue import Model, Price, Rates
from aix.llm.ordering import Facts, alone, arranged, nobody_fits
from aix.llm.providers import Provider
from aix.llm.routing import Candidates, Group, Needs, Out, Route, Target

NAMES = ("a", "b", "c", "d")
TARGETS = {name: Target(Provider(name, "openai-chat", "https://x.example/v1"), "m") for name in NAMES}


def price(into: str, out: str) -> tuple[Price, ...]:
    return (Price("s", "", Rates(Decimal(into), Decimal(out))),)


CATALOGUE = {
    "a": Model("m", "a", context=8_000, capabilities=frozenset({"tools"}), prices=price("3", "15")),
    "b": Model("m", "b", context=200_000, capabilities=frozenset({"tools", "vision"}), prices=price("1", "20")),
    "c": Model("m", "c", context=1_000_000, capabilities=frozenset({"vision"}), prices=price("0", "0")),
    "d": Model("m", "d"),
}
"""`d` is a model of which nobody says anything."""


def model_of(target: Target) -> Model:
    return CATALOGUE[target.provider.name]


def of(figures: Mapping[str, Any], usual: Any = None) -> Any:
    return lambda target: figures.get(target.provider.name, usual)


def group(names: str, strategy: str = "ordered", capabilities: tuple[str, ...] = (), **needs: Any) -> Group:
    needs["capabilities"] = frozenset(capabilities)
    return Group(tuple(replace(TARGETS[name], needs=(Needs(**needs),)) for name in names), strategy)


def names(route: Route) -> str:
    return "".join(target.provider.name for target in route.targets)


def routed(*groups: Group, **facts: Any) -> Route:
    return arranged(Candidates(groups), Facts(model_of, **facts))


COSTS = {"a": Decimal("0.02"), "b": Decimal("0.01"), "c": Decimal(0)}
SPEEDS = {"a": 2.0, "c": 0.5}
NEEDS: list[tuple[dict[str, Any], str]] = [
    ({}, "abcd"),
    ({"context": 8_000}, "abcd"),
    ({"context": 8_001}, "bcd"),
    ({"context": 500_000}, "cd"),
    ({"capabilities": ("vision",)}, "bcd"),
    ({"capabilities": ("vision", "tools")}, "bd"),
    ({"max_input_price": Decimal(3)}, "abc"),
    ({"max_input_price": Decimal("2.99")}, "bc"),
    ({"max_output_price": Decimal(15)}, "ac"),
    ({"max_output_price": Decimal(0)}, "c"),
    ({"context": 100_000, "max_input_price": Decimal(1), "max_output_price": Decimal(20)}, "bc"),
]


@pytest.mark.parametrize(("needs", "asked"), NEEDS, ids=str)
def test_a_role_has_only_models_that_are_what_it_wants(needs: dict[str, Any], asked: str) -> None:
    route = routed(group("abcd", **needs))
    assert names(route) == asked
    assert {out.name for out in route.out} == {f"{name}:m" for name in NAMES if name not in asked}
    assert all(out.why for out in route.out)


REQUESTS: list[tuple[int, dict[str, str], str]] = [
    (0, {}, "abcd"),
    (8_000, {}, "abcd"),
    (8_001, {}, "bcd"),
    (200_001, {}, "cd"),
    (2_000_000, {}, "d"),
    (0, {"a": "vision", "d": "vision"}, "bc"),
    (300_000, {"d": "pdf"}, "c"),
]


@pytest.mark.parametrize(("tokens", "lacking", "asked"), REQUESTS, ids=str)
def test_who_cannot_take_the_request_is_not_asked(tokens: int, lacking: dict[str, str], asked: str) -> None:
    assert names(routed(group("abcd"), tokens=tokens, lacking=of(lacking, ""))) == asked


WANTED = "is the most that is wanted"
REASONS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"context": 9_000}, 0, "", "it holds 8000 tokens, and 9000 are wanted"),
    ({"capabilities": ("vision",)}, 0, "", "it has no vision, which is wanted"),
    ({"max_input_price": Decimal(2)}, 0, "", f"it costs $3 per million tokens in, and $2 {WANTED}"),
    ({"max_output_price": Decimal("0.5")}, 0, "", f"it costs $15 per million tokens out, and $0.5 {WANTED}"),
    ({}, 9_000, "", "it holds 8000 tokens, and this is about 9000"),
    ({}, 0, "vision", "it cannot read images"),
    ({}, 0, "pdf", "it cannot read PDF files"),
]


@pytest.mark.parametrize(("needs", "tokens", "lacking", "why"), REASONS, ids=str)
def test_each_who_is_out_has_a_reason(needs: dict[str, Any], tokens: int, lacking: str, why: str) -> None:
    route = routed(group("a", **needs), group("c"), tokens=tokens, lacking=of({"a": lacking}, ""))
    assert route.out == (Out("a:m", why),)


def test_without_a_price_a_model_is_above_every_ceiling() -> None:
    assert routed(group("cd", max_input_price=Decimal(100))).out == (Out("d:m", f"it is unpriced, and $100 {WANTED}"),)


STRATEGIES: list[tuple[tuple[Group, ...], str]] = [
    ((group("abcd"),), "abcd"),
    ((group("dcba"),), "dcba"),
    ((group("abcd", "cheapest"),), "cbad"),
    ((group("dabc", "cheapest"),), "cbad"),
    ((group("abcd", "fastest"),), "cabd"),
    ((group("dbac", "fastest"),), "cadb"),
    ((group("ab", "cheapest"), group("cd", "cheapest")), "bacd"),
    ((group("d"), group("abc", "fastest")), "dcab"),
    ((group("ab", "cheapest", max_output_price=Decimal(15)), group("b")), "ab"),
    ((group("ab"), group("ba"), group("cc")), "abc"),
]


@pytest.mark.parametrize(("groups", "asked"), STRATEGIES)
def test_each_group_has_its_own_strategy_and_nobody_is_asked_twice(groups: tuple[Group, ...], asked: str) -> None:
    route = routed(*groups, cost=of(COSTS), speed=of(SPEEDS))
    assert names(route) == asked
    assert not {out.name for out in route.out} & {target.name for target in route.targets}
    assert route.targets[0].note == ""


def test_who_costs_or_takes_the_same_stays_in_order() -> None:
    same: Any = of({}, Decimal(1))
    assert names(routed(group("bca", "cheapest"), cost=same)) == "bca"
    assert names(routed(group("bca", "fastest"), speed=of({}, 1.0))) == "bca"


RESTS = [("", "abcd"), ("a", "bcda"), ("ab", "cdab"), ("bd", "acbd"), ("d", "abcd"), ("abcd", "abcd")]


@pytest.mark.parametrize(("resting", "asked"), RESTS)
def test_who_rests_is_asked_last(resting: str, asked: str) -> None:
    route = routed(group("ab"), group("cd"), cooling=of({name: f"{name} rests" for name in resting}, ""))
    assert names(route) == asked
    assert route.out == ()
    passed = "a" in resting and len(resting) < len(NAMES)
    assert route.targets[0].note == (f"a rests; asking {asked[0]}:m instead" if passed else "")


def test_a_rest_counts_after_the_strategy() -> None:
    route = routed(group("abc", "cheapest"), cost=of(COSTS), cooling=of({"c": "c rests"}, ""))
    assert names(route) == "bac"
    assert route.targets[0].note == "c rests; asking b:m instead"


def test_who_was_named_first_is_not_passed_over_in_silence() -> None:
    route = routed(group("a"), group("b"), tokens=9_000)
    assert route.targets[0].note == (
        "a:m is passed over, as it holds 8000 tokens, and this is about 9000; asking b:m instead"
    )


def test_a_note_that_is_there_stays() -> None:
    noted = Target(TARGETS["b"].provider, "m", note="b stands in")
    route = arranged(Candidates((group("a"), Group((noted,)))), Facts(model_of, cooling=of({"a": "a rests"}, "")))
    assert route.targets[0].note == "b stands in; a rests; asking b:m instead"


def test_the_first_is_asked_where_nobody_can_take_the_request() -> None:
    route = routed(group("a"), group("b"), tokens=10_000_000)
    assert (names(route), [out.name for out in route.out], route.targets[0].note) == ("a", ["b:m"], "")


def test_nobody_is_asked_who_is_not_wanted() -> None:
    route = routed(group("ab", max_output_price=Decimal(1)), tokens=10_000_000)
    assert route.targets == ()
    error = nobody_fits(route)
    assert (error.message, error.reason) == ("no model that may be asked has what the role wants", "model")
    assert error.hint.splitlines() == [
        f"a:m: it costs $15 per million tokens out, and $1 {WANTED}",
        f"b:m: it costs $20 per million tokens out, and $1 {WANTED}",
    ]


def test_what_is_not_wanted_of_a_role_may_be_asked_by_its_own_name() -> None:
    route = routed(group("ab", max_output_price=Decimal(15)), group("b"))
    assert (names(route), route.out) == ("ab", ())


def test_the_steps_go_on_from_where_they_were() -> None:
    candidates = Candidates((group("abd", "cheapest"),), (Out("x:m", "no key"),), ("the role r means three models",))
    route = arranged(candidates, Facts(model_of, cost=of(COSTS), cooling=of({"b": "b rests"}, "")))
    assert route.out == (Out("x:m", "no key"),)
    assert route.steps == (
        "the role r means three models",
        "the cheapest for this request comes first: b:m (about $0.01), a:m (about $0.02), d:m (unpriced)",
        "b rests, so b:m comes behind those who do not",
    )


def test_the_steps_name_what_was_measured() -> None:
    assert routed(group("ac", "fastest"), speed=of({"c": 0.512})).steps == (
        "the fastest for a usual answer comes first: c:m (0.5 s), a:m (not measured)",
    )


LOCAL = Target(Provider("here", "ollama", "http://127.0.0.1:11434", local=True), "m")
STAY = "a local model does not hand on to a remote one unasked; --fallback b:m asks for it"


@pytest.mark.parametrize("resting", ["", "here"])
def test_a_local_model_does_not_hand_on_to_a_remote_one_though_it_rests(resting: str) -> None:
    role = Group((TARGETS["b"], LOCAL), "cheapest")
    facts = Facts(
        lambda _: Model("m", "x"), cost=of(COSTS | {"here": Decimal(0)}), cooling=of({resting: "it rests"}, "")
    )
    route = arranged(Candidates((role,)), facts)
    assert (names(route), route.out) == ("here", (Out("b:m", STAY),))


def test_a_remote_model_may_be_followed_by_a_local_one_and_the_other_way_round_while_it_rests() -> None:
    candidates = Candidates((Group((TARGETS["b"], LOCAL)),))
    assert names(arranged(candidates, Facts(lambda _: Model("m", "x")))) == "bhere"
    assert names(arranged(candidates, Facts(lambda _: Model("m", "x"), cooling=of({"b": "b rests"}, "")))) == "hereb"


def test_alone_there_is_nobody_behind_the_first() -> None:
    route = alone(routed(group("abc", "cheapest"), cost=of(COSTS)))
    assert (names(route), route.out) == ("c", (Out("b:m", "--no-fallback"), Out("a:m", "--no-fallback")))
