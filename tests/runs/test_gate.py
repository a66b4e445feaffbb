"""What an answer must pass: its one repair, what is kept when that does not help, and what may not be true of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from aix.errors import AixError, CheckError, IncompleteError, RateLimitError, UsageError
from aix.messages import Event, Finish, Message, TextDelta, Usage
from aix.runs.gate import Gate
from aix.runs.run import Run
from aix.runs.schema import Schema

BUGS = Schema({"type": "object", "required": ["bugs"], "properties": {"bugs": {"type": "array"}, "by": {}}})
WHOLE = '{"bugs": []}'
FENCED = f"```json\n{WHOLE}\n```\n"


@dataclass
class Scene:
    """A run whose model says these things in turn; an error is raised."""

    says: list[str | BaseException]
    run: Run = field(default_factory=lambda: Run("p", "sha256:0"))
    asked: list[tuple[Message, ...]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ask(())

    def ask(self, more: tuple[Message, ...]) -> Sequence[Event]:
        self.asked.append(more)
        said = self.says[len(self.asked) - 1]
        if isinstance(said, BaseException):
            raise said
        self.run.collector.note(TextDelta(said))
        self.run.collector.note(Finish("stop", Usage(10, len(said), reported_cost=Decimal("0.5"))))
        return ()

    def settle(self, gate: Gate) -> "Scene":
        list(gate.settle(self.run, self.ask, self.told.append))
        return self


def test_an_answer_that_fits_is_asked_for_once() -> None:
    scene = Scene([FENCED]).settle(Gate(BUGS, "", ()))
    assert (scene.run.text, scene.run.data, len(scene.asked), scene.told) == (WHOLE + "\n", {"bugs": []}, 1, [])


def test_an_answer_that_does_not_fit_is_asked_for_once_more_with_what_is_wrong() -> None:
    scene = Scene(['{"by": 1}', WHOLE]).settle(Gate(BUGS, "", ()))
    first, second = scene.asked[1]
    assert (first.role, first.text, second.role) == ("assistant", '{"by": 1}', "user")
    assert second.text.startswith(
        "Your answer does not fit the schema.\n- $.bugs: is required\n\nGive the whole answer"
    )
    assert scene.told == ["the answer does not fit the schema ($.bugs: is required); asking once more"]
    assert (scene.run.text, scene.run.data) == (WHOLE, {"bugs": []})
    assert scene.run.usage == Usage(20, 9 + len(WHOLE), reported_cost=Decimal(1))


@pytest.mark.parametrize(
    ("second", "said", "kept"),
    [
        ('{"bugs": 1}', "the answer does not fit the schema ($.bugs: 1 is not of type array)", '{"bugs": 1}'),
        ("Sorry!", "the answer is not JSON: expecting value in line 1, column 1", "Sorry!"),
        (
            RateLimitError("box is limiting requests", hint="wait", request_id="r1", status=429),
            "the answer does not fit the schema ($.bugs: is required), and asking once more failed: box is limiting",
            "{}",
        ),
    ],
    ids=["unfit", "no JSON", "error"],
)
def test_an_answer_that_still_does_not_fit_is_kept(second: str | BaseException, said: str, kept: str) -> None:
    scene = Scene(["{}", second])
    with pytest.raises(IncompleteError, match=re.escape(said)) as caught:
        scene.settle(Gate(BUGS, "", ()))
    assert (caught.value.reason, scene.run.text, scene.run.data) == ("schema", kept, None)
    assert len(scene.asked) == 2


def test_whoever_stops_the_second_answer_keeps_the_first() -> None:
    scene = Scene(["{}", KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        scene.settle(Gate(BUGS, "", ()))
    assert scene.run.text == "{}"


def test_all_that_is_wrong_is_the_cause() -> None:
    both = Schema({"required": ["a", "b"]})
    with pytest.raises(IncompleteError) as caught:
        Scene(["{}", "{}"]).settle(Gate(both, "", ()))
    assert caught.value.message == "the answer does not fit the schema ($.a: is required, and 1 more)"
    assert caught.value.cause == "$.a: is required; $.b: is required"


@pytest.mark.parametrize(
    ("extract", "answer", "text"),
    [("json", f"So: {WHOLE}.", WHOLE), ("code", "Run:\n```sh\nls\n```\n", "ls\n"), ("code", FENCED, WHOLE + "\n")],
)
def test_a_part_of_the_answer_can_be_all_that_is_wanted(extract: str, answer: str, text: str) -> None:
    gate = Gate(None, extract, ())
    assert (gate.holds, Scene([answer]).settle(gate).run.text) == (True, text)


@pytest.mark.parametrize(("extract", "said"), [("json", "is not JSON"), ("code", "holds no code block")])
def test_without_that_part_nothing_is_asked_again(extract: str, said: str) -> None:
    scene = Scene(["Good day."])
    with pytest.raises(IncompleteError, match=said) as caught:
        scene.settle(Gate(None, extract, ()))
    assert (caught.value.reason, scene.run.text, len(scene.asked)) == ("extract", "Good day.", 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Gate(BUGS, "code", ()), "--extract code and a schema do not go together"),
        (lambda: Gate(None, "", ["data", "data.x =="]), "--fail-if 'data.x ==' is no expression: it ends too early"),
        (
            lambda: Gate(None, "", ["answer.x"]),
            "--fail-if 'answer.x' is no expression: there is no 'answer', only data",
        ),
    ],
    ids=["code", "syntax", "name"],
)
def test_what_cannot_be_wanted_is_said_at_once(make: Callable[[], Gate], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        make()


CHECKS: list[tuple[str, list[str], type[AixError] | None, str]] = [
    (WHOLE, ["data.bugs | length > 0", "'sorry' in text"], None, ""),
    (WHOLE, ["data.bugs | length > 0", "data.bugs == []"], CheckError, "--fail-if is true: data.bugs == []"),
    (FENCED, ["data.bugs == []"], CheckError, "--fail-if is true: data.bugs == []"),
    ("Good day.", ["'day' in text"], CheckError, "--fail-if is true: 'day' in text"),
    ("Good day.", ["data is not none"], None, ""),
    (
        "Good day.",
        ["data.bugs"],
        IncompleteError,
        "--fail-if 'data.bugs' cannot be told: data is null, as the answer is not JSON: expecting value in line 1, col",
    ),
    (WHOLE, ["data.bug"], IncompleteError, "--fail-if 'data.bug' cannot be told: the object has no 'bug'"),
]


@pytest.mark.parametrize(("answer", "conditions", "kind", "said"), CHECKS, ids=range(len(CHECKS)))
def test_what_may_not_be_true_is_asked_of_the_whole_answer(
    answer: str, conditions: list[str], kind: type[AixError] | None, said: str
) -> None:
    gate, scene = Gate(None, "", conditions), Scene([answer])
    assert not gate.holds
    if kind is None:
        gate.check(scene.run)
        return
    with pytest.raises(kind, match=re.escape(said)) as caught:
        gate.check(scene.run)
    assert scene.run.text == answer
    assert caught.value.reason == {CheckError: "fail_if", IncompleteError: "check"}[kind]
