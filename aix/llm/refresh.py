"""Fetches what OpenRouter and models.dev publish of models, and keeps it for the catalogue: each source by itself, so
that what fails leaves the figures that were there."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aix.config import files
from aix.config.values import EFFORTS
from aix.errors import AixError, ProviderError, StorageError
from aix.llm.exchange import Exchange
from aix.llm.probe import side_by_side
from aix.llm.protocols import protocol
from aix.llm.providers import Provider
from aix.llm.shelf import refreshed_file, sealed, unsealed
from aix.llm.wire import Call

if TYPE_CHECKING:
    from aix.llm.client import Client

SOURCES: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "refresh.json").read_text(encoding="utf-8")
)
"""Where figures are fetched, the best first: the address, the variable that stands in for it, the form of the answer,
and how the providers are called there."""

SECONDS = 60.0
MAX_BODY = 32 * 1024 * 1024
MOST_MODELS, LONGEST_ID, LARGEST = 20_000, 200, 10**9
DEAREST, DIGITS = Decimal(100_000), 9

LATER = "what is there already is kept; try again later: aix model refresh"

Record = dict[str, Any]
Models = dict[str, dict[str, Record]]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of one source: how many models it has now, of which day they are (empty where there are none), and the
    error that kept the old ones."""

    source: str
    models: int
    date: str
    error: AixError | None = None


def refresh(client: "Client", folder: Path, env: Mapping[str, str], today: str) -> list[Refreshed]:
    """Fetch every source; what came whole replaces what was there."""

    def one(name: str) -> Refreshed:
        try:
            models = _models(name, _fetched(client, name, env))
            files.write_private(refreshed_file(folder, name), lambda _: sealed(name, today, models))
        except StorageError as error:
            error.hint = f"ls -ld {folder}; to keep it elsewhere: export XDG_CACHE_HOME=…"
            return _kept(folder, name, error)
        except AixError as error:
            return _kept(folder, name, error)
        return Refreshed(name, sum(map(len, models.values())), today)

    return side_by_side(one, list(SOURCES))


def _kept(folder: Path, name: str, error: AixError) -> Refreshed:
    """What there is of a source that could not be fetched."""
    if old := unsealed(refreshed_file(folder, name)):
        return Refreshed(name, sum(map(len, old.models.values())), old.sources[name].date, error)
    return Refreshed(name, 0, "", error)


def _fetched(client: "Client", name: str, env: Mapping[str, str]) -> bytes:
    """The body that a source answers with. Raises AixError."""
    url = env.get(SOURCES[name]["variable"], "").strip() or SOURCES[name]["url"]
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    source = Provider(name, "openai-chat", f"{scheme}://{host}", auth_type="none")
    call = Call("GET", f"{slash}{path}" or "/", {})
    reply = client.ask(Exchange(source, "", protocol("openai-chat"), call, None, stream=False, timeout=SECONDS))
    if reply.status >= 300:
        raise ProviderError(f"{name} answered with HTTP {reply.status} instead of its models", hint=LATER)
    if reply.error:
        raise reply.error
    return reply.body


def _models(name: str, body: bytes) -> Models:
    """The models in an answer, by provider, under our names. Raises ProviderError where it has none."""
    row = SOURCES[name]
    try:
        value = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        value = None
    found: Models = {}
    for theirs, model, record in islice(FORMS[row["form"]](value), MOST_MODELS):
        if theirs in row["providers"] and _is_id(model):
            kept = {field: figure for field, figure in record.items() if figure not in (None, "", [], {})}
            found.setdefault(row["providers"][theirs], {})[model] = {name: kept}
    if not found:
        what = "a web page" if body.lstrip()[:1] == b"<" else "something else"
        raise ProviderError(
            f"{name} answered with {what} instead of its models",
            hint=LATER,
        )
    return found


def _openrouter(value: Any) -> Iterator[tuple[str, Any, Record]]:
    """The provider, the id and the record of each model that OpenRouter lists."""
    rows = value.get("data") if isinstance(value, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield "openrouter", row.get("id"), _openrouter_record(row)


def _openrouter_record(row: Mapping[str, Any]) -> Record:
    inputs = _words(_inside(row, "architecture").get("input_modalities"))
    takes = _words(row.get("supported_parameters"))
    has = {
        "vision": "image" in inputs,
        "pdf": "file" in inputs,
        "reasoning": "reasoning" in takes,
        "tools": "tools" in takes,
        "schema": "structured_outputs" in takes,
    }
    prices = row.get("pricing")
    base, *tiers = [one for one in (prices if isinstance(prices, list) else [prices]) if isinstance(one, dict)] or [{}]
    levels = _words(_inside(row, "reasoning").get("supported_efforts"))
    return {
        "name": _text(row.get("name")),
        "context": _count(row.get("context_length")),
        "max_output": _count(_inside(row, "top_provider").get("max_completion_tokens")),
        "capabilities": [name for name, value in has.items() if value],
        "efforts": [level for level in EFFORTS if level in levels],
        "retires": _date(row.get("expiration_date")),
        "price": _per_token(base),
        "tiers": [[size, *_per_token(tier)] for tier in tiers if (size := _count(tier.get("min_context")))],
    }


def _per_token(prices: Mapping[str, Any]) -> list[str | None]:
    """Dollars per million tokens out of dollars per token; a negative one means that nobody knows."""
    names = ("prompt", "completion", "input_cache_read", "input_cache_write", "internal_reasoning")
    return _known([_rate(prices.get(name), 1_000_000) for name in names])


def _models_dev(value: Any) -> Iterator[tuple[str, Any, Record]]:
    """The provider, the id and the record of each model that models.dev lists."""
    for name, provider in value.items() if isinstance(value, dict) else ():
        models = _inside(provider, "models") if isinstance(provider, dict) else {}
        for model, row in models.items():
            if isinstance(row, dict) and "text" in _words(_inside(row, "modalities").get("output")):
                yield name, model, _models_dev_record(row)


def _models_dev_record(row: Mapping[str, Any]) -> Record:
    inputs = _words(_inside(row, "modalities").get("input"))
    has = {
        "vision": "image" in inputs,
        "pdf": "pdf" in inputs,
        "reasoning": row.get("reasoning"),
        "tools": row.get("tool_call"),
        "schema": row.get("structured_output"),
    }
    cost, options = _inside(row, "cost"), row.get("reasoning_options")
    levels = [
        level
        for option in (options if isinstance(options, list) else ())
        if isinstance(option, dict) and option.get("type") == "effort"
        for level in _words(option.get("values"))
    ]
    return {
        "name": _text(row.get("name")),
        "context": _count(_inside(row, "limit").get("context")),
        "max_output": _count(_inside(row, "limit").get("output")),
        "capabilities": [name for name, value in has.items() if value is True],
        "efforts": [level for level in EFFORTS if level in levels],
        "dialect": {"rejects": ["temperature", "top_p"]} if row.get("temperature") is False else {},
        "price": _per_million(cost),
        "tiers": _tiers(cost),
    }


def _tiers(cost: Mapping[str, Any]) -> list[list[Any]]:
    rows = cost.get("tiers")
    sized = [
        [size, *_per_million(row)]
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and (size := _count(_inside(row, "tier").get("size")))
    ]
    older = _per_million(_inside(cost, "context_over_200k"))
    return sized or ([[200_000, *older]] if older else [])


def _per_million(prices: Mapping[str, Any]) -> list[str | None]:
    return _known(
        [_rate(prices.get(name), 1) for name in ("input", "output", "cache_read", "cache_write", "reasoning")]
    )


def _known(rates: list[str | None]) -> list[str | None]:
    """The rates, where those for input and output are among them; one for reasoning only where it is another than for
    output, and not the nothing that stands where nobody has looked."""
    *rates, reasoning = rates
    own = [] if reasoning in (None, "0", rates[1]) else [reasoning]
    return [] if None in rates[:2] else [*rates, *own]


def _rate(value: Any, times: int) -> str | None:
    """A price as a text; None for what can be none."""
    try:
        figure = Decimal(str(value)) * times if isinstance(value, str | int | Decimal) else Decimal(-1)
        return f"{round(figure, DIGITS).normalize():f}" if 0 <= figure <= DEAREST else None
    except ArithmeticError:  # no number, NaN, or one without end
        return None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST else None


def _text(value: Any) -> str:
    return value[:LONGEST_ID] if isinstance(value, str) and value.isprintable() else ""


def _date(value: Any) -> str:
    return value[:10] if isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}", value) else ""


def _words(value: Any) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _inside(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = row.get(name)
    return inner if isinstance(inner, dict) else {}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


FORMS: Mapping[str, Callable[[Any], Iterator[tuple[str, Any, Record]]]] = {
    "openrouter": _openrouter,
    "models.dev": _models_dev,
}
"""How each form of answer is read. Whatever is not as it should be is passed over."""
