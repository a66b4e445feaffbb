"""aix from Python: a prompt means the same as on the command line, and so do its answer and what goes wrong."""

import asyncio
import copy
import gc
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

import pytest
from conftest import Aix
from full import full
from stage import Model, configure, serving, write

import aix as api

PNG = b"\x89PNG\r\n\x1a\n rest"
SCHEMA = {"type": "object", "required": ["bugs"], "properties": {"bugs": {"type": "array"}}}
EVERY = """---
params:
  word: {default: none}
  long: {type: text}
  count: {type: integer, min: 1}
  share: {type: number}
  strict: {type: boolean, default: false}
  day: {type: date}
  data: {type: json}
  names: {type: list}
  notes: {type: file}
  picture: {type: image}
---
{{ word }} {{ long }} {{ count }} {{ share }} {{ strict }} {{ day }} {{ data }} {{ names }} {{ notes }} {{ picture }}"""


@pytest.fixture
def prompts(library: Path) -> Path:
    """The library with some prompts in it, and files to give them."""
    write(library, "review", "{% system %}Be brief.{% user %}Review {{ diff }}")
    write(library, "every", EVERY)
    write(library, "branch", 'On {{ sh("echo main") }}')
    write(library, "empty", "{% if false %}x{% endif %}")
    write(library, "broken", "---\ntags: {\n---\n")
    write(library, "plain", "Hi")
    Path("x.patch").write_text("-a\n+b\n")
    Path("x.png").write_bytes(PNG)
    Path("x.json").write_text('{"a": 1}')
    return library


@pytest.fixture
def model(prompts: Path) -> Iterator[Model]:
    with serving(prompts) as model:
        yield model


SAME: list[list[tuple[Mapping[str, api.Value], list[str]]]] = [
    [
        ({"word": "@.env {{ 1 }}"}, ["--word", "@.env {{ 1 }}"]),
        ({"long": Path("x.patch")}, ["--long-file", "x.patch"]),
        ({"count": "3", "share": "0.5"}, ["--count", "3", "--share", "0.5"]),
        ({"strict": True}, ["--strict"]),
        ({"day": date(2026, 11, 21)}, ["--day", "2026-11-21"]),
        ({"data": {"a": [1, None, "x"]}}, ["--data", '{"a": [1, null, "x"]}']),
        ({"names": ["a", "b"]}, ["--names", "a", "--names", "b"]),
        ({"notes": Path("x.patch")}, ["--notes", "x.patch"]),
        ({"picture": Path("x.png")}, ["--picture", "x.png"]),
    ],
    [
        ({"word": None}, []),
        ({"long": "--x\n\u00e9 "}, ["--long=--x\n\u00e9 "]),
        ({"count": 3, "share": 0.5}, ["--count", "3", "--share", "0.5"]),
        ({"strict": False}, ["--no-strict"]),
        ({"day": "2026-11-21"}, ["--day", "2026-11-21"]),
        ({"data": (1, 2)}, ["--data", "[1, 2]"]),
        ({"names": ("a",)}, ["--names", "a"]),
        ({"notes": "x.patch"}, ["--notes", "x.patch"]),
        ({"picture": PNG}, ["--picture", "x.png"]),
    ],
    [
        ({"share": Decimal("0.5")}, ["--share", "0.5"]),
        ({"strict": "yes"}, ["-p", "strict=yes"]),
        ({"data": Path("x.json")}, ["-p", "data@x.json"]),
        ({"names": "a"}, ["--names", "a"]),
        ({"notes": b"-a\n+b\n"}, ["--notes", "x.patch"]),
        ({"picture": api.Image(PNG, "image/png")}, ["--picture", "x.png"]),
    ],
]
"""Values and the flags that mean the same, a list for each run of the command."""


@pytest.mark.parametrize("same", SAME, ids=["as they are", "otherwise", "and otherwise"])
def test_a_value_is_what_it_is_on_the_command_line(
    same: list[tuple[Mapping[str, api.Value], list[str]]], prompts: Path, aix: Aix
) -> None:
    values = {name: value for some, _ in same for name, value in some.items()}
    told = json.loads(aix("run", "every", *(flag for _, flags in same for flag in flags), "--json").stdout)["messages"]
    shown = [{"role": one.role, "content": "".join(map(_shown, one.parts))} for one in api.render("every", values)]
    assert shown == told


def _shown(part: api.Part) -> str:
    match part:
        case api.Text(text):
            return text
        case api.Image(data, media_type):
            return f"[{media_type}, {len(data)} bytes]"
    raise AssertionError(part)


WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"count": 0}, "param 'count' must be at least 1, not '0'"),
    ({"count": True}, "param 'count' must be a whole number, such as 3, not 'true'"),
    ({"share": float("nan")}, "param 'share' must be a number, such as 0.5, not a Python float"),
    ({"data": {1, 2}}, "param 'data' must be JSON, such as {\"a\": 1}, not a Python set"),
    ({"word": object()}, "param 'word' must be a text, not a Python object"),
    ({"word": b"x"}, "param 'word' must be a text, not a Python bytes"),
    ({"word": Path("x.patch")}, "param 'word' is a string, which is not read from a file"),
    ({"word": "\udc80"}, "param 'word' is not UTF-8 text"),
    ({"long": Path("-")}, "param 'long': cannot read ./-: no such file or directory"),
    ({"notes": b"\xff"}, "param 'notes' is not UTF-8 text (byte 0)"),
    ({"notes": api.Image(PNG, "image/png")}, "param 'notes' must be the path of a file, not a Python Image"),
    ({"picture": b"x"}, "param 'picture': it is not a PNG, JPEG, GIF or WebP image"),
    ({"wrod": "x"}, "there is no param 'wrod'"),
]


def test_a_wrong_value_is_refused(prompts: Path) -> None:
    for values, message in WRONG:
        with pytest.raises(api.UsageError) as refused:
            api.render("every", values)
        assert refused.value.message == message


ODD: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((3,), {}, "a prompt is a name, a path or an aix.Text, not a Python int"),
    ((b"plain",), {}, "a prompt is a name, a path or an aix.Text, not a Python bytes"),
    (("every", "x"), {}, "the values must be a mapping of params to values, not a Python str"),
    (("plain",), {"attach": PNG}, "--attach must be a path, an Image, a File or a Text, not a Python bytes"),
    (("plain",), {"attach": [None]}, "--attach must be a path, an Image, a File or a Text, not a Python NoneType"),
    (("plain",), {"attach": "-"}, "cannot attach ./-: no such file or directory"),
    (("plain",), {"system": b"x"}, "--system must be a text, not a Python bytes"),
    (("plain",), {"trust": 3}, "--trust must be a text, not a Python int"),
    (("plain",), {"schema": b"{}"}, "--schema must be a text, not a Python bytes"),
    (("plain",), {"model": 3}, "--model must be a text, not a Python int"),
    (("plain",), {"stop": [3]}, "--stop must be a text, not a Python int"),
    (("-",), {}, "'-' is standard input, which is the program's own"),
]


def test_what_is_of_another_type_is_refused_in_words(prompts: Path) -> None:
    for arguments, options, message in ODD:
        with pytest.raises(api.UsageError) as refused:
            api.stream(*arguments, **options)
        assert refused.value.message == message


def test_a_prompt_can_be_a_file_or_a_text_itself(prompts: Path) -> None:
    Path("draft.md").write_text("Hi {{ word }}")
    for prompt in ("./draft.md", Path("draft.md"), Path("draft.md").absolute(), api.Text("Hi {{ word }}")):
        assert api.render(prompt, {"word": "{{ 1 }}"})[0].text == "Hi {{ 1 }}"
    text = api.Text('On {{ sh("echo main") }}')
    assert api.render(text, trust=api.Library().get(text).digest)[0].text == "On main"
    for refused, kind in ((text, api.RefusedError), (api.Text("\udc80"), api.TemplateError)):
        with pytest.raises(kind):
            api.render(refused)
    assert api.run(text, provider="echo", commands=False).prompt == "-"


def outcome(response: api.Response) -> dict[str, Any]:
    """A Response as `--json` has it."""
    usage = response.usage and {
        name: getattr(response.usage, name) for name in api.Usage.__dataclass_fields__ if name != "reported_cost"
    }
    return {
        "provider": response.provider,
        "model": response.model,
        "text": response.text,
        "reasoning": response.reasoning or None,
        "tool_calls": [{"id": one.id, "name": one.name, "arguments": one.arguments} for one in response.tool_calls],
        "data": response.data,
        "finish": response.finish and response.finish.reason,
        "usage": usage,
        "usage_estimated": response.usage_estimated,
        "cost": None if response.cost is None else str(response.cost),
        "unpriced": response.unpriced,
        "attempts": [(one.provider, one.model, one.status, one.error or None) for one in response.attempts],
    }


def told(run: dict[str, Any]) -> dict[str, Any]:
    """As much of what `--json` has."""
    attempts = [tuple(one[name] for name in ("provider", "model", "status", "error")) for one in run["attempts"]]
    usage = run["usage"] and {name: count for name, count in run["usage"].items() if name != "reported_cost"}
    kept = (
        "provider",
        "model",
        "text",
        "reasoning",
        "tool_calls",
        "data",
        "finish",
        "usage_estimated",
        "cost",
        "unpriced",
    )
    return {**{name: run[name] for name in kept}, "usage": usage, "attempts": attempts}


RUNS: list[tuple[str, list[Any], dict[str, Any], list[str]]] = [
    ("as it is", ["Good day."], {}, []),
    (
        "with options",
        ["Good day."],
        {"temperature": 0.5, "seed": 1, "stop": "X", "max_tokens": 9, "model": "box:big", "system": "Be long."},
        ["--temperature=0.5", "--seed=1", "--stop=X", "--max-tokens=9", "--model=box:big", "--system=Be long."],
    ),
    ("a schema and a repair", ["{}", '{"bugs": []}'], {"schema": SCHEMA}, ["--schema", json.dumps(SCHEMA)]),
    ("a part", ["See:\n```sh\nls\n```\n"], {"extract": "code"}, ["--extract", "code"]),
    ("a retry", [(503, "busy"), "Good day."], {}, []),
]


@pytest.mark.parametrize(("turns", "options", "flags"), [one[1:] for one in RUNS], ids=[one[0] for one in RUNS])
def test_a_response_says_what_the_command_says(
    turns: list[Any], options: dict[str, Any], flags: list[str], model: Model, aix: Aix
) -> None:
    model.turns = [*turns, *turns]
    shown = json.loads(aix("run", "review", "--diff", "+1", "-x", "--json", *flags).stdout)
    response = api.run("review", {"diff": "+1"}, **options)
    assert outcome(response) == told(shown)
    assert (response.run, shown["run"]) == (2, 1)
    half = len(model.asked) // 2
    assert model.asked[:half] == model.asked[half:]


ERRORS: list[tuple[str, list[Any], Callable[[], object], list[str]]] = [
    ("no such prompt", [], lambda: api.run("reviw"), ["reviw"]),
    ("no value", [], lambda: api.run("review"), ["review"]),
    ("an empty value", [], lambda: api.run("review", {"diff": " "}), ["review", "--diff", " "]),
    ("a broken file", [], lambda: api.run("broken"), ["broken"]),
    ("nothing to say", [], lambda: api.run("empty"), ["empty"]),
    ("untrusted", [], lambda: api.run("branch"), ["branch"]),
    ("another content", [], lambda: api.run("branch", trust="sha256:0"), ["branch", "--trust", "sha256:0"]),
    ("nobody", [], lambda: api.run("plain", provider="nobody"), ["plain", "--provider", "nobody"]),
    ("a wrong option", [], lambda: api.run("plain", max_tokens=0), ["plain", "--max-tokens", "0"]),
    ("a wrong level", [], lambda: api.run("plain", effort="hgih"), ["plain", "--effort", "hgih"]),
    ("too dear", [], lambda: api.run("plain", max_cost="x"), ["plain", "--max-cost", "x"]),
    ("an empty word", [], lambda: api.run("plain", fallback=[""]), ["plain", "--fallback", ""]),
    ("no such file", [], lambda: api.run("plain", attach="no.png"), ["plain", "--attach", "no.png"]),
    ("no schema", [], lambda: api.run("plain", schema={"type": 3}), ["plain", "--schema", '{"type": 3}']),
    ("turned down", [(401, "no")], lambda: api.run("plain"), ["plain"]),
    ("wrong", [(400, "bad")], lambda: api.run("plain"), ["plain"]),
    ("unfit", ["{}", "{}"], lambda: api.run("plain", schema=SCHEMA), ["plain", "--schema", json.dumps(SCHEMA)]),
]


@pytest.mark.parametrize(("turns", "call", "words"), [one[1:] for one in ERRORS], ids=[one[0] for one in ERRORS])
def test_an_error_is_the_one_of_the_command(
    turns: list[Any], call: Callable[[], object], words: list[str], model: Model, aix: Aix
) -> None:
    model.turns = [*turns, *turns]
    done = aix("run", *words, "-x", "--json")
    shown = json.loads(done.stdout)["error"]
    with pytest.raises(api.AixError) as raised:
        call()
    error = raised.value
    assert (error.exit_code, error.name, error.message) == (done.status, shown["name"], shown["message"])
    assert (error.reason or None, error.cause or None) == (shown["reason"], shown["cause"])
    assert error.hint.replace("rerun last", "") == (shown["hint"] or "").replace("rerun last", "")
    assert (error.response is not None) == bool(turns)


def test_what_came_is_on_the_error(model: Model) -> None:
    model.finish = "length"
    with pytest.raises(api.IncompleteError) as raised:
        api.run("plain")
    response = raised.value.response
    assert isinstance(response, api.Response)
    assert (response.text, response.whole, response.run) == ("Good day.", False, 1)


def test_a_stream_gives_events_and_then_the_response(model: Model) -> None:
    model.reasoning, model.text = "Hm.", ("Good ", "day.")
    model.calls = (("look", '{"at": 1}'),)
    with api.stream("plain") as stream:
        events = list(stream)
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["ReasoningDelta", "TextDelta", "TextDelta", "ToolCallDelta", "Finish"]
    assert (stream.response.text, stream.response.run) == ("Good day.", 1)
    assert stream.response.finish == events[-1]


def test_what_must_fit_a_schema_is_held_until_it_does(model: Model) -> None:
    model.turns, model.reasoning = ["{}", '{"bugs": [1]}'], "Hm."
    with api.stream("plain", schema=SCHEMA) as stream:
        events = list(stream)
    assert [event.text for event in events if isinstance(event, api.TextDelta)] == ['{"bugs": [1]}']
    assert stream.response.data == {"bugs": [1]}
    assert len(stream.response.attempts) == 2


def test_a_stream_that_nobody_has_any_more_is_logged_as_interrupted(model: Model) -> None:
    model.go_on.clear()

    def program() -> None:
        for _ in api.stream("plain"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program()
    gc.collect()
    model.go_on.set()
    with closing(sqlite3.connect(Path.home() / ".local/share/aix/runs.db")) as log:
        assert log.execute("SELECT error FROM runs").fetchall() == [("INTERRUPTED",)]


def test_a_stream_that_has_ended_gives_nothing_more(model: Model) -> None:
    stream = api.stream("plain")
    assert (len(list(stream)), list(stream), stream.response.text) == (2, [], "Good day.")
    model.turns = [(400, "bad")]
    failed = api.stream("plain")
    with pytest.raises(api.ProviderError) as raised:
        list(failed)
    assert (list(failed), failed.response) == ([], raised.value.response)


def test_what_comes_back_can_be_copied_and_says_no_key(model: Model) -> None:
    key = "sk-" + "s3cret" * 5
    env = {**os.environ, "OPENAI_API_KEY": key, "OPENAI_BASE_URL": model.provider["base_url"]}
    library = api.Library(env=env)
    response, prompt = library.run("plain", model="openai:tiny", log=False), library.get("branch")
    model.turns = [(401, f"wrong key {key}")]
    with pytest.raises(api.AuthError) as raised:
        library.run("plain", model="openai:tiny", log=False)
    error = raised.value
    for value in (response, prompt, library.list()):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(same), same.__dict__) == (type(error), error.__dict__)
    assert key not in repr([response, prompt, error, error.__dict__, library])
    with pytest.raises(AttributeError):
        response.text = ""  # type: ignore[misc]


def test_nothing_is_sent_before_the_first_event_is_asked_for(model: Model) -> None:
    api.stream("plain").close()
    assert model.asked == []


def test_a_stream_that_is_left_is_logged_as_interrupted(model: Model, aix: Aix) -> None:
    model.go_on.clear()
    with api.stream("plain") as stream:
        assert next(stream) == api.TextDelta("Good day.")
    model.go_on.set()
    assert list(stream) == []
    shown = json.loads(aix("log", "show", "1", "--json").stdout)
    assert (shown["error"]["name"], shown["text"]) == ("INTERRUPTED", "Good day.")


def test_whoever_has_the_finish_has_a_run_in_the_log(model: Model, aix: Aix) -> None:
    for event in api.stream("plain"):
        if isinstance(event, api.Finish):
            break
    assert json.loads(aix("log", "show", "1", "--json").stdout)["error"] is None


def test_an_untrusted_prompt_runs_its_commands_only_where_its_digest_is_named(prompts: Path) -> None:
    prompt = api.Library().get("branch")
    assert (prompt.commands, prompt.layer, prompt.params) == (("echo main",), "user", ())
    assert api.render("branch", commands=False)[0].text == "On [command: echo main]"
    assert api.render("branch", trust=prompt.digest)[0].text == "On main"
    with pytest.raises(api.RefusedError) as refused:
        api.render("branch")
    assert refused.value.reason == "untrusted"


def test_a_library_is_a_place_of_its_own(prompts: Path, tmp_path: Path) -> None:
    write(tmp_path, "team/only", "---\ndescription: Ours\ntags: [x]\n---\nHi from {{ cwd }}")
    write(tmp_path, "bad", "---\ntags: {\n---\n")
    library = api.Library(tmp_path, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert {"team/only", "bad", "hello"} <= {*library.names()}
    listed = {one.name: one for one in library.list()}
    assert listed["team/only"] == api.Listed("team/only", "user", "Ours", ("x",))
    assert "bad.md" in listed["bad"].error
    assert library.render("team/only")[0].text == f"Hi from {tmp_path}"
    assert "plain" not in library.names()
    assert api.render("team/only", library=tmp_path, cwd=tmp_path)[0].text == f"Hi from {tmp_path}"


def test_parts_are_attached_in_their_order(prompts: Path) -> None:
    [message] = api.render("plain", attach=[api.Text(" one"), "x.png", api.File(b"%PDF-", "application/pdf", "a.pdf")])
    assert [type(part).__name__ for part in message.parts] == ["Text", "Text", "Image", "File"]


def test_a_warning_is_python_s_and_names_the_line_that_called(model: Model, library: Path) -> None:
    settings = json.loads((library / "config.json").read_text())
    configure(library, **settings, fallback=["box:big"])
    model.turns = [(402, "x"), "Good.", (402, "x"), "Good."]
    with pytest.warns(api.AixWarning, match="asking box:big instead") as caught:
        api.run("plain")
    assert caught[0].filename == __file__
    said: list[str] = []
    api.run("plain", warn=said.append)
    assert "asking box:big instead" in said[0]


def test_an_argument_that_there_is_not_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="modell"):
        api.run("hello", modell="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="model"):
        api.render("hello", model="x")  # type: ignore[call-arg]


def test_the_program_s_own_things_are_left_alone(model: Model, capfd: pytest.CaptureFixture[str]) -> None:
    def things() -> tuple[object, ...]:
        return signal.getsignal(signal.SIGINT), dict(os.environ), Path.cwd(), list(warnings.filters)

    before = things()
    api.run("plain")
    api.render("branch", commands=False)
    assert things() == before
    assert capfd.readouterr() == ("", "")


def test_it_can_be_called_while_an_event_loop_runs(model: Model) -> None:
    async def program() -> str:
        return api.run("plain").text

    assert asyncio.run(program()) == "Good day."


def test_threads_do_not_meet(prompts: Path) -> None:
    count, filters = full(16, 2000), list(warnings.filters)

    def one(number: int) -> tuple[str, str, int | None]:
        shown = api.render("review", {"diff": str(number)})[-1].text
        response = api.run("review", {"diff": str(number)}, provider="echo")
        return shown, response.text.rpartition("[user]\n")[2].strip(), response.run

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(one, range(count)))
    assert [(shown, text) for shown, text, _ in done] == [(f"Review {n}", f"Review {n}") for n in range(count)]
    assert sorted(run or 0 for *_, run in done) == list(range(1, count + 1))
    assert list(warnings.filters) == filters


def resident() -> float:
    """What this process has in memory, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_program_that_runs_for_long_does_not_grow(model: Model) -> None:
    def some(count: int) -> tuple[int, int, float]:
        for number in range(count):
            api.run("plain", log=number % 10 == 0)
            api.render("hello", {"name": "Ada"})
        return len(os.listdir("/proc/self/fd")), threading.active_count(), resident()

    descriptors, threads, memory = some(5)
    assert some(full(25, 20_000))[:2] == (descriptors, threads)
    assert resident() - memory < full(8, 40)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_program_can_fork_while_others_of_its_threads_render(prompts: Path) -> None:
    """Under Python's own cached_property, whose lock is one for all, most children wait for ever."""
    go_on, count = threading.Event(), full(6, 200)

    def others() -> None:
        while not go_on.is_set():
            api.render("hello", {"name": "Ada"})

    def forked() -> int:
        if child := os.fork():
            return os.waitpid(child, 0)[1]
        signal.alarm(10)
        os._exit(api.render("plain")[0].text != "Hi")

    with ThreadPoolExecutor(2) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        working = [pool.submit(others) for _ in range(2)]
        try:
            assert [forked() for _ in range(count)] == [0] * count
        finally:
            go_on.set()
    assert [done.result() for done in working] == [None, None]


INTERRUPTED = """
import aix
try:
    with aix.stream("plain") as stream:
        for event in stream:
            print(event.text, flush=True)
except KeyboardInterrupt:
    print("the program's own", stream.response.text, flush=True)
"""


def test_ctrl_c_is_the_program_s_own(model: Model, aix: Aix) -> None:
    model.go_on.clear()
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert program.stdout.readline() == "Good day.\n"
        program.send_signal(signal.SIGINT)
        assert program.stdout.read() == "the program's own Good day.\n"
    assert program.returncode == 0
    assert json.loads(aix("log", "show", "1", "--json").stdout)["error"]["name"] == "INTERRUPTED"


LOADED = """
import sys
before = {*sys.modules}
import aix
first = {*sys.modules} - before
aix.render("hello", {"name": "Ada"})
print(sorted(name for name in first if not name.startswith("importlib")))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"httpx", "sqlite3", "typer", "rich", "ssl"}))
print(sorted({*aix.__all__} - {*dir(aix)}), [name for name in aix.__all__ if not hasattr(aix, name)])
"""


def test_nothing_is_loaded_before_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    first, loaded, lacking = done.stdout.splitlines()
    assert first == "['aix']"
    assert (loaded, lacking) == ("[]", "[] []")


def test_a_type_checker_sees_what_is_what(prompts: Path) -> None:
    response = assert_type(api.run("plain", provider="echo", fallback=["echo"], max_cost=Decimal(1)), api.Response)
    assert_type(response.cost, Decimal | None)
    assert_type(response.run, int | None)
    assert_type(api.render("plain"), tuple[api.Message, ...])
    for event in assert_type(api.stream("plain", provider="echo"), api.Stream):
        assert_type(event, api.TextDelta | api.ReasoningDelta | api.ToolCallDelta | api.Finish)
    with pytest.raises(api.UsageError):
        api.run("plain", temperature="warm")  # type: ignore[arg-type]


def test_what_is_no_attribute_is_none() -> None:
    assert not hasattr(api, "rnder")
