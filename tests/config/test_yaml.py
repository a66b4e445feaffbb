"""YAML as prompt files write it: 1.2 scalars, nothing clever, and a line number for every fault."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config.yaml import MAX_DEPTH, YamlError, dump, load, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nUll", "nUll"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0o17", "-0o17"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.e-2", 0.01),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("1.2.3", "1.2.3"),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("\u0663", "\u0663"),  # a digit, but not one of the ten
        ("1" * 401, "1" * 401),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = scalar(text)
    assert (found, type(found)) == (value, type(value))


def test_not_a_number_is_one() -> None:
    assert math.isnan(scalar(".nan"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("a: no\nb: 'no'\nc: 1.10\n", {"a": "no", "b": "no", "c": 1.1}),
        ("a: '1'\nb: \"2\"\n'<<': 3\n", {"a": "1", "b": "2", "<<": 3}),
        ("- 1\n- [x, {y: z}]\n", [1, ["x", {"y": "z"}]]),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("1: one\nnull: none\nno: word\n", {"1": "one", "null": "none", "no": "word"}),
        ("\ufeffa: 1\n", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a: \U0001f600 é\n", {"a": "\U0001f600 é"}),
    ],
)
def test_documents_become_plain_data(text: str, value: object) -> None:
    assert load(text).value == value


def test_every_node_knows_its_line_and_its_source() -> None:
    root = load("a: 1.10\nb:\n  - 0o17\n  - {c: yes}\n")
    assert (root.children["a"].line, root.children["a"].source) == (1, "1.10")
    first, second = root.children["b"].items
    assert (first.line, first.source, first.value) == (3, "0o17", 15)
    assert (second.children["c"].line, second.children["c"].source) == (4, "yes")


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("ok: 1\na: &x 1\n", 2, "anchors and aliases (& and *) are not accepted", "write the value out, or quote it"),
        ("a: *x\n", 1, "anchors and aliases (& and *) are not accepted", "write the value out, or quote it"),
        ("a: &x {b: 1}\n", 1, "anchors and aliases (& and *) are not accepted", "write the value out, or quote it"),
        ("a: &x [1]\n", 1, "anchors and aliases (& and *) are not accepted", "write the value out, or quote it"),
        ("ok: 1\n<<: {a: 1}\n", 2, "merges (<<) are not accepted", "write the values out"),
        ("a: !!python/object:os.system 1\n", 1, "the tag tag:yaml.org,2002:python/object:os.system is not", ""),
        ("a: !!str 1\n", 1, "the tag tag:yaml.org,2002:str is not accepted", "leave the tag out, or quote the value"),
        ("a: ! 3\n", 1, "the tag ! is not accepted", "leave the tag out, or quote the value"),
        ("a: !mine [1]\n", 1, "the tag !mine is not accepted", "leave the tag out, or quote the value"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice", "delete one of the two"),
        ("1: x\n'1': y\n", 2, "the key '1' stands twice", "delete one of the two"),
        ("? [a]\n: 1\n", 1, "a key must be a word", ""),
        ("? {a: b}\n: 1\n", 1, "a key must be a word", ""),
        ("a\n---\nb\n", 2, "more than one YAML document", ""),
        ("[" * (MAX_DEPTH + 2), 1, f"nested more than {MAX_DEPTH} deep", ""),
        ("- " * (MAX_DEPTH + 2) + "x", 1, f"nested more than {MAX_DEPTH} deep", ""),
        ("a: 'x\n", 2, "not valid YAML (", ""),
        ("ok: 1\nbad: \x07\n", 2, r"not valid YAML (the character '\x07')", ""),
        ("é: 1\nbad: \ud800\n", 2, r"not valid YAML (the character '\ud800')", ""),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML (", ""),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert caught.value.line == line
    assert caught.value.message.startswith(message)
    assert not hint or caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "line", "paste"),
    [
        ("description: Review: a change\n", 1, 'description: "Review: a change"'),
        ("ok: 1\nto: @team\n", 2, 'to: "@team"'),
        ("ok: 1\n  path: c:\\x: y\n", 2, 'path: "c:\\\\x: y"'),
        ('a: say "no": never\n', 1, 'a: "say \\"no\\": never"'),
        ("a: `x`\n", 1, 'a: "`x`"'),
        ("a: %x\n", 1, 'a: "%x"'),
        ("first: 1\nnote: so: it is\nlast: 2\n", 2, 'note: "so: it is"'),
    ],
)
def test_a_value_that_needs_quotes_is_shown_with_them(text: str, line: int, paste: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert (caught.value.line, caught.value.hint) == (line, f"quote the value: {paste}")
    key = paste.split(":")[0]
    assert key in load(paste).children  # it can be pasted as it is


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_arbitrary_text_is_data_or_a_yaml_error(text: str) -> None:
    try:
        load(text)
    except YamlError as error:
        assert 1 <= error.line <= len(text) + 2


@given(st.lists(st.sampled_from([*"\n\n  :-?[]{},&*!|>'\"%@`#<=~", "a", "1", "- ", ": ", "<<", "---\n"]), max_size=30))
def test_texts_made_of_yaml_s_own_marks_are_data_or_a_yaml_error(pieces: list[str]) -> None:
    try:
        load("".join(pieces))
    except YamlError as error:
        assert error.message


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\t")) | st.from_regex(
    r"[-+]?(0o|0x|\.)?[0-9]{0,3}(\.|:|_|e)?[0-9]{0,3}|no|yes|null|~|\.inf|<<|=", fullmatch=True
)
leaf = words | st.booleans() | st.none() | st.integers() | st.floats(allow_nan=False)
data: st.SearchStrategy[Any] = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(words, data, max_size=4))
def test_what_is_written_is_read_back_as_it_was(value: dict[str, Any]) -> None:
    assert load(dump(value)).value == value
