"""A Jinja expression that is true or not of some data, in the sandbox of the prompts."""

from collections.abc import Collection, Mapping
from typing import Any

from aix.bounded import SECONDS, ExhaustedError, Limits, bounded
from aix.library.templates.closure import Closure
from aix.library.templates.jinja import Environment, undeclared

_TOO_MUCH = "it takes more time or memory than it may"
_WORDS = {
    "unexpected 'end of template'": "it ends too early",
    "chunk after expression": "it goes on after its end",
    "MemoryError": _TOO_MUCH,
}
"""What Jinja says of a template, and Python of work, said of an expression."""


class ExpressionError(Exception):
    """An expression that cannot be read, or that has no value for some data; the sentence says why."""


class Expression:
    """An expression over a few names. Raises ExpressionError for one that cannot be read, or that uses others."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        environment = _Environment(Closure())
        try:
            self._compiled = environment.compile_expression(text, undefined_to_none=False)
        except Exception as error:
            raise _explained(error) from error
        self.names = environment.names
        if unknown := sorted(self.names - {*names}):
            raise ExpressionError(f"there is no '{unknown[0]}', only {' and '.join(names)}")

    def holds(self, values: Mapping[str, Any], seconds: float = SECONDS) -> bool:
        """Whether it is true. Raises ExpressionError, also when that cannot be said in time."""
        try:
            true, wrong = bounded(lambda: self._judged(values), Limits(wall=seconds, cpu=seconds + 1))
        except ExhaustedError:
            raise ExpressionError(_TOO_MUCH) from None
        if wrong:
            raise ExpressionError(wrong)
        return bool(true)

    def _judged(self, values: Mapping[str, Any]) -> tuple[bool, str]:
        try:
            return bool(self._compiled(values)), ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whoever wrote the expression
            return False, str(_explained(error))


class _Environment(Environment):
    """In data, a dot names a key and nothing else: `data.items` is what the answer calls so, never a method."""

    names: frozenset[str] = frozenset()
    """What the expression uses and nothing here defines."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._key(obj, attribute) if isinstance(obj, Mapping) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self._key(obj, argument) if isinstance(obj, Mapping) else super().getitem(obj, argument)

    def _key(self, obj: Mapping[Any, Any], key: Any) -> Any:
        return obj[key] if key in obj else self.undefined(f"the object has no '{key}'")

    def _generate(self, source: Any, *args: Any, **kwargs: Any) -> str:
        source.set_environment(self)
        self.names = frozenset(undeclared(source) - self.globals.keys())
        return super()._generate(source, *args, **kwargs)


def _explained(error: Exception) -> ExpressionError:
    message = " ".join((getattr(error, "message", None) or str(error) or type(error).__name__).split())
    return ExpressionError(_WORDS.get(message, message[:300].rstrip(".")))
