"""How each type of param reads a text and takes a value, and what it says when it cannot."""

import datetime
import math
from pathlib import Path
from typing import Any

import pytest

from aix.errors import UsageError
from aix.library.prompt import Param, ParamType, Prompt, clash

DAY = datetime.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("string", "", ""),
        ("string", " a b ", " a b "),
        ("string", "@.env", "@.env"),
        ("string", "{{ x }}{% system %}", "{{ x }}{% system %}"),
        ("text", "a\nb\r\n", "a\nb\r\n"),
        ("text", "\x00\u202e\u2066", "\x00\u202e\u2066"),
        ("integer", "3", 3),
        ("integer", "-3", -3),
        ("integer", "+3", 3),
        ("integer", " 3\n", 3),
        ("integer", "007", 7),
        ("number", "3", 3.0),
        ("number", "-.5", -0.5),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("boolean", " YES ", True),
        ("boolean", "on", True),
        ("boolean", "1", True),
        ("boolean", "false", False),
        ("boolean", "No", False),
        ("boolean", "off", False),
        ("boolean", "0", False),
        ("date", "2026-11-21", DAY),
        ("json", '{"a": [1, 2.5, true, null]}', {"a": [1, 2.5, True, None]}),
        ("json", " 1 ", 1),
        ("json", '"text"', "text"),
        ("json", "null", None),
        ("list", "one, two", ["one, two"]),
        ("list", "", [""]),
        ("file", "notes.txt", Path("notes.txt")),
        ("image", "a.png", Path("a.png")),
    ],
)
def test_a_text_is_read_by_its_type(type_: ParamType, text: str, value: object) -> None:
    assert Param("x", type_).read(text) == value
    assert type(Param("x", type_).read(text)) is type(value) or isinstance(value, Path)


SAYS = {
    "integer": "a whole number, such as 3",
    "number": "a number, such as 0.5",
    "boolean": "true or false",
    "date": "a date, such as 2026-11-21",
    "json": 'JSON, such as {"a": 1}',
}


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *(
            ("integer", text)
            for text in ("", "3.0", "three", "0x1F", "1_000", "1,000", "٣", "³", "1 2", "--3", "9" * 60)
        ),
        *(("number", text) for text in ("", "a", "1,5", "1_0", "nan", "inf", "-Infinity", "1e999", "٣", "0x1p3")),
        *(("boolean", text) for text in ("", "maybe", "2", "y", "t", "tru e", "true,false")),
        *(("date", text) for text in ("", "today", "2026-11-31", "21.11.2026", "2026-11-21T10:00", "2026-11")),
        *(("json", text) for text in ("", "{", "{'a': 1}", "a", "NaN", "[Infinity]", "-Infinity", "1 2", "[" * 50)),
    ],
)
def test_a_text_that_means_nothing_is_refused_with_what_would_do(type_: ParamType, text: str) -> None:
    if text == "9" * 60:
        text = "9" * 5000
    with pytest.raises(UsageError) as caught:
        Param("x", type_).read(text)
    shown = f"'{text}'" if len(text) <= 60 else f"'{text[:60]}…'"
    assert caught.value.message == f"param 'x' must be {SAYS[type_]}, not {shown}"
    assert caught.value.exit_code == 2


def test_json_without_end_is_refused_and_does_not_overflow() -> None:
    with pytest.raises(UsageError, match="must be JSON"):
        Param("x", "json").read("[" * 100_000)


@pytest.mark.parametrize(
    ("param", "good", "bad", "said"),
    [
        (Param("x", choices=("a", "b")), "a", "c", "must be one of a, b, not 'c'"),
        (Param("x", choices=("a", "b")), "b", "A", "must be one of a, b, not 'A'"),
        (Param("x", choices=("1.10",)), "1.10", "1.1", "must be one of 1.10, not '1.1'"),
        (Param("x", "integer", choices=(1, 2)), "2", "3", "must be one of 1, 2, not '3'"),
        (Param("x", "date", choices=(DAY,)), "2026-11-21", "2026-11-22", "must be one of 2026-11-21, not '2026-11-22'"),
        (Param("x", "list", choices=("a", "b")), "a", "c", "must be one of a, b, not 'c'"),
        (Param("x", pattern="[a-z]+"), "abc", "abc1", "must match [a-z]+, not 'abc1'"),
        (Param("x", "text", pattern="a.b"), "a b", "a\nb", "must match a.b, not 'a\nb'"),
        (Param("x", "list", pattern="[a-z]"), "a", "ab", "must match [a-z], not 'ab'"),
        (Param("x", "integer", min=2), "2", "1", "must be at least 2, not '1'"),
        (Param("x", "integer", max=1_000_000), "1000000", "1000001", "must be at most 1000000, not '1000001'"),
        (Param("x", "number", min=0.5, max=1), "0.5", "0.25", "must be at least 0.5, not '0.25'"),
        (Param("x", "number", min=0.5, max=1), "1", "1.5", "must be at most 1, not '1.5'"),
        (Param("x", choices=("y" * 99,)), "y" * 99, "z" * 61, f"must be one of {'y' * 99}, not '{'z' * 60}…'"),
    ],
)
def test_a_value_keeps_within_what_the_param_allows(param: Param, good: str, bad: str, said: str) -> None:
    param.read(good)
    with pytest.raises(UsageError) as caught:
        param.read(bad)
    assert caught.value.message == f"param 'x' {said}"


@pytest.mark.parametrize(
    "param",
    [
        Param("x", "integer", secret=True),
        Param("x", pattern="[0-9]+", secret=True),
        Param("x", choices=("a",), secret=True),
        Param("x", "number", max=1, secret=True),
    ],
)
def test_a_secret_value_is_not_shown(param: Param) -> None:
    with pytest.raises(UsageError) as caught:
        param.read("5e3hunter2" if param.type != "number" else "31337")
    assert "hunter2" not in caught.value.message
    assert "31337" not in caught.value.message


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        ("string", "a", "a"),
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("text", 3, "3"),
        ("integer", 3, 3),
        ("integer", "3", 3),
        ("number", 3, 3),
        ("number", 0.5, 0.5),
        ("number", 10**400, 10**400),
        ("boolean", False, False),
        ("boolean", "off", False),
        ("date", "2026-11-21", DAY),
        ("json", {"a": [1]}, {"a": [1]}),
        ("json", "text", "text"),
        ("list", ["a", 1, True, 0.5], ["a", "1", "true", "0.5"]),
        ("list", "a", ["a"]),
        ("list", 5, ["5"]),
        ("list", [], []),
        ("file", "a.txt", Path("a.txt")),
    ],
)
def test_a_value_of_a_file_is_taken_by_its_type(type_: ParamType, given: Any, value: object) -> None:
    assert Param("x", type_).accept(given) == value


@pytest.mark.parametrize(
    ("type_", "given", "said"),
    [
        ("string", {"a": 1}, "must be a text, not '{\"a\": 1}'"),
        ("string", [1], "must be a text, not '[1]'"),
        ("text", None, "must be a text, not 'null'"),
        ("integer", 1.0, "must be a whole number, such as 3, not '1.0'"),
        ("integer", True, "must be a whole number, such as 3, not 'true'"),
        ("number", True, "must be a number, such as 0.5, not 'true'"),
        ("number", math.nan, "must be a number, such as 0.5, not 'NaN'"),
        ("number", -math.inf, "must be a number, such as 0.5, not '-Infinity'"),
        ("number", [1], "must be a number, such as 0.5, not '[1]'"),
        ("boolean", 1, "must be true or false, not '1'"),
        ("date", 20261121, "must be a date, such as 2026-11-21, not '20261121'"),
        ("list", ["a", {"b": 1}], "must be a text, not '{\"b\": 1}'"),
        ("list", [None], "must be a text, not 'null'"),
        ("file", 3, "must be the path of a file, not '3'"),
        ("image", {"a": 1}, "must be the path of an image, not '{\"a\": 1}'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(type_: ParamType, given: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Param("x", type_).accept(given)
    assert caught.value.message == f"param 'x' {said}"


@pytest.mark.parametrize(
    ("param", "flags"),
    [
        (Param("name"), ("--name",)),
        (Param("first_name", short="f"), ("--first-name", "-f")),
        (Param("strict", "boolean", short="s"), ("--strict", "--no-strict", "-s")),
        (Param("diff", "text"), ("--diff", "--diff-file")),
        (Param("some_data", "json"), ("--some-data", "--some-data-file")),
        (Param("picture", "image"), ("--picture",)),
    ],
)
def test_a_param_knows_its_flags(param: Param, flags: tuple[str, ...]) -> None:
    assert param.flags == flags


def test_params_on_different_flags_do_not_clash() -> None:
    assert clash([Param("a", short="a"), Param("A", short="A"), Param("a_file"), Param("no_a")]) is None


@pytest.mark.parametrize(
    ("type_", "empty"),
    [("string", ""), ("text", ""), ("list", []), ("boolean", False), ("file", ""), ("json", None), ("date", None)],
)
def test_a_template_sees_something_for_a_value_that_is_not_there(type_: ParamType, empty: object) -> None:
    assert Param("x", type_).empty == empty


def test_a_prompt_without_a_path_is_named_by_its_name() -> None:
    assert Prompt("web/x", "", "").place == "web/x"
    assert Prompt("web/x", "", "", path=Path("/p/web/x.md")).place == "/p/web/x.md"
