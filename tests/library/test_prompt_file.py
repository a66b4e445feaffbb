"""The prompt file as its readers know it: what a page about it says, each line with a prompt that does it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from desk import SURROUNDINGS, Desk
from test_document import FORBIDDEN

from aix.errors import TemplateError
from aix.library.arguments import Given, Sources, resolve
from aix.library.document import parse
from aix.library.prompt import Prompt
from aix.messages import Image, Message, Text

PNG = b"\x89PNG\r\n\x1a\n..."


class Silent:
    """A standard input with nobody at it."""

    kind = "closed"

    def read(self) -> str:
        raise AssertionError


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "prompts"
    folder.mkdir()
    return Desk(folder)


def said(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages]


BASE = "{% system %}{% block rules %}Be brief.{% endblock %}{% user %}{% block ask required %}{% endblock %}"
PAIRS = [{"q": "1+1", "a": "2"}, {"q": "2+2", "a": "4"}]

WHOLE: list[tuple[str, str, Mapping[str, str], Mapping[str, Any], list[tuple[str, str]]]] = [
    (
        "a prompt extends another, and its blocks bring messages",
        '{% extends "_base.md" %}{% block ask %}Why? {{ x }}{% assistant %}Because{% endblock %}',
        {"_base": BASE},
        {"x": "now"},
        [("system", "Be brief."), ("user", "Why? now"), ("assistant", "Because")],
    ),
    (
        "a block has that of the other in it",
        '{% extends "_base.md" %}{% block rules %}{{ super() }} Be kind.{% endblock %}{% block ask %}Hi{% endblock %}',
        {"_base": BASE},
        {},
        [("system", "Be brief. Be kind."), ("user", "Hi")],
    ),
    (
        "a chain of prompts, each beside the other",
        '{% extends "./web/_middle.md" %}{% block ask %}c{% endblock %}',
        {"web/_middle": '{% extends "./_base.md" %}{% block rules %}b{% endblock %}', "web/_base": BASE},
        {},
        [("system", "b"), ("user", "c")],
    ),
    (
        "what stands outside of the blocks of one that extends is not said",
        '{% extends "_base.md" %}lost{% user %}lost{% block ask %}kept{% endblock %}',
        {"_base": BASE},
        {},
        [("system", "Be brief."), ("user", "kept")],
    ),
    (
        "few shots are a loop over data of the prompt",
        '{% set shots = [{"q": "1+1", "a": "2"}, {"q": "2+2", "a": "4"}] %}{% system %}Add.'
        "{% for shot in shots %}{% user %}{{ shot.q }}{% assistant %}{{ shot.a }}{% endfor %}{% user %}{{ x }}",
        {},
        {"x": "3+3"},
        [
            *[("system", "Add."), ("user", "1+1"), ("assistant", "2")],
            *[("user", "2+2"), ("assistant", "4"), ("user", "3+3")],
        ],
    ),
    (
        "few shots are a param of the type json",
        "---\nparams: {shots: {type: json}}\n---\n"
        "{% for shot in shots %}{% user %}{{ shot.q }}{% assistant %}{{ shot.a }}{% endfor %}",
        {},
        {"shots": PAIRS},
        [("user", "1+1"), ("assistant", "2"), ("user", "2+2"), ("assistant", "4")],
    ),
    (
        "few shots are a partial, an include for each",
        '{% for shot in shots %}{% include "_shot.md" %}{% endfor %}{% user %}go',
        {"_shot": "{% user %}{{ shot.q }}{% assistant %}{{ shot.a }}"},
        {"shots": PAIRS},
        [("user", "1+1"), ("assistant", "2"), ("user", "2+2"), ("assistant", "4"), ("user", "go")],
    ),
    (
        "macros of a partial, with what the prompt has around",
        '{% from "_m.md" import say with context %}{% import "_m.md" as m %}{{ say("a") }}{{ m.bold("b") }}',
        {"_m": "{% macro say(x) %}{{ x }}{{ y }}{% endmacro %}{% macro bold(x) %}**{{ x }}**{% endmacro %}"},
        {"y": "!"},
        [("user", "a!**b**")],
    ),
    (
        "the first of several files that is there",
        'a{% include "_none.md" ignore missing %}{% include "_some.md" ignore missing %}',
        {"_some": "b"},
        {},
        [("user", "ab")],
    ),
    (
        "an include without what is around has only what is always there",
        '{% include "_a.md" without context %}',
        {"_a": "{{ os }}{{ x|default('-') }}"},
        {"x": "seen"},
        [("user", "linux-")],
    ),
    (
        "text before the first message is the user's",
        "hello{% system %}be kind",
        {},
        {},
        [("user", "hello"), ("system", "be kind")],
    ),
    (
        "raw text, comments and white space are Jinja's",
        "{% raw %}{{ x }}{% endraw %}{# gone #} a  {%- if true -%}  b  {%- endif %}",
        {},
        {},
        [("user", "{{ x }} ab")],
    ),
    (
        "a literal body is nobody's language",
        "---\ntemplate: false\n---\n{% system %}{{ nope }}{{ sh('x') }}{% include \"none.md\" %}",
        {},
        {},
        [("user", "{% system %}{{ nope }}{{ sh('x') }}{% include \"none.md\" %}")],
    ),
    (
        "conditions and tests",
        "{% if x is defined and x %}yes{% else %}no{% endif %}{{ 'big' if n > 3 else 'small' }}",
        {},
        {"x": "", "n": 4},
        [("user", "nobig")],
    ),
    (
        "what is always there",
        "{{ now.year }} {{ today }} {{ cwd }} {{ os }} {{ user }} {{ git.branch }} {{ git.root }}",
        {},
        {},
        [("user", "2026 2026-11-21 /here linux ada main /here")],
    ),
    (
        "filters of aix and of Jinja",
        "{{ x|fenced('py') }}|{{ {'b': 1, 'a': 'ä'}|json }}|{{ 'abcdefghij'|truncate_tokens(1) }}|{{ x|upper|trim }}",
        {},
        {"x": "a"},
        [("user", '```py\na\n```|{"b": 1, "a": "ä"}|abcd…|A')],
    ),
]


@pytest.mark.parametrize(("text", "files", "values", "messages"), [row[1:] for row in WHOLE], ids=[r[0] for r in WHOLE])
def test_a_whole_prompt(
    text: str, files: Mapping[str, str], values: Mapping[str, Any], messages: list[tuple[str, str]], desk: Desk
) -> None:
    assert desk.render(text, files, **values) == messages


TYPED = """---
params:
  string: {default: 1.10}
  text: {type: text, required: true, stdin: true}
  integer: {type: integer, min: 1, max: 9, default: 0x7}
  number: {type: number, default: 1e-1}
  boolean: {type: boolean, short: b}
  date: {type: date, default: 2026-11-21}
  json: {type: json, default: {a: [1, no, ~]}}
  list: {type: list, default: [x, 1.10], choices: [x, 1.10, z]}
  file: {type: file}
  image: {type: image}
  chosen: {choices: [no, 1:30, 007], default: 1:30}
---
{{ string }}|{{ text }}|{{ integer + 1 }}|{{ number }}|{{ boolean }}|{{ date.year }}|{{ json.a }}|
{{- list|join('+') }}|{{ file }}|{{ chosen }}|{{ image }}
"""


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ({}, "1.10|T|8|0.1|False|2026|[1, 'no', None]|x+1.10||1:30|"),
        ({"boolean": ["yes"], "integer": ["9"]}, "1.10|T|10|0.1|True|2026|[1, 'no', None]|x+1.10||1:30|"),
        ({"list": ["z", "x"], "chosen": ["007"]}, "1.10|T|8|0.1|False|2026|[1, 'no', None]|z+x||007|"),
        ({"file": ["f.txt"], "date": ["1999-01-02"]}, "1.10|T|8|0.1|False|1999|[1, 'no', None]|x+1.10|inside|1:30|"),
        ({"json": ['{"a": {"b": null}}']}, "1.10|T|8|0.1|False|2026|{'b': None}|x+1.10||1:30|"),
        ({"string": ["@f.txt"], "number": ["2"]}, "@f.txt|T|8|2.0|False|2026|[1, 'no', None]|x+1.10||1:30|"),
    ],
)
def test_every_type_of_param_from_the_flag_to_the_template(
    texts: dict[str, list[str]], shown: str, desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "f.txt").write_text("inside")
    template = desk.template(TYPED)
    given = Given(texts={"text": ["T"], **texts})
    values = resolve(template.params, given, Sources(Silent(), tmp_path))  # type: ignore[arg-type]
    empty = {param.name: param.empty for param in template.params}
    assert said(template.render(empty | values, SURROUNDINGS)) == [("user", shown)]


def test_an_image_param_stands_in_its_message(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(PNG)
    template = desk.template("---\nparams: {image: {type: image}}\n---\n{% user %}What is {{ image }} this?")
    values = resolve(template.params, Given(texts={"image": ["p.png"]}), Sources(Silent(), tmp_path))  # type: ignore[arg-type]
    [message] = template.render(values, SURROUNDINGS)
    assert message.parts == (Text("What is "), Image(PNG, "image/png"), Text(" this?"))


@pytest.mark.parametrize(
    ("text", "files", "fault"),
    [
        ('a\n{% include "_none.md" %}', {}, "main.md:2: there is no file _none.md"),
        ('{% include "./_none.md" %}', {"web/main": ""}, "main.md:1: there is no file _none.md"),
        ('{% extends "../x.md" %}', {}, "main.md:1: cannot include '../x.md'"),
        ('{% import "/etc/x.md" as x %}', {}, "main.md:1: cannot include '/etc/x.md'"),
        ("{% include x %}", {}, "main.md:1: include takes a literal name in quotes"),
        ('{% include ["a.md", "b.md"] %}', {}, "main.md:1: include takes a literal name in quotes"),
        ("{% set x %}{% user %}{% endset %}", {}, "main.md:1: a message tag cannot stand inside a set or filter block"),
        (
            "a{% filter upper %}\n{% system %}{% endfilter %}",
            {},
            "main.md:1: a message tag cannot stand inside a set or filter block",
        ),
        ('{% extends "_base.md" %}', {"_base": BASE}, "_base.md:1: Required block 'ask' not found"),
        ("{% if x %}\n\n", {}, "main.md:1: Unexpected end of template."),
        ("---\nparams:\n  a: {type: sting}\n---\n", {}, "main.md:3: type must be one of string, text, integer, number"),
    ],
)
def test_a_fault_is_said_with_its_file_and_line(text: str, files: dict[str, str], fault: str, desk: Desk) -> None:
    assert desk.fault(text, files, x="a.md").startswith(fault)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_how_lines_end_and_what_stands_before_them_does_not_matter(end: str, bom: str, desk: Desk) -> None:
    text = "---\ndescription: d\nparams: {x: {default: y}}\n---\n{% system %}\na\n{% user %}\nb {{ x }}\n"
    template = desk.template(bom + text.replace("\n", end))
    assert said(template.render({"x": "y"}, SURROUNDINGS)) == [("system", "a"), ("user", "b y")]
    assert template.digest == desk.template(text).digest


PLACES: Mapping[str, str] = {
    "at the top": "{key}: {value}\n",
    "at the top, as a mapping": "{key}: {{openai: {value}, url: {value}}}\n",
    "in the options": "options:\n  {key}: {value}\n",
    "in a param": "params:\n  x:\n    {key}: {value}\n",
    "in the output": "output:\n  {key}: {value}\n",
}
VALUE = "http://127.0.0.1:1/stolen"


@pytest.mark.parametrize("key", FORBIDDEN)
@pytest.mark.parametrize("place", PLACES)
def test_what_no_prompt_may_say_changes_nothing_wherever_it_stands(place: str, key: str) -> None:
    """Either it is refused, or what is left of the prompt is what it is without."""
    text = f"---\n{PLACES[place].format(key=key, value=VALUE)}---\nhello"
    try:
        prompt = parse(text, "p")
    except TemplateError as error:
        assert re.match(r"p:[3-4]: .* has no field", error.message)
        return
    assert prompt == Prompt("p", text, "hello", prompt.body_line, extra=prompt.extra, warnings=prompt.warnings)
    assert prompt.warnings[0].startswith(f"p:2: unknown key '{key}'")
    assert VALUE not in repr(said_fields(prompt))


def said_fields(prompt: Prompt) -> list[Any]:
    """All of a prompt that a run reads."""
    fields = ("description", "tags", "params", "model", "fallback", "options", "output", "template")
    return [getattr(prompt, field) for field in fields]


def test_there_are_enough_places_and_the_check_can_fail() -> None:
    assert len(FORBIDDEN) * len(PLACES) >= 120
    assert VALUE in repr(said_fields(parse(f"---\nmodel: {VALUE}\n---\nhello", "p")))


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (("--date", "2026-01-02", "--no-strict"), "2026-01-02 False"),
        (("-s", "-p", "date=2026-01-02"), "2026-01-02 True"),
        (("-p", "strict=yes", "--date=2026-01-02"), "2026-01-02 True"),
    ],
)
def test_params_are_flags_of_the_command(flags: tuple[str, ...], shown: str, aix: Aix, library: Path) -> None:
    (library / "p.md").write_text(
        "---\nparams:\n  date: {type: date, required: true}\n  strict: {type: boolean, short: s}\n---\n"
        "{{ date }} {{ strict }}"
    )
    assert aix("run", "p", *flags).stdout == shown


def test_a_prompt_with_a_pattern_that_never_ends_is_a_wrong_use(aix: Aix, library: Path) -> None:
    (library / "p.md").write_text("---\nparams: {a: {pattern: '(x|x)*y'}}\n---\n{{ a }}")
    done = aix("run", "p", "-p", f"a={'x' * 60}")
    assert done.status == 2
    assert "whether param 'a' fits its pattern cannot be said: that took more than" in done.stderr
    assert aix("run", "p", "-p", "a=xxy").stdout == "xxy"
