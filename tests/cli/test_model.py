"""`aix model`: what is known of models, the user's own figures, and what the world says."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from stage import Terminal, configure, serving


def rows(text: str) -> dict[str, list[str]]:
    """The lines of a list in a pipe, by model."""
    return {line.split("\t")[0]: line.split("\t")[1:] for line in text.splitlines()}


def test_a_list_in_a_pipe_is_a_line_each(aix: Aix) -> None:
    listed = rows(aix("model", "list", "--provider", "openai", "gpt-5").stdout)
    assert listed["openai:gpt-5.5"] == ["1050000", "5", "30", "vision,pdf,reasoning,tools,schema"]
    assert len(listed) > 5
    assert all(name.startswith("openai:") for name in listed)


@pytest.mark.parametrize(
    ("flags", "has", "lacks"),
    [
        (["--vision"], "openai:gpt-5.4", "openai:gpt-oss-120b"),
        (["--reasoning", "--tools"], "openai:gpt-5.5", "cohere:command-a-03-2025"),
        (["--max-price", "0.5"], "openai:gpt-5.4-nano", "openai:gpt-5.5"),
        (["--priced"], "openai:gpt-5.5", "cohere:command-nightly"),
        (["--retired"], "openai:o3-mini", "openai:gpt-5.5"),
        ([], "cohere:command-nightly", "openai:o3-mini"),
    ],
    ids=" ".join,
)
def test_a_list_is_narrowed(flags: list[str], has: str, lacks: str, aix: Aix) -> None:
    listed = rows(aix("model", "list", *flags).stdout)
    assert has in listed
    assert lacks not in listed


def test_only_what_can_be_asked(aix: Aix) -> None:
    listed = rows(aix("model", "list", "--usable", env={"GROQ_API_KEY": "gsk_0123456789abcdef"}).stdout)
    assert {name.split(":")[0] for name in listed} == {"groq"}


def test_what_one_source_says_is_listed_as_it_says_it(aix: Aix) -> None:
    found = {row["id"]: row for row in json.loads(aix("model", "list", "--source", "seed", "--json").stdout)}
    assert len(found) == 51
    assert found["claude-opus-4-6"]["context"] == 200_000
    assert found["claude-opus-4-6"]["prices"][0]["tiers"][0]["output"] == "37.5"
    assert (found["command-r"]["prices"], found["command-r"]["unpriced"]) == ([], True)
    assert "ollama/llama3.2" in found
    assert aix("model", "list", "--source", "sed").status == 5


@pytest.mark.parametrize("words", [["gpt-5.5"], ["--provider", "fireworks", "llama-v3"]], ids=["short", "long names"])
def test_a_list_fits_a_terminal(words: list[str], home: Path) -> None:
    terminal = Terminal("model", "list", *words, env={"HOME": str(home)})
    assert terminal.end() == 0
    lines = terminal.screen.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["model", "context", "input", "output", "can"]


def test_what_is_known_of_a_model_fits_a_terminal(home: Path) -> None:
    terminal = Terminal("model", "info", "openai:gpt-5.5", env={"HOME": str(home)})
    assert terminal.end() == 0
    first, *lines = [line.rstrip() for line in terminal.screen.splitlines()]
    assert first.split() == ["field", "value", "from"]
    assert sum("(2026-" in line and line.endswith(")") for line in lines) >= 4, "a source is cut in two"


def test_what_is_known_of_a_model_has_its_sources(aix: Aix) -> None:
    said = aix("model", "info", "openai:gpt-5-2025-08-07").stdout
    for line in (
        "model:        openai:gpt-5",
        "context:      400000  [litellm ",
        "  or          128000  [seed ",
        "retires:      2026-12-11  [OpenAI's deprecations page",
        "successor:    gpt-6.1-sol",
        "price:        $1.25 in, $10 out, $0.125 cache read per million tokens  [genai-prices ",
    ):
        assert f"\n{line}" in f"\n{said}"


def test_a_bare_name_means_the_model_of_its_maker(aix: Aix, library: Path) -> None:
    configure(library, roles={"mine": "anthropic:claude-haiku-4-5"})
    said = json.loads(aix("model", "info", "Claude-Haiku-4-5", "--json").stdout)
    assert (said["provider"], said["id"], said["efforts"]) == (
        "anthropic",
        "claude-haiku-4-5",
        ["low", "medium", "high"],
    )
    assert said["prices"][0] | {"date": ""} == {
        "input": "1",
        "output": "5",
        "cache_read": "0.1",
        "cache_write": "1.25",
        "reasoning": None,
        "tiers": [],
        "source": "genai-prices 0.2.3",
        "date": "",
    }
    assert said["said"][-1]["sources"]["context"].startswith("seed")
    assert "mine" in said["roles"]


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("openai:gpt5.5", "did you mean openai:gpt-5.5"),
        ("zzzz", "aix model list shows all; aix model refresh asks anew"),
    ],
)
def test_an_unknown_model_has_near_matches(model: str, hint: str, aix: Aix) -> None:
    done = aix("model", "info", model)
    assert done.status == 5
    assert hint in done.stderr


def test_a_model_with_its_provider_is_added_edited_and_removed(aix: Aix, library: Path) -> None:
    place = ["--id", "my-custom-model", "--provider", "custom", "--base-url", "http://192.168.1.50:8000/v1"]
    done = aix("model", "add", *place, "--input-price", "0", "--output-price", "0")
    assert (done.status, done.stdout) == (0, "")
    assert "192.168.1.50 is in a network of your own, so plain http to it is allowed" in done.stderr
    saved = json.loads((library / "config.json").read_text())
    assert saved["custom_providers"]["192-168-1-50"] == {
        "base_url": "http://192.168.1.50:8000/v1",
        "default_model": "my-custom-model",
        "allow_http": True,
    }
    more = ["--context", "32768", "--capability", "vision,tools", "--alias", "mine"]
    assert aix("model", "add", "--id", "my-custom-model", "--provider", "192-168-1-50", *more).status == 0
    listed = rows(aix("model", "list", "--provider", "192-168-1-50").stdout)
    assert listed == {"192-168-1-50:my-custom-model": ["32768", "0", "0", "vision,tools"]}
    assert "model:        192-168-1-50:my-custom-model\n" in aix("model", "info", "mine").stdout
    assert aix("model", "remove", "my-custom-model").status == 0
    again = aix("model", "remove", "my-custom-model")
    assert (again.status, "you have no model 'my-custom-model' of your own" in again.stderr) == (5, True)


def test_models_of_one_name_at_two_providers_are_two(aix: Aix) -> None:
    for provider, price in (("openai", "1"), ("azure", "2")):
        assert aix("model", "add", "--id", "gpt-5.5", "--provider", provider, "--input-price", price).status == 0
    listed = rows(aix("model", "list", "--source", "config.json").stdout)
    assert {name: cells[1] for name, cells in listed.items()} == {
        "openai:gpt-5.5": "unpriced",
        "azure:gpt-5.5": "unpriced",
    }
    assert rows(aix("model", "list", "--provider", "azure", "gpt-5.5").stdout)["azure:gpt-5.5"][1] == "2"
    ambiguous = aix("model", "remove", "gpt-5.5")
    assert (ambiguous.status, "name its provider: " in ambiguous.stderr) in ((2, True), (0, False))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--provider", "openai", "--input-price=-1"], "--input-price must be dollars per million tokens"),
        (["--provider", "openai", "--output-price", "much"], "--output-price must be dollars per million tokens"),
        (["--provider", "openai", "--input-price", "nan"], "--input-price must be dollars per million tokens"),
        (["--provider", "openai", "--input-price", "1e30"], "--input-price must be dollars per million tokens"),
        (["--provider", "openai", "--context", "0"], "--context must be a whole number above 0"),
        (["--provider", "openai", "--capability", "sight"], "--capability must be some of vision, pdf"),
        (["--provider", "custom"], "--provider custom stands for a new one, which needs an address"),
        (["--provider", "box", "--base-url", "box:8000"], "--base-url must begin with https:// or http://"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_figure_is_named(flags: list[str], said: str, aix: Aix, library: Path) -> None:
    done = aix("model", "add", "--id", "m", *flags)
    assert (done.status, f"aix: error: {said}" in done.stderr) == (2, True), done.stderr
    assert not (library / "config.json").exists()


def test_a_price_ceiling_must_be_a_price(aix: Aix) -> None:
    assert aix("model", "list", "--max-price", "cheap").status == 2


def test_the_providers_themselves_are_asked(aix: Aix, library: Path) -> None:
    with serving(library, models={"tiny": {"provider": "box", "input_price": 1, "output_price": 2}}):
        done = aix("model", "list", "--live", "--provider", "box")
        assert rows(done.stdout) == {"box:big": ["", "unpriced", "", "(new)"], "box:tiny": ["", "1", "2", ""]}
        assert "1 of them is not in the catalogue" in done.stderr


def test_a_key_that_cannot_be_had_keeps_nobody_else_from_being_asked(aix: Aix, library: Path) -> None:
    with serving(library) as model:
        providers = {"box": {"base_url": f"http://127.0.0.1:{model.port}/v1"}, "gw": {**GATEWAY}}
        (library / "config.json").write_text(json.dumps({"custom_providers": providers}))
        done = aix("model", "list", "--live", "--usable", "--json")
        assert (done.status, {row["id"] for row in json.loads(done.stdout)}) == (0, {"tiny", "big"})
        assert "gw: api_key_command of gw failed with status 3" in done.stderr


def test_models_are_tried_with_a_few_words(aix: Aix, library: Path) -> None:
    with serving(library) as model:
        done = aix("model", "test", "box:tiny", "openai:gpt-5.5", "box:big")
        listed = rows(done.stdout)
        assert (done.status, listed["box:tiny"][0], listed["openai:gpt-5.5"][0]) == (4, "ok", "failed")
        assert (listed["box:big"][2], listed["box:big"][3]) == ("11 in, 7 out", "Good day.")
        assert [asked["model"] for asked in model.asked] == ["tiny", "big"]
        model.error = (404, "no such model")
        assert json.loads(aix("model", "test", "--json").stdout)[0]["error"]["name"] == "NOT_FOUND"


def test_with_nobody_to_ask_that_is_said_once(aix: Aix) -> None:
    done = aix("model", "test")
    first, *hints = done.stderr.splitlines()
    assert (done.stdout, first, done.status) == ("", "aix: error: No API key found", 4)
    assert hints == [
        "  hint: aix init sets up a provider",
        "  hint: or name a model: aix model test PROVIDER:MODEL",
    ]


GATEWAY = {"base_url": "https://gw.example/v1", "api_key_command": "exit 3"}
OPENROUTER = {"data": [{"id": "acme/new", "context_length": 5, "pricing": {"prompt": "0.000001", "completion": "0"}}]}
MODELS_DEV = {"openai": {"models": {"new": {"cost": {"input": 3, "output": 4}, "modalities": {"output": ["text"]}}}}}


@contextmanager
def published(pages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The variables by which both sources are a server here; a page that is a text is sent as it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages[self.path]
            self.send_response(200)
            self.end_headers()
            self.wfile.write((page if isinstance(page, str) else json.dumps(page)).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    place = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield {"AIX_OPENROUTER_MODELS_URL": f"{place}/openrouter", "AIX_MODELS_DEV_URL": f"{place}/models.dev"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_published_is_fetched_and_kept(aix: Aix, home: Path) -> None:
    pages: dict[str, Any] = {"/openrouter": OPENROUTER, "/models.dev": MODELS_DEV}
    with published(pages) as env:
        done = aix("model", "refresh", env=env)
        assert (done.status, [line.split(",")[0] for line in done.stdout.splitlines()]) == (
            0,
            ["openrouter: 1 model", "models.dev: 1 model"],
        )
        listed = rows(aix("model", "list", "new").stdout)
        assert listed["openrouter:acme/new"] == ["5", "1", "0", ""]
        assert listed["openai:new"] == ["", "3", "4", ""]
        kept = home / ".cache" / "aix" / "catalogue"
        assert (kept.stat().st_mode & 0o777, (kept / "openrouter.json").stat().st_mode & 0o777) == (0o700, 0o600)

        pages["/openrouter"] = "<!DOCTYPE html><p>Down for maintenance"
        half = aix("model", "refresh", env=env)
        assert (half.status, half.stdout.count("\n")) == (0, 1)
        assert "openrouter answered with a web page instead of its models; 1 model of 20" in half.stderr
        pages["/models.dev"] = "[]"
        none = aix("model", "refresh", env=env)
        assert (none.status, none.stdout) == (9, "")
        assert "aix: error: openrouter answered with a web page instead of its models" in none.stderr
    offline = aix("model", "refresh", "--json", env=env)
    assert offline.status == 7
    assert [row["models"] for row in json.loads(offline.stdout)] == [1, 1]
    assert "openrouter:acme/new" in rows(aix("model", "list", "acme/new").stdout)
