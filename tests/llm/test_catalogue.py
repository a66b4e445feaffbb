"""The catalogue: what is known of models, which source counts, and by which names a model is found."""

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aix.errors import ConfigError
from aix.llm.catalogue import Catalogue, Layer, Price, Rates, Source, Tier
from aix.llm.refresh import DEAREST, FORMS
from aix.llm.shelf import DATA, built_in, layer, own, refreshed, refreshed_file, sealed
from aix.messages import Usage

SHIPPED = Catalogue([built_in()])


def layer_of(source: str, **records: dict[str, Any]) -> Layer:
    """What one source says of models of `acme`."""
    return Layer(
        {source: Source(source, "1", "2026-01-02")}, {"acme": {name: {source: row} for name, row in records.items()}}
    )


def test_each_figure_is_from_the_best_source_that_has_it() -> None:
    best = layer_of("best", m={"context": 100, "dialect": {"effort": "budget"}, "aliases": ["em"]})
    worst = layer_of(
        "worst", m={"context": 9, "max_output": 5, "dialect": {"effort": "", "rejects": ["seed"]}, "price": [1, 2]}
    )
    model = Catalogue([best, worst]).find("acme", "m")
    assert model is not None
    assert (model.context, model.max_output, model.aliases) == (100, 5, ("em",))
    assert model.sources == {"context": "best 1 (2026-01-02)", "max_output": "worst 1 (2026-01-02)"}
    assert model.dialect == {"effort": "budget", "rejects": ["seed"]}
    assert model.price == Price("worst 1", "2026-01-02", Rates(Decimal(1), Decimal(2)))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("CLAUDE-Haiku-4-5", "claude-haiku-4-5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-haiku-4-5-2025-10-01", "claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5", "claude-haiku-4-5"),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest"),
        ("claude-opus-4", "claude-opus-4-0"),
        ("claude-haiku", None),
        ("claude-haiku-4-5-turbo", None),
    ],
)
def test_a_model_is_found_by_all_its_names(asked: str, found: str | None) -> None:
    model = SHIPPED.find("anthropic", asked)
    assert (model.id if model else None) == found


def test_an_edition_with_figures_of_its_own_is_itself() -> None:
    old, new = SHIPPED.find("openai", "gpt-4o-2024-05-13"), SHIPPED.find("openai", "gpt-4o")
    assert old is not None
    assert new is not None
    assert old.price is not None
    assert new.price is not None
    assert (old.price.rates.input, new.price.rates.input) == (Decimal(5), Decimal("2.5"))


def test_a_name_without_a_date_means_the_newest_edition() -> None:
    catalogue = Catalogue([layer_of("s", **{"m-2025-01-01": {}, "m-2026-01-01": {}, "m-x-2027-01-01": {}})])
    model = catalogue.find("acme", "m")
    assert model is not None
    assert model.id == "m-2026-01-01"


def test_what_runs_at_home_is_free_unless_somebody_says_what_it_costs() -> None:
    rows = layer_of("s", known={"context": 9}, dear={"price": [1, 2]})
    home, elsewhere = Catalogue([rows], {"acme"}), Catalogue([rows])
    names = ("known", "dear", "unknown")
    assert [price.source for name in names if (price := home.get("acme", name).price)] == ["local", "s 1", "local"]
    assert home.get("acme", "unknown").price == Price("local", "", Rates(Decimal(0), Decimal(0)))
    assert [elsewhere.get("acme", name).price is None for name in names] == [True, False, True]


def test_a_variant_of_a_known_model_has_its_figures_and_no_price() -> None:
    variant = SHIPPED.find("openrouter", "anthropic/claude-opus-4.6:nitro")
    assert variant is not None
    assert (variant.id, variant.context, variant.prices) == ("anthropic/claude-opus-4.6:nitro", 1_000_000, ())
    assert SHIPPED.find("openrouter", "anthropic/claude-opus-4.6:other") is None


def test_names_that_are_near_are_offered() -> None:
    assert "gpt-5.5" in SHIPPED.near("openai", "gpt5.5")
    assert "openai:gpt-5.5" in SHIPPED.near("", "openai:gpt-55")
    assert SHIPPED.near("openai", "zzzzzz") == []


@pytest.mark.parametrize(
    ("price", "usage", "dollars"),
    [
        ([1, 2], Usage(1_000_000, 1_000_000), "3"),
        ([0, 0], Usage(1_000_000, 1_000_000), "0"),
        ([1, 2], Usage(1_000_000, 0, cache_read_tokens=500_000), "1"),
        ([1, 2, "0.1", "1.25"], Usage(1_000_000, 0, cache_read_tokens=500_000, cache_write_tokens=100_000), "0.575"),
        ([1, None], Usage(1, 1), None),
    ],
    ids=["plain", "free", "no cache price", "cache prices", "half unknown"],
)
def test_what_a_request_costs(price: list[Any], usage: Usage, dollars: str | None) -> None:
    model = Catalogue([layer_of("s", m={"price": price})]).find("acme", "m")
    assert model is not None
    assert model.price is not None
    assert model.price.cost(usage) == (None if dollars is None else Decimal(dollars))


def test_the_whole_request_moves_to_the_higher_tier() -> None:
    model = SHIPPED.find("gemini", "gemini-2.5-pro")
    assert model is not None
    assert model.price is not None
    assert model.price.cost(Usage(200_000, 1000)) == Decimal("0.26")
    assert model.price.cost(Usage(200_001, 1000)) == Decimal("0.5150025")


def test_a_model_without_a_price_is_unpriced_and_a_free_one_is_not() -> None:
    catalogue = Catalogue([layer_of("s", unknown={"context": 1}, free={"price": [0, 0]})])
    prices = {model.id: model.price for model in catalogue.of("acme")}
    assert prices["unknown"] is None
    assert prices["free"] is not None


@pytest.mark.parametrize(
    ("key", "row", "provider", "model"),
    [
        ("gpt-5.5", {}, "openai", "gpt-5.5"),
        ("gpt-5.5", {"provider": "openai"}, "openai", "gpt-5.5"),
        ("openai:gpt-5.5", {}, "openai", "gpt-5.5"),
        ("qwen9:4b", {"provider": "ollama"}, "ollama", "qwen9:4b"),
        ("ollama:qwen9:4b", {"provider": "ollama"}, "ollama", "qwen9:4b"),
        ("mine", {"provider": "custom:box", "aliases": ["m"]}, "box", "M"),
        ("mine", {}, "whoever", "mine"),
    ],
)
def test_the_users_own_figures_come_first(key: str, row: dict[str, Any], provider: str, model: str) -> None:
    mine = own({key: {**row, "context": 7}}, ["openai", "ollama", "box"])
    found = Catalogue([mine, built_in()]).find(provider, model)
    assert found is not None
    assert (found.provider, found.context) == (provider, 7)


def test_figures_for_one_provider_are_not_anothers() -> None:
    mine = own({"gpt-5.5": {"provider": "azure", "context": 7}}, ["openai", "azure"])
    found = Catalogue([mine, built_in()]).find("openai", "gpt-5.5")
    assert found is not None
    assert found.context == 1_050_000


def test_who_sets_one_rate_keeps_the_others() -> None:
    mine = own({"gpt-5.5": {"provider": "openai", "input_price": 4.1}}, ["openai"])
    found = Catalogue([mine, built_in()]).find("openai", "gpt-5.5")
    assert found is not None
    assert found.prices[0] == Price(
        "config.json",
        "",
        Rates(Decimal("4.1"), Decimal(30), Decimal("0.5")),
        (Tier(272_000, Rates(Decimal(10), Decimal(45), Decimal(1))),),
    )


def test_who_sets_both_rates_keeps_nothing() -> None:
    row = {"provider": "openai", "input_price": 0, "output_price": 0, "tiers": [{"above": 9, "input_price": 1}]}
    found = Catalogue([own({"gpt-5.5": row}, ["openai"]), built_in()]).find("openai", "gpt-5.5")
    assert found is not None
    assert found.prices[0].rates == Rates(Decimal(0), Decimal(0))
    assert found.prices[0].tiers == (Tier(9, Rates(Decimal(1), Decimal(0))),)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (7, "models.m in config.json must be an object"),
        ({"contxt": 7}, "models.m.contxt is not a field of a model"),
        ({"context": "big"}, "models.m.context in config.json must be a whole number above 0"),
        ({"input_price": -1}, "models.m.input_price in config.json must be dollars per million tokens"),
        ({"input_price": float("nan")}, "models.m.input_price in config.json must be dollars per million tokens"),
        ({"capabilities": ["sight"]}, "models.m.capabilities in config.json must be some of vision, pdf"),
        ({"tiers": [{"above": 5, "price": 1}]}, "models.m.tiers in config.json must be prices above a size"),
    ],
)
def test_a_wrong_figure_in_the_settings_is_named(row: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        own({"m": row}, ())
    assert caught.value.message.startswith(said)


def test_what_was_fetched_counts_before_what_came_with_aix_and_a_broken_file_does_not(tmp_path: Path) -> None:
    files = {name: refreshed_file(tmp_path, name) for name in ("models.dev", "openrouter", "broken")}
    files["broken"].parent.mkdir()
    files["broken"].write_text('{"sources": {"x"')
    for name in ("models.dev", "openrouter"):
        models = {"openrouter": {"a/b": {name: {"price": ["0.1", "0.2"], "context": len(name)}}}}
        files[name].write_bytes(sealed(name, "2026-11-30", models))
    catalogue = Catalogue([*refreshed(tmp_path), built_in()])
    found = catalogue.find("openrouter", "a/b")
    assert found is not None
    assert [price.source for price in found.prices] == ["openrouter", "models.dev"]
    assert found.context == len("openrouter")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"0.1", b"0,1"),
        lambda text: text.partition(b"\n")[2],
        lambda text: b'{"sources": {}, "models": {"openrouter": 5}}',
        lambda text: b"\xff\n" + text,
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_as_good_as_none(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = refreshed_file(tmp_path, "openrouter")
    path.parent.mkdir()
    whole = sealed("openrouter", "2026-11-30", {"openrouter": {"a/b": {"openrouter": {"price": ["0.1", "0.2"]}}}})
    path.write_bytes(whole)
    assert Catalogue(list(refreshed(tmp_path))).find("openrouter", "a/b")
    path.write_bytes(damage(whole))
    assert list(refreshed(tmp_path)) == []


def test_the_table_that_aix_began_with_is_whole() -> None:
    seed = SHIPPED.said_by("seed")
    by_provider = {
        provider: sum(model.provider == provider for model in seed) for provider in {m.provider for m in seed}
    }
    assert by_provider == {
        "openai": 13,
        "anthropic": 6,
        "gemini": 8,
        "mistral": 5,
        "cohere": 7,
        "xai": 4,
        "ollama": 8,
    }
    models = {model.id: model for model in seed}
    assert sum(model.price is not None for model in seed) == 13 + 6 + 6
    opus, nano, preview = models["claude-opus-4-6"], models["gpt-5-nano"], models["gemini-3.1-pro-preview"]
    assert opus.price is not None
    assert preview.price is not None
    assert opus.price.tiers == (Tier(200_000, Rates(Decimal(10), Decimal("37.5"))),)
    assert preview.price.cost(Usage(200_001, 1)) is None
    assert nano.capabilities == {"tools", "schema"}
    assert models["ollama/qwen3:4b"].note == "Qwen3, 4B"
    assert models["embed-english-v3.0"].note == "Embeddings"


def test_every_figure_that_ships_has_a_source_and_a_date_and_is_possible() -> None:
    for model in SHIPPED.all():
        place = f"{model.provider}:{model.id}"
        for price in model.prices:
            assert price.source, place
            assert price.date, place
            for rates in (price.rates, *(tier.rates for tier in price.tiers)):
                figures = (rates.input, rates.output, rates.cache_read, rates.cache_write)
                assert all(figure is None or 0 <= figure < DEAREST for figure in figures), place
        assert model.context is None or 0 < model.context <= 100_000_000, place
        assert model.capabilities <= {"vision", "pdf", "reasoning", "tools", "schema"}, place


def test_the_file_has_a_line_for_each_model() -> None:
    lines = DATA.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith('"') and line.rstrip(",").endswith("}}") for line in lines) == len(SHIPPED.all())


@pytest.mark.parametrize(
    ("provider", "model", "dialect"),
    [
        ("anthropic", "claude-haiku-4-5", {"effort": "budget"}),
        ("anthropic", "claude-opus-4-6", {}),
        ("anthropic", "claude-opus-5-5", {"rejects": ["temperature", "top_p"]}),
        ("gemini", "gemini-2.5-flash", {"effort": "budget"}),
        ("gemini", "gemini-3.5-flash", {}),
        ("openai", "gpt-5.1", {}),
        ("openai", "gpt-5.5", {"rejects": ["temperature", "top_p"]}),
        ("openai", "o3", {"rejects": ["temperature", "top_p"]}),
        ("openai", "gpt-4.1", {}),
    ],
)
def test_how_a_model_leaves_its_providers_dialect(provider: str, model: str, dialect: dict[str, Any]) -> None:
    found = SHIPPED.find(provider, model)
    assert found is not None
    assert found.dialect == dialect


@pytest.mark.parametrize(
    ("provider", "model", "retires", "successor"),
    [
        ("openai", "gpt-3.5-turbo", "2026-10-23", "gpt-5.6-terra"),
        ("openai", "gpt-5", "2026-12-11", "gpt-6.1-sol"),
        ("anthropic", "claude-3-haiku-20240307", "2026-04-20", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-5-20250929", "2026-11-30", "claude-sonnet-5-5"),
    ],
)
def test_a_model_that_ends_says_when_and_what_comes_then(
    provider: str, model: str, retires: str, successor: str
) -> None:
    found = SHIPPED.find(provider, model)
    assert found is not None
    assert (found.retires, found.successor) == (retires, successor)


HOSTILE: list[Any] = [
    {"data": [{"id": "a", "pricing": {"prompt": "1e-999999999", "completion": "1e999999999"}}]},
    None,
    [],
    {"data": {}},
    {"data": [7, {}, {"id": 7}]},
    {"openai": 7, "google": {"models": []}},
    {
        "openai": {
            "models": {"m": 7, "n": {"modalities": {"output": ["text"]}, "cost": {"input": "x", "output": "NaN"}}}
        }
    },
    {"data": [{"id": "m", "pricing": {"prompt": "-1", "completion": "1e99"}, "context_length": -5, "architecture": 7}]},
    {"data": [{"id": "m", "pricing": [], "supported_parameters": "tools", "top_provider": []}]},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_what_is_published_may_be_anything(form: str, value: Any) -> None:
    for _, _, record in FORMS[form](value):
        assert record["price"] in ([], None)
        assert record["context"] is None


def test_what_openrouter_publishes_is_read() -> None:
    row = {
        "id": "a/b",
        "name": "B",
        "context_length": 1000,
        "architecture": {"input_modalities": ["text", "image", "file"]},
        "top_provider": {"max_completion_tokens": 10},
        "supported_parameters": ["tools", "reasoning", "structured_outputs"],
        "reasoning": {"supported_efforts": ["high", "low", "odd"]},
        "expiration_date": "2027-01-02",
        "pricing": [
            {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000025"},
            {"prompt": "0.000005", "completion": "0.00002", "min_context": 200000},
        ],
    }
    ((provider, model, record),) = FORMS["openrouter"]({"data": [row]})
    assert (provider, model) == ("openrouter", "a/b")
    assert record == {
        "name": "B",
        "context": 1000,
        "max_output": 10,
        "capabilities": ["vision", "pdf", "reasoning", "tools", "schema"],
        "efforts": ["low", "high"],
        "retires": "2027-01-02",
        "price": ["2.5", "10", "0.25", None],
        "tiers": [[200000, "5", "20", None, None]],
    }


def test_what_models_dev_publishes_is_read() -> None:
    row = {
        "name": "B",
        "limit": {"context": 1000, "output": 10},
        "modalities": {"input": ["text", "pdf"], "output": ["text"]},
        "reasoning": True,
        "tool_call": False,
        "temperature": False,
        "reasoning_options": [{"type": "effort", "values": ["high", "none"]}, {"type": "budget_tokens"}],
        "cost": {
            "input": 1,
            "output": 2,
            "tiers": [{"input": 3, "output": 4, "tier": {"type": "context", "size": 272000}}],
            "context_over_200k": {"input": 5, "output": 6},
        },
    }
    ((provider, model, record),) = FORMS["models.dev"]({"openai": {"models": {"b": row}}})
    assert (provider, model) == ("openai", "b")
    assert (record["efforts"], record["capabilities"]) == (["none", "high"], ["pdf", "reasoning"])
    assert record["dialect"] == {"rejects": ["temperature", "top_p"]}
    assert (record["price"], record["tiers"]) == (["1", "2", None, None], [[272000, "3", "4", None, None]])


def test_a_layer_is_read_without_losing_a_figure() -> None:
    text = '{"sources": {"s": {"name": "s"}}, "models": {"p": {"m": {"s": {"price": [0.1, 0.0000007]}}}}}'
    model = Catalogue([layer(text)]).find("p", "m")
    assert model is not None
    assert model.prices[0].rates == Rates(Decimal("0.1"), Decimal("0.0000007"))


WATCHED = """
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from aix.cli.main import execute
status = execute(sys.argv[1:])
sys.exit(100 + any(name.endswith("catalogue.json") for name in opened) if status == 0 else status)
"""


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [(["run", "hello", "--name", "Ada"], False), (["model", "list", "--provider", "cohere"], True)],
    ids=["a rendering", "a list of models"],
)
def test_what_needs_no_models_does_not_read_them(arguments: list[str], opened: bool, home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED, *arguments], capture_output=True, cwd=home, check=False)
    assert done.returncode == 100 + opened, done.stderr
