"""What an answer must pass: the part of it that is wanted, the schema that it fits, and what may not be true of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aix.bounded import ExhaustedError
from aix.errors import AixError, CheckError, IncompleteError, UsageError
from aix.library.templates.expressions import Expression, ExpressionError
from aix.messages import Event, Message, Text
from aix.runs.answers import EXTRACTS, Found, UnfoundError, find_json
from aix.runs.run import Run

if TYPE_CHECKING:
    from aix.runs.schema import Schema

NAMES = ("data", "text")
"""What an expression of `--fail-if` can use."""

Ask = Callable[[tuple[Message, ...]], Iterable[Event]]
"""Sends the conversation with some messages more; the events of the answer."""

PLEA = """Your answer {fault}.
{listed}
Give the whole answer again, corrected: the JSON alone, with nothing before or after it."""


class _UnfitError(Exception):
    """An answer that does not fit; `violations` are sentences that begin with the place in it."""

    def __init__(self, fault: str, violations: Sequence[str] = ()) -> None:
        super().__init__(fault)
        self.fault = fault
        self.violations = violations

    @property
    def plea(self) -> str:
        """What the model is told."""
        return PLEA.format(fault=self.fault, listed="".join(f"- {violation}\n" for violation in self.violations))

    @property
    def notice(self) -> str:
        """What the user is told."""
        more = f", and {len(self.violations) - 1} more" if len(self.violations) > 1 else ""
        return f"the answer {self.fault}" + (f" ({self.violations[0]}{more})" if self.violations else "")


class Gate:
    """`extract` is `code`, `json` or empty; `conditions` are what must not be true. Raises UsageError."""

    def __init__(self, schema: "Schema | None", extract: str, conditions: Sequence[str]) -> None:
        if schema and extract == "code":
            raise UsageError(
                "--extract code and a schema do not go together", hint="a schema is for JSON: --extract json"
            )
        self.schema = schema
        self._extract = extract
        self._conditions = [(text, _expression(text)) for text in conditions]

    @property
    def holds(self) -> bool:
        """Whether nothing of an answer may be shown before all of it was judged."""
        return bool(self.schema or self._extract)

    def settle(self, run: Run, ask: Ask, say: Callable[[str], None]) -> Iterator[Event]:
        """Find in a whole answer what is wanted. One that does not fit the schema is asked for once more: `ask` sends
        the conversation with some messages more, whose events are these, and `say` is told so. Raises
        IncompleteError."""
        try:
            run.found = self._read(run.response.text)
        except _UnfitError as unfit:
            if not self.schema or not run.response.text.strip():
                raise self._failure(unfit) from None
            say(f"{unfit.notice}; asking once more")
            yield from self._ask_again(run, ask, unfit)
            try:
                run.found = self._read(run.response.text)
            except _UnfitError as still:
                raise self._failure(still) from None

    def check(self, run: Run) -> None:
        """Raise CheckError when a condition is true of the answer, IncompleteError when one cannot be told."""
        fault = "" if not self._conditions or run.data is not None else _look_for_data(run)
        for text, expression in self._conditions:
            try:
                true = expression.holds({"data": run.data, "text": run.text})
            except ExpressionError as error:
                why = f"data is null, as the answer {fault}" if fault and "data" in expression.names else str(error)
                raise IncompleteError(f"--fail-if '{text}' cannot be told: {why}", reason="check") from None
            if true:
                raise CheckError(f"--fail-if is true: {text}", reason="fail_if")

    def _read(self, text: str) -> Found:
        try:
            found = EXTRACTS[self._extract or "json"](text)
            violations = self.schema.violations(found.data) if self.schema else ()
        except UnfoundError as error:
            raise _UnfitError(str(error)) from None
        except ExhaustedError:
            raise IncompleteError(
                "whether the answer fits the schema cannot be told: it takes too long",
                hint="a simpler pattern in the schema may help",
                reason="schema",
            ) from None
        if violations:
            raise _UnfitError("does not fit the schema", violations)
        return found

    def _ask_again(self, run: Run, ask: Ask, unfit: _UnfitError) -> Iterator[Event]:
        """Have the model correct its answer; when nothing comes of that, the answer is what it was."""
        answer = run.response.text
        run.begin_again()
        try:
            yield from ask((Message("assistant", (Text(answer),)), Message("user", (Text(unfit.plea),))))
        except AixError as error:
            run.take_back()
            raise IncompleteError(
                f"{unfit.notice}, and asking once more failed: {error.message}",
                cause=error.cause,
                hint=error.hint,
                reason="schema",
                request_id=error.request_id,
                status=error.status,
            ) from error
        except BaseException:
            run.take_back()
            raise

    def _failure(self, unfit: _UnfitError) -> IncompleteError:
        listed = "; ".join(unfit.violations) if len(unfit.violations) > 1 else ""
        return IncompleteError(
            unfit.notice,
            cause=listed,
            hint="ask another model: --model" if self.schema else "say in the prompt that this is all you want",
            reason="schema" if self.schema else "extract",
        )


def _expression(text: str) -> Expression:
    try:
        return Expression(text, NAMES)
    except ExpressionError as error:
        raise UsageError(
            f"--fail-if '{text}' is no expression: {error}", hint="such as --fail-if 'data.findings | length > 0'"
        ) from None


def _look_for_data(run: Run) -> str:
    """Note the JSON of an answer that need not be any; else what is wrong with it."""
    try:
        run.found = Found(run.text, find_json(run.text).data)
    except UnfoundError as error:
        return str(error)
    return ""
