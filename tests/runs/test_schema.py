"""What an answer must look like: which schemas can be used, and what is said of an answer that does not fit."""

import re
import time
from typing import Any

import pytest

from aix.bounded import ExhaustedError
from aix.errors import AixError, TemplateError, UsageError
from aix.library.prompt import Output, Prompt
from aix.runs.schema import MOST, Schema, SchemaError, read_schema, wanted

BUG = {"type": "object", "required": ["line"], "properties": {"line": {"type": ["integer", "null"]}}}
REVIEW = {
    "type": "object",
    "required": ["bugs", "a b"],
    "properties": {
        "bugs": {"type": "array", "items": {**BUG, "additionalProperties": False}},
        "verdict": {"enum": ["good", "bad", None]},
        "by": {"anyOf": [{"type": "null"}, BUG]},
    },
}


def deep(levels: int) -> dict[str, Any]:
    return {"items": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"type": "strin"}, '$.type: "strin" is not one of ["array", '),
        ({"properties": {"a b": {"type": 7}}}, '$.properties["a b"].type: 7 is not '),
        ({"items": [{}, 1]}, "$.items: "),
        ({"required": "x"}, '$.required: "x" is not of type array'),
        ({"$schema": "https://x.example/mine"}, "$.$schema: https://x.example/mine is no version of JSON Schema"),
        ({"$schema": 7}, "$.$schema: 7 is not of type"),
        ({"properties": {"a": {"pattern": "("}}}, "$.properties.a: cannot match by '(' (missing )"),
        ({"patternProperties": {"[": {}}}, "$: cannot match by '['"),
        ({"$ref": "#"}, "$: judging an answer by it never ends"),
        ({"allOf": [{"$ref": "#/allOf/0"}]}, "$: judging an answer by it never ends"),
        (deep(200), "$: nested more than 64 deep"),
        ({"description": "x" * 300_000}, "$: larger than 256 KiB"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_schema_that_is_none_is_refused_with_the_place_in_it(document: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        Schema(document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"$ref": "https://x.example/s.json"}, "$: refers to https://x.example/s.json, and nothing is ever fetched"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "$.items: refers to file:///etc/passwd, and nothing"),
        ({"$ref": "other.json#/a"}, "$: refers to other.json#/a, and nothing is ever fetched"),
        ({"$ref": "//x.example/s"}, "$: refers to //x.example/s, and nothing is ever fetched"),
        ({"$dynamicRef": "https://x.example/s#a"}, "$: refers to https://x.example/s#a, and nothing"),
        ({"$id": "https://x.example/", "items": {"$ref": "s.json"}}, "$.items: refers to s.json, and nothing"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "and nothing is ever fetched"),
        ({"$ref": "#/mine", "mine": {"$ref": "https://x.example/s"}}, "$.mine: refers to https://x.example/s, and"),
        ({"$ref": "#/$defs/nowhere"}, "$: refers to #/$defs/nowhere, which is not there"),
        ({"$ref": "#nowhere"}, "$: refers to #nowhere, which is not there"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_schema_refers_to_nothing_but_itself(document: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        Schema(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"$defs": {"n": {"type": "integer"}}, "properties": {"n": {"$ref": "#/$defs/n"}}},
        {"$defs": {"n": {"$anchor": "n", "type": "integer"}}, "properties": {"n": {"$ref": "#n"}}},
        {"$id": "https://x.example/s", "$defs": {"n": {"$id": "n.json"}}, "properties": {"n": {"$ref": "n.json"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {}}, "$ref": "#/definitions/n"},
        {"properties": {"child": {"$ref": "#"}}},
        {"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "https://x.example/s"}},
        {"x-mine": {"$ref": "https://x.example/s"}, "format": "date"},
        {"patternProperties": {"[[a]": {}}},
    ],
    ids=str,
)
def test_what_is_inside_a_schema_can_be_used(document: dict[str, Any]) -> None:
    assert Schema(document).violations({}) == (
        [] if "const" not in document else ['$: {"$ref": "https://x.example/s"} was expected']
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"bugs": [], "a b": 1}, []),
        ({}, ["$.bugs: is required", '$["a b"]: is required']),
        ([], ["$: [] is not of type object"]),
        (None, ["$: null is not of type object"]),
        ({"bugs": [{"line": "x"}], "a b": 1}, ['$.bugs[0].line: "x" is not of type integer or null']),
        ({"bugs": [{"line": True}], "a b": 1}, ["$.bugs[0].line: true is not of type integer or null"]),
        ({"bugs": [{"line": 1.0}], "a b": 1}, []),
        (
            {"bugs": [{"line": 1, "x": 2}], "a b": 1},
            ["$.bugs[0]: Additional properties are not allowed ('x' was unexpected)"],
        ),
        ({"bugs": [], "a b": 1, "verdict": "so"}, ['$.verdict: "so" is not one of ["good", "bad", null]']),
        ({"bugs": [], "a b": 1, "by": {}}, ["$.by.line: is required"]),
        ({"bugs": [], "a b": 1, "by": 7}, ["$.by: 7 is not valid under any of the given schemas"]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_with_its_place(data: Any, said: list[str]) -> None:
    assert Schema(REVIEW).violations(data) == said


def test_of_many_violations_the_first_ones_are_said_and_none_at_length() -> None:
    said = Schema({"items": BUG}).violations([{"line": "x" * 5000}] * 50)
    assert len(said) == MOST
    assert {len(sentence) <= 200 for sentence in said} == {True}


@pytest.mark.parametrize(
    ("document", "data"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 40 + "!"),
        ({"patternProperties": {"^(a|a)*$": False}}, {"a" * 40 + "!": 1}),
        ({"uniqueItems": True}, [{"n": number} for number in range(20_000)]),
    ],
    ids=["pattern", "name", "unique"],
)
def test_judging_ends_whatever_the_schema_says(document: dict[str, Any], data: Any) -> None:
    schema, began = Schema(document), time.monotonic()
    with pytest.raises(ExhaustedError):
        schema.violations(data, seconds=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is not JSON: expecting property name"),
        ('{"type": "object", "type": "array"}', 'it is not JSON: the key "type" stands twice'),
        ("[]", "$: must be an object"),
        ("true", "$: must be an object"),
        ('{"minimum": NaN}', "it is not JSON: NaN"),
        ("{" + " " * 300_000, "$: larger than 256 KiB"),
        ('{"items": ' * 5000, "it is not JSON: "),
    ],
    ids=lambda value: value[:20],
)
def test_a_text_that_is_no_schema_is_refused(text: str, said: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        read_schema(text)


OWN = {"type": "array"}


@pytest.mark.parametrize(
    ("flag", "own", "document"),
    [
        (None, None, None),
        (None, OWN, OWN),
        (' {"type": "object"}', OWN, {"type": "object"}),
        ("s.json", None, {"title": "s.json"}),
    ],
    ids=str,
)
def test_the_flag_wins_over_the_prompt(flag: str | None, own: Any, document: Any) -> None:
    found = wanted(flag, Prompt("p", "", "", output=Output("json", own)), lambda name: f'{{"title": "{name}"}}')
    assert (found.document if found else None) == document


@pytest.mark.parametrize(
    ("flag", "kind", "said"),
    [
        ('{"type": 7}', UsageError, "--schema cannot be used: $.type: 7"),
        (None, TemplateError, "p: output.schema cannot be used: $.type: 7"),
    ],
)
def test_whose_schema_is_wrong_is_said(flag: str | None, kind: type[AixError], said: str) -> None:
    with pytest.raises(kind, match=re.escape(said)):
        wanted(flag, Prompt("p", "", "", output=Output("json", {"type": 7})), str)
