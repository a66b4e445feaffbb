"""Where the catalogue's layers are kept: the user's settings, what was refreshed, what came with aix."""

import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from aix.config.settings import join_key
from aix.config.values import MODEL_FIELDS, TIER_FIELDS, check
from aix.errors import ConfigError
from aix.llm.catalogue import Catalogue, Layer, Record, Source
from aix.llm.providers import Providers

DATA = Path(__file__).parent.parent / "data" / "catalogue.json"

OWN = "config.json"
"""The name of the user's settings as a source."""

AS_THEY_ARE = ("name", "context", "max_output", "capabilities", "efforts", "aliases")


def known(rows: Mapping[str, Any], providers: Providers, cache: Path) -> Catalogue:
    """Every model that is known: the user's own figures, then what was refreshed, then what came with aix. Raises
    ConfigError."""
    free = {provider.name for provider in providers.sound() if provider.free}
    return Catalogue([own(rows, providers.names()), *refreshed(cache), built_in()], free)


def layer(text: str) -> Layer:
    """A layer as it is written. Its prices are texts until they are asked for, as most never are."""
    data = json.loads(text, parse_float=str)
    return Layer({key: Source(**source) for key, source in data["sources"].items()}, data["models"])


@cache
def built_in() -> Layer:
    """The layer that came with aix, read once."""
    return layer(DATA.read_text(encoding="utf-8"))


def refreshed(folder: Path) -> Iterator[Layer]:
    """What was fetched since, the best first; a file that cannot be read is as good as none."""
    for path in sorted((folder / "catalogue").glob("*.json"), reverse=True):  # OpenRouter says most of itself
        if found := unsealed(path):
            yield found


def sealed(source: str, date: str, models: Mapping[str, Any]) -> bytes:
    """What was fetched of a source, with a digest, so that whatever happens to the file is seen."""
    text = json.dumps({"sources": {source: {"name": source, "date": date}}, "models": models})
    return f"{sha256(text.encode()).hexdigest()}\n{text}\n".encode()


def unsealed(path: Path) -> Layer | None:
    """The layer that a file holds; None where there is none, or it is not as it was written."""
    try:
        digest, _, text = path.read_bytes().partition(b"\n") if path.is_file() else (b"", b"", b"")
    except OSError:
        return None
    return layer(text.decode()) if digest.decode("latin-1") == sha256(text.strip()).hexdigest() else None


def refreshed_file(folder: Path, name: str) -> Path:
    """Where the figures of a source are kept."""
    return folder / "catalogue" / f"{name}.json"


def own(rows: Mapping[str, Any], providers: Collection[str]) -> Layer:
    """The user's own figures: `models` in config.json. Raises ConfigError, which names the field that is wrong."""
    models: dict[str, dict[str, dict[str, Record]]] = {}
    for key, row in rows.items():
        provider, model = placed(key, _checked(key, row), providers)
        models.setdefault(provider, {}).setdefault(model, {})[OWN] = _record(row)
    return Layer({OWN: Source(OWN)}, models)


def placed(key: str, row: Mapping[str, Any], providers: Collection[str]) -> tuple[str, str]:
    """The provider and the id that a row of `models` is about; the provider is empty where it is about any."""
    before, colon, after = key.partition(":")
    if "provider" in row:
        provider = str(row["provider"]).removeprefix("custom:")
        return provider, key.removeprefix(f"{provider}:")
    return (before, after) if colon and after and before in providers else ("", key)


def _checked(key: str, row: Any) -> Mapping[str, Any]:
    place = join_key(("models", key))
    if not isinstance(row, dict):
        raise ConfigError(f"{place} in config.json must be an object", hint=f"aix config --unset {shlex.quote(place)}")
    for name, value in row.items():
        if name not in MODEL_FIELDS:
            near = get_close_matches(name, MODEL_FIELDS, n=1)
            listed = f"the fields are {', '.join(MODEL_FIELDS)}"
            hint = f"did you mean {near[0]}?" if near else listed
            raise ConfigError(f"{place}.{name} is not a field of a model", hint=hint)
        check(MODEL_FIELDS[name], value, f"{place}.{name}")
    return row


def _record(row: Mapping[str, Any]) -> Record:
    """A row of the user's as a record."""
    record: dict[str, Any] = {name: row[name] for name in AS_THEY_ARE if name in row}
    if any(name in row for name in TIER_FIELDS):
        base = {name: row.get(name) for name in TIER_FIELDS}
        record["price"] = list(base.values())
        record["tiers"] = [[tier["above"], *({**base, **tier}[name] for name in base)] for tier in row.get("tiers", ())]
    return record
