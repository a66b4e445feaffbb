"""What an answer must look like. The one door to jsonschema.

A schema may come from a stranger, as a prompt does: it is checked before anything is sent, it refers to nothing but
itself, nothing is ever fetched for it, and whatever it says, judging by it ends.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import CannotDetermineSpecification, Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from aix.bounded import SECONDS, ExhaustedError, Limits, bounded
from aix.errors import TemplateError, UsageError
from aix.library.prompt import Prompt
from aix.quiet import quietly
from aix.runs.answers import MAX_DEPTH, load_json, nested_deeper

MAX_SIZE = 256 * 1024
MOST = 10
"""How many violations are told."""
LONGEST = 200

PATIENCE = Limits(wall=5.0, cpu=2.0)
"""What the reading of a schema may take."""

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class SchemaError(Exception):
    """A schema that cannot be used; the sentence begins with the place in it."""


class Schema:
    """A JSON Schema that was checked. Raises SchemaError for one that is none, or that needs other documents."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        if nested_deeper(document, MAX_DEPTH):
            raise SchemaError(f"$: nested more than {MAX_DEPTH} deep")
        if len(json.dumps(document)) > MAX_SIZE:
            raise SchemaError(f"$: larger than {MAX_SIZE // 1024} KiB")
        kind = _dialect(document)
        _check(document, kind)
        self.document = document
        self._validator = kind(document, registry=_registry(_root(document)))
        self._try()

    def violations(self, data: Any, seconds: float = SECONDS) -> Sequence[str]:
        """What is wrong with the data, at most ten sentences that begin with a place; empty when it fits.

        Raises ExhaustedError when that cannot be said in time.
        """
        said: list[str] = bounded(lambda: list(islice(self._said(data), MOST)), Limits(wall=seconds, cpu=seconds + 1))
        return said

    def _said(self, data: Any) -> Iterator[str]:
        sentences = (sentence for error in self._validator.iter_errors(data) for sentence in _sentences(error))
        told = set[str]()
        for sentence in sentences:
            if sentence not in told:
                told.add(sentence)
                yield sentence

    def _try(self) -> None:
        """Judge the smallest answer by it: a schema that turns in a circle is to be known before money is spent."""
        try:
            self.violations({})
        except ExhaustedError:
            raise SchemaError("$: judging an answer by it never ends; does it refer to itself?") from None


def read_schema(text: str) -> Schema:
    """The schema of a JSON text. Raises SchemaError."""
    if len(text) > MAX_SIZE:
        raise SchemaError(f"$: larger than {MAX_SIZE // 1024} KiB")
    try:
        document = load_json(text)
    except ValueError as error:
        raise SchemaError(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise SchemaError("$: must be an object")
    return Schema(document)


def wanted(flag: str | None, prompt: Prompt, read: Callable[[str], str]) -> Schema | None:
    """The schema that is wanted: the flag's, which is JSON or the name of a file that `read` gives the text of, else
    the prompt's. Raises UsageError or TemplateError."""
    try:
        if flag is not None:
            return read_schema(flag if flag.lstrip().startswith("{") else read(flag))
        return None if prompt.output.schema is None else Schema(prompt.output.schema)
    except SchemaError as error:
        if flag is None:
            raise TemplateError(f"{prompt.place}: output.schema cannot be used: {error}") from None
        raise UsageError(f"--schema cannot be used: {error}") from None


def _dialect(document: Mapping[str, Any]) -> Any:
    named = document.get("$schema", "")
    if not isinstance(named, str) or not named:
        return Draft202012Validator
    kind = validator_for(document, default=None)  # type: ignore[arg-type]
    if kind is None:
        raise SchemaError(f"$.$schema: {named} is no version of JSON Schema that aix knows")
    return kind


def _specification(document: Mapping[str, Any]) -> Any:
    named = document.get("$schema")
    return specification_with(named, DRAFT202012) if isinstance(named, str) else DRAFT202012


def _root(document: Mapping[str, Any]) -> Any:
    return Resource.from_contents(document, default_specification=_specification(document))


def _registry(root: Any) -> Any:
    """Where references are looked up: in the document, without a way to retrieve anything."""
    registry: Any = Registry()
    return registry.with_resource("", root)


def _check(document: Mapping[str, Any], kind: Any) -> None:
    """Hold a schema against the schema of schemas, and look inside, in a child: to read a regular expression can take
    for ever. Raises SchemaError."""

    def wrong() -> str:
        if found := best_match(kind(kind.META_SCHEMA, registry=Registry()).iter_errors(document)):
            return next(_sentences(found))
        try:
            _check_inside(root := _root(document), _registry(root), _places(document))
        except SchemaError as error:
            return str(error)
        return ""

    try:
        said = bounded(wrong, PATIENCE)
    except ExhaustedError as error:
        raise SchemaError(f"$: cannot be read: that {error.why}") from None
    if said:
        raise SchemaError(said)


def _check_inside(root: Any, registry: Any, places: Mapping[int, str]) -> None:
    """Follow every reference, and read every regular expression. Raises SchemaError."""
    waiting, seen = [(root, registry.resolver_with_root(root))], set[int]()
    own = _specification(root.contents)
    while waiting:
        resource, resolver = waiting.pop()
        if id(resource.contents) in seen or not isinstance(resource.contents, dict):
            continue
        seen.add(id(resource.contents))
        place = places.get(id(resource.contents), "$")
        _check_patterns(resource.contents, place)
        try:
            waiting += [(sub, resolver.in_subresource(sub)) for sub in resource.subresources()]
            for keyword in REFERENCES:
                if keyword in resource.contents:
                    found = resolver.lookup(resource.contents[keyword])
                    waiting.append((Resource.from_contents(found.contents, own), found.resolver))
        except (Unresolvable, CannotDetermineSpecification, ValueError, LookupError) as error:
            raise SchemaError(f"{place}: {_unfollowed(resource.contents, error)}") from None


def _unfollowed(contents: Mapping[str, Any], error: Exception) -> str:
    reference = next((str(contents[name]) for name in REFERENCES if name in contents), "")
    if not isinstance(error, Unresolvable):
        return f"cannot be read ({type(error).__name__}: {str(error)[:LONGEST]})"
    if not reference.startswith("#"):
        return (
            f"refers to {reference[:LONGEST]}, and nothing is ever fetched; move it into $defs and refer to #/$defs/…"
        )
    return f"refers to {reference[:LONGEST]}, which is not there"


def _check_patterns(contents: Mapping[str, Any], place: str) -> None:
    """Read the regular expressions that stand in one schema; nothing is matched yet."""
    named = contents.get("patternProperties")
    patterns = [contents.get("pattern"), *(named if isinstance(named, dict) else ())]
    for pattern in (pattern for pattern in patterns if isinstance(pattern, str)):
        try:
            with quietly():
                re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise SchemaError(f"{place}: cannot match by '{pattern[:60]}' ({error})") from None


def _places(document: Any) -> dict[int, str]:
    """Where each object of a schema stands."""
    found, waiting = dict[int, str](), [(document, "$")]
    while waiting:
        value, place = waiting.pop()
        found[id(value)] = place
        inside: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        waiting += [(inner, place + _step(key)) for key, inner in inside if isinstance(inner, dict | list)]
    return found


def _step(key: object) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if re.fullmatch(r"[\w$-]+", str(key)) else f"[{json.dumps(str(key), ensure_ascii=False)}]"


def _sentences(error: ValidationError) -> Iterator[str]:
    """What an error says, each sentence after the place that it is about."""
    error = _nearest(error)
    place = "$" + "".join(_step(key) for key in error.absolute_path)
    if error.validator == "required" and isinstance(error.validator_value, list):
        missing = [name for name in error.validator_value if name not in error.instance]  # type: ignore[operator]
        yield from (_clipped(f"{place}{_step(name)}: is required") for name in missing)
    else:
        yield _clipped(f"{place}: {_in_json(error)}")


def _in_json(error: ValidationError) -> str:
    """The library's own words, with values as JSON has them and not Python."""
    shown = _clipped(json.dumps(error.instance, ensure_ascii=False), LONGEST // 4)
    if error.validator == "type":
        types = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"{shown} is not of type {' or '.join(map(str, types))}"
    allowed = json.dumps(error.validator_value, ensure_ascii=False, default=str)
    return error.message.replace(repr(error.instance), shown, 1).replace(repr(error.validator_value), allowed)


def _nearest(error: ValidationError) -> ValidationError:
    """Where none of several schemas fits, the error of the one that comes nearest: one whose type is right."""
    while error.context:
        nearest = max(error.context, key=lambda inner: (inner.validator != "type", len(inner.path)))
        if nearest.validator == "type":
            return error
        error = nearest
    return error


def _clipped(text: str, most: int = LONGEST) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
