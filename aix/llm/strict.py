"""Which JSON Schemas a model can be held to strictly, as OpenAI means it. Pure."""

import itertools
from typing import Any

from aix.llm.wire import figures

STRICT = frozenset(
    (
        *("$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "definitions", "description", "enum"),
        *("exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum"),
        *("multipleOf", "pattern", "properties", "required", "title", "type"),
    )
)
"""What a schema may say where it is to be followed strictly."""


def is_strict(schema: Any) -> bool:
    """Whether a schema can be followed strictly: each object in it names all that it holds, and must hold it all."""
    return isinstance(schema, dict) and schema.get("type") == "object" and _is_closed(schema)


def _is_closed(schema: Any) -> bool:
    if not isinstance(schema, dict) or not STRICT.issuperset(schema):
        return False
    properties, required = figures(schema, "properties"), schema.get("required", [])
    if "properties" in schema or "object" in _listed(schema.get("type")):
        all_required = isinstance(required, list) and sorted(properties) == sorted(map(str, required))
        if schema.get("additionalProperties") is not False or not all_required:
            return False
    named = (figures(schema, name).values() for name in ("properties", "$defs", "definitions"))
    inner = (*itertools.chain(*named), *_listed(schema.get("anyOf")), *_listed(schema.get("items")))
    return all(_is_closed(part) for part in inner)


def _listed(value: Any) -> list[Any]:
    """A list as it is; one thing as a list of it."""
    return value if isinstance(value, list) else [] if value is None else [value]
