"""From a body and values to messages: message tags, includes, undefined names, commands, the digest."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from desk import SURROUNDINGS, Desk

from aix.errors import RefusedError, TemplateError
from aix.library.document import parse
from aix.library.layer import Layer
from aix.library.templates.closure import MAX_FILES
from aix.library.templates.template import Template, nothing
from aix.library.trust.commands import left_out
from aix.messages import Image, Message, Text

PICTURE, OTHER = Image(b"one", "image/png"), Image(b"two", "image/png")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "prompts"
    folder.mkdir()
    return Desk(folder)


# Messages


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", []),
        (" \n ", []),
        ("hello", [("user", "hello")]),
        ("  hello \n", [("user", "hello")]),
        (
            "{% system %}be brief{% user %}hi{% assistant %}ok",
            [("system", "be brief"), ("user", "hi"), ("assistant", "ok")],
        ),
        ("before{% system %}after", [("user", "before"), ("system", "after")]),
        ("{% user %}\n\n a \n\n{%- system -%} b {% user %}", [("user", "a"), ("system", "b")]),
        ("{% system %}{% system %} {% user %}\n", []),
        ("{% system %}a{% system %}b", [("system", "a"), ("system", "b")]),
        (
            "{% for q, a in [(1, 2), (3, 4)] %}{% user %}{{ q }}{% assistant %}{{ a }}{% endfor %}{% user %}5",
            [("user", "1"), ("assistant", "2"), ("user", "3"), ("assistant", "4"), ("user", "5")],
        ),
        (
            "{% macro pair(q) %}{% user %}{{ q }}{% assistant %}yes{% endmacro %}{{ pair('a') }}{{ pair('b') }}",
            [("user", "a"), ("assistant", "yes"), ("user", "b"), ("assistant", "yes")],
        ),
        (
            "{% macro wrap() %}{% system %}<{{ caller() }}>{% endmacro %}{% call wrap() %}x{% user %}y{% endcall %}",
            [("system", "<x"), ("user", "y>")],
        ),
        ("{% if false %}{% system %}no{% endif %}{% user %}yes", [("user", "yes")]),
        ("{% raw %}{% system %}{% endraw %}", [("user", "{% system %}")]),
        ("{# {% system %} #}a", [("user", "a")]),
        ("{% set x %}kept{% endset %}{% system %}{{ x }}", [("system", "kept")]),
        ("{% system %}{% filter upper %}loud{% endfilter %}", [("system", "LOUD")]),
        ("{% autoescape true %}{% system %}{{ '<' }}{% endautoescape %}", [("system", "&lt;")]),
        ("{{ none }}{% system %}{{ [1, none] }}", [("system", "[1, None]")]),
    ],
)
def test_messages_begin_where_the_source_says(text: str, messages: list[tuple[str, str]], desk: Desk) -> None:
    assert desk.render(text) == messages


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ('a{% include "_m.md" %}d', [("user", "a b"), ("system", "cd")]),
        ('{% from "_x.md" import m %}{{ m("q") }}', [("system", "q"), ("user", "")]),
        ('{% import "_x.md" as x with context %}{{ x.who() }}', [("user", "ada")]),
        (
            '{% extends "_base.md" %}{% block body %}{% user %}B{{ super() }}{% endblock %}',
            [("system", "A"), ("user", "Bb")],
        ),
        ('{% for x in [1, 2] %}{% include "_m.md" %}{% endfor %}', [("user", "b"), ("system", "c b"), ("system", "c")]),
    ],
)
def test_messages_come_from_other_files_too(text: str, messages: list[tuple[str, str]], desk: Desk) -> None:
    files = {
        "_m": " b{% system %}c",
        "_x": "{% macro m(x) %}{% system %}{{ x }}{% user %}{% endmacro %}{% macro who() %}{{ name }}{% endmacro %}",
        "_base": "{% system %}A{% block body %}b{% endblock %}",
    }
    assert desk.render(text, files, name="ada") == [(role, said) for role, said in messages if said]


KEPT = "a message tag cannot stand inside a set or filter block"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("\n{% set x %}{% system %}{% endset %}{{ x }}", "main.md:2"),
        ("{% filter upper %}\na{% user %}{% endfilter %}", "main.md:1"),
        ("{% set x %}{% if false %}{% user %}{% endif %}{% endset %}", "main.md:1"),
        ('{% set x %}{% include "_m.md" %}{% endset %}{{ x }}', "_m.md:2"),
        ('{% filter trim %}{% include "_m.md" %}{% endfilter %}', "_m.md:2"),
        ('{% filter trim %}{% include "_deep.md" %}{% endfilter %}', "_m.md:2"),
        ("{% macro m() %}\n{% user %}{% endmacro %}{% set x %}{{ m() }}{% endset %}{{ x }}", "main.md:2"),
        ("{% macro m() %}\n{% user %}{% endmacro %}{% filter trim %}{{ m() }}{% endfilter %}", "main.md:2"),
        ('{% import "_x.md" as x %}{% set y %}{{ x.m() }}{% endset %}{{ y }}', "_x.md:1"),
        (
            "{% macro w() %}{% set x %}{{ caller() }}{% endset %}{% endmacro %}{% call w() %}\n{% user %}{% endcall %}",
            "main.md:2",
        ),
        ('{% filter trim %}{% set x %}a{% endset %}{% include "_m.md" %}{% endfilter %}', "_m.md:2"),
    ],
)
def test_a_message_tag_whose_text_is_kept_is_refused(text: str, at: str, desk: Desk) -> None:
    files = {
        "_m": "a\n{% system %}b",
        "_deep": '{% include "_m.md" %}',
        "_x": "{% macro m() %}{% user %}{% endmacro %}",
    }
    assert desk.fault(text, files) == f"{at}: {KEPT}"


@pytest.mark.parametrize(
    "use",
    [
        *("x|upper", "x|reverse", "x|list", "x|length", "x|replace('system', 'root')", "x|replace(':', '')", "x[3:]"),
        *("x|truncate(9)", "x|json", "x|wordwrap(5)", "x if false", "x|tojson", "x|urlencode", "[x]", "''"),
        *("x|replace(':0:', ':1:')", "x|replace(':0:', ':00:')", "x|replace(':0:', ':' ~ '0' * 5000 ~ ':')"),
        *("m()", "x ~ x", "x ~ x|upper", "x ~ m() ~ x", "x|upper ~ x", "m() ~ x", "x ~ m()|upper"),
    ],
)
def test_a_message_mark_that_is_changed_moved_or_lost_is_refused(use: str, desk: Desk) -> None:
    text = f"{{% macro m() %}}{{% system %}}{{% endmacro %}}{{% set x = m() %}}{{{{ {use} }}}}"
    assert desk.fault(text) == "main.md: a message tag or an image stands where its text is kept, changed or moved"


def test_a_word_after_a_message_tag_is_a_fault(desk: Desk) -> None:
    assert desk.fault("\n{% system loud %}") == "main.md:2: expected token 'end of statement block', got 'loud'"


def test_an_image_stands_where_it_is_named(desk: Desk) -> None:
    template = desk.template("a {{ p }} b{% user %}{{ q }}{{ p }}{% user %}{% set x %}{{ q }}{% endset %}{{ x }}")
    assert template.render({"p": PICTURE, "q": OTHER}, SURROUNDINGS) == (
        Message("user", (Text("a "), PICTURE, Text(" b"))),
        Message("user", (OTHER, PICTURE)),
        Message("user", (OTHER,)),
    )


@pytest.mark.parametrize("use", ["p|upper", "p|replace('image', 'x')", "p ~ p|upper", "p|replace(':', '')", "p[:-1]"])
def test_an_image_whose_place_is_changed_is_refused(use: str, desk: Desk) -> None:
    said = desk.fault(f"{{{{ {use} }}}}", p=PICTURE)
    assert said == "main.md: a message tag or an image stands where its text is kept, changed or moved"


def test_two_renders_share_no_mark(desk: Desk) -> None:
    template = desk.template("{% macro m() %}{% system %}{% endmacro %}{% set x = m() %}{{ x }}{{ x|reverse }}")
    first, second = (template.render({}, SURROUNDINGS)[0].text for _ in range(2))
    assert (len(first), len(second)) == (43, 43)
    assert first != second


# Names


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ("{{ x }}", {}, "main.md:1: 'x' is undefined"),
        ("---\nmodel: m\nparams: {}\n---\na\n{{ x }}", {}, "main.md:6: 'x' is undefined"),
        ("{% for i in [1] %}\n\n{{ i }}{{ y }}{% endfor %}", {}, "main.md:3: 'y' is undefined"),
        ("a\n{{ d.nope }}", {}, "main.md:2: 'dict object' has no attribute 'nope'"),
        ("a\n{{ d.a.b }}", {}, "main.md:2: 'int object' has no attribute 'b'"),
        ("{{ [][3] }}", {}, "main.md:1: list object has no element 3"),
        ('{% include "web/_x.md" %}', {"web/_x": "---\nmodel: m\n---\n\n{{ x }}"}, "web/_x.md:5: 'x' is undefined"),
        (
            '{% from "_m.md" import m %}\n{{ m() }}',
            {"_m": "a\n{% macro m() %}\n{{ x }}{% endmacro %}"},
            "_m.md:3: 'x' is undefined",
        ),
        ('{% from "_m.md" import nope %}{{ nope() }}', {"_m": "a"}, None),
        ("{{ x|upper }}", {}, "main.md:1: 'x' is undefined"),
        ("{{ x|json }}", {}, "main.md:1: 'x' is undefined"),
        ("{{ x|fenced }}", {}, "main.md:1: 'x' is undefined"),
        ("{{ x|truncate_tokens(3) }}", {}, "main.md:1: 'x' is undefined"),
        ("{{ 'a' ~ x }}", {}, "main.md:1: 'x' is undefined"),
        ("{% if x %}{% endif %}", {}, "main.md:1: 'x' is undefined"),
        ("{% for i in x %}{% endfor %}", {}, "main.md:1: 'x' is undefined"),
        ("{{ sh_ }}", {}, "main.md:1: 'sh_' is undefined"),
        ("{{ lipsum() }}", {}, "main.md:1: 'lipsum' is undefined"),
        ("{{ environment }}{{ env }}", {}, "main.md:1: 'environment' is undefined"),
    ],
)
def test_an_undefined_name_is_said_with_file_and_line(
    text: str, files: dict[str, str], said: str | None, desk: Desk
) -> None:
    if said is None:
        assert "does not export the requested name 'nope'" in desk.fault(text, files)
        return
    assert desk.fault(text, files, d={"a": 1}) == said


def test_the_hint_for_an_undefined_name_can_be_pasted(desk: Desk) -> None:
    with pytest.raises(TemplateError) as caught:
        desk.render("{{ langage }}")
    assert caught.value.hint == "declare it under params, or write {{ langage | default('') }}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{{ x", "main.md:2: unexpected end of template, expected 'end of print statement'."),
        ("---\nmodel: m\n---\n{% if %}", "main.md:4: Expected an expression, got 'end of statement block'"),
        ("{% if x %}\n", "main.md:1: Unexpected end of template. Jinja was looking for the following tags"),
        ("\n\n{% nope %}", "main.md:3: Encountered unknown tag 'nope'"),
        ("{% do x %}", "main.md:1: Encountered unknown tag 'do'"),
        ("{% debug %}", "main.md:1: Encountered unknown tag 'debug'"),
        ("{% trans %}", "main.md:1: Encountered unknown tag 'trans'"),
        ("{{ x|nope }}", "main.md:1: No filter named 'nope'."),
        ("{{ x is nope }}", "main.md:1: No test named 'nope'."),
        ("{{ [1]|map('nope')|list }}", "main.md:1: No filter named 'nope'."),
        ("{# no end", "main.md:1: Missing end of comment tag"),
        ("{{ 'a", 'main.md:1: unexpected char "\'" at 3'),
        ("{% autoescape 2 ** 2 %}{% endautoescape %}", "main.md:1: autoescape takes true or false"),
        ("{{ 1 / 0 }}", "main.md:1: ZeroDivisionError: division by zero"),
        ("a\n{{ 'a' + 1 }}", 'main.md:2: TypeError: can only concatenate str (not "int") to str'),
        ("{{ range(10 ** 6) }}", "main.md:1: OverflowError: Range too big. The sandbox blocks ranges larger than"),
        (f"{{{{ {'9' * 5000} }}}}", "main.md: ValueError: Exceeds the limit (4300 digits)"),
        ("{{ ().__class__ }}", "main.md:1: not allowed in a prompt: access to attribute '__class__' of 'tuple' object"),
        ("{% break %}", "main.md:1: Encountered unknown tag 'break'"),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "main.md:1: block 'a' defined twice"),
        ('{{ {}["a\nb"] }}', "main.md:1: 'dict object' has no attribute 'a\\nb'"),
        (
            "{{ joiner(**{'a\nb': 1}) }}",
            "main.md:1: TypeError: Joiner.__init__() got an unexpected keyword argument 'a b'",
        ),
    ],
)
def test_a_fault_in_a_template_is_one_sentence_with_its_line(text: str, said: str, desk: Desk) -> None:
    message = desk.fault(text, x=1)
    assert message.startswith(said)
    assert "\n" not in message


def test_a_fault_in_an_included_file_names_that_file(desk: Desk) -> None:
    for number, body in enumerate(
        ["a\n{% if %}", "a\n{{ x|nope }}", "a\n{% include y %}", "a\n{{ sh }}", "a\n{{ 1 / 0 }}"]
    ):
        assert desk.fault(f'\n{{% include "_x{number}.md" %}}', {f"_x{number}": body}).startswith(f"_x{number}.md:2: ")


DEEP = "{% set n = namespace(a=[]) %}{% for i in range(99999) %}{% set n.a = [n.a] %}{% endfor %}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 2000 + ")" * 2000 + " }}",
        "{{ " + "[" * 3000,
        "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
        "{{ " + "x.a + " * 3000 + "1 }}",
        "{{ x" + ".a" * 5000 + " }}",
        "{{ x" + "|upper" * 5000 + " }}",
        "{{ " + "not " * 5000 + "x }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{% for i in [1] %}" * 60 + "{% endfor %}" * 60,
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set n = namespace() %}{% set n.a = n %}{{ {}[n] }}",
        f"{DEEP}{{{{ n.a }}}}",
        f"{DEEP}{{{{ n.a|json }}}}",
        f"{DEEP}{{{{ n.a == [n.a] }}}}{{{{ n.a|pprint }}}}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{{ range(99999)|map('string')|join('x' * 200) }}",
    ],
    ids=lambda text: text[:30],
)
def test_what_nests_or_grows_too_far_is_exit_6_at_every_step(text: str, desk: Desk) -> None:
    with pytest.raises(TemplateError) as caught:
        template = desk.template(text)
        _ = template.commands, template.digest, template.params
        template.render({"x": {}}, SURROUNDINGS)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("piece", ["x.a + ", "-", "(", "x|upper ~ (", "not "])
def test_however_deep_it_nests_it_is_exit_6_or_fine(piece: str, desk: Desk) -> None:
    close = ")" if piece.endswith("(") else ""
    for depth in (10, 50, *range(90, 400, 30), 1000):
        try:
            template = desk.template(f"{{{{ {piece * depth}1{close * depth} }}}}")
            _ = template.commands, template.digest, template.params
            template.render({"x": {"a": 1}}, SURROUNDINGS)
        except TemplateError as error:
            assert error.message.startswith(str(desk.root))


def test_the_limit_of_the_output_is_kept(desk: Desk) -> None:
    template = desk.template("{% for i in range(100) %}0123456789{% endfor %}")
    assert len(template.render({}, SURROUNDINGS, max_output=1000)[0].text) == 1000
    with pytest.raises(TemplateError, match=r"it renders to more than"):
        template.render({}, SURROUNDINGS, max_output=999)


# Includes

NOT_LITERAL = {
    "{% include x %}": "include",
    "{% include 'a' ~ '.md' %}": "include",
    "{% include ['a.md', 'b.md'] %}": "include",
    "{% include ('a.md', 'b.md') %}": "include",
    "{% include 'a.md' if x else 'b.md' %}": "include",
    "{% include 'a.%s'|format('md') %}": "include",
    "{% include 3 %}": "include",
    "{% include none ignore missing %}": "include",
    "{% import x as y %}": "import",
    "{% from 'a' ~ x import y %}": "import",
    "{% extends x %}": "extends",
    "{% extends ['a.md'][0] %}": "extends",
}


@pytest.mark.parametrize("text", NOT_LITERAL)
def test_a_file_is_named_by_a_literal(text: str, desk: Desk) -> None:
    assert (
        desk.fault(f"\n{text}", {"a": "", "b": ""}) == f"main.md:2: {NOT_LITERAL[text]} takes a literal name in quotes"
    )


@pytest.mark.parametrize(
    ("place", "named", "found"),
    [
        ("main", "_x.md", "root"),
        ("main", "./_x.md", "root"),
        ("main", "web/_x.md", "web"),
        ("main", "./web/_x.md", "web"),
        ("web/main", "_x.md", "root"),
        ("web/main", "./_x.md", "web"),
        ("web/main", "./deep/_x.md", "deep"),
        ("web/main", "web/deep/_x.md", "deep"),
        ("web/deep/main", "./_x.md", "deep"),
        ("web/deep/main", "_x.md", "root"),
    ],
)
def test_a_name_is_of_the_root_or_of_the_folder(place: str, named: str, found: str, desk: Desk) -> None:
    files = {"_x": "root", "web/_x": "web", "web/deep/_x": "deep"}
    template = desk.template(f'{{% include "{named}" %}}', files, place)
    assert template.render({}, SURROUNDINGS)[0].text == found


def test_an_included_file_names_others_from_its_own_folder(desk: Desk) -> None:
    files = {
        "web/_a": '{% include "./_b.md" %}{% include "_b.md" %}',
        "web/_b": "web b{% import './_m.md' as m %}{{ m.m() }}",
        "web/_m": "{% macro m() %}{% include './deep/_c.md' %}{% endmacro %}",
        "web/deep/_c": "(c)",
        "_b": "root b",
    }
    assert desk.text('{% include "web/_a.md" %}', files) == "web b(c)root b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\n{% include "_no.md" %}', "main.md:2: there is no file _no.md"),
        ('---\nmodel: m\n---\n\n{% import "web/_no.md" as x %}', "main.md:5: there is no file web/_no.md"),
        ('{% if false %}{% extends "./_no.md" %}{% endif %}', "main.md:1: there is no file _no.md"),
        ('{% include "_b.md" %}', "_b.md:3: there is no file _no.md"),
        ('{% include "../main.md" %}', "main.md:1: cannot include '../main.md'"),
        ('{% include "./../main.md" %}', "main.md:1: cannot include '../main.md'"),
        ('{% include "././_b.md" %}', "main.md:1: cannot include './_b.md'"),
        ('{% include "../main.md" ignore missing %}', "main.md:1: cannot include '../main.md'"),
        ('{% include "config.json" ignore missing %}', "main.md:1: cannot include 'config.json'"),
        ('{% include "_latin.md" ignore missing %}', "main.md:1: _latin.md:1: not UTF-8 text"),
        ('{% include "a\\nb.md" %}', "main.md:1: cannot include 'a\\nb.md'"),
        ('{% include "_open.md" %}', "_open.md:1: the front matter has no end"),
    ],
)
def test_a_file_that_cannot_be_included_is_said_where_it_is_named(text: str, said: str, desk: Desk) -> None:
    desk.write("_latin", "").write_bytes(b"\xff")
    assert desk.fault(text, {"_b": "\n\n{% include '_no.md' %}", "_open": "---\na: b\n"}) == said


def test_a_missing_file_may_be_missing_when_the_template_says_so(desk: Desk) -> None:
    assert desk.text('a{% include "_no.md" ignore missing %}b') == "ab"


def test_an_included_files_front_matter_is_left_out(desk: Desk) -> None:
    assert desk.text('{% include "_x.md" %}', {"_x": "---\nmodel: [broken\n---\nbody {{ 1 + 1 }}"}) == "body 2"


@pytest.mark.parametrize(
    "files",
    [
        {"main": '{% include "main.md" %}'},
        {"main": '{% include "_a.md" %}', "_a": '{% include "main.md" %}'},
        {"main": '{% include "_a.md" %}', "_a": '{% include "_b.md" %}', "_b": '{% include "./_a.md" %}'},
        {"main": '{% extends "main.md" %}'},
        {"main": '{% import "main.md" as m %}{{ m }}'},
    ],
)
def test_files_that_include_each_other_end(files: dict[str, str], desk: Desk) -> None:
    said = desk.fault(files["main"], files)
    assert said.endswith(": the template calls or includes itself without end, or nests too deep")


def test_a_file_may_include_itself_when_it_ends(desk: Desk) -> None:
    text = "{{ n }}{% if n > 0 %}{% set n = n - 1 %}{% include 'main.md' %}{% endif %}"
    template = desk.template(text)
    assert template.render({"n": 3}, SURROUNDINGS)[0].text == "3210"


def test_a_prompt_has_so_many_files_and_no_more(desk: Desk) -> None:
    chain = {f"_{number}": f'{{% include "_{number + 1}.md" %}}' for number in range(MAX_FILES)}
    assert desk.text('{% include "_0.md" %}', {**chain, f"_{MAX_FILES - 2}": "end"}) == "end"
    assert desk.fault('{% include "_0.md" %}', {**chain, f"_{MAX_FILES - 1}": "end"}) == (
        f"_{MAX_FILES - 1}.md: a prompt can have {MAX_FILES} files and 1 MiB at most"
    )


def test_a_literal_body_can_be_longer(desk: Desk) -> None:
    text = "x" * 4 * 1024 * 1024
    assert desk.text(f"---\ntemplate: false\n---\n{text}") == text
    assert desk.fault(text).endswith("main.md: a prompt can have 100 files and 1 MiB at most")


def test_files_that_are_large_together_are_refused(desk: Desk) -> None:
    files = {f"_{number}": "x" * 400 * 1024 for number in range(3)}
    text = "".join(f'{{% include "{name}.md" %}}' for name in files)
    assert "1 MiB at most" in desk.fault(text, files)


def test_a_prompt_from_standard_input_includes_nothing() -> None:
    with pytest.raises(TemplateError) as caught:
        Template(parse('a\n{% include "x.md" %}', "-"), nothing)
    assert caught.value.message == "-:2: a prompt from standard input has no folder to include 'x.md' from"
    template = Template(parse('a{% include "x.md" ignore missing %}', "-"), nothing)
    assert template.render({}, {})[0].text == "a"


@pytest.mark.parametrize("kind", ["FIFO", "link out", "link to config.json", "device", "folder", "hidden link"])
def test_an_include_reads_a_regular_file_of_its_layer_or_nothing(kind: str, desk: Desk, tmp_path: Path) -> None:
    (desk.root / "config.json").write_text("SECRET")
    (desk.root / ".env").write_text("SECRET")
    (tmp_path / "outside.md").write_text("SECRET")
    path = desk.root / "_x.md"
    links = {
        "link out": "../outside.md",
        "link to config.json": "config.json",
        "device": "/dev/zero",
        "hidden link": ".env",
    }
    if kind in links:
        path.symlink_to(links[kind])
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.mkdir()
    said = desk.fault('{% include "_x.md" %}')
    assert said.startswith("main.md:1: ")
    assert "SECRET" not in said


@pytest.mark.parametrize("form", ['{% include "_x.md" %}', '{% include "_x.md" without context %}'])
def test_what_is_always_there_is_there_in_an_include(form: str, desk: Desk) -> None:
    body = "{{ today }} {{ os }} {{ git.branch }} {{ x | default('no x') }}"
    x = "no x" if "without" in form else "x"
    assert desk.text(form, {"_x": body}, x="x") == f"2026-11-21 linux main {x}"


def test_what_is_always_there_is_there_in_an_imported_macro(desk: Desk) -> None:
    files = {"_x": "{% macro m() %}{{ user }}@{{ cwd }}{% endmacro %}"}
    assert desk.text('{% import "_x.md" as x %}{{ x.m() }}', files) == "ada@/here"


# Params that nobody declared


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("no names", {}),
        ("{{ b }}{{ a }}{{ b }}", {"b": True, "a": True}),
        ("{{ a.b.c }}{{ d[e] }}", {"a": True, "d": True, "e": True}),
        ("{{ a | default('x') }}{{ b | d }}{{ c }}", {"a": False, "b": False, "c": True}),
        ("{% if a is defined %}{{ a }}{% endif %}{% if b is undefined %}{% endif %}", {"a": False, "b": False}),
        ("{{ a | default(b) }}", {"a": False, "b": True}),
        ("{{ now }}{{ today }}{{ cwd }}{{ os }}{{ user }}{{ git.branch }}{{ range(3) }}{{ dict() }}{{ sh('x') }}", {}),
        ("{% for x in xs %}{{ x }}{{ loop.index }}{% endfor %}", {"xs": True}),
        ("{% set x = y %}{{ x }}", {"y": True}),
        ("{% set x = x | trim %}{{ x }}", {"x": True}),
        ("{{ x }}{% set x = 1 %}", {"x": True}),
        ("{% set x %}{{ y }}{% endset %}{{ x }}", {"y": True}),
        (
            "{% macro m(a, b=c) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{{ caller() }}{% endmacro %}{{ m(d) }}",
            {"c": True, "d": True},
        ),
        ("{% with a = b %}{{ a }}{% endwith %}", {"b": True}),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}", {}),
        ("{% if a %}{% elif b %}{% endif %}", {"a": True, "b": True}),
        ("{{ 'a' ~ a | upper }}", {"a": True}),
        ("{% system %}{{ a }}{% user %}{{ b }}", {"a": True, "b": True}),
        ("{{ lipsum }}", {"lipsum": True}),
    ],
)
def test_the_variables_that_a_prompt_uses_are_its_params(text: str, params: dict[str, bool], desk: Desk) -> None:
    found = desk.template(text).params
    assert [(param.name, param.required, param.type) for param in found] == [
        (name, required, "text") for name, required in params.items()
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{{ b }}{% include "_x.md" %}', ["b", "a"]),
        ('{% include "_x.md" %}{{ b }}', ["b", "a"]),
        ('{% for a in as %}{% include "_x.md" %}{% endfor %}', ["as"]),
        ('{% set a = 1 %}{% include "_x.md" %}', []),
        ('{% macro a() %}{% endmacro %}{% include "_x.md" %}', []),
        ('{% import "_m.md" as a %}{% include "_x.md" %}', []),
        ('{% from "_m.md" import m as a %}{% include "_deep.md" %}', []),
        ('{{ c }}{% include "_sets.md" %}', ["c"]),
    ],
)
def test_the_variables_of_included_files_count(text: str, names: list[str], desk: Desk) -> None:
    files = {
        "_x": "{{ a }}",
        "_deep": '{% include "_x.md" %}',
        "_m": "{% macro m() %}{% endmacro %}",
        "_sets": "{% set c = 1 %}",
    }
    assert [param.name for param in desk.template(text, files).params] == names


def test_declared_params_are_all_that_there_are(desk: Desk) -> None:
    template = desk.template("---\nparams: {x: {}}\n---\n{{ y }}")
    assert [param.name for param in template.params] == ["x"]
    assert desk.template("---\nparams: {}\n---\n{{ y }}").params == ()


def test_variables_that_would_fall_on_one_flag_must_be_declared(desk: Desk) -> None:
    with pytest.raises(TemplateError) as caught:
        _ = desk.template("{{ diff }}{{ diff_file }}").params
    assert caught.value.message.endswith("main.md: params 'diff' and 'diff_file' both fall on --diff-file")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x'|center(3) }}",
        "{{ y ~ 'x'|center(3) }}",
        "{% if 'x'|center(3) %}{% endif %}",
        "{% set z = 'x'|center(3) %}",
        "{% for i in 'x'|center(3) %}{% endfor %}",
        "{% filter center(3) %}x{% endfilter %}",
        "{% macro m(a='x'|center(3)) %}{% endmacro %}{{ m() }}",
    ],
)
def test_looking_at_a_prompt_evaluates_nothing(text: str, desk: Desk) -> None:
    called: set[str] = set()
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code.co_name) if event == "call" else None)
    try:
        template = desk.template(f"{{{{ y }}}}{text}")
        assert [param.name for param in template.params] == ["y"]
        assert (template.digest[:7], template.commands) == ("sha256:", ())
        assert "do_center" not in called
        template.render({"y": "y"}, SURROUNDINGS)
        assert "do_center" in called
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("text", ["{{ x }}{% system %}{% if %}{# ${{ y }}", "{{"])
def test_a_body_can_be_taken_literally(text: str, desk: Desk) -> None:
    template = desk.template(f"---\ntemplate: false\n---\n {text} \n")
    assert (template.params, template.commands) == ((), ())
    assert template.render({}, SURROUNDINGS) == (Message("user", (Text(text),)),)


def test_the_filters_of_our_own(desk: Desk) -> None:
    text = (
        "{{ d | json }} {{ t | fenced('py') }} {{ t | truncate_tokens(1) }} {{ d | json(indent=1) }} {{ today | json }}"
    )
    assert desk.text(text, d={"ä": [1]}, t="a ``` b") == (
        '{"ä": [1]} ````py\na ``` b\n```` a ``… {\n "ä": [\n  1\n ]\n} "2026-11-21"'
    )


# Commands


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ sh }}", "sh can only be called, by that name"),
        ("{{ sh.x }}", "sh can only be called, by that name"),
        ("{{ sh['x'] }}", "sh can only be called, by that name"),
        ("{{ sh|string }}", "sh can only be called, by that name"),
        ("{{ [sh][0]('id') }}", "sh can only be called, by that name"),
        ("{{ {'a': sh}.a('id') }}", "sh can only be called, by that name"),
        ("{{ (sh or x)('id') }}", "sh can only be called, by that name"),
        ("{{ (sh)(x) }}", "sh takes its command as a literal text in quotes"),
        ("{% call sh('id') %}x{% endcall %}", "sh takes no block: {{ sh(…) }}"),
        ("{{ sh is callable }}", "sh can only be called, by that name"),
        ("{{ sh|attr('x') }}", "sh can only be called, by that name"),
        ("{{ x(sh) }}", "sh can only be called, by that name"),
        ("{{ x(y=sh) }}", "sh can only be called, by that name"),
        ("{{ sh('id')(sh) }}", "sh can only be called, by that name"),
        ("{% set f = sh %}", "sh can only be called, by that name"),
        ("{% set sh = 1 %}", "sh can only be called, by that name"),
        ("{% set a, sh = 1, 2 %}", "sh can only be called, by that name"),
        ("{% set sh %}x{% endset %}", "sh can only be called, by that name"),
        ("{% for f in [sh] %}{% endfor %}", "sh can only be called, by that name"),
        ("{% for sh in [1] %}{% endfor %}", "sh can only be called, by that name"),
        ("{% for a, sh in [(1, 2)] %}{% endfor %}", "sh can only be called, by that name"),
        ("{% with f = sh %}{% endwith %}", "sh can only be called, by that name"),
        ("{% with sh = 1 %}{% endwith %}", "sh can only be called, by that name"),
        ("{% macro sh() %}{% endmacro %}", "nothing else can be named sh"),
        ("{% macro m(sh) %}{% endmacro %}", "sh can only be called, by that name"),
        ("{% macro m(x=sh) %}{% endmacro %}", "sh can only be called, by that name"),
        ("{% call(sh) m() %}{% endcall %}", "sh can only be called, by that name"),
        ('{% import "_m.md" as sh %}', "nothing else can be named sh"),
        ('{% from "_m.md" import sh %}', "nothing else can be named sh"),
        ('{% from "_m.md" import m as sh %}', "nothing else can be named sh"),
        ("{{ sh() }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(x) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh('a' ~ x) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh('a %s'|format(x)) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh('a' + 'b') }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh('a' if x else 'b') }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(3) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(none) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(*['id']) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(**{'command': 'id'}) }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh(command='id') }}", "sh takes its command as a literal text in quotes"),
        ("{{ sh('id', command='rm') }}", "sh takes its values by position, not by name"),
        ("{{ sh('id', **x) }}", "sh takes its values by position, not by name"),
        ("{% if false %}{{ sh(x) }}{% endif %}", "sh takes its command as a literal text in quotes"),
    ],
)
def test_sh_is_only_called_by_its_name_with_a_literal(text: str, said: str, desk: Desk) -> None:
    files = {"_m": "{% macro m() %}{{ caller }}{% endmacro %}"}
    assert desk.fault(f"\n{text}", files, x="x") == f"main.md:2: {said}"
    assert desk.fault('{% include "_bad.md" %}', {**files, "_bad": f"\n{text}"}, x="x") == f"_bad.md:2: {said}"


ALLOWED = [
    "{{ sh('id') }}",
    "{{ sh('git log -n \"$1\"', x) }}",
    "{{ sh('a' 'b') }}",
    "{{ sh('x', *[x]) }}",
    "{{ sh('id')|trim }}",
    "{% set out = sh('id') %}{{ out }}",
    "{% set out %}{{ sh('id') }}{% endset %}",
    "{% for line in sh('id').splitlines() %}{{ line }}{% endfor %}",
    "{% macro m() %}{{ sh('id') }}{% endmacro %}{{ m() }}",
    '{% include "_run.md" %}',
    '{% include "_run.md" without context %}',
    '{% import "_run.md" as r %}{{ r.m() }}',
]


@pytest.mark.parametrize("text", ALLOWED)
def test_a_command_is_refused_until_its_content_is_trusted(text: str, desk: Desk) -> None:
    template = desk.template(text, {"_run": "{% macro m() %}{{ sh('id') }}{% endmacro %}{{ m() }}"})
    with pytest.raises(RefusedError) as caught:
        template.render({"x": "x"}, SURROUNDINGS)
    assert (caught.value.exit_code, caught.value.reason) == (11, "untrusted")
    assert caught.value.message == f"'main' runs a command, and its content is not trusted: {template.commands[0]}"
    assert caught.value.hint == (
        "look at it: aix show main\ntrust this content: aix trust main\n"
        f"in CI: --trust {template.digest}\nwithout its commands: --disable-commands"
    )


def test_a_command_that_is_not_reached_refuses_nothing(desk: Desk) -> None:
    assert desk.text("{% if x %}{{ sh('id') }}{% endif %}fine", x=False) == "fine"


def test_commands_are_shown_where_they_are_disabled(desk: Desk) -> None:
    template = desk.template("{{ sh('git log -n \"$1\"', n) }}\n{{ sh('x') | upper }}")
    assert template.render({"n": 3}, SURROUNDINGS, sh=left_out)[0].text == '[command: git log -n "$1"]\n[COMMAND: X]'
    assert template.commands == ('git log -n "$1"', "x")


def test_commands_through_the_command_line(aix: Aix, library: Path) -> None:
    canary = library / "canary"
    (library / "p.md").write_text(f"{{{{ sh('touch {canary}') }}}}")
    digest = json.loads(aix("show", "p", "--json").stdout)["digest"]
    refused = aix("run", "p")
    assert (refused.status, refused.stdout) == (11, "")
    assert refused.stderr == (
        f"aix: error: 'p' runs a command, and its content is not trusted: touch {canary}\n"
        "  hint: look at it: aix show p\n  hint: trust this content: aix trust p\n"
        f"  hint: in CI: --trust {digest}\n  hint: without its commands: --disable-commands\n"
    )
    assert aix("run", "p", "--disable-commands").stdout == f"[command: touch {canary}]"
    assert not canary.exists()


# The digest

MAIN = "---\nmodel: m\n---\na{% include './_x.md' %}{% include 'web/_y.md' ignore missing %}"
FILES = {"_x": "x", "web/_y": "y"}


@pytest.fixture
def digest(desk: Desk) -> str:
    return desk.template(MAIN, FILES).digest


def test_a_digest_is_the_same_every_time(digest: str, desk: Desk) -> None:
    assert desk.template(MAIN, FILES).digest == digest
    assert len(digest) == len("sha256:") + 64


def test_a_digest_has_no_name_no_place_and_no_date_in_it(digest: str, tmp_path: Path) -> None:
    other = Desk(tmp_path / "elsewhere")
    assert other.template(MAIN, FILES, "renamed").digest == digest
    moved = {"new/_x": "x", "web/_y": "y"}
    assert Desk(tmp_path / "moved").template(MAIN, moved, "new/main").digest == digest
    main = other.write("touched", MAIN)
    os.utime(main, (1, 1))
    assert other.template(MAIN, FILES, "touched").digest == digest


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_line_ends_and_a_bom_do_not_change_a_digest(change: Any, digest: str, desk: Desk) -> None:
    assert desk.template(change(MAIN), {name: change(text) for name, text in FILES.items()}).digest == digest


CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "a byte of the body": (MAIN.replace("---\na{%", "---\nb{%"), FILES),
    "a byte at the end": (MAIN + "\n", FILES),
    "front matter": (MAIN.replace("model: m", "model: n"), FILES),
    "a comment in the front matter": (MAIN.replace("model: m", "model: m # x"), FILES),
    "an include": (MAIN, {**FILES, "_x": "z"}),
    "an include's front matter": (MAIN, {**FILES, "_x": "---\n---\nx"}),
    "an include that is gone": (MAIN, {"_x": "x"}),
    "the includes exchanged": (MAIN, {"_x": "y", "web/_y": "x"}),
    "a byte moved from one file to the next": (MAIN, {"_x": "", "web/_y": "xy"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_byte_of_the_prompt_or_of_an_include_changes_a_digest(change: str, digest: str, tmp_path: Path) -> None:
    text, files = CHANGES[change]
    assert Desk(tmp_path / "changed").template(text, files).digest != digest


def test_a_digest_tells_which_file_stands_where(tmp_path: Path) -> None:
    """The same texts in the same order, but another of the names that may be missing is: not the same prompt."""
    text = "{% if false %}{% include 'a.md' ignore missing %}{% endif %}{% include 'b.md' ignore missing %}"
    harmless, harmful = Desk(tmp_path / "1"), Desk(tmp_path / "2")
    before, after = harmless.template(text, {"a": "{{ sh('x') }}"}), harmful.template(text, {"b": "{{ sh('x') }}"})
    assert before.commands == after.commands
    assert before.digest != after.digest


def test_a_digest_tells_one_file_from_two(tmp_path: Path) -> None:
    text = "{% include './_x.md' %}{% include '_x.md' %}{% include '_z.md' ignore missing %}"
    one = Desk(tmp_path / "1").template(text, {"_x": "X", "_z": "Y"})
    two = Desk(tmp_path / "2").template(text, {"web/_x": "X", "_x": "Y"}, "web/main")
    assert one.digest != two.digest


def test_what_is_rendered_is_what_was_hashed(desk: Desk) -> None:
    template = desk.template('{% include "_x.md" %}', {"_x": "before"})
    desk.write("_x", "after")
    desk.write("main", "after")
    assert template.render({}, SURROUNDINGS)[0].text == "before"


def test_a_literal_body_has_a_digest_of_its_own(desk: Desk) -> None:
    first, second = (desk.template(f"---\ntemplate: false\n---\n{text}").digest for text in ("{{", "{%"))
    assert first != second


def test_a_file_and_a_prompt_of_the_same_text_have_one_digest(desk: Desk) -> None:
    prompt = parse("{{ x }}", "-")
    assert Template(prompt, nothing).digest == desk.template("{{ x }}").digest


def test_a_template_is_read_before_anything_is_rendered(desk: Desk) -> None:
    layer = Layer("user", desk.root)
    desk.write("main", '{% if false %}{% include "_x.md" %}{% endif %}')
    read: list[str] = []

    def reading(name: str) -> str:
        read.append(name)
        return layer.read(name)

    desk.write("_x", "x")
    template = Template(layer.prompt("main"), reading)
    assert read == ["_x.md"]
    template.render({}, SURROUNDINGS)
    assert read == ["_x.md"]
