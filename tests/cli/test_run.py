"""`aix run` through the real command: sending and showing, with the whole of stdout, stderr and status."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, Model, configure, echoed, serving, write

from aix import __version__

ECHO = ("-x", "--provider", "echo")
KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def greet(library: Path) -> Path:
    """The smallest prompt: one message, one value."""
    return write(library, "greet", "Hello {{ name }}!")


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as model:
        yield model


# --- sent or not sent -------------------------------------------------------------------------------------------------

SENT = [
    (["-x"], {}, {}, True),
    (["--execute"], {}, {}, True),
    ([], {}, {}, False),
    ([], {"execute": True}, {}, True),
    ([], {}, {"AIX_EXECUTE": "1"}, True),
    ([], {"execute": True}, {"AIX_EXECUTE": "0"}, False),
    (["--no-execute"], {"execute": True}, {"AIX_EXECUTE": "1"}, False),
    (["-x"], {"execute": False}, {"AIX_EXECUTE": "no"}, True),
    (["-x", "--no-execute"], {}, {}, False),
]


@pytest.mark.parametrize(("arguments", "settings", "env", "sent"), SENT, ids=str)
def test_it_is_sent_when_a_flag_a_variable_or_the_settings_say_so(
    arguments: list[str], settings: dict[str, Any], env: dict[str, str], sent: bool, aix: Aix, greet: Path
) -> None:
    configure(greet.parent, default_provider="echo", **settings)
    done = aix("run", "greet", "--name", "Ada", *arguments, env=env)
    assert done == (Result(echoed("Hello Ada!"), "", 0) if sent else Result("Hello Ada!", NOT_SENT, 0))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--model", "echo"], "--model matters"),
        (["--temperature", "0"], "--temperature matters"),
        (["--no-stream", "--usage", "--raw"], "--no-stream, --usage, --raw matter"),
        (
            ["--seed", "0", "--stop", "x", "--top-p", "0", "--max-tokens", "1", "--timeout", "1", "--provider", "echo"],
            "--provider, --max-tokens, --top-p, --stop, --seed, --timeout matter",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_flags_that_only_matter_when_sending_are_named(arguments: list[str], named: str, aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", *arguments)
    assert done == Result("Hello Ada!", f"{NOT_SENT.rstrip()} ({named} only then)\n", 0)


def test_front_matter_never_sends(aix: Aix, library: Path) -> None:
    write(library, "eager", "---\nexecute: true\nmodel: echo\n---\nHi")
    done = aix("run", "eager")
    assert (done.stdout, done.stderr.splitlines()[-1] + "\n", done.status) == ("Hi", NOT_SENT, 0)


# --- whom, and with what ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--max-tokens", "9"], "max_tokens 9"),
        (["--temperature", "0"], "temperature 0.0"),
        (["--top-p", "0.5"], "top_p 0.5"),
        (["--stop", "END", "--stop", ";"], 'stop ["END", ";"]'),
        (["--seed", "-3"], "seed -3"),
        (["--no-stream", "--timeout", "9"], ""),
        (["--stream"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_flag_reaches_the_request(arguments: list[str], options: str, aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", *ECHO, *arguments)
    assert done == Result(echoed("Hello Ada!", options=options), "", 0)


def test_each_way_to_name_the_provider_or_model_asks_it(aix: Aix, model: Model, greet: Path) -> None:
    ways = {
        "tiny": ["--provider=box", "--provider=custom:box", "--model=box", "-mcustom:box"],
        "big": ["--provider=box --model=big", "--model=box:big", "-m box/big", "-m custom:box/big", "-mbig"],
    }
    for asked, lines in ways.items():
        for line in lines:
            assert aix("run", "greet", "--name", "Ada", "-x", *line.split()) == Result("Good day.", "", 0)
            assert model.asked[-1]["model"] == asked


PRECEDENCE: list[tuple[list[str], Mapping[str, Any], dict[str, str], dict[str, Any], tuple[float, int, float]]] = [
    (
        ["--temperature", "1", "--max-tokens", "1", "--top-p", "0.1"],
        {"temperature": 2, "max_tokens": 2, "top_p": 0.2},
        {"AIX_TEMPERATURE": "3", "AIX_MAX_TOKENS": "3", "AIX_TOP_P": "0.3"},
        {"temperature": 4, "max_tokens": 4, "top_p": 0.4},
        (1, 1, 0.1),
    ),
    (
        [],
        {"temperature": 2, "max_tokens": 2, "top_p": 0.2},
        {"AIX_TEMPERATURE": "3", "AIX_MAX_TOKENS": "3", "AIX_TOP_P": "0.3"},
        {"temperature": 4, "max_tokens": 4, "top_p": 0.4},
        (2, 2, 0.2),
    ),
    (
        [],
        {},
        {"AIX_TEMPERATURE": "3", "AIX_MAX_TOKENS": "3", "AIX_TOP_P": "0.3"},
        {"temperature": 4, "max_tokens": 4, "top_p": 0.4},
        (3, 3, 0.3),
    ),
    ([], {}, {}, {"temperature": 4, "max_tokens": 4, "top_p": 0.4}, (4, 4, 0.4)),
    (["--temperature", "0"], {"temperature": 2, "max_tokens": 2, "top_p": 0}, {}, {}, (0, 2, 0)),
]


@pytest.mark.parametrize(("flags", "front", "env", "settings", "said"), PRECEDENCE, ids=range(len(PRECEDENCE)))
def test_a_flag_wins_over_the_prompt_over_a_variable_over_the_settings(
    flags: list[str],
    front: Mapping[str, Any],
    env: dict[str, str],
    settings: dict[str, Any],
    said: tuple[float, int, float],
    aix: Aix,
    library: Path,
) -> None:
    write(library, "p", f"---\noptions: {json.dumps(front)}\n---\nHi")
    configure(library, **settings)
    done = aix("run", "p", "--show-request", "--json", "-m", "echo", *flags, env=env)
    body = json.loads(done.stdout)["request"]["body"]
    assert (body["temperature"], body["max_tokens"], body["top_p"]) == said
    assert (done.stderr, done.status) == (NOT_SENT, 0)


@pytest.mark.parametrize(
    ("flags", "front", "env", "settings", "model"),
    [
        (["-m", "echo:1"], "echo:2", {"AIX_MODEL": "echo:3"}, {"default_model": "echo:4"}, "1"),
        ([], "echo:2", {"AIX_MODEL": "echo:3"}, {"default_model": "echo:4"}, "2"),
        ([], "", {"AIX_MODEL": "echo:3"}, {"default_model": "echo:4"}, "3"),
        ([], "", {}, {"default_model": "echo:4"}, "4"),
        ([], "", {"AIX_PROVIDER": "echo"}, {"echo_default_model": "5"}, "5"),
        ([], "", {"AIX_PROVIDER": "echo"}, {"default_provider": "openai"}, "echo"),
        (["--provider", "echo"], "", {"AIX_PROVIDER": "openai"}, {}, "echo"),
    ],
)
def test_the_model_is_the_first_that_is_named(
    flags: list[str], front: str, env: dict[str, str], settings: dict[str, Any], model: str, aix: Aix, library: Path
) -> None:
    write(library, "p", f"---\nmodel: {front}\n---\nHi" if front else "Hi")
    configure(library, **settings)
    done = json.loads(aix("run", "p", "--show-request", "--json", *flags, env=env).stdout)
    assert (done["provider"], done["model"], done["request"]["body"]["model"]) == ("echo", model, model)


def test_whether_it_streams_is_a_setting_too(aix: Aix, model: Model, greet: Path) -> None:
    for env, flags, stream in (
        ({}, [], True),
        ({"AIX_STREAM": "0"}, [], False),
        ({"AIX_STREAM": "0"}, ["--stream"], True),
    ):
        assert aix("run", "greet", "--name", "Ada", "-x", *flags, env=env) == Result("Good day.", "", 0)
        assert model.asked[-1]["stream"] is stream


def test_stop_and_seed_of_the_prompt_give_way_to_flags(aix: Aix, library: Path) -> None:
    write(library, "p", "---\noptions: {stop: [a, b], seed: 1}\n---\nHi")
    assert aix("run", "p", *ECHO).stdout == echoed("Hi", options='stop ["a", "b"], seed 1')
    assert aix("run", "p", *ECHO, "--stop", "c", "--seed", "0").stdout == echoed("Hi", options='stop ["c"], seed 0')


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_is_a_number_of_seconds_above_0(seconds: str, aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "--timeout", seconds)
    assert done == Result("", "aix: error: --timeout must be a number of seconds above 0\n", 2)


@pytest.mark.parametrize(
    ("flag", "value", "says"),
    [
        ("--max-tokens", "0", "must be a whole number above 0"),
        ("--max-tokens", "1.5", "must be a whole number above 0"),
        ("--temperature", "-1", "must be a number, 0 or above"),
        ("--temperature", "nan", "must be a number, 0 or above"),
        ("--temperature", "warm", "must be a number, 0 or above"),
        ("--top-p", "1.1", "must be a number from 0 to 1"),
    ],
)
def test_a_figure_out_of_its_range_says_what_would_do(flag: str, value: str, says: str, aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", flag, value)
    assert done == Result("", f"aix: error: {flag} {says}\n", 2)


def test_a_slow_model_ends_the_run_in_time(aix: Aix, model: Model, greet: Path) -> None:
    model.text = ()
    model.go_on.clear()
    done = aix("run", "greet", "--name", "Ada", "-x", "--timeout", "0.3")
    said = "aix: error: box did not answer within 0.3 s\n  hint: aix rerun last --timeout 0.9\n"
    assert done == Result("", said, 10)


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_sent(aix: Aix, greet: Path) -> None:
    done = aix(
        "run", "greet", "--name", "Ada", "-n", "--provider", "openai", "--max-tokens", "9", env={"OPENAI_API_KEY": KEY}
    )
    price = r"~\$0\.\d+ to send, ~\$0\.\d+ at most with the answer"
    assert re.fullmatch(
        r"aix: would ask openai:gpt-5\.4-mini at https://api\.openai\.com/v1\n"
        rf"aix: about 3 tokens in \(estimated\), at most 9 out; {price}\n" + re.escape(NOT_SENT),
        done.stderr,
    )
    assert (done.stdout, done.status) == ("Hello Ada!", 0)


@pytest.mark.parametrize("flags", [["-nx"], ["-x", "--dry-run"]])
def test_a_dry_run_wins_over_execute(flags: list[str], aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", *flags, "--model", "openai:own")
    assert done == Result(
        "Hello Ada!",
        "aix: warning: there is no key for openai yet; to save one: aix api-key openai\n"
        "aix: would ask openai:own at https://api.openai.com/v1\n"
        "aix: about 3 tokens in (estimated), no limit set on the answer; unpriced\n"
        "aix: rendered, not sent; leave out --dry-run to send\n",
        0,
    )


def test_a_dry_run_with_nobody_to_ask_prints_one_object(aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "-n", "--json")
    shown = json.loads(done.stdout)
    assert (shown["ok"], shown["error"]["code"], done.status) == (False, 4, 4)
    assert shown["messages"] == [{"role": "user", "content": "Hello Ada!"}]


OPENAI_REQUEST = f"""\
POST https://api.openai.com/v1/chat/completions
User-Agent: aix/{__version__}
Accept: text/event-stream
Accept-Encoding: identity
Content-Type: application/json
Authorization: Bearer sk-c***cdef

{{"model":"own","messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"Hello Ada!"}}],\
"max_completion_tokens":9,"temperature":0.5,"stop":["END"],"seed":3,"stream":true,\
"stream_options":{{"include_usage":true}}}}
"""
ANTHROPIC_REQUEST = f"""\
POST https://api.anthropic.com/v1/messages
User-Agent: aix/{__version__}
Accept: application/json
Accept-Encoding: identity
Content-Type: application/json
anthropic-version: 2023-06-01

{{"model":"claude-haiku-4-5","max_tokens":8192,"messages":[{{"role":"user","content":"Hello Ada!"}}],"stream":false}}
"""


def test_the_request_is_shown_exactly_but_for_the_key(aix: Aix, greet: Path) -> None:
    flags = [
        "-m",
        "openai:own",
        "--max-tokens",
        "9",
        "--temperature",
        "0.5",
        "--stop",
        "END",
        "--seed",
        "3",
        "--show-request",
    ]
    done = aix("run", "greet", "--name", "Ada", "--system", "Be brief.", *flags, env={"OPENAI_API_KEY": KEY})
    assert done == Result(OPENAI_REQUEST, NOT_SENT, 0)


def test_the_request_is_shown_without_a_key_too(aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "-x", "--provider", "anthropic", "--no-stream", "--show-request")
    warned = "aix: warning: there is no key for anthropic yet; to save one: aix api-key anthropic\n"
    assert done == Result(ANTHROPIC_REQUEST, warned + "aix: rendered, not sent; leave out --show-request to send\n", 0)


def test_what_is_shown_is_what_is_sent(aix: Aix, model: Model, greet: Path) -> None:
    call = ("run", "greet", "--name", "Ada", "--seed", "7", "--top-p", "1")
    shown = json.loads(aix(*call, "--show-request", "--json").stdout)["request"]
    assert aix(*call, "-x") == Result("Good day.", "", 0)
    assert model.asked == [shown["body"]]
    assert shown["url"] == f"http://127.0.0.1:{model.port}/v1/chat/completions"
    assert shown["headers"].items() <= model.headers[0].items()


def test_json_shows_the_messages_of_a_rendering(aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "--json", "--system", "Be brief.")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello Ada!"}]
    assert json.loads(done.stdout) == {
        "version": 1,
        "ok": True,
        "executed": False,
        "run": None,
        "prompt": {"name": "greet", "digest": digest(aix)},
        "provider": None,
        "model": None,
        "messages": messages,
        "error": None,
    }
    assert (done.stderr, done.status) == (NOT_SENT, 0)


def test_json_shows_the_whole_of_an_answer(aix: Aix, model: Model, greet: Path) -> None:
    model.reasoning, model.calls = "Hm.", (("look_up", '{"a": 1}'),)
    done = aix("run", "greet", "--name", "Ada", "--json", "-x")
    shown = json.loads(done.stdout)
    assert [attempt.pop("seconds") >= attempt.pop("first_token") >= 0 for attempt in shown["attempts"]] == [True]
    assert shown.pop("seconds") >= 0
    assert shown == {
        "version": 1,
        "ok": True,
        "executed": True,
        "run": 1,
        "prompt": {"name": "greet", "digest": digest(aix)},
        "provider": "box",
        "model": "tiny-1",
        "text": "Good day.",
        "reasoning": "Hm.",
        "tool_calls": [{"id": "c0", "name": "look_up", "arguments": '{"a": 1}'}],
        "data": None,
        "finish": "stop",
        "usage": {
            "input_tokens": 11,
            "output_tokens": 7,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
            "reported_cost": None,
        },
        "usage_estimated": False,
        "cost": None,
        "cost_estimated": False,
        "unpriced": True,
        "tokens_per_second": None,
        "attempts": [
            {"provider": "box", "model": "tiny", "status": 200, "error": None, "key_source": "", "sent": True}
        ],
        "error": None,
    }
    assert (done.stderr, done.status) == ("", 0)


def test_json_shows_what_came_before_a_failure(aix: Aix, model: Model, greet: Path) -> None:
    model.finish = None
    done = aix("run", "greet", "--name", "Ada", "--json", "-x")
    shown = json.loads(done.stdout)
    said = "the answer broke off: box ended it without its end mark"
    assert shown["error"] == {
        "code": 3,
        "name": "INCOMPLETE",
        "reason": None,
        "message": said,
        "cause": None,
        "hint": "aix rerun last",
        "request_id": None,
    }
    assert (shown["ok"], shown["executed"], shown["text"], shown["finish"]) == (False, True, "Good day.", None)
    assert (done.stderr, done.status) == (f"aix: error: {said}\n  hint: aix rerun last\n", 3)


@pytest.mark.parametrize(
    ("arguments", "code", "name", "reason"),
    [
        (["nope"], 5, "NOT_FOUND", "prompt"),
        (["greet"], 2, "USAGE", None),
        (["greet", "--bogus"], 2, "USAGE", None),
        ([], 2, "USAGE", None),
        (["greet", "--name", "Ada", "-x"], 4, "AUTH", "no_key"),
        (["greet", "--name", "Ada", "-x", "--provider", "nope"], 5, "NOT_FOUND", "provider"),
        (["shell"], 11, "REFUSED", "untrusted"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_with_json_every_failure_is_one_object(
    arguments: list[str], code: int, name: str, reason: str | None, aix: Aix, greet: Path
) -> None:
    write(greet.parent, "shell", '{{ sh("id") }}')
    done = aix("run", *arguments, "--json")
    shown = json.loads(done.stdout)
    assert (shown["version"], shown["ok"], done.status) == (1, False, code)
    assert (shown["error"]["code"], shown["error"]["name"], shown["error"]["reason"]) == (code, name, reason)
    assert done.stderr.startswith(f"aix: error: {shown['error']['message']}\n")


def test_usage_is_said_when_it_is_asked_for(aix: Aix, model: Model, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "-x", "--usage")
    assert (done.stdout, done.status) == ("Good day.", 0)
    assert re.fullmatch(r"aix: box:tiny-1 · 11 tokens in, 7 out · unpriced · \d\.\d s\n", done.stderr)


def test_what_it_costs_follows_from_the_price_of_the_model(aix: Aix, model: Model, greet: Path) -> None:
    prices = {"tiny": {"provider": "box", "input_price": 3, "output_price": 15}}
    configure(greet.parent, default_provider="box", custom_providers={"box": model.provider}, models=prices)
    done = aix("run", "greet", "--name", "Ada", "-x", "--usage", "--json")
    shown = json.loads(done.stdout)
    assert (shown["cost"], shown["unpriced"]) == ("0.000138", False)
    assert " · 11 tokens in, 7 out · ~$0.00014 · " in done.stderr


def test_reasoning_is_not_part_of_the_answer(aix: Aix, model: Model, greet: Path) -> None:
    model.reasoning = "Let me think."
    assert aix("run", "greet", "--name", "Ada", "-x") == Result("Good day.", "", 0)


@pytest.mark.parametrize("flags", [[], ["--raw"], ["--no-stream"]])
def test_a_pipe_gets_the_exact_answer(flags: list[str], aix: Aix, model: Model, greet: Path) -> None:
    model.text = ("# Title\n\n**bold** \x1b[31mred", "\x1b]52;c;eA==\x07 \u202ertl\u202c \x9b1m 🎉\r\n")
    assert aix("run", "greet", "--name", "Ada", "-x", *flags) == Result(
        "".join(model.text).replace("\r\n", "\r\n"), "", 0
    )


def test_tool_calls_are_shown_on_lines_of_their_own(aix: Aix, model: Model, greet: Path) -> None:
    model.finish, model.calls = "tool_calls", (("look_up", '{"a": 1}'), ("wait", "{}"))
    shown = 'Good day.\nlook_up {"a": 1}\nwait {}\n'
    assert aix("run", "greet", "--name", "Ada", "-x") == Result(shown, "", 0)
    assert aix("run", "greet", "--name", "Ada", "-x", "-o", "calls") == Result("", "", 0)
    assert Path("calls").read_text() == shown


def test_debug_says_what_is_asked_and_of_whom_without_the_key(aix: Aix, model: Model, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "-x", "--debug", env={"BOX_API_KEY": KEY})
    assert model.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert done == Result(
        "Good day.",
        f"aix: debug: prompt {greet} (user), {digest(aix)}\n"
        "aix: debug: nobody names a model, so box is asked: it is your default_provider\n"
        "aix: debug: box:tiny, key from BOX_API_KEY, 600 s at most\n"
        f"aix: debug: POST http://127.0.0.1:{model.port}/v1/chat/completions\n"
        f"aix: debug: User-Agent: aix/{__version__}\n"
        "aix: debug: Accept: text/event-stream\n"
        "aix: debug: Accept-Encoding: identity\n"
        "aix: debug: Content-Type: application/json\n"
        "aix: debug: Authorization: Bearer sk-c***cdef\n",
        0,
    )


def digest(aix: Aix) -> str:
    return str(json.loads(aix("show", "greet", "--json").stdout)["digest"])


# --- commands in a prompt ---------------------------------------------------------------------------------------------


def test_a_command_is_shown_instead_of_run_when_commands_are_off(aix: Aix, library: Path) -> None:
    write(library, "status", 'It is {{ sh("touch ran; date") }}.')
    off = Result("It is [command: touch ran; date].", NOT_SENT, 0)
    assert aix("run", "status", "--disable-commands") == off
    assert aix("run", "status", env={"AIX_COMMANDS_ENABLED": "false"}) == off
    configure(library, commands_enabled=False)
    assert aix("run", "status") == off
    assert not Path("ran").exists()


# --- into a file ------------------------------------------------------------------------------------------------------


def test_output_takes_the_rendering(aix: Aix, greet: Path) -> None:
    assert aix("run", "greet", "--name", "Ada", "-o", "out.md") == Result("", NOT_SENT, 0)
    assert Path("out.md").read_text() == "Hello Ada!"


def test_output_and_json_are_both_had(aix: Aix, model: Model, greet: Path) -> None:
    for flags, text in (([], "Hello Ada!"), (["-x"], "Good day.")):
        done = aix("run", "greet", "--name", "Ada", "--json", "-o", "out.md", *flags)
        assert json.loads(done.stdout)["ok"]
        assert Path("out.md").read_text() == text


def test_output_takes_the_answer_and_keeps_the_files_mode(aix: Aix, model: Model, greet: Path) -> None:
    out = Path("out.md")
    out.write_text("old")
    out.chmod(0o640)
    assert aix("run", "greet", "--name", "Ada", "-x", "--output", "out.md") == Result("", "", 0)
    assert (out.read_text(), out.stat().st_mode & 0o777) == ("Good day.", 0o640)
    assert sorted(set(os.listdir()) - {".local"}) == [".prompts", "out.md"]


def test_output_is_not_touched_by_a_failure_and_what_came_is_beside_it(aix: Aix, model: Model, greet: Path) -> None:
    Path("out.md").write_text("old")
    model.finish = "length"
    done = aix("run", "greet", "--name", "Ada", "-x", "-o", "~/out.md")
    said = "the answer was cut at the length limit after 7 tokens"
    partial = Path("out.md.partial").absolute()
    hint = "allow more: --max-tokens 4000"
    assert done == Result("", f"aix: what came is in {partial}\naix: error: {said}\n  hint: {hint}\n", 3)
    assert (Path("out.md").read_text(), partial.read_text()) == ("old", "Good day.")


def test_nothing_is_beside_it_when_nothing_came(aix: Aix, model: Model, greet: Path) -> None:
    model.error = (400, "no")
    done = aix("run", "greet", "--name", "Ada", "-x", "-o", "out.md")
    assert done == Result("", "aix: error: box rejects the request (HTTP 400)\n  cause: no\n", 9)
    assert sorted(set(os.listdir()) - {".local"}) == [".prompts"]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (".prompts", "--output {home}/.prompts is a directory"),
        ("no/out.md", "--output {home}/no/out.md: the directory {home}/no does not exist"),
    ],
)
def test_an_output_that_cannot_be_is_known_before_anything_is_sent(
    output: str, says: str, aix: Aix, model: Model, greet: Path, home: Path
) -> None:
    done = aix("run", "greet", "--name", "Ada", "-x", "-o", output)
    assert done == Result("", f"aix: error: {says.format(home=home)}\n", 2)
    assert model.asked == []


def test_output_can_be_the_device_of_stdout(aix: Aix, model: Model, greet: Path) -> None:
    assert aix("run", "greet", "--name", "Ada", "-o", "/dev/stdout") == Result("Hello Ada!", NOT_SENT, 0)
    assert aix("run", "greet", "--name", "Ada", "-x", "-o", "/dev/stdout") == Result("Good day.", "", 0)
