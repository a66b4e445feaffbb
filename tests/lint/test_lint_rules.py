"""What lint finds, in which line; a table of small files."""

from pathlib import Path

import pytest
from bench import KNOWN, OWN_KEY, found, seen

from aix.errors import TemplateError
from aix.library.document import parse
from aix.library.layer import Layer
from aix.library.templates.template import Template
from aix.lint.file import File, look
from aix.lint.rules import RULES

KEY = "sk-proj-abcDEF0123456789abcdEFGH"


def front(*lines: str, body: str = "hi") -> str:
    return "\n".join(("---", *lines, "---", body, ""))


def param(fields: str, body: str = "{{ a }}") -> str:
    return front("params:", f"  a: {fields}", body=body)


ROWS: list[tuple[str, list[str]]] = [
    # front matter that cannot be read
    ("---\ndescription: x\n", ["1 front-matter"]),
    (front("description: a: b"), ["2 front-matter"]),
    (front("tags: [a"), ["3 front-matter"]),
    (front("description: x", "params:", "\ta: {}"), ["4 front-matter"]),
    (front("a: &x 1"), ["2 front-matter"]),
    (front("model: x", "model: y"), ["3 front-matter"]),
    (front("description: !!python/name:os.system x"), ["2 front-matter"]),
    (front("x-long: " + "a" * 70_000), ["1 front-matter"]),
    ("---\ndescription: @x\n---\n{% if %}", ["2 front-matter", "4 syntax"]),
    # keys and values
    (front("temperature: 0.2", "schema: {}"), ["2 unknown-key", "3 unknown-key"]),
    (front("params: [a, b]", body="{{ a }}"), ["2 wrong-value"]),
    (front("params: {if: {}}"), ["2 wrong-value"]),
    (param("{type: integer, min: 5, max: 1}"), ["3 wrong-value"]),
    # names, and other keys
    (param("{}", "{{ a }}\n{{ loop.index }}"), ["6 undefined"]),
    ("{{ caller() }}", ["1 undefined"]),
    (
        param("{}", "{% if a %}{% set b = 1 %}{% elif 2 %}{% set c = 2 %}{% else %}{% set b = 3 %}{% endif %}{{ b }}"),
        ["5 undefined"],
    ),
    ("x\nghp_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5", ["2 secret"]),
    ("AKIAIOSFODNN7EXAMPLZ", ["1 secret"]),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA04up8hoqzS1\n", ["1 secret"]),
    ("{a} {a}\n{a}", ["1 old-placeholder"]),
    (front("desciption: x"), ["2 unknown-key"]),
    (front("# a comment", "zzzzz: x", "x-mine: y"), ["3 unknown-key"]),
    (front("modle: x", "tgas: [a]"), ["2 unknown-key", "3 unknown-key"]),
    (front("- a", "- b"), ["2 wrong-value"]),
    (front("template: 3"), ["2 wrong-value"]),
    (front("tags: {a: b}", "description: [x]"), ["2 wrong-value", "3 wrong-value"]),
    (front("options: {temprature: 1}"), ["2 unknown-field"]),
    (front("options: {temperature: hot, top_p: 7, seed: 1.5}"), ["2 wrong-value"] * 3),
    (front("options:", "  max_tokens: 0", "  effort: huge"), ["3 wrong-value", "4 wrong-value"]),
    (front("options: 7"), ["2 wrong-value"]),
    (front("output: {format: xml}"), ["2 wrong-value"]),
    (front("output:", "  fromat: json"), ["3 unknown-field"]),
    (front("base_url: http://evil.example", "api_key: x"), ["2 unknown-key", "3 unknown-key"]),
    (front("x-lint: [unused-prm]"), ["2 unknown-rule"]),
    (front("x-lint: syntax"), ["2 unknown-rule"]),
    # params
    (param("{typ: text}"), ["3 unknown-field"]),
    (param("{type: strng, required: maybe}"), ["3 wrong-value", "3 wrong-value"]),
    (param("{default: 3, choices: [1, 2]}"), ["3 wrong-value"]),
    (param("{type: integer, default: x}"), ["3 wrong-value"]),
    (param('{pattern: "[a"}'), ["3 wrong-value"]),
    (param("{min: 3}"), ["3 wrong-value"]),
    (param("{type: file, default: /etc/passwd}"), ["3 wrong-value"]),
    (param("{short: ab}"), ["3 wrong-value"]),
    (param("{required: true, default: x}"), ["3 required-default"]),
    (front("params:", "  first-name: {}", body="{{ first_name }}"), ["3 wrong-value"]),
    (front("params:", "  now: {}"), ["3 wrong-value"]),
    (front("params:", "  a: {short: s}", "  b: {short: s}", body="{{ a }}{{ b }}"), ["4 flag-clash"]),
    (front("params:", "  a: {stdin: true}", "  b: {stdin: true}", body="{{ a }}{{ b }}"), ["4 wrong-value"]),
    (front("params:", "  model: {}", body="{{ model }}"), ["3 own-flag"]),
    (param("{short: m}"), ["3 own-flag"]),
    (front("params:", "  stream: {type: boolean}", body="{{ stream }}"), ["3 own-flag"]),
    ("one\n{{ model }}\n", ["2 own-flag"]),
    ("{{ a }}\n{{ a_file }}\n", ["2 flag-clash"]),
    (front("params:", "  a: {}", "  b: {}", body="{{ b }}"), ["3 unused-param"]),
    (front("template: false", "params:", "  a: {}", body="{{ a }}"), ["4 unused-param"]),
    (param("{}", "{{ a }}\n\n{{ b }}"), ["7 undefined"]),
    (param("{}", "{{ a }}\n{% for x in y %}{{ x }}{% endfor %}"), ["6 undefined"]),
    (param("{secret: true}", '{{ sh("login \\"$1\\"", a) }}'), ["5 sh-secret"]),
    # templates
    ("one\n{% if x %}\n", ["2 syntax"]),
    ("{{ x | nothing }}\n", ["1 syntax"]),
    ("one\n{% for %}{% endfor %}", ["2 syntax"]),
    ("{{ a b }}", ["1 syntax"]),
    ("{% set a %}\n{% system %}x\n{% endset %}", ["2 message-tag"]),
    ("{% filter upper %}{% user %}{% endfilter %}", ["1 message-tag"]),
    ('one\n{% include "no.md" %}\n{% include "../no.md" %}', ["2 include", "3 include"]),
    ('{% include "/etc/passwd" %}', ["1 include"]),
    ("{% include name %}", ["1 include"]),
    ('{% include "p.md" %}', ["1 include-cycle"]),
    ('{{ sh("ls " ~ x) }}\n{{ sh(x) }}', ["1 sh-call", "2 sh-call"]),
    ("{% set run = sh %}", ["1 sh-call"]),
    ('{{ sh("echo {{ x }}") }}', ["1 sh-value"]),
    ('{{ sh("echo \\"$2\\"", "a") }}', ["1 sh-value"]),
    ('{{ sh("date", "a") }}', ["1 sh-value"]),
    (param("{type: string}", '{{ sh("git log \\"$1\\"", a) }}'), ["5 sh-dash"]),
    # text that is not what it looks like
    ("a\n{#1} b #} c", ["2 lookalike"]),
    ("run: ${{ github.sha }}\nand ${{ secrets.KEY }}", ["1 lookalike", "2 lookalike"]),
    ("Translate {text} to {language}.", ["1 old-placeholder", "1 old-placeholder"]),
    ("one\n$(git diff --cached)\n", ["2 old-placeholder"]),
    ("{cmd:ls} and {{ x }}\n{exec:pwd}", ["1 old-placeholder", "2 old-placeholder"]),
    (param("{}", "{{ a }} {a} {b}"), ["5 old-placeholder"]),
    # keys
    (f"use {KEY}", ["1 secret"]),
    (f"one\n{OWN_KEY}", ["2 secret"]),
    (param(f"{{default: {KEY}}}"), ["3 secret"]),
    (f"# {KEY}\n{{% raw %}}{KEY}{{% endraw %}}{{# {OWN_KEY} #}}", ["1 secret", "2 secret", "2 secret"]),
    # schemas
    (front("output: {schema: {type: thing}}"), ["2 schema"]),
    (
        front("output:", "  schema:", "    type: object", "    properties:", "      a: {type: thing}"),
        ["6 schema"],
    ),
    (front("output: {schema: {$ref: 'https://example.com/s.json'}}"), ["2 schema"]),
    (front('output: {schema: {pattern: "[a"}}'), ["2 schema"]),
    # many at once
    (
        front("modle: x", "params:", "  a: {typ: text}", "  b: {}", body="{{ a }}{{ c }}\n{#1} #}\n{{ sh(a) }}"),
        ["2 unknown-key", "4 unknown-field", "5 unused-param", "7 undefined", "8 lookalike", "9 sh-call"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_what_is_wrong_is_found_in_its_line(text: str, expected: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, text) == expected


def test_lint_tells_an_error_wherever_a_run_would_end(tmp_path: Path) -> None:
    """Lint itself adds errors for what a run would stumble over later."""
    ended = 0
    for text, _ in ROWS:
        (tmp_path / "p.md").write_text(text)
        try:
            prompt = parse(text, "p", tmp_path / "p.md", "user")
            _ = Template(prompt, Layer("user", tmp_path).read).params
        except TemplateError:
            ended += 1
            assert "error" in {one.severity for one in seen(tmp_path, text).findings}, text
    assert ended > 30


def test_every_rule_about_files_is_in_the_table() -> None:
    told = {one.split()[1] for _, expected in ROWS for one in expected}
    elsewhere = {"unreadable", "too-much", "file-name", "same-name"}
    models = {"unknown-model", "unlisted-model", "retired-model", "only-here"}
    assert told | elsewhere | models == {*RULES}
    assert len(ROWS) >= 60


@pytest.mark.parametrize(
    ("text", "beside", "expected"),
    [
        ('{% include "_a.md" %}', {"_a.md": "{% if %}"}, ["_a.md:1 syntax"]),
        ('{% include "_a.md" %}', {"_a.md": "---\nx: 1\n---\n\n{{ y | no }}"}, ["_a.md:5 syntax"]),
        ('one\n{% include "_a.md" %}', {"_a.md": "---\nx: 1\n"}, ["2 include"]),
        ('{% include "_a.md" %}', {"_a.md": '{% include "p.md" %}'}, ["1 include-cycle", "_a.md:1 include-cycle"]),
        ('{% if x %}{% include "p.md" %}{% endif %}', {}, []),
        ('{% include "web/_a.md" %}', {"web/_a.md": '{% include "./_b.md" %}', "web/_b.md": "x"}, []),
        ('{% include "no.md" ignore missing %}', {}, []),
        (param("{}", '{% include "_a.md" %}'), {"_a.md": "{{ a }}"}, []),
        (param("{}", '{{ a }}{% include "_a.md" %}'), {"_a.md": "{{ b }}"}, ["2 undefined"]),
        (param("{}", '{{ a }}{% set b = 1 %}{% include "_a.md" %}'), {"_a.md": "{{ b }}"}, []),
        (param("{}", '{{ a }}{% from "_a.md" import m %}{{ m() }}'), {"_a.md": "{% macro m() %}x{% endmacro %}"}, []),
        ('{% from "_a.md" import itme %}{{ itme() }}', {"_a.md": "{% macro item() %}{% endmacro %}"}, ["1 undefined"]),
        (param("{type: text}", '{% include "_a.md" %}'), {"_a.md": '{{ sh("x $1", a) }}'}, ["_a.md:1 sh-dash"]),
    ],
)
def test_what_is_wrong_between_files_is_found(
    text: str, beside: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, text, beside) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{{ tone }} {{ model }}", []), ("{% if %}", ["1 syntax"]), ("---\nparams: 3\n---\nx", [])],
)
def test_a_partial_is_judged_without_the_params_of_whoever_includes_it(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, text, name="_a.md") == expected


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("unused-param", "params: {a: {}}\n---\nhi"),
        ("lookalike", "description: x\n---\n{#1} #}"),
        ("secret", f"description: x\n---\n{KEY}"),
    ],
)
def test_a_file_can_have_a_rule_passed_over(rule: str, text: str, tmp_path: Path) -> None:
    assert found(tmp_path, f"---\n{text}") != []
    assert found(tmp_path, f"---\nx-lint: [{rule}]\n{text}") == []


@pytest.mark.parametrize("text", [f"{KEY} {OWN_KEY}", front(f"model: {KEY}"), front(f"options: {{{OWN_KEY}: 1}}")])
def test_what_is_found_holds_no_key(text: str, tmp_path: Path) -> None:
    for one in (one for one in seen(tmp_path, text).findings if one.rule == "secret"):
        assert KEY not in one.message + one.hint
        assert OWN_KEY not in one.message + one.hint


def test_a_byte_that_is_no_text_is_found_in_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_bytes(b"one\ntwo \xff\n")
    file = File(Layer("user", tmp_path), "p.md")
    assert [(one.line, one.rule) for one in look(file, file.data(), KNOWN).findings] == [(2, "unreadable")]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ x && y }}", "Jinja's word for && is and"),
        ("{{ x || y }}", "Jinja's word for || is or"),
        ("{{ !x }}", "Jinja's word for ! is not"),
        ("a\n{{ a ? b : c }}", "Jinja writes {{ yes if it else no }}"),
        ("{% if x %}{% else if y %}{% endif %}", "Jinja writes {% elif … %}"),
        ("{% sytem %}", "did you mean system?"),
        ("{% System %}", "did you mean system?"),
        ("{{ x | lowr }}", "did you mean lower?"),
        ("{{ x is evn }}", "did you mean even?"),
        ("{{ .Values.x }}", "what is only text goes between {% raw %} and {% endraw %}"),
        ('{% include "_stile.md" %}', 'did you mean "_style.md"?'),
        (front("temperature: 0.2"), "it goes under options: {temperature: …}"),
    ],
)
def test_the_hint_says_what_to_write(text: str, hint: str, tmp_path: Path) -> None:
    assert [one.hint for one in seen(tmp_path, text, {"_style.md": "Be brief."}).findings] == [hint]
