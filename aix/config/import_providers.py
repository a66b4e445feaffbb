"""Providers from a TOML file of `[[providers]]` tables, as gptme keeps them: all of them, or an error."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aix.config import provider_row
from aix.errors import UsageError

MAX_BYTES = 1024 * 1024
EXAMPLE = '[[providers]]\nname = "box"\nbase_url = "http://localhost:8000/v1"'
PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
TABLE = re.compile(r"^\s*\[\[\s*providers\s*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Imported:
    """One provider of a file: its row, and the key that stood in it."""

    name: str
    row: Mapping[str, Any]
    key: str | list[str] = ""


@dataclass(frozen=True, slots=True)
class Import:
    """What a file holds; `passed_over` are its variables that say where a provider is, which are not taken over."""

    providers: tuple[Imported, ...]
    passed_over: tuple[str, ...]


def read(path: Path) -> Import:
    """The providers of a file, each checked. Raises UsageError with file:line."""
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _broken(path, text, str(error)) from None
    tables = data.get("providers", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: providers must be tables, each under [[providers]]", hint=EXAMPLE)
    lines = [1 + text.count("\n", 0, found.end()) for found in TABLE.finditer(text)]
    places = [f"{path}:{line}" for line in lines] if len(lines) == len(tables) else [str(path)] * len(tables)
    found = [_imported(table, place) for table, place in zip(tables, places, strict=True)]
    _refuse_twice(found, places)
    if not found:
        raise UsageError(f"{path} has no [[providers]]", hint=EXAMPLE)
    return Import(tuple(found), tuple(_addresses(data.get("env"))))


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file", hint="aix provider import ~/.config/gptme/gptme.toml")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than a file of providers can be ({MAX_BYTES >> 20} MiB)")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or '').lower()}", hint=f"ls -l {path}") from error
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise UsageError(f"{path}:{line}: this is not UTF-8 text") from None


def _broken(path: Path, text: str, said: str) -> UsageError:
    """TOML's own complaint, which holds none of the values, with the line that it means."""
    place = PLACE.search(said)
    line = place[1] if place and place[1] else str(1 + text.rstrip("\n").count("\n"))
    return UsageError(
        f"{path}:{line}: this is not TOML: {PLACE.sub('', said).rstrip('.').lower()}", hint="nothing is changed"
    )


def _imported(table: Mapping[str, Any], place: str) -> Imported:
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{place}: this provider has no name", hint=EXAMPLE)
    provider_row.checked_name(name, f"{place}:")
    fields = {field: value for field, value in table.items() if field not in ("name", "api_key")}
    row = {field: provider_row.checked(field, value, f"{place}: {field}") for field, value in fields.items()}
    if "base_url" not in row:
        raise UsageError(f"{place}: {name} has no base_url", hint=EXAMPLE)
    key = provider_row.checked("api_key", table["api_key"], f"{place}: api_key") if table.get("api_key") else ""
    return Imported(name, row, key)


def _refuse_twice(found: list[Imported], places: list[str]) -> None:
    names = [provider.name for provider in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UsageError(f"{places[number]}: there is another provider named {name} before it")


def _addresses(env: Any) -> list[str]:
    return [name for name in env if re.search("_(BASE_URL|API_BASE|HOST)$", name)] if isinstance(env, dict) else []
