"""The figures of runs as a table for a terminal, with a bar behind each row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aix.cli.figures import about, cut, paid, width
from aix.cli.streams import visible_line
from aix.runs.stats import Figures, Row

LEAST_BAR, LONGEST_BAR = 10, 60
NARROW = 8
"""Names are not cut shorter than this."""
EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row: how a person is shown it, and how soon it is left out where there is no room."""

    heading: str
    shown: Callable[[Figures], str]
    goes: int = 0


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if part and whole else ""


def cost(one: Figures) -> str:
    """What some runs cost; nothing where there were none."""
    return paid(one.cost, exact=not one.cost_is_estimate) if one.runs else ""


def seconds(one: Figures) -> str:
    return "" if one.first_token is None else f"{one.first_token:.1f} s"


def speed(one: Figures) -> str:
    return "" if one.speed is None else f"{one.speed:.0f}"


COLUMNS = (
    Column("runs", lambda one: str(one.runs)),
    Column("failed", lambda one: str(one.failed or ""), 4),
    Column("in", lambda one: about(one.input_tokens or None), 2),
    Column("cached", lambda one: share(one.cache_read_tokens, one.input_tokens), 7),
    Column("out", lambda one: about(one.output_tokens or None), 3),
    Column("reasoning", lambda one: about(one.reasoning_tokens or None), 8),
    Column("cost", cost),
    Column("unpriced", lambda one: str(one.unpriced or ""), 9),
    Column("1st token", seconds, 5),
    Column("tokens/s", speed, 6),
)
MEASURES: Mapping[str, Callable[[Figures], Decimal | int]] = {
    "cost": lambda one: one.cost or 0,
    "tokens": lambda one: one.tokens,
    "runs": lambda one: one.runs,
}


def measure(total: Figures) -> str:
    """What bars are drawn by: the first of which there is any."""
    return next(name for name, read in MEASURES.items() if read(total) or name == "runs")


def drawn(rows: Sequence[Row], total: Figures, room: int, *, symbols: bool) -> list[str]:
    """The lines of a table that fits: headings first, the total last. `symbols` allows more than ASCII."""
    every = [row.figures for row in rows]
    shown = {column: [column.heading, *map(column.shown, (*every, total))] for column in COLUMNS if column.shown(total)}
    names = ["", *(visible_line(row.name) for row in rows), "total"]
    room -= LEAST_BAR + 2
    shown = _fitting(shown, room - min(max(map(width, names)), max(NARROW, room // 4)))
    room -= _taken(shown)
    names = [cut(name, max(NARROW, room)) for name in names]
    longest = max(map(width, names))
    bars = _bars(every, measure(total), min(LONGEST_BAR, max(0, room - longest) + LEAST_BAR), symbols=symbols)
    left = [name + " " * (longest - width(name)) for name in names]
    right = [[cell.rjust(max(map(len, cells))) for cell in cells] for cells in shown.values()]
    return ["  ".join(line).rstrip() for line in zip(left, *right, [f"by {measure(total)}", *bars, ""], strict=True)]


def _fitting(columns: Mapping[Column, list[str]], room: int) -> dict[Column, list[str]]:
    """Those for which there is room; what tells least is left out first."""
    kept = dict(columns)
    for column in sorted(columns, key=lambda column: -column.goes):
        if column.goes and _taken(kept) > room:
            del kept[column]
    return kept


def _taken(columns: Mapping[Any, list[str]]) -> int:
    """How wide columns are, each with the gap before it."""
    return sum(2 + max(map(len, cells)) for cells in columns.values())


def _bars(every: Sequence[Figures], by: str, longest: int, *, symbols: bool) -> list[str]:
    values = [MEASURES[by](one) for one in every]
    most = max(values) or 1
    draw = _fine if symbols else _coarse
    return [draw(Decimal(value) * longest / most) if value else "" for value in values]


def _fine(length: Decimal) -> str:
    """A bar to an eighth of a letter; there is something to see of the smallest."""
    whole, part = divmod(max(1, int(length * 8)), 8)
    return "█" * whole + EIGHTHS[part]


def _coarse(length: Decimal) -> str:
    return "#" * max(1, int(length))
