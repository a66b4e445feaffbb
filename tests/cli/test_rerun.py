"""`aix rerun`: the same messages once more, with other flags, and the hint that leads there after a failure."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix, Result
from stage import Model, Terminal, configure, serving, shell, write

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
SCHEMA = {"type": "object", "required": ["bugs"], "properties": {"bugs": {"type": "array"}}}
WITH_OPTIONS = "---\noptions: {temperature: 0.25, stop: [END], max_tokens: 90}\n---\nSay {{ it }}."
PAID = "aix: error: box wants to be paid before it answers\n  cause: pay\n"


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as model:
        write(library, "say", "Say {{ it }}.")
        write(library, "tuned", WITH_OPTIONS)
        yield model


@pytest.fixture
def spare(library: Path, model: Model) -> Iterator[Model]:
    """A second provider, which has a key."""
    with serving(library) as spare:
        spare.text = ("I am the spare one.",)
        together(library, model, spare.provider)
        yield spare


def together(library: Path, model: Model, spare: Mapping[str, Any]) -> None:
    rows = {"box": model.provider, "spare": spare}
    configure(library, default_provider="box", custom_providers=rows, api_keys={"spare": "sk-spare-0123456789"})


def logged(aix: Aix, run: str = "last") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aix("log", "show", run, "--json").stdout)
    return found


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_the_same_is_asked_again_and_kept_as_a_run_of_the_same_prompt(aix: Aix, model: Model, library: Path) -> None:
    aix("run", "say", "--it", "hello", "--system", "Be brief.", "-x")
    write(library, "say", "The prompt is another now.")
    model.text = ("Good night.",)
    assert aix("rerun") == Result("Good night.", "", 0)
    first, second = model.asked
    assert first == second
    old, new = logged(aix, "1"), logged(aix, "2")
    for name in ("prompt", "arguments", "messages", "asked", "options"):
        assert old[name] == new[name]
    assert (old["arguments"], new["text"]) == ({"it": "hello"}, "Good night.")


FLAGS: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
    ("another model", [], ["-m", "big"], {"model": "big"}),
    ("another model of a named provider", [], ["--provider", "box", "-m", "big"], {"model": "big"}),
    ("the model of before, not of today's settings", ["-m", "big"], [], {}),
    ("an option that it did not have", [], ["--seed", "7"], {"seed": 7}),
    ("an option that it had", ["--temperature", "1", "--stop", "A", "--stop", "B"], [], {}),
    ("a flag over an option", ["--temperature", "1"], ["--temperature", "0.5"], {"temperature": 0.5}),
    ("in one piece", [], ["--no-stream"], {"stream": False, "stream_options": None}),
]


@pytest.mark.parametrize(("before", "flags", "other"), [row[1:] for row in FLAGS], ids=[row[0] for row in FLAGS])
def test_a_flag_changes_what_it_says_and_nothing_else(
    before: list[str], flags: list[str], other: dict[str, Any], aix: Aix, model: Model
) -> None:
    aix("run", "tuned", "--it", "hello", "-x", *before)
    assert aix("rerun", "last", *flags).status == 0
    first, second = model.asked
    assert without(first, *other) == without(second, *other)
    assert {name: second.get(name) for name in other} == other


def test_a_rerun_of_a_rerun_has_the_flags_of_both(aix: Aix, model: Model) -> None:
    aix("run", "say", "--it", "hello", "-x", "--seed", "7")
    aix("rerun", "last", "--temperature", "0.5", "-m", "big")
    aix("rerun", "last", "--top-p", "0.5")
    assert without(model.asked[2], "top_p") == model.asked[1]
    aix("rerun", "1")
    assert model.asked[3] == model.asked[0]


def test_what_was_attached_is_sent_again_though_the_file_is_gone(aix: Aix, model: Model, home: Path) -> None:
    (home / "shot.png").write_bytes(PNG)
    aix("run", "say", "--it", "hello", "-a", "shot.png", "-x")
    (home / "shot.png").unlink()
    assert aix("rerun").status == 0
    first, second = model.asked
    assert first == second
    assert first["messages"][0]["content"][1]["type"] == "image_url"


def test_the_answer_must_be_what_it_had_to_be(aix: Aix, model: Model) -> None:
    model.turns = ['{"bugs": [1]}', "{}", '{"bugs": []}', "```json\n[1]\n```"]
    aix("run", "say", "--it", "x", "-x", "--schema", json.dumps(SCHEMA), "--fail-if", "data.bugs | length > 1")
    again = aix("rerun")
    assert (again.stdout, again.status) == ('{"bugs": []}', 0)
    assert "asking once more" in again.stderr
    assert model.asked[0] == model.asked[1]
    assert aix("rerun", "--schema", '{"type": "array"}', "--fail-if", "data[0] == 1").status == 15


def test_the_part_that_was_wanted_is_wanted_again(aix: Aix, model: Model) -> None:
    model.text = ("Run:\n```sh\nls\n```\n",)
    aix("run", "say", "--it", "x", "-x", "--extract", "code")
    assert aix("rerun").stdout == "ls\n"
    model.text = ('{"bugs": []}',)
    assert aix("rerun", "--schema", json.dumps(SCHEMA)).status == 0


# --- how it is shown --------------------------------------------------------------------------------------------------


def test_it_is_shown_as_a_run_is(aix: Aix, model: Model, home: Path) -> None:
    aix("run", "say", "--it", "hello", "-x")
    assert aix("rerun", "-o", "out.md") == Result("", "", 0)
    assert (home / "out.md").read_text() == "Good day."
    shown = json.loads(aix("rerun", "1", "--json", "-m", "big").stdout)
    assert (shown["run"], shown["executed"], shown["prompt"]["name"], shown["text"]) == (3, True, "say", "Good day.")
    assert (shown["provider"], shown["model"]) == ("box", "tiny-1")
    model.error = (402, "pay")
    failed = json.loads(aix("rerun", "--json").stdout)
    assert (failed["run"], failed["error"]["hint"].splitlines()[-1]) == (4, "aix rerun last")


def test_nothing_is_sent_by_looking(aix: Aix, model: Model) -> None:
    aix("run", "say", "--it", "hello", "-x")
    dry = aix("rerun", "-n", "--max-tokens", "5")
    assert dry.stdout == "Say hello."
    assert dry.stderr == (
        f"aix: would ask box:tiny at http://127.0.0.1:{model.port}/v1\n"
        "aix: about 3 tokens in (estimated), at most 5 out; unpriced\n"
        "aix: not sent; leave out --dry-run to send\n"
    )
    request = aix("rerun", "--show-request", "--json")
    assert json.loads(request.stdout)["request"]["body"] == model.asked[0]
    assert request.stderr == "aix: not sent; leave out --show-request to send\n"
    assert len(model.asked) == 1
    assert logged(aix)["run"] == 1


# --- what cannot be sent again ----------------------------------------------------------------------------------------


def gone(why: str, anew: str = "aix run say -x", run: int = 1) -> Result:
    return Result("", f"aix: error: run {run} cannot be sent again: {why}\n  hint: {anew}\n", 5)


DROPPED = "what it sent was not kept, or is dropped by now"


def test_without_its_texts_a_run_cannot_be_sent_again(aix: Aix, model: Model, library: Path) -> None:
    aix("run", "say", "--it", "hello", "-x", env={"CI": "1"})
    assert aix("rerun") == gone(DROPPED)
    aix("run", "-", "-x", stdin="Say hello.", env={"AIX_LOG": "figures"})
    assert aix("rerun") == gone(DROPPED, "COMMAND | aix run - -x", 2)
    aix("run", str(library / "say.md"), "--it", "hello", "-x")
    assert aix("rerun").status == 0
    aix("log", "prune", "--yes", "--before", "0m")
    assert aix("rerun", "3") == gone(DROPPED, "aix run FILE -x", 3)
    assert len(model.asked) == 4


def test_what_was_too_large_to_keep_is_named(aix: Aix, model: Model, home: Path) -> None:
    (home / "large.png").write_bytes(PNG + bytes(5 * 1024 * 1024))
    model.error = (402, "pay")
    aix("run", "say", "--it", "hello", "-a", "large.png", "-x")
    assert aix("rerun") == gone("large.png was too large to be kept")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "no run is in the log yet"), (["7"], "there is no run 7 in the log"), (["x"], "there is no run 'x' in")],
)
def test_a_run_that_is_not_there_is_not_found(arguments: list[str], said: str, aix: Aix) -> None:
    done = aix("rerun", *arguments)
    assert (done.stdout, done.status) == ("", 5)
    assert done.stderr.startswith(f"aix: error: {said}")


def test_nobody_else_is_asked_where_the_provider_is_gone(aix: Aix, model: Model, spare: Model, library: Path) -> None:
    aix("run", "say", "--it", "hello", "-x")
    configure(library, default_provider="spare", custom_providers={"spare": spare.provider})
    assert aix("rerun").status == 5
    assert spare.asked == []
    assert aix("rerun", "--provider", "spare").stdout == "I am the spare one."


# --- after a failure --------------------------------------------------------------------------------------------------


def test_after_a_limit_the_command_that_is_proposed_asks_another(aix: Aix, model: Model, spare: Model) -> None:
    model.error = (429, "slow down")
    limited = aix("run", "say", "--it", "hello", "-x", "--timeout", "20")
    assert limited == Result(
        "",
        "aix: error: box is limiting requests\n"
        "  cause: slow down\n"
        "  hint: wait a little\n"
        "  hint: aix rerun last --fallback spare\n",
        8,
    )
    again = aix("rerun", "last", "--fallback", "spare")
    assert (again.stdout, again.status) == ("I am the spare one.", 0)
    assert again.stderr.count("\n") == 1
    assert again.stderr.endswith("; asking spare:tiny instead\n")
    assert spare.asked == [model.asked[0]]
    assert aix("rerun").stdout == "I am the spare one."


FAILURES: list[tuple[str, dict[str, Any], list[str], int]] = [
    ("a quota that is spent", {"error": (402, "pay")}, [], 8),
    ("a failure of the server", {"error": (500, "oh")}, [], 9),
    ("a time-out", {"text": ()}, ["--timeout", "0.4"], 10),
]


@pytest.mark.parametrize(("how", "flags", "status"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_the_last_hint_is_a_command_that_works(
    how: dict[str, Any], flags: list[str], status: int, aix: Aix, model: Model, spare: Model
) -> None:
    for name, value in how.items():
        setattr(model, name, value)
    if "text" in how:
        model.go_on.clear()
    failed = aix("run", "say", "--it", "hello", "-x", *flags)
    hint = failed.stderr.splitlines()[-1].removeprefix("  hint: aix ")
    assert (failed.status, shlex.split(hint)[:2]) == (status, ["rerun", "last"])
    assert ("--timeout 1.2" in hint) == bool(flags)
    done = aix(*shlex.split(hint))
    assert (done.stdout, done.status) == ("I am the spare one.", 0)


def test_a_cap_on_the_cost_is_kept_and_can_be_lifted(aix: Aix, model: Model, library: Path) -> None:
    prices = {"provider": "box", "input_price": 1000, "output_price": 1000}
    configure(library, default_provider="box", custom_providers={"box": model.provider}, models={"tiny": prices})
    assert aix("run", "say", "--it", "hello", "-x", "--max-tokens", "5", "--max-cost", "0.01").status == 0
    refused = aix("rerun", "--max-tokens", "50")
    assert (refused.status, "the cap is $0.01" in refused.stderr) == (11, True)
    assert aix("rerun", "last", "--max-tokens", "50", "--max-cost", "5").status == 0
    assert [body["max_tokens"] for body in model.asked] == [5, 50]


def test_a_trial_is_done_again_by_its_own_command(aix: Aix, model: Model) -> None:
    aix("model", "test", "box:tiny")
    assert aix("rerun") == gone(DROPPED, "aix model test box:tiny")


HINTS: list[tuple[str, list[str], dict[str, str], str]] = [
    ("kept", [], {}, "  hint: aix rerun last --fallback spare\n"),
    ("not logged", ["--no-log"], {}, ", or ask another: --provider NAME\n"),
    ("figures only", [], {"AIX_LOG": "figures"}, ", or ask another: --provider NAME\n"),
    ("too large", ["-a", "large.png"], {}, ", or ask another: --provider NAME\n"),
]


@pytest.mark.parametrize(("flags", "env", "end"), [row[1:] for row in HINTS], ids=[row[0] for row in HINTS])
def test_the_proposal_is_made_where_it_can_be_followed(
    flags: list[str], env: dict[str, str], end: str, aix: Aix, model: Model, spare: Model, home: Path
) -> None:
    (home / "large.png").write_bytes(PNG + bytes(5 * 1024 * 1024))
    model.error = (402, "pay")
    done = aix("run", "say", "--it", "hello", "-x", *flags, env=env)
    assert done.stderr.startswith(f"{PAID}  hint: add credit: ")
    assert done.stderr.endswith(end)


def test_a_model_of_this_machine_is_not_followed_by_one_elsewhere(aix: Aix, model: Model, library: Path) -> None:
    together(library, model, {"base_url": "https://spare.example/v1", "default_model": "tiny"})
    model.error = (402, "pay")
    assert aix("run", "say", "--it", "hello", "-x").stderr.endswith("\n  hint: aix rerun last\n")


def test_nobody_is_proposed_or_spoken_of_who_is_denied(aix: Aix, model: Model, spare: Model, library: Path) -> None:
    rows = {"box": model.provider, "spare": spare.provider}
    keys = {"spare": "sk-spare-0123456789"}
    configure(library, default_provider="box", custom_providers=rows, api_keys=keys, deny=["spare"])
    model.error = (402, "pay")
    said = aix("run", "say", "--it", "hello", "-x").stderr
    assert (said.startswith(PAID), said.endswith("\n  hint: aix rerun last\n")) == (True, True)
    told = "aix: warning: no fallback to spare: deny in config.json rules it out\n"
    assert aix("run", "say", "--it", "hello", "-x", "--fallback", "spare").stderr.startswith(told + PAID)


@pytest.mark.parametrize("authority", ["/no/such.pem", ""], ids=["none that can be read", "none that is trusted"])
def test_without_trust_nothing_is_sent_or_counted(authority: str, aix: Aix, model: Model, library: Path) -> None:
    secure = {**model.provider, "base_url": f"https://127.0.0.1:{model.port}/v1"}
    configure(library, default_provider="box", custom_providers={"box": secure})
    done = aix("run", "say", "--it", "hello", "-x", env={"SSL_CERT_FILE": authority})
    assert (done.status, "aix rerun" in done.stderr) == (7, not authority)
    found = logged(aix)
    assert [one["sent"] for one in found["attempts"]] == [False]
    assert (found["usage"]["input_tokens"], found["cost"]) == (0, "0")


def test_what_no_second_time_would_mend_proposes_none(aix: Aix, model: Model, spare: Model) -> None:
    model.error = (400, "no")
    assert aix("run", "say", "--it", "hello", "-x").stderr == (
        "aix: error: box rejects the request (HTTP 400)\n  cause: no\n"
    )


# --- who is asked next ------------------------------------------------------------------------------------------------


def test_a_dry_run_names_who_comes_next_in_order(aix: Aix, model: Model, spare: Model) -> None:
    flags = ("--fallback", "spare", "--fallback", "box:big")
    told = aix("run", "say", "--it", "hello", "-n", *flags).stderr
    assert "\naix: then, if that fails: spare:tiny, then box:big\n" in told
    aix("run", "say", "--it", "hello", "-x", *flags)
    assert aix("rerun", "-n").stderr.splitlines()[:-1] == told.splitlines()[:-1]
    assert "if that fails: spare:tiny\n" in aix("rerun", "-n", "--fallback", "spare").stderr
    assert "if that fails" not in aix("rerun", "-n", "--no-fallback").stderr
    assert "if that fails" not in aix("rerun", "-n", "-m", "box:big").stderr


def test_each_who_is_waited_for_is_named_and_a_switch_is_one_line(aix: Aix, model: Model, spare: Model) -> None:
    model.error = (402, "pay")
    terminal = Terminal("run", "say", "--it", "hello", "-x", "--fallback", "spare", "--raw")
    assert terminal.end() == 0
    assert terminal.raw.index(b"waiting for box:tiny") < terminal.raw.index(b"waiting for spare:tiny")
    switch, answer, usage, *_ = terminal.screen.splitlines()  # the usage goes on in a line of its own where it is long
    assert switch == "aix: warning: box wants to be paid before it answers; asking spare:tiny instead"
    assert answer == "I am the spare one."
    assert usage.startswith("aix: spare:tiny-1 ")
    assert terminal.screen.count("instead of") == 1


# --- every run is in the log ------------------------------------------------------------------------------------------


ENDS: list[tuple[str, str, int, str | None]] = [
    ("a condition that is true", "--fail-if true", 15, "CHECK"),
    ("no end mark", "", 3, "INCOMPLETE"),
    ("a file that cannot be written", "-o /dev/full", 13, "STORAGE"),
    ("a closed pipe", "| true", 0, "INTERRUPTED"),
]


@pytest.mark.parametrize(("rest", "status", "error"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_however_it_ends_it_is_in_the_log(rest: str, status: int, error: str, aix: Aix, model: Model) -> None:
    model.finish = None if error == "INCOMPLETE" else "stop"
    model.text = ("Good day.\n",) * 20_000 if "|" in rest else model.text
    done = shell(f'"$AIX" run say --it hello -x {rest}')
    assert (done.status, "Traceback" in done.stderr) == (status, False)
    found = logged(aix)
    assert (found["run"], found["error"]["name"]) == (1, error)
    assert found["text"].startswith("Good day.")


def test_what_was_stopped_is_in_the_log_as_far_as_it_came(aix: Aix, model: Model) -> None:
    model.go_on.clear()
    terminal = Terminal("run", "say", "--it", "hello", "-x", "--raw")
    terminal.wait_for("Good day.")
    terminal.press_control_c()
    assert terminal.end() == -2
    assert (logged(aix)["error"]["name"], logged(aix)["text"]) == ("INTERRUPTED", "Good day.")
    model.go_on.set()
    assert aix("rerun").stdout == "Good day."
