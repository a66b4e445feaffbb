"""No template reaches more than its values: known ways out, and generated ones, watched by an audit hook."""

import copy
import re
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jinja2
import pytest
from desk import SURROUNDINGS
from full import full
from hypothesis import given, settings
from hypothesis import strategies as st

from aix.app_prompts import STRANGERS
from aix.bounded import Limits
from aix.config.reading import MissingFileError
from aix.errors import AixError, RefusedError, TemplateError
from aix.library.document import parse
from aix.library.templates.template import Template
from aix.messages import Message

PAYLOADS = [
    line
    for line in Path(__file__).with_name("sandbox_payloads.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("##")
]

FILES = {"_part.md": "{% macro m() %}part{% endmacro %}{{ m() }}"}

VALUES: dict[str, Any] = {
    "x": "text",
    "d": {"a": 1, "b": [2]},
    "l": [1, 2, 3],
    "n": 3,
    "s": "{0.__init__.__globals__}",
    "attribute": "__class__",
    "under": "__",
}

COMPILING = {"compile", "exec", "code.__new__"}
"""What Jinja does for every template, to a code whose file is the template."""

LOOKING = {"object.__getattr__", "builtins.id"}
"""What reading a traceback, refusing a generator's frame, or pprint does: nothing is opened, loaded or run by it."""


LEAK = re.compile("<(class '(str|object|type|int|list|tuple)'|module|frame|bound method|code)|root:x:|uid=")
"""Text that only something beyond the values could have."""


class Watch:
    """The audit events of one thread while it is on. A hook cannot be taken away, so there is one for all tests."""

    def __init__(self) -> None:
        self.thread = 0
        self.events: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def on(self) -> Iterator[list[str]]:
        self.events, self.thread = [], threading.get_ident()
        try:
            yield self.events
        finally:
            self.thread = 0

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.thread == threading.get_ident() and not self._is_ordinary(event, arguments):
            self.events.append(f"{event} {arguments!r:.200}")

    def _is_ordinary(self, event: str, arguments: tuple[Any, ...]) -> bool:
        named = [getattr(argument, "co_filename", argument) for argument in arguments]
        own = any(name == "<unknown>" or str(name).endswith(".md") for name in named)
        return event in LOOKING or (event in COMPILING and own)


WATCH = Watch()


def read(name: str) -> str:
    if name in FILES:
        return FILES[name]
    raise MissingFileError(f"there is no file {name}")


def rendered(text: str, values: dict[str, Any], limits: Limits | None = None) -> tuple[Message, ...] | AixError:
    """The messages of a template, or the error that it is; with all that looking at it does first."""
    try:
        template = Template(parse(text, "main"), read)
        _ = template.params, template.digest, template.commands
        return template.render(values, SURROUNDINGS, limits=limits)
    except AixError as error:
        return error


WARM = "{{ x|wordwrap(2)|pprint }}{{ now.strftime('%Y') }}{{ nope }}{% include '_part.md' %}"


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What is imported once, by whoever comes first, is no event of a template."""
    rendered(WARM, VALUES)
    rendered("{{ 1 / 0 }}", VALUES)


def harmless(text: str) -> None:
    """Render a template; fail when it does more than end in an error or in text."""
    values, surroundings = copy.deepcopy(VALUES), copy.deepcopy(SURROUNDINGS)
    with WATCH.on() as events:
        result = rendered(text, values)
    assert events == []
    assert (values, SURROUNDINGS) == (VALUES, surroundings)
    assert isinstance(result, TemplateError | RefusedError | tuple), result
    said = result.message if isinstance(result, AixError) else "".join(message.text for message in result)
    assert not LEAK.search(said)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_known_way_out_is_one(payload: str) -> None:
    harmless(payload)
    assert not Path("canary").exists()


def test_there_are_enough_known_ways_out() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 300


@pytest.mark.parametrize(
    "payload",
    [
        "{{ cycler.__init__.__globals__.os.listdir('/') }}",
        "{{ joiner.__init__.__globals__.__builtins__.open('/dev/null').close() }}",
        "{{ lipsum.__globals__.__builtins__.__import__('antigravity_') }}",
        "{{ (x|map('upper')).gi_frame }}",
        "{{ ().__class__.__base__.__subclasses__() }}",
    ],
)
def test_the_watch_sees_what_gets_out_of_an_ordinary_jinja(payload: str) -> None:
    environment = jinja2.Environment()  # the control: a zero above means nothing unless this is not one
    said = ""
    with WATCH.on() as events, suppress(ImportError):
        said = environment.from_string(payload).render(VALUES)
    assert [event for event in events if not event.startswith(tuple(COMPILING))] or LEAK.search(said)


@pytest.mark.parametrize(
    "payload", ["{{ x|replace('t', '__class__') }}", "{{ l|sum }}", "{{ x['upper']() }}", "{{ s }}"]
)
def test_what_a_template_may_do_it_can_do(payload: str) -> None:
    assert isinstance(rendered(payload, VALUES), tuple)


NAMES = st.sampled_from(
    [
        *(*VALUES, *SURROUNDINGS, "nope", "self", "loop", "caller", "varargs", "kwargs", "super", "range", "dict"),
        *("cycler", "joiner", "namespace", "lipsum", "environment", "_module", "m", "p", "i", "o", "g", "none"),
    ]
)
ATTRIBUTES = st.sampled_from(
    [
        *("__class__", "__mro__", "__base__", "__subclasses__", "__init__", "__globals__", "__builtins__", "__self__"),
        *("__func__", "__code__", "__closure__", "__dict__", "__getattribute__", "__reduce_ex__", "__call__", "mro"),
        *("gi_frame", "gi_code", "f_globals", "format", "format_map", "_environment", "_func", "_context", "_iterable"),
        *("append", "update", "clear", "pop", "items", "keys", "upper", "join", "encode", "strptime", "os", "a"),
        *("_TemplateReference__context", "_Namespace__attrs", "_body_stream", "_undefined_obj", "next", "super"),
        *("tzinfo", "index", "fromkeys"),
    ]
)
FORMATS = st.builds("{{0.{}}} {{0[{}]}} {{{}}}".format, ATTRIBUTES, ATTRIBUTES, ATTRIBUTES)
LITERALS = st.one_of(
    st.integers(0, 9).map(str),
    ATTRIBUTES.map(repr),
    FORMATS.map(repr),
    st.sampled_from(["'%(a)s'", "[]", "{}", "()", "''", "'_part.md'", "'\\x5f\\x5fclass\\x5f\\x5f'"]),
)
PLAIN = st.sampled_from(
    [
        *("upper", "list", "string", "length", "first", "last", "reverse", "items", "json", "tojson", "pprint", "safe"),
        *("sort", "unique", "sum", "min", "max", "join", "int", "float", "abs", "trim", "title", "fenced", "dictsort"),
        *("urlize", "striptags", "wordcount", "xmlattr", "urlencode", "capitalize", "count", "random", "e"),
    ]
)
TAKING = st.sampled_from(
    [
        *("attr", "map", "format", "default", "replace", "groupby", "selectattr", "rejectattr", "select", "batch"),
        *("truncate_tokens", "truncate", "indent", "wordwrap", "json", "fenced", "round", "join", "sum", "sort"),
    ]
)
BY_ATTRIBUTE = st.sampled_from(["map", "groupby", "sort", "unique", "min", "max", "sum", "join"])
TESTS = st.sampled_from(["defined", "callable", "mapping", "iterable", "string", "none", "sequence", "escaped"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An expression around others."""
    return st.one_of(
        st.builds("({}).{}".format, inner, ATTRIBUTES),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({})()".format, inner),
        st.builds("({})({})".format, inner, inner),
        st.builds("({})(*{}, **{})".format, inner, inner, inner),
        st.builds("({})|{}".format, inner, PLAIN),
        st.builds("({})|{}({})".format, inner, TAKING, inner),
        st.builds("({})|{}({}, {})".format, inner, TAKING, ATTRIBUTES.map(repr), inner),
        st.builds("({})|{}(attribute='{}.{}')".format, inner, BY_ATTRIBUTE, ATTRIBUTES, ATTRIBUTES),
        st.builds("({}) ~ ({})".format, inner, inner),
        st.builds("({}) % ({})".format, inner, inner),
        st.builds("({}) + ({})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("({}) if ({}) else ({})".format, inner, inner, inner),
        st.builds("({}) is {}".format, inner, TESTS),
        st.builds("({}) in ({})".format, inner, inner),
    )


EXPRESSIONS = st.recursive(NAMES | LITERALS, larger, max_leaves=8)
BINDABLE = st.sampled_from(["x", "m", "p", "i", "self", "joiner", "o.a", "d.a", "a, b"])
STATEMENTS = st.one_of(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{% set {} = {} %}}".format, BINDABLE, EXPRESSIONS),
    st.builds("{{% set {} | upper %}}{{{{ {} }}}}{{% endset %}}".format, BINDABLE, EXPRESSIONS),
    st.builds("{{% for {} in {} %}}{{{{ {} }}}}{{% endfor %}}".format, BINDABLE, EXPRESSIONS, EXPRESSIONS),
    st.builds("{{% if {} %}}{{{{ {} }}}}{{% endif %}}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{{% with i = {} %}}{{{{ {} }}}}{{% endwith %}}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{{% macro m(i={}) %}}{{{{ {} }}}}{{% endmacro %}}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{{% call(i) m() %}}{{{{ {} }}}}{{% endcall %}}".format, EXPRESSIONS),
    st.builds("{{% filter {} %}}{{{{ {} }}}}{{% endfilter %}}".format, PLAIN, EXPRESSIONS),
    st.builds("{{% block a %}}{{{{ {} }}}}{{% endblock %}}".format, EXPRESSIONS),
    st.builds("{{% autoescape true %}}{{{{ {} }}}}{{% endautoescape %}}".format, EXPRESSIONS),
    st.sampled_from(
        ['{% import "_part.md" as p %}', '{% include "_part.md" %}', "{% system %}", "{% user %}", "{{ sh('x') }}"]
    ),
)
HEAD = """{% macro m(a) %}{{ a }}{{ caller is defined and caller() }}{% endmacro %}{% import "_part.md" as p %}
{% set o, i, g = namespace(a=x), cycler(x, d), x|map('upper') %}"""
TEMPLATES = st.lists(STATEMENTS, min_size=1, max_size=3).map(lambda found: HEAD + "".join(found))


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """An expression can grow without bound until templates render in a child of their own; a test should not."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@settings(max_examples=full(80, 50_000), deadline=None, derandomize=True, database=None)
@given(TEMPLATES)
def test_no_generated_template_finds_a_way_out(text: str) -> None:
    harmless(text)


def outcome(text: str, limits: Limits | None) -> str:
    """What a template renders to, or the error that it is, but for where things stand in memory."""
    result = rendered(text, VALUES, limits)
    said = f"{type(result)} {result} {result.hint} {result.reason}" if isinstance(result, AixError) else str(result)
    return re.sub("0x[0-9a-f]+", "0x", said)


@settings(max_examples=full(30, 10_000), deadline=None, derandomize=True, database=None)
@given(TEMPLATES)
def test_within_limits_a_generated_template_gives_the_same(text: str) -> None:
    text = text.replace("random", "first")  # a child of a fork has a chance of its own
    assert outcome(text, STRANGERS) == outcome(text, None)
