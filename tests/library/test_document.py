"""A prompt file as text: every field of the front matter, right and wrong, with the line of every fault."""

import socket
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix

from aix.errors import AixError, TemplateError, UsageError
from aix.library.document import MAX_FRONT_MATTER, declare, decode, parse, split
from aix.library.prompt import Output, Param, Prompt


def front(*lines: str) -> Prompt:
    return parse("\n".join(["---", *lines, "---", "body"]), "p")


def fault(*lines: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        front(*lines)
    return caught.value


def only_param(*lines: str) -> Param:
    params = front("params:", *lines).params
    assert params is not None
    return params[-1]


def test_every_field_is_read() -> None:
    prompt = front(
        "description: Review a change for bugs",
        "tags: [code, review]",
        "model: openai:gpt-4.1",
        "fallback: [anthropic:claude, ollama:llama3]",
        "params:",
        "  diff: {type: text, required: true, stdin: true, help: The change, secret: true, pattern: '.*'}",
        "  language: {default: python, choices: [python, go]}",
        "  count: {type: integer, min: 1, max: 9.5, default: 3, short: c}",
        "options: {temperature: 0.2, top_p: 1, max_tokens: 800, stop: [END, .], seed: -7, effort: low}",
        "output:",
        "  format: json",
        "  schema: {type: object}",
        "template: false",
    )
    assert prompt == Prompt(
        name="p",
        text=prompt.text,
        body="body",
        body_line=16,
        description="Review a change for bugs",
        tags=("code", "review"),
        model="openai:gpt-4.1",
        fallback=("anthropic:claude", "ollama:llama3"),
        params=(
            Param("diff", "text", required=True, stdin=True, help="The change", secret=True, pattern=".*"),
            Param("language", default="python", choices=("python", "go")),
            Param("count", "integer", min=1, max=9.5, default=3, short="c"),
        ),
        options={"temperature": 0.2, "top_p": 1, "max_tokens": 800, "stop": ("END", "."), "seed": -7, "effort": "low"},
        output=Output("json", {"type": "object"}),
        template=False,
    )


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("description: 1.10", "description", "1.10"),
        ("description: 'a: b'", "description", "a: b"),
        ("description: >-\n  folded\n  text", "description", "folded text"),
        ("description: ''", "description", ""),
        ("description:", "description", ""),
        ("tags: one", "tags", ("one",)),
        ("tags: [1.10, no]", "tags", ("1.10", "no")),
        ("tags: code, review", "tags", ("code", "review")),
        ("tags: []", "tags", ()),
        ("tags:", "tags", ()),
        ("model: 4.10", "model", "4.10"),
        ("model: ~", "model", ""),
        ("fallback: openai:gpt-5.5", "fallback", ("openai:gpt-5.5",)),
        ("params:", "params", None),
        ("params: {}", "params", ()),
        ("params: {x: }", "params", (Param("x"),)),
        ("params: {x: {}}", "params", (Param("x"),)),
        ("params: {x: {help: , default: , choices: }}", "params", (Param("x"),)),
        ("options: {}", "options", {}),
        ("options: {stop: END}", "options", {"stop": ("END",)}),
        ("options: {temperature: }", "options", {}),
        ("output: {}", "output", Output()),
        ("output: {format: text}", "output", Output("text")),
        ("template: true", "template", True),
        ("template: False", "template", False),
    ],
)
def test_a_field_is_taken_as_it_is_written(line: str, field: str, value: object) -> None:
    assert getattr(front(line), field) == value


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["description: [a]"], "p:2: description must be a text"),
        (["description: {a: b}"], "p:2: description must be a text"),
        (["tags: {a: b}"], "p:2: tags must be a text"),
        (["tags:", "  - a", "  - [b]"], "p:4: tags must be a text"),
        (["tags: [' ']"], "p:2: tags must not be empty"),
        (["model: [a]"], "p:2: model must be a text"),
        (["model: ''"], "p:2: model must not be empty"),
        (["description: x", "fallback: {}"], "p:3: fallback must be a text"),
        (["template: yes"], "p:2: template must be true or false, not 'yes'"),
        (["template: 1"], "p:2: template must be true or false, not '1'"),
        (["template: [true]"], "p:2: template must be true or false, not ''"),
        (["options: []"], "p:2: options must be `key: value` pairs"),
        (["options: hot"], "p:2: options must be `key: value` pairs"),
        (["options: {temperature: hot}"], "p:2: temperature must be a number, not 'hot'"),
        (["options:", "  seed: 1", "  temperature: true"], "p:4: temperature must be a number, not 'true'"),
        (["options: {temperature: .nan}"], "p:2: temperature must be a number, not '.nan'"),
        (["options: {temperature: .inf}"], "p:2: temperature must be a number, not '.inf'"),
        (["options: {temperature: '1'}"], "p:2: temperature must be a number, not '1'"),
        (["options: {temperature: -0.1}"], "p:2: temperature must be at least 0, not -0.1"),
        (["options: {top_p: [1]}"], "p:2: top_p must be a number, not ''"),
        (["options: {top_p: 1.01}"], "p:2: top_p must be from 0 to 1, not 1.01"),
        (["options: {max_tokens: 1.5}"], "p:2: max_tokens must be a whole number, not '1.5'"),
        (["options: {max_tokens: true}"], "p:2: max_tokens must be a whole number, not 'true'"),
        (["options: {max_tokens: 0}"], "p:2: max_tokens must be at least 1, not 0"),
        (["options: {seed: x}"], "p:2: seed must be a whole number, not 'x'"),
        (["options: {stop: {a: b}}"], "p:2: stop must be a text"),
        (["options: {effort: huge}"], "p:2: effort must be one of none, minimal, low, medium, high, xhigh, max"),
        (["options: {effort: [low]}"], "p:2: effort must be a text"),
        (["output: json"], "p:2: output must be `key: value` pairs"),
        (["output: {format: xml}"], "p:2: format must be one of text, markdown, json"),
        (["output:", "  schema: [a]"], "p:3: schema must be an object"),
        (["output: {shape: x}"], "p:2: output has no field 'shape'"),
        (["params: [a]"], "p:2: params must be `name: {…}` pairs"),
        (["params: a"], "p:2: params must be `name: {…}` pairs"),
        (["params: {x: 3}"], "p:2: param 'x' must be `key: value` pairs"),
        (["params: {x: [a]}"], "p:2: param 'x' must be `key: value` pairs"),
        (["params: {x: {kind: text}}"], "p:2: param 'x' has no field 'kind'"),
        (["params: {'a-b': {}}"], "p:2: 'a-b' cannot be a param's name"),
        (["params: {1a: {}}"], "p:2: '1a' cannot be a param's name"),
        (["params: {größe: {}}"], "p:2: 'größe' cannot be a param's name"),
        (["params: {x: {type: str}}"], None),
        (["params:", "  a: {}", "  x: {type: [text]}"], "p:4: type must be a text"),
        (["params: {x: {required: 1}}"], "p:2: required must be true or false, not '1'"),
        (["params: {x: {stdin: on}}"], "p:2: stdin must be true or false, not 'on'"),
        (["params: {x: {secret: x}}"], "p:2: secret must be true or false, not 'x'"),
        (["params: {x: {help: [a]}}"], "p:2: help must be a text"),
        (["params: {x: {short: xy}}"], "p:2: short must be one letter"),
        (["params: {x: {short: 1}}"], "p:2: short must be one letter"),
        (["params: {x: {pattern: ''}}"], "p:2: pattern must not be empty"),
        (["params: {x: {type: integer, min: low}}"], "p:2: min must be a number, not 'low'"),
        (["params: {x: {type: integer, max: .nan}}"], "p:2: max must be a number, not '.nan'"),
        (["params: {x: {min: 1}}"], "p:2: param 'x': min and max go with numbers"),
        (["params: {x: {type: json, max: 1}}"], "p:2: param 'x': min and max go with numbers"),
        (["params: {x: {type: integer, pattern: a}}"], "p:2: param 'x': pattern goes with texts"),
        (["params: {x: {type: file, pattern: a}}"], "p:2: param 'x': pattern goes with texts"),
        (["params: {x: {choices: a}}"], "p:2: choices must be a list of values"),
        (["params: {x: {choices: []}}"], "p:2: choices must be a list of values"),
        (["params: {x: {choices: {a: b}}}"], "p:2: choices must be a list of values"),
        (["params: {x: {choices: [[a]]}}"], "p:2: a choice of 'x' must be a text"),
        (["params: {x: {type: list, choices: [[a]]}}"], "p:2: a choice of 'x' must be a text"),
        (
            ["params: {x: {type: integer, choices: [1, a]}}"],
            "p:2: a choice of 'x' must be a whole number, such as 3, not 'a'",
        ),
        (
            ["params: {x: {type: integer, stdin: true}}"],
            "p:2: param 'x': stdin goes with text and json, not with integer",
        ),
        (["params: {x: {type: list, stdin: true}}"], "p:2: param 'x': stdin goes with text and json, not with list"),
        (["params: {x: {type: file, stdin: true}}"], "p:2: param 'x': stdin goes with text and json, not with file"),
        (["params: {x: {stdin: true}, y: {stdin: true}}"], "p:2: only one param can take stdin"),
        (
            ["params: {x: {type: file, default: a.txt}}"],
            "p:2: param 'x': file and image take no default: a prompt cannot name what to read",
        ),
        (
            ["params: {x: {type: image, default: }}"],
            "p:2: param 'x': file and image take no default: a prompt cannot name what to read",
        ),
        (["just text"], "p:2: the front matter must be `key: value` lines"),
        (["- a"], "p:2: the front matter must be `key: value` lines"),
    ],
    ids=lambda value: " / ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_type_is_said_with_file_and_line(lines: list[str], message: str | None) -> None:
    error = fault(*lines)
    if message is None:
        message = "p:2: type must be one of string, text, integer, number, boolean, date, json, list, file, image"
    assert (error.message, error.exit_code) == (message, 6)


@pytest.mark.parametrize("pattern", ["(", "[[a]", "a{99999999999}", "*", "(?P<x>a)(?P<x>b)", "\\"])
def test_a_pattern_that_python_would_refuse_or_warn_of_is_refused(pattern: str) -> None:
    message = fault(f"params: {{x: {{pattern: '{pattern}'}}}}").message
    assert message.startswith("p:2: pattern is not a regular expression (")


@pytest.mark.parametrize(
    ("type_", "default", "said"),
    [
        ("string", "[a]", "must be a text"),
        ("string", "{a: b}", "must be a text"),
        ("text", "[a]", "must be a text"),
        ("integer", "a", "must be a whole number, such as 3, not 'a'"),
        ("integer", "1.0", "must be a whole number, such as 3, not '1.0'"),
        ("integer", "true", "must be a whole number, such as 3, not 'true'"),
        ("integer", "[1]", "must be a whole number, such as 3, not '[1]'"),
        ("number", "a", "must be a number, such as 0.5, not 'a'"),
        ("number", ".inf", "must be a number, such as 0.5, not 'Infinity'"),
        ("number", "false", "must be a number, such as 0.5, not 'false'"),
        ("boolean", "maybe", "must be true or false, not 'maybe'"),
        ("boolean", "1", "must be true or false, not '1'"),
        ("date", "tomorrow", "must be a date, such as 2026-11-21, not 'tomorrow'"),
        ("date", "2026-13-01", "must be a date, such as 2026-11-21, not '2026-13-01'"),
        ("date", "[1]", "must be a text"),
        ("list", "{a: b}", "must be a text"),
        ("list", "[[a]]", "must be a text"),
    ],
)
def test_a_default_of_the_wrong_type_is_refused(type_: str, default: str, said: str) -> None:
    error = fault("params:", "  x:", f"    type: {type_}", f"    default: {default}")
    assert error.message == f"p:5: the default of 'x' {said}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("choices: [a, b], default: c", "the default of 'x' must be one of a, b, not 'c'"),
        ("type: integer, min: 2, default: 1", "the default of 'x' must be at least 2, not '1'"),
        ("type: number, max: 0.5, default: 1", "the default of 'x' must be at most 0.5, not '1'"),
        ("type: list, choices: [a, b], default: [a, c]", "the default of 'x' must be one of a, b, not 'c'"),
    ],
)
def test_a_default_outside_of_what_the_param_allows_is_refused(fields: str, said: str) -> None:
    assert fault("params:", f"  x: {{{fields}}}").message == f"p:3: {said}"


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [
        ("integer", "3", 3),
        ("integer", "'3'", 3),
        ("integer", "0x1F", 31),
        ("number", "3", 3),
        ("number", "-.5", -0.5),
        ("boolean", "true", True),
        ("boolean", "no", False),
        ("json", "{a: [1, true, null]}", {"a": [1, True, None]}),
        ("json", "text", "text"),
        ("list", "[1.10, no, true, '']", ["1.10", "no", "true", ""]),
        ("list", "one", ["one"]),
        ("list", "[]", []),
    ],
)
def test_a_default_is_read_by_its_type(type_: str, written: str, value: object) -> None:
    assert only_param(f"  x: {{type: {type_}, default: {written}}}").default == value


SCALARS = ["no", "yes", "on", "1.10", "1:30", "0x1F", "1_000", "2026-11-21", "1e3", ".5", "0o17", "017", "+1", "TRUE"]


@pytest.mark.parametrize("type_", ["string", "text"])
@pytest.mark.parametrize("written", SCALARS)
def test_a_text_keeps_what_was_written(written: str, type_: str) -> None:
    param = only_param(f"  x: {{type: {type_}, default: {written}, choices: [{written}, other]}}")
    assert (param.default, param.choices) == (written, (written, "other"))


@pytest.mark.parametrize("written", SCALARS)
def test_a_description_keeps_what_was_written(written: str) -> None:
    assert front(f"description: {written}").description == written


@pytest.mark.parametrize(
    ("lines", "line", "hint"),
    [
        (["description: Review: the change"], 2, 'quote the value: description: "Review: the change"'),
        (["tags: [a]", "description: @me"], 3, 'quote the value: description: "@me"'),
        (["description: `x`"], 2, 'quote the value: description: "`x`"'),
        (["params:", "  x:", '    help: say "a: b"'], 4, 'quote the value: help: "say \\"a: b\\""'),
        (["description: %d items"], 2, 'quote the value: description: "%d items"'),
    ],
)
def test_a_value_that_needs_quotes_is_shown_with_them(lines: list[str], line: int, hint: str) -> None:
    error = fault(*lines)
    assert error.message.startswith(f"p:{line}: not valid YAML (")
    assert error.hint == hint


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["model: a", "model: b"], "p:3: the key 'model' stands twice"),
        (["params:", "  x: {}", "  x: {}"], "p:4: the key 'x' stands twice"),
        (["options: {seed: 1, seed: 2}"], "p:2: the key 'seed' stands twice"),
        (["model: &a b"], "p:2: anchors and aliases (& and *) are not accepted"),
        (["model: *a"], "p:2: anchors and aliases (& and *) are not accepted"),
        (["tags: &a [b]"], "p:2: anchors and aliases (& and *) are not accepted"),
        (["<<: {a: b}"], "p:2: merges (<<) are not accepted"),
        (["options:", "  <<: {seed: 1}"], "p:3: merges (<<) are not accepted"),
        (["model: !!str a"], "p:2: the tag tag:yaml.org,2002:str is not accepted"),
        (["model: !!python/object/apply:os.system [id]"], None),
        (["model: !x a"], "p:2: the tag !x is not accepted"),
        (["params: !x {a: {}}"], "p:2: the tag !x is not accepted"),
        (["? [a, b]", ": c"], "p:2: a key must be a word"),
        (["x: " + "[" * 40 + "]" * 40], "p:2: nested more than 32 deep"),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) else "",
)
def test_yaml_that_no_prompt_needs_is_refused(lines: list[str], message: str | None) -> None:
    message = message or "p:2: the tag tag:yaml.org,2002:python/object/apply:os.system is not accepted"
    assert fault(*lines).message == message


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("descripton", "description"),
        ("tag", "tags"),
        ("modell", "model"),
        ("parms", "params"),
        ("option", "options"),
        ("outputs", "output"),
        ("fall_back", "fallback"),
        ("colour", None),
    ],
)
def test_an_unknown_key_is_warned_of_and_kept(key: str, near: str | None) -> None:
    prompt = front("model: m", f"{key}: 1.5")
    meant = f"; did you mean '{near}'?" if near else ""
    assert prompt.warnings == (f"p:3: unknown key '{key}'{meant}",)
    assert prompt.extra == {key: 1.5}


def test_a_key_that_begins_with_x_is_kept_without_a_warning() -> None:
    prompt = front("x-owner: {team: [a, 1]}", "x-: 1")
    assert (prompt.warnings, prompt.extra) == ((), {"x-owner": {"team": ["a", 1]}, "x-": 1})


FORBIDDEN = [
    *("base_url", "baseUrl", "api_base", "headers", "header", "api_key", "api_keys", "api_key_env", "api_key_command"),
    *("key", "keys", "proxy", "proxies", "http_proxy", "verify", "tls", "ssl", "cert", "env", "environment", "execute"),
    *("send", "provider", "providers", "custom_providers", "protocol", "auth_type", "allow_http", "timeout", "extra"),
    *("extra_body", "request", "organization", "commands_enabled", "trust", "roles", "limits", "config", "include"),
]


@pytest.mark.parametrize("key", FORBIDDEN)
def test_front_matter_never_says_where_a_request_goes(key: str) -> None:
    prompt = front(f"{key}: x")
    assert prompt.warnings[0].startswith(f"p:2: unknown key '{key}'")
    assert prompt == Prompt("p", prompt.text, "body", 4, extra={key: "x"}, warnings=prompt.warnings)


@pytest.mark.parametrize("key", [*FORBIDDEN, "logit_bias", "tools", "user", "messages", "model", "stream", "n"])
def test_options_hold_nothing_but_the_six(key: str) -> None:
    error = fault("options:", "  seed: 1", f"  {key}: x")
    assert error.message == f"p:4: options has no field '{key}'"
    near = ("did you mean", "options may hold temperature, top_p, max_tokens, stop, seed, effort")
    assert error.hint.startswith(near)


def test_a_prompt_that_wants_to_be_sent_elsewhere_is_only_rendered(aix: Aix, library: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        lines = [f"base_url: {address}", "execute: true", f"proxy: {address}", "api_key: x", "provider: openai"]
        (library / "evil.md").write_text("\n".join(["---", *lines, "---", "hello"]))
        done = aix("run", "evil")
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (done.stdout, done.status) == ("hello", 0)
    warned = [line for line in done.stderr.splitlines() if "unknown key" in line]
    assert len(warned) == 5
    assert done.stderr.splitlines()[-1] == "aix: rendered, not sent; add -x to send"


@pytest.mark.parametrize(
    ("lines", "flag", "pair"),
    [
        (["diff: {type: text}", "diff_file: {}"], "--diff-file", ("diff", "diff_file")),
        (["diff_file: {}", "diff: {type: json}"], "--diff-file", ("diff_file", "diff")),
        (["strict: {type: boolean}", "no_strict: {}"], "--no-strict", ("strict", "no_strict")),
        (["no_strict: {}", "strict: {type: boolean}"], "--no-strict", ("no_strict", "strict")),
        (["a: {short: q}", "b: {short: q}"], "-q", ("a", "b")),
    ],
)
def test_two_params_on_one_flag_are_refused(lines: list[str], flag: str, pair: tuple[str, str]) -> None:
    error = fault("params:", *(f"  {line}" for line in lines))
    assert error.message == f"p:4: params '{pair[0]}' and '{pair[1]}' both fall on {flag}"


@pytest.mark.parametrize(
    "name",
    [
        *("now", "today", "cwd", "os", "user", "git", "sh", "self", "super", "loop", "caller", "varargs", "kwargs"),
        *("true", "True", "false", "none", "None", "and", "or", "not", "in", "is", "if", "else"),
    ],
)
def test_a_name_that_means_something_in_a_template_is_no_params(name: str) -> None:
    error = fault("params:", f"  {name}: {{}}")
    assert error.message == f"p:3: '{name}' means something in every template, so no param can have that name"


def test_a_wrong_name_comes_with_one_that_would_do() -> None:
    assert fault("params: {first-name: {}}").hint == "letters, digits and _, no digit first: first_name"
    assert fault("params: {1st: {}}").hint == "letters, digits and _, no digit first: _1st"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("params: {a: text}", "param 'a' must be", "{type: text}"),
        ("params: [a]", "params must be", "params: {topic: {required: true}}"),
        ("output: json", "output must be", "{format: json}"),
        ("options: 800", "options must be", "{max_tokens: 800}"),
        ("\tmodel: a", "not valid YAML", "indent with spaces, not with tabs"),
        ("params: {n: {type: integer, min: 5, max: 1}}", "param 'n': min is greater than max", ""),
        (f"params: {{n: {{type: integer, min: {'9' * 390}}}}}", "min must be a number", ""),
    ],
)
def test_what_is_in_another_form_is_shown_in_its_own(text: str, message: str, hint: str) -> None:
    error = fault(text)
    assert message in error.message
    assert hint in error.hint


def test_of_many_warnings_some_are_said() -> None:
    said = parse("---\n" + "".join(f"k{n}: 1\n" for n in range(3000)) + "---\n", "p").warnings
    assert len(said) == 21
    assert said[-1] == "p: 2,980 more unknown keys"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("", "", 1)),
        ("body", ("", "body", 1)),
        ("---\n---\n", ("", "", 3)),
        ("---\n---", ("", "", 2)),
        ("---\nmodel: a\n---", ("model: a\n", "", 3)),
        ("---\nmodel: a\n---\n", ("model: a\n", "", 4)),
        ("---\nmodel: a\n...\nbody", ("model: a\n", "body", 4)),
        ("--- \t\nmodel: a\n---  \nbody", ("model: a\n", "body", 4)),
        ("---\nmodel: a\n---\nbody\n---\nmore\n---\n", ("model: a\n", "body\n---\nmore\n---\n", 4)),
        ("---\nx: |\n  a\n  ---\n---\nbody", ("x: |\n  a\n  ---\n", "body", 6)),
        ("----\nbody\n---\n", ("", "----\nbody\n---\n", 1)),
        (" ---\nbody\n---\n", ("", " ---\nbody\n---\n", 1)),
        ("\n---\nmodel: a\n---\n", ("", "\n---\nmodel: a\n---\n", 1)),
        ("---x\nbody\n---\n", ("", "---x\nbody\n---\n", 1)),
        ("---\nx: 1\n----\n---\nbody", ("x: 1\n----\n", "body", 5)),
        ("---", ("", "---", 1)),
    ],
)
def test_front_matter_stands_between_its_two_lines(text: str, parts: tuple[str, str, int]) -> None:
    assert split(text, "p") == parts


@pytest.mark.parametrize("text", ["---\n", "---\nmodel: a\n", "---\nmodel: a\n ---\n", "---\n" + "\n" * 1_000_000])
def test_front_matter_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        split(text, "p")
    assert caught.value.message == "p:1: the front matter has no end"
    assert caught.value.hint == "close it with a line that holds only ---"


@pytest.mark.parametrize(("length", "fits"), [(MAX_FRONT_MATTER, True), (MAX_FRONT_MATTER + 1, False)])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_front_matter_has_64_kib(length: int, fits: bool, letter: str) -> None:
    line = "# "
    size = len(letter.encode())
    comment = line + letter * ((length - len(line) - 1) // size)
    comment += "x" * (length - 1 - len(comment.encode()))
    text = f"---\n{comment}\n---\nbody"
    if fits:
        assert parse(text, "p").body == "body"
        return
    with pytest.raises(TemplateError, match=r"^p:1: the front matter is larger than 64 KiB$"):
        parse(text, "p")


@pytest.mark.parametrize(
    "data",
    [b"---\nmodel: m\n---\na\nb", b"---\r\nmodel: m\r\n---\r\na\r\nb", b"---\rmodel: m\r---\ra\rb"],
    ids=["LF", "CRLF", "CR"],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_a_line_end_is_a_line_end(data: bytes, bom: bytes) -> None:
    prompt = parse(decode(bom + data, "p"), "p")
    assert (prompt.model, prompt.body, prompt.body_line) == ("m", "a\nb", 4)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\xff", 1),
        (b"a\nb\xff", 2),
        (b"a\r\nb\r\n\xc3", 3),
        (b"a\rb\rc\xe2\x82\r", 3),
        (b"\xef\xbb\xbfa\n\n\xff", 3),
        ("é\n".encode() + b"\xed\xa0\x80", 2),
        ("text".encode("utf-16"), 1),
    ],
)
def test_what_is_not_utf_8_is_said_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(TemplateError) as caught:
        decode(data, "p.md")
    assert caught.value.message == f"p.md:{line}: not UTF-8 text"


@pytest.mark.parametrize(
    ("text", "body"), [("", ""), ("---\ndescription: x\n---\n", ""), ("\n\n", "\n\n"), ("a\x0cb\u2028c\x00", None)]
)
def test_any_body_is_a_body(text: str, body: str | None) -> None:
    assert parse(text, "p").body == (text if body is None else body)


def test_other_kinds_of_line_ends_do_not_move_a_line() -> None:
    prompt = parse("---\nmodel: m\n---\na\u2028b\x85c\x0bd\n{{ x }}", "p")
    assert prompt.body_line == 4
    assert prompt.body == "a\u2028b\x85c\x0bd\n{{ x }}"


def test_a_fault_names_the_file_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        parse("---\nmodel: [a]\n---\n", "p", tmp_path / "p.md", "user")
    assert caught.value.message == f"{tmp_path}/p.md:2: model must be a text"


@pytest.mark.parametrize(
    ("text", "fields", "declared"),
    [
        ("body", {}, "body"),
        ("body", {"description": "", "tags": []}, "body"),
        ("", {"description": "d"}, "---\ndescription: d\n---\n"),
        ("body", {"description": "d", "tags": ["a", "b"]}, "---\ndescription: d\ntags: [a, b]\n---\nbody"),
        ("x", {"description": "a: b", "tags": ["no"]}, "---\ndescription: 'a: b'\ntags: ['no']\n---\nx"),
        ("---\n---\nbody", {"description": "d"}, "---\ndescription: d\n---\nbody"),
        ("---\nmodel: m # c\n---\nx", {"tags": ["a"]}, "---\ntags: [a]\nmodel: m # c\n---\nx"),
        ("---\ndescription: own\n---\nx", {"tags": ["a"]}, "---\ntags: [a]\ndescription: own\n---\nx"),
        ("---\ndescription: own\n---\nx", {"description": ""}, "---\ndescription: own\n---\nx"),
        ("text\n---\nmore", {"tags": ["a"]}, "---\ntags: [a]\n---\ntext\n---\nmore"),
    ],
)
def test_a_text_gets_more_front_matter_and_keeps_its_own(text: str, fields: dict[str, Any], declared: str) -> None:
    assert declare(text, fields) == declared
    prompt, given = parse(declared, "p"), {key: value for key, value in fields.items() if value}
    assert given == {key: {"description": prompt.description, "tags": list(prompt.tags)}[key] for key in given}


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("---\ntags: [a]\n---\nx", UsageError, "the text gives its tags itself"),
        ("---\nmodel: m\nx", TemplateError, "the text:1: the front matter has no end"),
        ("---\nmodel: m\ntags: [\n---\nx", TemplateError, "the text:[34]: not valid YAML"),
        ("---\nmodel: m\na: b: c\n---\nx", TemplateError, "the text:3: not valid YAML"),
    ],
)
def test_front_matter_that_cannot_get_more_is_said(text: str, error: type[AixError], said: str) -> None:
    with pytest.raises(error, match=said):
        declare(text, {"tags": ["b"]})


def test_broken_front_matter_is_exit_6_without_a_traceback(aix: Aix, library: Path) -> None:
    (library / "broken.md").write_text("---\ndescription: a: b\n---\n")
    done = aix("run", "broken")
    assert (done.status, done.stdout) == (6, "")
    assert done.stderr == (
        f"aix: error: {library}/broken.md:2: not valid YAML (mapping values are not allowed in this context)\n"
        '  hint: quote the value: description: "a: b"\n'
    )


def test_a_pattern_that_never_ends_is_not_run_to_look_at_a_prompt(aix: Aix, library: Path) -> None:
    text = f"---\nparams: {{x: {{pattern: '(a+)+$', default: '{'a' * 60}!'}}}}\n---\n{{{{ x }}}}"
    library.joinpath("slow.md").write_text(text)
    assert "slow" in aix("list", timeout=20).stdout
