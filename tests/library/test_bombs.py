"""Templates that would never end, or take all memory: each ends soon, with exit 6, whatever it is."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import AIX, Aix
from desk import SURROUNDINGS
from full import FULL, full

from aix.app_prompts import STRANGERS
from aix.bounded import Limits
from aix.errors import TemplateError
from aix.library.document import parse
from aix.library.templates.jinja import MAX_NESTED, MAX_TOKENS
from aix.library.templates.marks import MAX_MESSAGES
from aix.library.templates.template import Template
from aix.messages import Image, Message

LIMITS = full(Limits(wall=0.05, cpu=2.0, memory=128 * 1024**2), STRANGERS)
SECONDS = 2.5

LOOP, END = "{% for a in range(99999) %}", "{% endfor %}"
ENDLESS = LOOP * 4 + "{}" + END * 4
KEPT = "{% set ns = namespace(x=x, l=[], n=9) %}"
CALLED = "{% macro m(a) %}{{ m(a) }}{{ m(a) }}{% endmacro %}{{ m(1) }}"

RENDERED: Mapping[str, str] = {
    "nested loops": ENDLESS.replace("{}", ""),
    "nested loops that say nothing": ENDLESS.replace("{}", "{{ '' }}"),
    "nested loops that say something": ENDLESS.replace("{}", "{{ a }}"),
    "nested loops that begin messages": ENDLESS.replace("{}", "{% user %}"),
    "nested loops of texts": ENDLESS.replace("{}", "{% set b = 'x' * 1000 %}"),
    "a filter on each": "{% for a in range(99999)|map('string')|map('center', 99999999) %}" + END,
    "a loop over itself": LOOP + KEPT + ENDLESS.replace("{}", "{% set ns.x = ns.x ~ ns.x %}") + END,
    "a recursive loop": "{% for a in [1] recursive %}{{ loop([1]) }}{{ loop([1]) }}{% endfor %}",
    "a recursive loop of many": "{% for a in range(99999) recursive %}{{ loop(range(99999)) }}{% endfor %}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": CALLED,
    "two macros that call each other": (
        "{% macro m() %}{{ n() }}{% endmacro %}{% macro n() %}{{ m() }}{% endmacro %}{{ m() }}"
    ),
    "a caller that calls itself": "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
    "a block that is itself": "{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}",
    "macros like the Fibonacci numbers": (
        "{% macro f(n) %}{% if n < 2 %}1{% else %}{{ f(n-1) }}{{ f(n-2) }}{% endif %}{% endmacro %}{{ f(90) }}"
    ),
    "a large text": "{{ 'x' * 10**10 }}",
    "a large text of a value": "{{ x * 10**10 }}",
    "a large list": "{{ [1] * 10**10 }}",
    "a large list of lists": "{{ ([[1] * 10**8] * 10**8)|length }}{{ ([1] * 10**9)|sum }}",
    "a large tuple": "{{ (1,) * 10**11 }}",
    "a text beyond the output": "{{ 'x' * (11 * 1024 * 1024) }}",
    "texts beyond the output": LOOP + "{{ 'x' * 200 }}" + END,
    "a power": "{{ 10**(10**10) }}",
    "a power of powers": "{{ 9**(9**(9**9)) }}",
    "a power as a text": "{{ (2**(10**7))|string|length }}",
    "a power that is shown": "{{ 7**(10**6) }}",
    "powers that are multiplied": KEPT + LOOP + "{% set ns.n = ns.n * ns.n %}" + END,
    "a shift by powers": "{{ (10**(10**7)) // (7**(10**7)) }}",
    "a rest of powers": "{{ (10**(10**7)) % (7**(10**6)) }}",
    "a range beyond the limit": "{{ range(10**9)|list }}",
    "lists of ranges": KEPT + LOOP + "{% set ns.l = ns.l + range(99999)|list %}" + END,
    "doubled texts": KEPT + LOOP + "{% set ns.x = ns.x ~ ns.x %}" + END,
    "doubled lists": KEPT + LOOP + "{% set ns.l = ns.l + ns.l + [1] %}" + END,
    "a list in itself, a hundred thousand deep": KEPT + LOOP + "{% set ns.l = [ns.l] %}" + END + "{{ ns.l|json }}",
    "a deep list as text": KEPT + LOOP + "{% set ns.l = [ns.l] %}" + END + "{{ ns.l }}",
    "a deep list printed well": KEPT + LOOP + "{% set ns.l = [ns.l] %}" + END + "{{ ns.l|pprint }}",
    "joined texts": "{{ range(99999)|map('string')|map('center', 9999)|join(x * 9999) }}",
    "joined by a large text": "{{ range(99999)|join('x' * 10**6) }}",
    "centered": "{{ x|center(10**10) }}",
    "centered by the method": "{{ x.center(10**10) }}",
    "filled with zeros": "{{ x.zfill(10**11) }}",
    "set to the left": "{{ x.ljust(10**11) }}",
    "tabs": "{{ ('\\t' * 10**6).expandtabs(10**6) }}",
    "a width": "{{ '%10000000000d' % 1 }}",
    "a width of the filter": "{{ '%1000000000s'|format(x) }}",
    "a width of the method": "{{ '{:10000000000}'.format(1) }}",
    "a width from a value": "{{ '%*d' % (2000000000, 1) }}",
    "a precision": "{{ '%.2000000000f' % 1.5 }}",
    "indented": "{{ ('\\n' * 10**6)|indent(10**6, true, true) }}",
    "replaced": "{{ ('x' * 10**6)|replace('x', 'y' * 10**6) }}",
    "replaced by the method": "{{ ('x' * 10**6).replace('', 'y' * 10**6) }}",
    "translated": "{{ ('x' * 10**6).translate({120: 'y' * 10**6}) }}",
    "split and joined": "{{ ('y' * 10**6).join('x' * 10**6) }}",
    "escaped": "{{ ('<' * 10**9)|e }}",
    "wrapped": "{{ ('x ' * 10**6)|wordwrap(1, wrapstring='y' * 10**6) }}",
    "sliced": "{{ range(99999)|slice(10**9)|list }}",
    "batched": "{{ [1]|batch(10**10, 'x')|list }}",
    "grouped": ENDLESS.replace("{}", "{{ range(99999)|groupby('real')|list|length }}"),
    "sorted": ENDLESS.replace("{}", "{{ range(99999)|sort(reverse=true)|first }}"),
    "summed lists": "{{ ([range(99999)|list] * 99999)|sum(start=[])|length }}",
    "unique": ENDLESS.replace("{}", "{{ range(99999)|unique|list|length }}"),
    "counted words": "{{ ('x ' * 10**9)|wordcount }}",
    "links": "{{ ('www.x.org ' * 10**7)|urlize }}",
    "stripped tags": "{{ ('<' * 10**6)|striptags }}" * 40,
    "an endless cycle": "{% set c = cycler(1, 2) %}" + ENDLESS.replace("{}", "{{ c.next() }}"),
    "an endless joiner": "{% set j = joiner('x' * 10**6) %}" + ENDLESS.replace("{}", "{{ j() }}"),
    "an endless namespace": KEPT + ENDLESS.replace("{}", "{% set ns.n = ns.n + 1 %}"),
    "a set block": KEPT + ENDLESS.replace("{}", "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
    "a filter block": "{% filter upper %}" + ENDLESS.replace("{}", "x") + "{% endfilter %}",
    "random choices": ENDLESS.replace("{}", "{{ range(99999)|list|random }}"),
    "a dictionary": "{% set d = dict() %}" + ENDLESS.replace("{}", "{{ dict(d, a=1)|length }}"),
    "an included prompt that includes itself": '{% include "main.md" %}',
    "one that includes itself twice": '{% include "main.md" %}{% include "main.md" %}',
    "includes that double": '{% include "_0.md" %}',
    "one that extends itself": '{% extends "main.md" %}',
    "one that imports itself": '{% import "main.md" as m %}',
    "comparing": (
        "{% set ns = namespace(a=[], b=[]) %}{% for i in range(50) %}"
        "{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}" + END + "{{ ns.a == ns.b }}"
    ),
    "a lock": "{{ '" + "(" * 40 + "' in 'x' * 10**9 }}" + ENDLESS.replace("{}", "{{ 'ab' * 9999 in 'a' * 99999 }}"),
}
"""What is well written, and would go on for ever."""

FULL_OF_IT = "{{ x }}" * (MAX_TOKENS // 3 + 1)
READ: Mapping[str, str] = {
    "many variables": FULL_OF_IT,
    "a long list": "{{ [" + "1," * MAX_TOKENS + "] }}",
    "a mebibyte of variables": "{{ x }}" * 149_000,
    "many comments": "{##}" * 250_000,
    "many raw texts": "{% raw %}{% endraw %}" * 40_000,
    "a mebibyte and more": "x" * (1024 * 1024 + 1),
    "many parentheses": "{{ " + "(" * 100_000,
    "many lists": "{{ " + "[" * 100_000,
    "many blocks": "{% if x %}" * 50_000,
    "many nots": "{{ " + "not " * 9000 + "x }}",
    "many minuses": "{{ " + "-" * 9000 + "1 }}",
    "a long sum": "{{ x" + "+x" * 4500 + " }}",
    "a chain of filters": "{{ x" + "|upper" * 3000 + " }}",
    "a chain of attributes": "{{ x" + ".a" * 4500 + " }}",
    "blocks in blocks": "{% if x %}" * (MAX_NESTED + 1) + "{% endif %}" * (MAX_NESTED + 1),
    "loops in loops": "{% for a in x %}" * 60 + "{% endfor %}" * 60,
    "macros in macros": "{% macro m() %}" * 90 + "{{ x }}" * 1000 + "{% endmacro %}" * 90,
    "set blocks in set blocks": "{% set a %}" * 150 + "{{ x }}" * 2000 + "{% endset %}" * 150,
    "a number of a mebibyte": "{{ " + "9" * 1_000_000 + " }}",
    "a number with lines": "{{ " + "1_" * 500_000 + "1 }}",
    "a name of a mebibyte": "{{ " + "a" * 1_000_000 + " }}",
    "files that name all files": "".join(f'{{% include "_all{number}.md" %}}' for number in range(90)),
    "more files than there may be": '{% include "_next0.md" %}',
    "an expression without an end": "---\nparams: {a: {pattern: '(?i)" + "[\\x00-\\U0010ffff]" * 3000 + "'}}\n---\n",
    "an expression too deep": "---\nparams: {a: {pattern: '" + "(?:" * 5000 + ")" * 5000 + "'}}\n---\n",
    "front matter of spaces": "---\nk: v" + " " * 60_000 + "x: y: @\n---\n",
    "front matter too deep": "---\nk: " + "[" * 60_000 + "\n---\n",
    "front matter too large": "---\n" + "k: v\n" * 20_000 + "---\n",
    "front matter without an end": "---\n" + "k: v\n" * 200_000,
    "front matter of anchors": "---\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n",
}
"""What is refused before it is rendered: these are read by every command that looks at a prompt."""

FITTING: Mapping[str, str] = {
    "as much Jinja as there may be": "{{ n }}" * ((MAX_TOKENS - 10) // 3),
    "as deep as there may be": "{% if n %}" * MAX_NESTED + "{{ n }}" * 3000 + "{% endif %}" * MAX_NESTED,
    "loops as deep as there may be": "{% for a in [1] %}" * 19 + "{{ n }}" * 3000 + END * 19,
    "a mebibyte of text": "x" * 1_000_000 + "{{ n }}",
    "a mebibyte of lines": "\n" * 1_000_000 + "{{ n }}",
    "as many messages as there may be": f"{{% for a in range({MAX_MESSAGES}) %}}{{% user %}}x{{% endfor %}}",
    "as much output as there may be": "{{ '\U0001f600' * (10 * 1024 * 1024) }}",
}
"""What is allowed, and just so: it ends too, and well."""


def read(name: str) -> str:
    """The includes: `_0` to `_59` each include the next one twice, `_all…` all of their kind, `_next…` the next."""
    number = int("".join(filter(str.isdigit, name)) or 0)
    if name.startswith("_all"):
        return "".join(f'{{% include "_all{other}.md" %}}' for other in range(90))
    if name.startswith("_next"):
        return f'{{% include "_next{number + 1}.md" %}}'
    if name == "main.md":
        return "x"
    return f'{{% include "_{number + 1}.md" %}}' * 2 if number < 59 else "x"


def computing() -> float:
    """The seconds that this process and its children have computed."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def rendered(text: str, limits: Limits | None) -> tuple[Message, ...]:
    """The messages, by all that a run does with a prompt."""
    template = Template(parse(text, "main"), read)
    _ = template.params, template.digest, template.calls
    return template.render({"x": "text", "n": 10}, SURROUNDINGS, limits=limits)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in {**RENDERED, **READ}.items()])
def test_a_bomb_ends_with_exit_6(text: str) -> None:
    began, before = time.monotonic(), computing()
    with pytest.raises(TemplateError) as caught:
        rendered(text, LIMITS)
    assert caught.value.exit_code == 6
    assert computing() - before <= SECONDS
    assert time.monotonic() - began <= 20
    assert len(caught.value.message) < 700
    assert caught.value.message.count("\n") == 0


def test_there_are_enough_bombs(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{len(RENDERED)} + {len(READ)} bombs within {LIMITS}") if FULL else None
    assert len(RENDERED) >= 60


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in FITTING.items()])
def test_what_may_just_be_is_rendered_within_the_limits(text: str) -> None:
    before = computing()
    assert rendered(text, STRANGERS)
    assert computing() - before <= SECONDS


def test_without_limits_a_bomb_goes_on() -> None:
    """The control: a zero above means nothing unless the limits are what ends them."""
    text = LOOP.replace("99999", "20000") + "{{ range(40)|sum }}" + END
    before = computing()
    assert rendered(text, None)
    assert computing() - before > 0.05
    with pytest.raises(TemplateError, match=r"took more than 0\.02 s"):
        rendered(text, Limits(wall=0.02))


MEANT: Mapping[str, str] = {
    "text": "hello",
    "messages": "{% for a in l %}{% system %}s{{ a }}{% user %}u{% endfor %}",
    "halves of characters": "{{ '\\ud800' }}|{{ '\\ud83d' ~ '\\ude00' }}|\U0001f600|\x00\x7f\u2028",
    "an image": "{% user %}a {{ picture }} b{% assistant %}{{ picture }}",
    "an undefined name": "one\ntwo {{ nope }}",
    "a fault in an include": 'a\n{% include "_wrong.md" %}',
    "what the sandbox refuses": "{{ x.__class__ }}",
    "a fault of Python's": "\n\n{{ 1 / 0 }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}",
    "too long an output": LOOP + "{{ 'x' * 200 }}" + END,
    "too many messages": LOOP + "{% user %}" + END,
    "a message tag that is kept": "{% macro m() %}{% user %}{% endmacro %}{% set a = m() %}{{ a|upper }}",
    "a command": "{{ sh('true') }}",
    "what changes a value": "{% set ns = namespace() %}{% for a in l %}{% set ns.a = a %}{% endfor %}{{ ns.a }}",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in MEANT.items()])
def test_the_child_says_what_this_process_would(text: str) -> None:
    files = {"_wrong.md": "three\n{{ nope }}"}
    template = Template(parse(text, "main"), files.__getitem__)
    values = {"x": "text", "l": [1, 2, 3], "picture": Image(b"data", "image/png")}

    def outcome(limits: Limits | None) -> object:
        try:
            return template.render(values, SURROUNDINGS, limits=limits)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be the same
            return type(error), str(error), getattr(error, "hint", ""), getattr(error, "reason", "")

    assert outcome(STRANGERS) == outcome(None)


@pytest.mark.parametrize("command", [("run", "bomb"), ("tokens", "bomb")])
def test_a_bomb_through_the_command(command: tuple[str, ...], aix: Aix, library: Path) -> None:
    (library / "bomb.md").write_text(RENDERED["a large text"])
    done = aix(*command)
    assert done.status == 6
    assert "needs more memory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "status"),
    [(("show", "bomb"), 6), (("list",), 0), (("search", "bomb"), 0), (("lint", "bomb"), 6), (("trust", "bomb"), 6)],
)
def test_looking_at_a_bomb_ends(command: tuple[str, ...], status: int, aix: Aix, library: Path) -> None:
    (library / "bomb.md").write_text(READ["many comments"])
    assert aix(*command, timeout=20).status == status


def test_ctrl_c_ends_a_rendering_and_leaves_no_child(library: Path) -> None:
    (library / "bomb.md").write_text(RENDERED["nested loops"])
    process = subprocess.Popen([AIX, "run", "bomb"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("the system does not say which children a process has")
    while process.poll() is None and not (found := children.read_text().split()):
        pass
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == -signal.SIGINT
    assert time.monotonic() - began < 1
    assert b"Traceback" not in process.communicate()[1]
    assert not [child for child in found if Path(f"/proc/{child}/stat").exists()]


def test_the_prompt_to_look_at_is_named_so_that_no_other_is_meant() -> None:
    endless = Template(parse(ENDLESS, "web/p", Path("/x/web/p.md"), "team"), lambda _: "")
    with pytest.raises(TemplateError) as caught:
        endless.render({}, SURROUNDINGS, limits=Limits(wall=0.05))
    assert caught.value.hint.endswith("look at it with: aix show team:web/p")
