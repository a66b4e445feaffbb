"""What `--fail-if` asks: a Jinja expression over data and text, which cannot do more than answer."""

import re
import time
from typing import Any

import pytest

from aix.library.templates.expressions import Expression, ExpressionError

NAMES = ("data", "text")
DATA = {"findings": [{"severity": "major"}, {"severity": "minor"}], "items": [], "score": 0.5, "none": None}
VALUES = {"data": DATA, "text": "Good day."}


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("data.findings | length > 1", True),
        ("data.findings | length > 2", False),
        ("data.findings", True),
        ("data.findings[0].severity in ['major', 'critical']", True),
        ("data.findings | selectattr('severity', 'eq', 'critical') | list", False),
        ("data.findings | map(attribute='severity') | unique | list | length == 2", True),
        ("data['score'] < 1", True),
        ("data.items", False),
        ("data.none", False),
        ("data.keys is defined", False),
        ("data.nothing is defined", False),
        ("data.nothing | default(3) > 2", True),
        ("data is mapping and text is string", True),
        ("'day' in text", True),
        ("text.lower().startswith('good')", True),
        ("text | wordcount > 5", False),
        ("data | json | length > 10", True),
        ("not data", False),
        ("range(3) | sum == 3", True),
        ("none", False),
    ],
)
def test_an_expression_is_true_or_not(text: str, true: bool) -> None:
    assert Expression(text, NAMES).holds(VALUES) is true


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it ends too early"),
        ("data.x ==", "it ends too early"),
        ("data.x) or (1", "unexpected ')'"),
        ("{{ data.x }}", "expected token"),
        ("data.x; data.y", "it goes on after its end"),
        ("dta.x", "there is no 'dta', only data and text"),
        ("data.x and now", "there is no 'now', only data and text"),
        ("sh('ls')", "there is no 'sh', only data and text"),
        ("lipsum()", "there is no 'lipsum', only data and text"),
        ("data | nofilter", "No filter named 'nofilter'"),
        ("data is notest", "No test named 'notest'"),
        ("(" * 500 + "1" + ")" * 500, "maximum recursion depth"),
    ],
    ids=lambda value: value[:30],
)
def test_what_cannot_be_read_is_known_before_there_is_an_answer(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)):
        Expression(text, NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data.bugs", "the object has no 'bugs'"),
        ("data.bugs | length > 0", "the object has no 'bugs'"),
        ("not data.bugs", "the object has no 'bugs'"),
        ("data.findings[0].line > 2", "the object has no 'line'"),
        ("data.findings[7]", "list object has no element 7"),
        ("data.get('x')", "the object has no 'get'"),
        ("data.none > 2", "'>' not supported"),
        ("data.score / 0", "division by zero"),
        ("text.__class__", "unsafe"),
        ("text.format.__globals__", "unsafe"),
        ("data.findings.append(1)", "unsafe"),
        ("range(10 ** 9) | list", "Range too big"),
        ("'x' * 10 ** 11", "it takes more time or memory than it may"),
    ],
)
def test_what_has_no_value_is_said(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)):
        Expression(text, NAMES).holds(VALUES)


def test_what_would_take_for_ever_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(ExpressionError, match="it takes more time or memory than it may"):
        Expression("(9 ** 9) ** (9 ** 9) > 1", NAMES).holds(VALUES, seconds=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("data", [None, [], "x", 7, True])
def test_data_can_be_anything_that_json_can(data: Any) -> None:
    assert Expression("data is none", NAMES).holds({"data": data, "text": ""}) is (data is None)
