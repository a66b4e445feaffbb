"""The values of a Python program for a prompt's params: they pass the same checks as those of a command line."""

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aix.errors import UsageError
from aix.library.arguments import Given, image_of, text_of
from aix.library.prompt import PATHS, READERS, Param
from aix.messages import Image

Plain = str | bool | int | float | None
Value = Plain | Decimal | datetime.date | bytes | os.PathLike[str] | Image | Sequence[Any] | Mapping[str, Any]
"""What a param takes: a text is itself, a path is a file to be read, bytes are what a file holds. None is no value."""


def given(params: Sequence[Param], values: Mapping[str, Value]) -> Given:
    """The values by what is to be done with each. Raises UsageError."""
    if not isinstance(values, Mapping):
        raise UsageError(f"the values must be a mapping of params to values, not a Python {type(values).__name__}")
    known = {param.name: param for param in params}
    files, many, made = dict[str, str](), dict[str, Any](), dict[str, Any]()
    for name, value in values.items():
        param = known.get(name, Param(str(name)))
        if isinstance(value, os.PathLike):
            place = _path(value)
            (many if param.type in PATHS else files)[param.name] = place
        elif param.type in PATHS and isinstance(value, bytes | bytearray | Image):
            made[param.name] = _content(param, value)
        else:
            many[param.name] = _plain(param, value)
    return Given(files=files, many=many, made=made)


def _path(value: "os.PathLike[str]") -> str:
    """A path that is never standard input."""
    path = os.fsdecode(value)
    return "./-" if path == "-" else path


def _content(param: Param, value: bytes | bytearray | Image) -> str | Image:
    """What the template gets for what a file holds. Raises UsageError."""
    if isinstance(value, Image):
        if param.type != "image":
            raise _wrong(param, value)
        return value
    what = f"param '{param.name}'"
    return image_of(bytes(value), what, "it") if param.type == "image" else text_of(bytes(value), what)


def _plain(param: Param, value: Any) -> Any:
    """A value as a param file would hold it. Raises UsageError."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
        return str(value) if isinstance(value, str) else json.loads(text)
    except UnicodeEncodeError:
        raise UsageError(f"param '{param.name}' is not UTF-8 text") from None
    except (TypeError, ValueError, RecursionError):
        raise _wrong(param, value) from None


def _wrong(param: Param, value: object) -> UsageError:
    return UsageError(f"param '{param.name}' must be {READERS[param.type][1]}, not a Python {type(value).__name__}")
