"""`limits` and `--max-cost` through the real command: what is sent, what is not, and what is said."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from stage import Model, configure, serving, shell, write

PRICES = {"input_price": 2, "output_price": 10, "max_output": 100_000}
PRICED = {"box:tiny": PRICES}
RUN = ("run", "ask", "-x")
LOG = ".local/share/aix/runs.db"
CALLS = [{"per": "day", "calls": 1}]


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    """A priced model, and the prompt `ask`, which is 3 tokens by estimate."""
    write(library, "ask", "Say hello.")
    with serving(library, models=PRICED) as one:
        yield one


def limit(library: Path, model: Model, *entries: dict[str, Any], **more: Any) -> None:
    box = {"default_provider": "box", "custom_providers": {"box": model.provider}, "models": PRICED}
    configure(library, **{**box, "limits": list(entries), **more})


def rows(home: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / LOG)) as base:
        return base.execute("SELECT model, output_tokens, arguments FROM runs ORDER BY id").fetchall()


def test_of_20_that_start_at_once_exactly_10_are_sent(library: Path, model: Model) -> None:
    limit(library, model, {"per": "day", "calls": 10})
    one = '{ "$AIX" run ask -x > /dev/null; echo $?; } &'
    done = shell(" ".join([one] * 20) + " wait")
    assert sorted(map(int, done.stdout.split())) == [0] * 10 + [11] * 10, done.stderr
    assert len(model.asked) == 10


def test_a_limit_warns_and_then_stops_with_what_lifts_it(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, *CALLS)
    first = aix(*RUN)
    assert first.status == 0
    assert first.stderr == "aix: warning: 100 % of the limit of 1 call per day is used, this run included\n"
    second = aix(*RUN, "--json")
    assert (second.status, len(model.asked)) == (11, 1)
    error = json.loads(second.stdout)["error"]
    assert (error["code"], error["reason"]) == (11, "limit")
    assert error["message"] == "this would go beyond the limit of 1 call per day: 1 call used, 1 call more"
    way = next(line for line in error["hint"].splitlines() if line.startswith("to raise it: "))
    assert shell(way.removeprefix("to raise it: aix ").join(['"$AIX" ', ""])).status == 0
    assert aix(*RUN).status == 0


@pytest.mark.parametrize(
    ("flags", "env", "log"),
    [(("--no-log",), {}, "full"), ((), {"AIX_LOG": "off"}, "full"), ((), {}, "off"), ((), {"CI": "1"}, "full")],
    ids=["--no-log", "AIX_LOG=off", "log off", "CI"],
)
def test_where_limits_are_set_figures_are_always_kept(
    aix: Aix, library: Path, home: Path, model: Model, flags: tuple[str, ...], env: dict[str, str], log: str
) -> None:
    limit(library, model, *CALLS, log=log)
    assert aix(*RUN, *flags, env=env).status == 0
    assert aix(*RUN, *flags, env=env).status == 11
    assert rows(home) == [("tiny", 7, None)]


def test_a_log_that_cannot_be_read_stops_what_is_limited(aix: Aix, library: Path, home: Path, model: Model) -> None:
    log = home / LOG
    log.parent.mkdir(parents=True)
    log.write_text("no run log at all, and longer than a header would be " * 10)
    limit(library, model, *CALLS)
    done = aix(*RUN)
    assert (done.status, model.asked) == (13, [])
    assert "aix: error: the run log" in done.stderr
    limit(library, model)
    assert aix(*RUN).status == 0


def test_a_failed_run_that_reached_nobody_uses_nothing_up(aix: Aix, library: Path, model: Model) -> None:
    nobody = {"base_url": "http://127.0.0.1:9/v1", "default_model": "tiny"}
    limit(library, model, *CALLS, custom_providers={"box": nobody})
    assert aix(*RUN, "--timeout", "1").status in (7, 10)
    limit(library, model, *CALLS)
    assert aix(*RUN).status == 0


def test_a_correction_belongs_to_the_call_before_it(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, *CALLS)
    model.turns = ["no JSON", '{"a": 1}']
    done = aix(*RUN, "--schema", '{"type": "object"}')
    assert (done.status, done.stdout, len(model.asked)) == (0, '{"a": 1}', 2)


def test_a_fallback_is_the_same_call(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, *CALLS)
    model.turns = [(403, "no"), "Good day."]
    done = aix(*RUN, "--fallback", "box:big")
    assert (done.status, done.stdout) == (0, "Good day.")


@pytest.mark.parametrize(
    ("scope", "on", "asked"),
    [
        ({"model": "box:tiny"}, None, []),
        ({"model": "box:tiny"}, ["5xx"], []),
        ({"model": "box:tiny"}, ["5xx", "limit"], ["big"]),
        ({"provider": "box"}, ["limit"], []),
        ({}, ["limit"], []),
    ],
    ids=str,
)
def test_a_limit_hands_on_only_where_that_is_set_and_never_to_whom_it_covers_too(
    aix: Aix, library: Path, model: Model, scope: dict[str, str], on: list[str] | None, asked: list[str]
) -> None:
    fallback = {"targets": ["box:big"], **({"on": on} if on else {})}
    limit(library, model, {"per": "day", "calls": 0, **scope}, fallback=fallback)
    done = aix(*RUN)
    assert [request["model"] for request in model.asked] == asked
    assert done.status == (0 if asked else 11)
    beyond = "this would go beyond the limit of 0 calls per day for box:tiny: 0 calls used, 1 call more"
    if asked:
        assert done.stderr == f"aix: warning: {beyond}; asking box:big instead\n"


def test_the_way_to_price_a_model_can_be_typed_as_it_is_said(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, {"per": "day", "cost": 1})
    odd = "it's $HOME; a:free/model"
    done = aix(*RUN, "-m", f"box:{odd}")
    assert (done.status, model.asked) == (11, [])
    way = done.stderr.partition("(0 is free): aix ")[2].splitlines()[0].replace("DOLLARS", "0")
    assert shell(f'"$AIX" {way}').status == 0
    assert aix(*RUN, "-m", f"box:{odd}").status == 0
    assert [request["model"] for request in model.asked] == [odd]


def test_a_model_that_is_free_is_not_cut(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, models={"box:tiny": {"input_price": 0, "output_price": 0}})
    done = aix(*RUN, "--max-cost", "0", "--usage")
    assert (done.status, "max_tokens" in model.asked[0]) == (0, False)
    assert "· $0.00 ·" in done.stderr


def test_the_variable_wins_over_the_setting(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, max_cost=0.01)
    assert aix(*RUN, env={"AIX_MAX_COST": "$0.02"}).status == 0
    assert model.asked[0]["max_tokens"] == 1999
    done = aix(*RUN, env={"AIX_MAX_COST": "0,02"})
    assert (done.status, len(model.asked)) == (2, 1)
    assert done.stderr.startswith("aix: error: AIX_MAX_COST must be an amount of dollars")


@pytest.mark.parametrize("command", [("model", "test"), ("provider", "test", "box", "--send")], ids=" ".join)
def test_to_try_a_model_is_a_call_too(
    aix: Aix, library: Path, home: Path, model: Model, command: tuple[str, ...]
) -> None:
    limit(library, model, *CALLS, {"per": "day", "cost": 1})
    assert aix(*command).status == 0
    assert rows(home) == [("tiny", 7, None)]
    assert aix(*command).status == 11
    assert len(model.asked) == 1


def test_a_project_can_only_tighten(aix: Aix, library: Path, home: Path, model: Model) -> None:
    limit(library, model, {"per": "day", "calls": 2})
    project = home / "work"
    (project / ".git").mkdir(parents=True)
    own = project / ".prompts" / "config.json"
    own.parent.mkdir()
    own.write_text(json.dumps({"limits": [{"per": "day", "calls": 1}]}))
    assert [aix(*RUN, cwd=project).status for _ in range(2)] == [0, 11]
    assert f"hint: it is set in {own}" in aix(*RUN, cwd=project).stderr
    own.write_text(json.dumps({"limits": [{"per": "day", "calls": 100}]}))
    assert [aix(*RUN, cwd=project).status for _ in range(2)] == [0, 11]
    own.write_text(json.dumps({"limits": [{"per": "day"}]}))
    done = aix(*RUN, cwd=project)
    assert (done.status, len(model.asked)) == (12, 2)
    assert f"limits in {own}: entry 1 limits nothing" in done.stderr
    assert done.stderr.endswith(f"\n  hint: mend {own}\n")


@pytest.mark.parametrize(
    ("cap", "flags", "sent"),
    [
        ("2", (), None),
        ("0.01", (), 999),
        ("0.01", ("--max-tokens", "50"), 50),
        ("0.00017", (), 16),
    ],
)
def test_an_answer_is_as_long_as_the_cap_pays_for(
    aix: Aix, model: Model, cap: str, flags: tuple[str, ...], sent: int | None
) -> None:
    done = aix(*RUN, "--max-cost", cap, *flags)
    assert done.status == 0
    assert model.asked[0].get("max_tokens") == sent
    lowered = sent not in (None, 50)
    said = f"aix: warning: an answer by box:tiny is cut at {sent} tokens, as it may cost ${cap} at most\n"
    assert done.stderr == (said if lowered else "")


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (("--max-cost", "0.00016"), "an answer of 16 tokens by box:tiny may cost ~$0.00017", "--max-cost 0.0002"),
        (
            ("--max-cost", "0.01", "--max-tokens", "5000"),
            "an answer of 5000 tokens by box:tiny may cost ~$0.05; the cap is $0.01",
            "hint: --max-tokens 999\n  hint: --max-cost 0.0501\n",
        ),
        (
            ("--max-cost", "1", "-m", "box:big"),
            "box:big is unpriced, so the cap of $1.00 cannot be kept",
            "aix model add --id big --provider box --input-price DOLLARS --output-price DOLLARS",
        ),
    ],
)
@pytest.mark.parametrize("way", ["-x", "-n"])
def test_what_the_cap_does_not_pay_for_is_not_sent(
    aix: Aix, model: Model, flags: tuple[str, ...], message: str, hint: str, way: str
) -> None:
    done = aix("run", "ask", way, *flags)
    assert (done.status, model.asked) == (11, [])
    assert message in done.stderr
    assert hint in done.stderr


def test_the_cap_can_be_a_setting_which_a_flag_replaces(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, max_cost=0.01)
    assert aix(*RUN).status == 0
    assert aix(*RUN, "--max-cost", "0.02").status == 0
    assert [asked["max_tokens"] for asked in model.asked] == [999, 1999]


def test_a_correction_gets_what_is_left_of_the_cap(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, models={"box:tiny": {**PRICES, "output_price": 1000}})
    model.turns = ["no JSON", '{"a": 1}']
    done = aix(*RUN, "--schema", '{"type": "object"}', "--max-cost", "0.05")
    assert done.status == 0
    first, second = (asked["max_tokens"] for asked in model.asked)
    assert first - second in (7, 8)  # the first answer was 7 tokens, beside which what is asked costs next to nothing


def test_a_dearer_fallback_is_checked_anew(aix: Aix, library: Path, model: Model) -> None:
    limit(library, model, models={**PRICED, "box:big": {**PRICES, "output_price": 1000}})
    model.turns = [(403, "no")]
    done = aix(*RUN, "--fallback", "box:big", "--max-cost", "0.01")
    assert (done.status, len(model.asked)) == (11, 1)
    assert "an answer of 16 tokens by box:big may cost ~$0.016; the cap is $0.01" in done.stderr


def test_a_dry_run_says_at_what_the_answer_would_be_cut(aix: Aix, model: Model) -> None:
    done = aix("run", "ask", "-n", "--max-cost", "0.01")
    assert "is cut at 999 tokens" in done.stderr
    assert "at most 999 out" in done.stderr
    assert aix("tokens", "ask", "--max-cost", "0.00001").status == 11
    assert "~$0.01 at most with the answer" in aix("tokens", "ask", "--max-cost", "0.01").stdout


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("5", "they are a list, such as"),
        ('[{"per": "day"}]', "entry 1 limits nothing: it needs cost, calls, tokens, input_tokens or output_tokens"),
        ('[{"cost": 1}]', "entry 1 must have either 'per' or 'rolling'"),
        ('[{"per": "day", "rolling": "1h", "cost": 1}]', "entry 1 must have either 'per' or 'rolling'"),
        ('[{"per": "day", "cost": 1}, {"per": "year", "cost": 1}]', "entry 2 has a 'per' that is not run, hour,"),
        ('[{"rolling": "1y", "cost": 1}]', "entry 1 has a 'rolling' that is not a time such as 30m, 24h or 7d"),
        ('[{"per": "day", "costs": 1}]', "entry 1 has 'costs', which is not a field of a limit (did you mean 'cost'?)"),
        ('[{"per": "day", "cost": -1}]', "entry 1 has a 'cost' that is not an amount of dollars, 0 or above"),
        ('[{"per": "day", "cost": "1"}]', "entry 1 has a 'cost' that is not an amount of dollars, 0 or above"),
        ('[{"per": "day", "cost": NaN}]', "entry 1 has a 'cost' that is not an amount of dollars, 0 or above"),
        ('[{"per": "day", "calls": 1.5}]', "entry 1 has a 'calls' that is not a whole number, 0 or above"),
        ('[{"per": "day", "calls": 1, "model": ""}]', "entry 1 has a 'model' that is not a name"),
        ('["day"]', "entry 1 is not an object"),
    ],
)
def test_limits_that_are_none_are_told_when_set_and_when_read(
    aix: Aix, library: Path, model: Model, value: str, wrong: str
) -> None:
    done = aix("config", "--set", "limits", value)
    assert (done.status, done.stderr.splitlines()[0][: len(wrong) + 20]) == (2, f"aix: error: limits: {wrong}")
    limit(library, model, limits=json.loads(value))
    done = aix(*RUN)
    assert (done.status, model.asked) == (12, [])
    assert f"aix: error: limits in config.json: {wrong}" in done.stderr


def test_a_limit_for_a_provider_that_there_is_not_is_refused(aix: Aix) -> None:
    done = aix("config", "limits", '[{"per": "day", "cost": 1, "provider": "opnai"}]')
    assert done.status == 5
    assert "opnai" in done.stderr


def test_limits_are_set_shown_and_taken_out(aix: Aix) -> None:
    value = '[{"per": "day", "cost": 0.5}]'
    assert aix("config", "--set", f"limits={value}").status == 0
    assert aix("config", "--get", "limits").stdout == f"{value}\n"
    assert aix("config", "--list").stdout == f"limits = {value} (config.json)\n"
    assert aix("config", "--unset", "limits").status == 0
    assert aix("config", "--get", "limits").stderr == "aix: limits is not set\n"
