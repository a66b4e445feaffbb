"""`aix route` through the real command: who is asked, in which order, and why; and what a failure leaves behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from stage import Model, Terminal, configure, serving, write

MODELS = {
    "near:big": {"context": 100_000, "input_price": 1, "output_price": 2},
    "far:big": {"context": 1_000_000, "input_price": 0.5, "output_price": 9},
    "far:small": {"context": 8_000, "input_price": 0.1, "output_price": 0.2, "capabilities": ["tools"]},
}
PROVIDERS = {
    "near": {"base_url": "https://near.example/v1", "default_model": "big"},
    "far": {"base_url": "https://far.example/v1", "default_model": "big"},
}
ROLES = {
    "judge": {"models": ["near:big", "far:big", "far:small"], "strategy": "cheapest", "context": 50_000},
    "dear": {"models": ["near:big", "far:big"], "max_output_price": 1},
}


@pytest.fixture(autouse=True)
def config(library: Path) -> None:
    configure(library, default_provider="near", custom_providers=PROVIDERS, models=MODELS, roles=ROLES)
    write(library, "review", "---\nmodel: judge\n---\nReview it.")
    write(library, "long", "---\nmodel: far:small\nfallback: [near:big]\n---\n" + "word " * 20_000)
    write(library, "judge", "---\nmodel: far:small\n---\nJudge.")


def asked(aix: Aix, *arguments: str) -> list[str]:
    """Who is asked, in order."""
    done = aix("route", *arguments)
    assert (done.stderr, done.status) == ("", 0)
    return [line.split("\t")[1] for line in done.stdout.splitlines()]


WORDS: list[tuple[tuple[str, ...], str]] = [
    ((), "near:big"),
    (("far",), "far:big"),
    (("far:other",), "far:other"),
    (("far/other",), "far:other"),
    (("custom:far/other",), "far:other"),
    (("review",), "near:big far:big"),
    (("./review.md",), "near:big far:big"),
    (("judge",), "far:small"),
    (("--model", "judge"), "near:big far:big"),
    (("review", "--model", "far:small"), "far:small"),
    (("review", "--provider", "far"), "far:big"),
    (("--provider", "far"), "far:big"),
    (("far:small", "--fallback", "near"), "far:small near:big"),
    (("far:small", "--no-fallback"), "far:small"),
    (("review", "--no-fallback"), "near:big"),
]


@pytest.mark.parametrize(("arguments", "names"), WORDS, ids=str)
def test_a_word_means_a_prompt_or_else_a_model(
    arguments: tuple[str, ...], names: str, aix: Aix, library: Path, home: Path
) -> None:
    (home / "review.md").write_bytes((library / "review.md").read_bytes())
    assert asked(aix, *arguments) == names.split()


def test_in_a_pipe_each_who_is_asked_is_a_line(aix: Aix) -> None:
    assert aix("route", "review", "--fallback", "far:new").stdout == (
        "1\tnear:big\t1\t2\t100000\tready\tnear is named\n"
        "2\tfar:big\t0.5\t9\t1000000\tready\tfar is named\n"
        "3\tfar:new\tunpriced\t\t\tready\tfar is named\n"
    )


def test_as_json_it_is_one_object(aix: Aix) -> None:
    done = aix("route", "review", "--json")
    found = json.loads(done.stdout)
    first, _ = found.pop("asked")
    assert first == {
        "provider": "near",
        "model": "big",
        "input_price": "1",
        "output_price": "2",
        "context": 100_000,
        "health": "ready",
        "rests": None,
        "why": "near is named",
        "note": None,
    }
    assert found == {
        "version": 1,
        "ok": True,
        "error": None,
        "strategy": "cheapest",
        "out": [{"name": "far:small", "why": "it holds 8000 tokens, and 50000 are wanted"}],
        "steps": [
            "the prompt's model judge: roles.judge names near:big, far:big, far:small, cheapest",
            "the cheapest for this request comes first: near:big (about $0.004), far:big (about $0.018)",
        ],
    }


def test_a_prompt_that_is_too_long_goes_to_a_larger_model_and_a_run_says_so(aix: Aix) -> None:
    assert asked(aix, "long") == ["near:big"]
    note = "far:small is passed over, as it holds 8000 tokens, and this is about 25000; asking near:big instead"
    (row,) = json.loads(aix("route", "long", "--json").stdout)["asked"]
    assert row["note"] == note
    assert f"aix: warning: {note}\n" in aix("run", "long", "-n").stderr


FAILURES: list[tuple[tuple[str, ...], dict[str, Any], int, str, list[str]]] = [
    (("groq:m",), {}, 4, "No API key found for groq", ["groq:m"]),
    (("nonsense",), {}, 5, "there is no prompt 'nonsense'", []),
    (("./none.md",), {}, 5, "there is no file", []),
    (("--model", "nobody:m", "--provider", "nobody"), {}, 5, "there is no provider 'nobody'", []),
    (("--model", "dear"), {}, 5, "no model that may be asked has what the role wants", []),
    (("far:big",), {"deny": ["far"]}, 11, "far:big is not asked: deny in config.json rules it out", []),
    (("far:big", "--model", "near:big"), {}, 2, "'far:big' and --model near:big both name a model", []),
    (("--model", ""), {}, 2, "--model is empty", []),
    (("--fallback", "far", "--fallback", " "), {}, 2, "--fallback is empty", []),
    (("--fallback", "far", "--no-fallback"), {}, 2, "--fallback and --no-fallback contradict each other", []),
]


@pytest.mark.parametrize(("arguments", "settings", "status", "said", "names"), FAILURES, ids=str)
def test_where_a_run_would_fail_it_says_what_it_can_and_ends_with_that_status(
    arguments: tuple[str, ...],
    settings: dict[str, Any],
    status: int,
    said: str,
    names: list[str],
    aix: Aix,
    library: Path,
) -> None:
    configure(library, default_provider="near", custom_providers=PROVIDERS, models=MODELS, roles=ROLES, **settings)
    plain, as_json = aix("route", *arguments), aix("route", *arguments, "--json")
    assert (plain.status, as_json.status) == (status, status)
    assert plain.stderr.startswith(f"aix: error: {said}")
    assert as_json.stderr == plain.stderr
    found = json.loads(as_json.stdout)
    assert (found["ok"], found["error"]["code"]) == (False, status)
    assert [f"{row['provider']}:{row['model']}" for row in found.get("asked", [])] == names
    assert [line.split("\t")[1] for line in plain.stdout.splitlines()] == names


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_it_fits_and_says_all(columns: int) -> None:
    terminal = Terminal("route", "review", "--fallback", "groq:m", columns=columns)
    assert terminal.end() == 0
    lines = terminal.screen.splitlines()
    said = " ".join(" ".join(lines).split())
    assert all(len(line) <= columns for line in lines)
    for text in ("1 near:big", "2 far:big", "not asked:", "groq:m: no key", "far:small: it holds 8000 tokens, and"):
        assert text in said
    assert "how it came to this: - the prompt's model judge: roles.judge names near:big, far:big," in said
    assert ("health" in said) == (columns > 40)


@pytest.fixture
def box(library: Path) -> Iterator[Model]:
    """Two providers on one server, of which `role` asks one after the other."""
    with serving(library) as model:
        providers = {"box": model.provider, "spare": model.provider}
        configure(library, custom_providers=providers, roles={"two": ["box:tiny", "spare:tiny"], "racing": RACING})
        yield model


RACING = {"models": ["box:tiny", "spare:tiny"], "strategy": "fastest"}


def rest(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / ".local/state/aix/cooldown.json").read_bytes())
    return found


def test_who_failed_is_asked_last_for_a_while_until_it_answers(aix: Aix, box: Model, library: Path, home: Path) -> None:
    write(library, "p", "Hi")
    box.turns = [(401, "wrong key"), "Good day.", *[(503, "busy")] * 3, "Good day.", "Good day."]
    assert "asking spare:tiny instead" in aix("run", "p", "-m", "two", "-x").stderr
    assert not (home / ".local/state/aix/cooldown.json").exists(), "a key may be mended by the next run"
    first = aix("run", "p", "-m", "two", "-x")
    assert (first.stdout, first.status) == ("Good day.", 0)
    assert "asking spare:tiny instead" in first.stderr

    second = aix("run", "p", "-m", "two", "-x", "--json")
    assert json.loads(second.stdout)["provider"] == "spare"
    assert second.stderr.startswith("aix: warning: box rests for ")
    assert second.stderr.endswith(" s more after HTTP 503; asking spare:tiny instead\n")
    assert len(box.asked) == 7

    assert asked(aix, "two") == ["spare:tiny", "box:tiny"]
    assert asked(aix, "--model", "two", "--no-fallback") == ["box:tiny"]
    _, resting = json.loads(aix("route", "two", "--json").stdout)["asked"]
    assert resting["health"] == f"rests {resting['rests']['seconds']} s"
    assert resting["rests"]["after"] == "HTTP 503"
    assert len(box.asked) == 7

    box.turns = ["Good day."]
    assert aix("run", "p", "-m", "box:tiny", "-x").stderr == ""
    assert (rest(home), asked(aix, "two")) == ({}, ["box:tiny", "spare:tiny"])


def test_a_failure_after_which_nobody_else_is_asked_leaves_nobody_resting(
    aix: Aix, box: Model, library: Path, home: Path
) -> None:
    write(library, "p", "Hi")
    aix("config", "fallback.on", "5xx")
    box.turns = [(429, "Please try again in 20 minutes.")]
    assert aix("run", "p", "-m", "two", "-x").status == 8
    assert not (home / ".local/state/aix/cooldown.json").exists()


def test_the_fastest_is_who_was_fastest_here(aix: Aix, box: Model, library: Path) -> None:
    write(library, "p", "Hi")
    assert asked(aix, "racing") == ["box:tiny", "spare:tiny"]
    assert aix("run", "p", "-m", "spare:tiny", "-x").status == 0
    assert asked(aix, "racing") == ["spare:tiny", "box:tiny"]
    assert len(box.asked) == 1
