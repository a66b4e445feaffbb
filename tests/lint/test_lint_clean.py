"""What is right is left alone: a warning about what is as it should be teaches people to read no warnings."""

from pathlib import Path

import pytest
from bench import FLAGS, found

from aix.app_prompts import built_in_prompts
from aix.library.layer import Layer
from aix.lint.file import File, Knowledge, look
from aix.lint.folder import files


def front(*lines: str, body: str) -> str:
    return "\n".join(("---", *lines, "---", body, ""))


BARE = [
    "Explain monads in one sentence.",
    "",
    "Hello {{ name | default('you') }}!",
    "Summarise this:\n\n{{ text }}",
    "{% system %}You are terse.\n{% user %}{{ question }}",
    "{% for one in cases %}{% user %}{{ one.q }}{% assistant %}{{ one.a }}{% endfor %}{% user %}{{ question }}",
    "{% if diff is defined %}{{ diff }}{% else %}nothing{% endif %}",
    "{% set who = user %}Dear {{ who }}, today is {{ today }} on {{ os }}, branch {{ git.branch }}.",
    "{% macro item(x) %}- {{ x }}{% endmacro %}{{ item('a') }}{{ item(b) }}",
    "{% for a, b in pairs %}{{ loop.index }}: {{ a }} {{ b }}{% endfor %}",
    "{# a comment for whoever reads this #}Hi.",
    "{#- trimmed -#}Hi.",
    "{#\nmany\nlines\n#}Hi.",
    "The route is /users/{id}/posts/{post_id}; explain it.",
    'Answer in JSON: {"name": "…", "tags": ["a"]}, or {} where there is nothing.',
    "Write CSS such as a { color: red } and .b{margin:0}.",
    "In LaTeX: \\frac{a}{b}, \\textbf{word}, and $x_{i}$.",
    'An f-string such as `{name}` is Python, and so is `f"{a}"`.',
    '```python\nprint(f"Hello {name}")\n```\nWhat does {this} in quotes "{mean}" do? {{ x }}',
    "A shell has `$(date)` and ${HOME}.",
    "```sh\n$(git diff)\n```",
    "In make, $(CC) -o $@ builds.",
    "It costs ${{ amount }} in all.",
    "{% raw %}{{ github.sha }} {# x #} {% if %}{% endraw %}",
    "{% raw %}\non: push\nenv: {A: ${{ secrets.A }}}\n{% endraw %}\nExplain {{ what }}.",
    "Your key looks like sk-your-api-key-goes-here or sk-xxxxxxxxxxxxxxxxxxxxxxxx.",
    "Set OPENAI_API_KEY=sk-... and hf_hub_download_file_name.",
    "Jinja has {{ '{{' }} and {{ '{%' }} and {{ '{#' }}.",
    "{{ x | fenced('diff') }}{{ y | json }}{{ z | truncate_tokens(10) }}",
    "{% filter upper %}{{ x }}{% endfilter %}{% set y %}a{{ x }}{% endset %}{{ y }}",
    "{% with a = 1 %}{{ a }}{% endwith %}{% set ns = namespace(n=0) %}{{ ns.n }}{{ range(3) | list }}",
    "Emoji 🙂, umlauts äöü, \u202fspaces.",
    '```json\n{"a": {"b": 1}}\n```',
    "{{ '{{ name }}' }} prints a name, and {{ '{% if %}' }} branches.",
    "{% if strict %}{% set tone = 'firm' %}{% else %}{% set tone = 'soft' %}{% endif %}Be {{ tone }}.",
    "{% macro box(t) %}[{{ t }}: {{ caller() }}]{% endmacro %}{% call box(x) %}in{% endcall %}",
    "{% for n in t recursive %}{{ n.name }}{{ loop(n.kids) }}{% endfor %}",
    "用中文回答:{{ question }} أجب 🎉 <document>{{ text }}</document>",
    "${HOME} ${x:-y} $((1+2)); %{ if x }; {:?} {x:>8} f'{x!r:>{width}}'",
    "AWS's own example is AKIAIOSFODNN7EXAMPLE, and Bearer ${TOKEN} is none.",
    "Use {0} and {1}, or %s, or :name, or <name>, or [name].",
]

TOLD = [
    front(
        "description: Explain a thing", "tags: [a, b]", "params:", "  x: {type: text, required: true}", body="{{ x }}"
    ),
    front("params:", "  x: {default: a, choices: [a, b], short: s, help: 'One: or two'}", body="{{ x }}"),
    front("params:", "  n: {type: integer, min: 1, max: 9, default: 3}", "  b: {type: boolean}", body="{{ n }}{{ b }}"),
    front("params:", "  d: {type: date}", "  l: {type: list}", "  j: {type: json}", body="{{ d }}{{ l }}{{ j.k }}"),
    front("params:", "  i: {type: image}", "  f: {type: file}", body="{{ i }}{{ f }}"),
    front("params:", "  x:", body="{% if x %}{{ x }}{% endif %}"),
    front("params: {}", body="{{ maybe | default('') }} {{ now }}"),
    front("x-team: core", "x-lint: unused-param", "params: {a: {}}", body="hi"),
    front("model: strong", "fallback: fast", "options: {temperature: 0.2, stop: [a, b], effort: low}", body="hi"),
    front(
        "output:",
        "  format: json",
        "  schema: {type: object, properties: {a: {$ref: '#/$defs/b'}}, $defs: {b: {}}}",
        body="hi",
    ),
    front("template: false", body="{{ x }} {% if %} {# ${{ github.x }} \\frac{a}{b} a { color: red }"),
    front("template: false", "description: '{{ literally }}'", body="$(date) {name} {cmd:ls}"),
    front("params: {n: {type: integer}}", body='{{ sh("git log -n \\"$1\\" --format=%s", n) }}'),
    front("params: {n: {choices: [a, -b]}}", body='{{ sh("git log \\"$1\\"", n) }}'),
    front("params: {n: {pattern: '[a-z]+'}}", body='{{ sh("git log \\"$1\\" | awk \'{print $2}\'", n) }}'),
    front("params: {a: {}, b: {}}", body="{% for a in b %}{{ a }}{% endfor %}{{ a }}"),
    front("params: {a: {}}", body="{% raw %}{a}{% endraw %}`{a}` {{ a }}"),
    front(
        "params: {s: {type: boolean}}",
        body="{% if s %}{% set a = 1 %}{% elif 2 %}{% set a = 2 %}{% else %}{% set a = 3 %}{% endif %}{{ a }}",
    ),
    front("params: {t: {type: json}}", body="{% for k, v in t.items() %}{{ loop.index }}{{ k }}{{ v }}{% endfor %}"),
    front("params: {github: {type: json}}", body="${{ github.sha }}"),
    front("description: 'no: yes'", "tags: no", body="hi"),
    "\ufeff---\r\ndescription: x\r\nparams: {a: {}}\r\n---\r\n{{ a }}\r\n",
]


@pytest.mark.parametrize("text", [*BARE, *TOLD])
def test_nothing_is_said_of_what_is_right(text: str, tmp_path: Path) -> None:
    assert found(tmp_path, text) == []


def test_there_are_enough_of_them() -> None:
    assert len(BARE) + len(TOLD) >= 50


def test_nothing_is_said_of_the_starter_prompts() -> None:
    starters = list(files(Layer("builtin", built_in_prompts())))
    assert len(starters) > 25
    for file in starters:
        assert isinstance(file, File)
        assert look(file, file.data(), Knowledge(FLAGS)).findings == ()
