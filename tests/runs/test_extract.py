"""What is taken out of an answer: JSON to the letter, and the only code block."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aix.library.templates.filters import fenced
from aix.runs.answers import MAX_SEARCHED, UnfoundError, find_code, find_json, load_json

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' {"a": 1}\r\n', ' {"a": 1}\r\n'),
        ("12", "12"),
        ('"yes"\n', '"yes"\n'),
        ('\ufeff{"a": 1}', '{"a": 1}'),
        ('```json\n{"a": 1}\n```', '{"a": 1}\n'),
        ('Here it is:\n\n```JSON title\r\n{"a":\r\n 1}\r\n```\r\nThat is all.', '{"a":\r\n 1}\r\n'),
        ('```\n{"a": 1}\n```', '{"a": 1}\n'),
        ("~~~~json\n[1]\n~~~~~\n", "[1]\n"),
        ('```sh\nls {a}\n```\n```json\n{"a": 1}\n```\n```\n{"b": 2}\n```\n', '{"a": 1}\n'),
        ('```sh\n[ -f x ]\n```\nThen {"a": 1}.', '{"a": 1}'),
        ('Sure: {"a": {"b": [1]}}. Good luck!', '{"a": {"b": [1]}}'),
        ('{"a": "} ```json"} is it', '{"a": "} ```json"}'),
        ("As [the manual](x) says, - [x] it is [1, 2]", "[1, 2]"),
        ('- One:\n\n  ```json\n  {"a":\n    1}\n  ```\n', '{"a":\n  1}\n'),
        ('```json\n{"a": 1}', '{"a": 1}'),
    ],
    ids=repr,
)
def test_json_is_found_as_it_was_written(answer: str, text: str) -> None:
    found = find_json(answer)
    assert (found.text, found.data) == (text, json.loads(text))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Good day.", "is not JSON: expecting value in line 1, column 1"),
        ('{"bugs": [{"line": 1},], }', "is not JSON: expecting value in line 1, column 23"),
        ('Here: {"bugs": [{"line": 1},], }', "is not JSON"),
        ('{line: {"a": 1}}', "is not JSON: expecting property name"),
        ('{"a": 1}{"b": 2}', "holds 2 JSON values, and no word which one is meant"),
        ('{"a": 1}\n{"b": 2}\n{"c": 3}', "holds 3 JSON values"),
        ('See [1]: {"a": 1}', "holds 2 JSON values"),
        ("```json\n1\n```\n```json\n2\n```\n", "holds 2 JSON values"),
        ("```json\n{'a': 1}\n```\n", "holds what is not JSON: expecting property name"),
        ('{"a": 1, "a": 2}', 'is not JSON: the key "a" stands twice in an object'),
        ("NaN", "is not JSON: NaN is no number in JSON"),
        ("[-Infinity]", "is not JSON: -Infinity is no number in JSON"),
        ("[1e999]", "is not JSON: 1e999 is no number in JSON, or too large a one"),
        ("9" * 5000, "is not JSON: 99999999999999999999… is no number in JSON"),
        ("[" * 65 + "]" * 65, "nested more than 64 deep"),
        ("[" * 200_000, "nested more than 64 deep"),
        ("Look: " + " " * MAX_SEARCHED + "{}", "is not JSON"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_not_one_json_value_is_none(answer: str, said: str) -> None:
    with pytest.raises(UnfoundError, match=re.escape(said)):
        find_json(answer)


@pytest.mark.parametrize("text", ["[" * 64 + "]" * 64, "9" * 4300, "-0", "1e308", '{"a": {"a": 1}}', '"\\ud800"'])
def test_what_just_passes_is_what_python_reads(text: str) -> None:
    assert load_json(text) == json.loads(text)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_every_json_value_is_found_whole_or_fenced(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert find_json(text).data == value
    assert find_json(f"So:\n{fenced(text, 'json')}\n").data == value


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("```python\nx = 1\n```", "x = 1\n"),
        ("Try this:\n\n```\na\n\n  b\r\n```\r\n\nDone.", "a\n\n  b\r\n"),
        ("````markdown\n```sh\nls\n```\n````\n", "```sh\nls\n```\n"),
        ("~~~ruby startline=3 $%@#$\ndef a; end\n~~~~~~~\n", "def a; end\n"),
        ("1. So:\n   ```py\n   if x:\n     y\n\n   z\n   ```\n", "if x:\n  y\n\nz\n"),
        ("```\n```\n", ""),
        ("Say ```x``` and\n```c\nint a;\n```\n", "int a;\n"),
        ("```\n~~~\n```", "~~~\n"),
    ],
    ids=repr,
)
def test_code_is_what_stands_between_the_fences(answer: str, text: str) -> None:
    assert find_code(answer).text == text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("x = 1", "holds no code block"),
        ("`x = 1`", "holds no code block"),
        ("```python\nx = 1", "holds no code block"),
        ("````\nx\n```", "holds no code block"),
        ("```\na\n```\n```\nb\n```\n", "holds 2 code blocks, and no word which one is meant"),
        ("```a\n" * 100_000, "holds no code block"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_without_just_one_code_block_there_is_none(answer: str, said: str) -> None:
    with pytest.raises(UnfoundError, match=re.escape(said)):
        find_code(answer)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_whatever_is_fenced_is_found_again(text: str) -> None:
    ended = text if text.endswith("\n") else text + "\n"
    assert find_code(f"So:\n{fenced(text)}\nDone.").text == ended
