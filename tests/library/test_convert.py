"""Older placeholders made Jinja: what becomes of each, what stays, and that the shell gets what it got."""

import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aix.errors import TemplateError
from aix.library.convert import convert
from aix.library.document import RESERVED, parse
from aix.library.templates.template import Template, nothing

ROWS = [
    # params
    ("Hi {name}!", "Hi {{ name }}!"),
    ("{a}{b}", "{{ a }}{{ b }}"),
    ("{_x} {A1} {snake_case}", "{{ _x }} {{ A1 }} {{ snake_case }}"),
    ("{a} and {a}", "{{ a }} and {{ a }}"),
    ("{a}}", "{{ a }}}"),
    ("/users/{id}", "/users/{{ id }}"),
    ('{"key": "{value}"}', '{"key": "{{ value }}"}'),
    ("{now} {user} {sh}", "{{ now_ }} {{ user_ }} {{ sh_ }}"),
    ("{range} {loop} {not}", "{{ range_ }} {{ loop_ }} {{ not_ }}"),
    ("{for} {block}", "{{ for }} {{ block }}"),
    # what is none
    ("", ""),
    ("plain {} text", "plain {} text"),
    ("{0} {1a} {a b} {a-b} {a.b} { a }", "{0} {1a} {a b} {a-b} {a.b} { a }"),
    ('{"a": {"b": 1}, "c": []}', '{"a": {"b": 1}, "c": []}'),
    ("${HOME} ${a:-b} $HOME $1", "${HOME} ${a:-b} $HOME $1"),
    ("{größe} {名}", "{größe} {名}"),
    ("\\frac{1}{2} a{2,3}", "\\frac{1}{2} a{2,3}"),
    ("$((1 + 2)) $( $5", "$((1 + 2)) $( $5"),
    ("{cmd:} {other:ls}", '{{ sh("") }} {other:ls}'),
    # Jinja that is there already, and what only looks like its beginning
    ("{{ a }} {b}", "{{ a }} {{ b }}"),
    ("{{a}}", "{{a}}"),
    ("{% if a %}{b}{% endif %}", "{% if a %}{{ b }}{% endif %}"),
    ("{# {a} #}{b}", "{# {a} #}{{ b }}"),
    ("{% raw %}{a} $(b){% endraw %}{c}", "{% raw %}{a} $(b){% endraw %}{{ c }}"),
    ("{%- raw -%}{a}{%- endraw -%}", "{%- raw -%}{a}{%- endraw -%}"),
    ('{{ "}} {a}" }}{b}', '{{ "}} {a}" }}{{ b }}'),
    ("{{ {'a': {'b': c}} }} {d}", "{{ {'a': {'b': c}} }} {{ d }}"),
    ("{{a}", "{{ '{{' }}a}"),
    ("100{% off {a}", "100{{ '{%' }} off {{ a }}"),
    ("{#1 {a}", "{{ '{#' }}1 {{ a }}"),
    ("{{{a}", "{{ '{{' }}{{ a }}"),
    ("{$(date)}", "{{ '{' }}{{ sh(\"date\") }}}"),
    # commands
    ("$(date)", '{{ sh("date") }}'),
    ("{cmd:date} {exec: ls -l }", '{{ sh("date") }} {{ sh("ls -l") }}'),
    ("$(git log\n-n 1)", '{{ sh("git log\\n-n 1") }}'),
    ('$(echo "a\\n")', '{{ sh("echo \\"a\\\\n\\"") }}'),
    ("$(a $(b $(c)) (d))", '{{ sh("a $(b $(c)) (d)") }}'),
    ("$(echo ')' \")\" \\))", '{{ sh("echo \')\' \\")\\" \\\\)") }}'),
    ("{cmd:echo '}' \"}\"}", '{{ sh("echo \'}\' \\"}\\"") }}'),
    ("{cmd:awk '{print $1}' f}", "{{ sh(\"awk '{print $1}' f\") }}"),
    ("$(echo ${HOME} $HOME)", '{{ sh("echo ${HOME} $HOME") }}'),
    ("{cmd:echo ${HOME}}", '{{ sh("echo ${HOME}") }}'),
    ("$(git log -n {n})", '{{ sh("git log -n \\"${1}\\"", n) }}'),
    ('$(grep "{a}" {b})', '{{ sh("grep \\"${1}\\" \\"${2}\\"", a, b) }}'),
    ("$(grep '{a}' f)", "{{ sh(\"grep ''\\\"${1}\\\"'' f\", a) }}"),
    ("{cmd:cat {f} {f} {user}}", '{{ sh("cat \\"${1}\\" \\"${1}\\" \\"${2}\\"", f, user_) }}'),
    ("$(echo '\\' {a})", "{{ sh(\"echo '\\\\' \\\"${1}\\\"\", a) }}"),
    ("$(echo don't)", "$(echo don't)"),
    # front matter
    ("---\ndescription: Says {a}\n---\nHi {a}", "---\ndescription: Says {a}\n---\nHi {{ a }}"),
    ("---\nmodel: m\n---\n", "---\nmodel: m\n---\n"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), ROWS)
def test_each_placeholder_has_its_jinja(old: str, new: str) -> None:
    assert convert(old).text == new
    assert convert(new).text == new
    Template(parse(new, "p"), nothing)


def test_there_are_many_rows() -> None:
    assert len(ROWS) >= 40


def test_what_was_found_is_told_once_as_it_stood() -> None:
    assert convert("{a} $(b {a}) {a} {cmd:c} {{ d }}").found == ("{a}", "$(b {a})", "{cmd:c}")
    assert convert("{% raw %}{a}{% endraw %} ${b} { c }").found == ()


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_name_means_something_else_than_a_param(name: str) -> None:
    template = Template(parse(convert(f"{{{name}}}").text, "p"), nothing)
    assert [param.name for param in template.params] == [f"{name}_"]


def test_front_matter_without_an_end_is_said() -> None:
    with pytest.raises(TemplateError, match="the text:1: the front matter has no end"):
        convert("---\n{a}\n")


@pytest.mark.parametrize("quote", ["", '"', "'", "a'b'", '"a"'])
@pytest.mark.parametrize(
    "value", ["plain", "two words", "$(touch ran)", "`id`", "'", '"', "*", "-n; ls", "\\", "ü\n\nx"]
)
def test_a_value_is_one_word_of_the_command_whatever_it_holds(quote: str, value: str) -> None:
    """What `sh` does with the converted command: the values come as positional arguments."""
    template = parse(convert(f"$(printf %s {quote}{{x}}{quote})").text, "p")
    [command] = Template(template, nothing).commands
    done = subprocess.run(["sh", "-c", command, "sh", value], capture_output=True, check=True)
    plain = quote.replace("'", "").replace('"', "")
    assert done.stdout.decode() == plain + value + plain


PIECES = st.sampled_from(
    [
        *(
            "{a}",
            "{b}",
            "{",
            "}",
            "{{ c }}",
            "{% if a %}{b}{% endif %}",
            "{# x #}",
            "{% raw %}{a}{% endraw %}",
            "$",
            "(",
        ),
        *(
            "$(ls)",
            "$(cat '{f}')",
            "{cmd:date}",
            "{exec:x {a}}",
            ")",
            "'",
            '"',
            "\\",
            "\n",
            " ",
            "text",
            "${V}",
            "%",
            "#",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
@example("{{{$({")
@example("{'}}{a}'}}")
@example("$({{ c }}{cmd:(#})(")
@example("{cmd:{##{cmd:{% raw %}){cmd:'{%{%")
def test_a_second_time_changes_nothing(text: str) -> None:
    try:
        once = convert(text)
    except TemplateError:
        return
    again = convert(once.text)
    assert (again.text, again.found) == (once.text, ())


@given(
    st.lists(st.sampled_from(["{a}", "$(ls {a})", "{cmd:x}", "{now}", "text ", "\n", "'", "${V}", "( ", ": "])).map(
        "".join
    )
)
def test_what_comes_of_it_is_a_template(text: str) -> None:
    Template(parse(convert(text).text, "p"), nothing)
