"""The figures of runs as a page: one file with charts, which needs no network and no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from aix import __version__
from aix.cli.figures import about, dollars
from aix.cli.stats_chart import Chart, Series, drawn, text
from aix.cli.stats_style import STYLE
from aix.cli.stats_table import COLUMNS, cost, seconds, share, speed
from aix.runs.logged import Choice
from aix.runs.stats import NAMES, UNITS, Fact, Figures, Row, figures, rows

MOST = 92
"""More bars than that are too narrow; the next longer stretch of time is taken."""
COLOURS = 5
OTHERS = "others"
WAIT = "Median time to the first token"


@dataclass(frozen=True, slots=True)
class Told:
    """What the page tells of: the runs of a choice, up to its last day; `foot` is what a reader has to know besides."""

    facts: Sequence[Fact]
    choice: Choice
    last: date
    by: str
    foot: Sequence[str]


def page(told: Told) -> str:
    """The page, whole."""
    total = figures(told.facts)
    if not told.facts:
        return _whole(told, "<p>There is no run like that in this time.</p>")
    unit, found = _stretches(told)
    charts = "\n".join(drawn(chart, f"c{at}") for at, chart in enumerate(_charts(unit, found, told.facts)))
    names = [_table(f"By {name}", rows(told.facts, name, told.last), total) for name in NAMES]
    tables = "\n".join((*names, _table(f"By {unit}", found, total)))
    return _whole(told, f'{_tiles(total)}\n<div class="charts">\n{charts}\n</div>\n{tables}')


def _stretches(told: Told) -> tuple[str, Sequence[Row]]:
    """The runs by time: as it was asked for, or by something longer where those would be too many."""
    units = list(UNITS)
    every = units[units.index(told.by) if told.by in units else 0 :]
    by_each = ((unit, rows(told.facts, unit, told.last)) for unit in every)
    return next((unit, found) for unit, found in by_each if len(found) <= MOST or unit == every[-1])


def _charts(unit: str, found: Sequence[Row], facts: Sequence[Fact]) -> Iterator[Chart]:
    every, total = [row.figures for row in found], figures(facts)
    names = [row.name for row in found]
    short = [name if unit == "month" else name[5:] for name in names]
    free = "None of these runs has a price." if total.cost is None else "These runs cost nothing."
    unknown = "It is not known of any of these runs."

    def chart(title: str, series: Sequence[Series], heads: Sequence[str], none: str = "") -> Chart:
        return Chart(f"{title} by {unit}", unit, names, short, heads, series, SCALES.get(title, _count), none)

    yield chart("Cost", _costs(found, facts), [cost(one) for one in every], free)
    runs = [
        Series("well", every, total, lambda one: one.runs - one.failed, lambda one: str(one.runs - one.failed)),
        Series("failed", every, total, lambda one: one.failed, lambda one: str(one.failed)),
    ]
    yield chart("Runs", runs, [str(one.runs or "") for one in every])
    tokens = [
        Series("in, new", every, total, _fresh, lambda one: about(_fresh(one))),
        Series("in, cached", every, total, _cached, lambda one: about(_cached(one))),
        Series("out", every, total, lambda one: one.output_tokens, lambda one: about(one.output_tokens)),
    ]
    yield chart("Tokens", tokens, [about(one.tokens or None) for one in every], "No token went in or out.")
    waits = Series("median", every, total, lambda one: one.first_token, seconds)
    yield chart(WAIT, [waits], [seconds(one) for one in every], unknown)
    speeds = Series("median", every, total, lambda one: one.speed, speed)
    yield chart("Median tokens per second", [speeds], [speed(one) for one in every], unknown)


def _costs(found: Sequence[Row], facts: Sequence[Fact]) -> list[Series]:
    """What each provider took, or each model where there is one provider; the small ones together."""
    by = "provider" if len({fact.provider for fact in facts}) > 1 else "model"
    name = NAMES[by]
    ranked = [row.name for row in rows(facts, by, date.min) if row.figures.cost]
    kept = ranked if len(ranked) <= COLOURS + 1 else ranked[:COLOURS]
    called = {one: one if one in kept else OTHERS for one in ranked}

    def of(wanted: str, some: Sequence[Fact]) -> Figures:
        return figures([fact for fact in some if called.get(name(fact)) == wanted])

    return [
        Series(one, [of(one, row.facts) for row in found], of(one, facts), lambda part: part.cost, cost)
        for one in dict.fromkeys(called.values())
    ]


def _fresh(one: Figures) -> int:
    return one.input_tokens - one.cache_read_tokens


def _cached(one: Figures) -> int:
    return one.cache_read_tokens


def _count(value: Decimal) -> str:
    return about(int(value)) if value == int(value) else ""


SCALES = {"Cost": dollars, WAIT: lambda value: f"{value.normalize():f} s"}
"""How the scale of a chart is written, where it is no count."""


def _tiles(total: Figures) -> str:
    tiles = (
        ("Cost", cost(total), f"{total.unpriced} unpriced" if total.unpriced else ""),
        ("Runs", str(total.runs), f"{total.failed} failed" if total.failed else ""),
        ("Tokens in", about(total.input_tokens), _of(share(total.cache_read_tokens, total.input_tokens), "cached")),
        ("Tokens out", about(total.output_tokens), _of(about(total.reasoning_tokens or None), "reasoning")),
        ("To the first token", seconds(total), "median"),
        ("Tokens per second", speed(total), "median"),
    )
    shown = (
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd><dd class='more'>{text(more)}</dd></div>"
        for name, value, more in tiles
        if value
    )
    return f"<dl>{''.join(shown)}</dl>"


def _of(value: str, word: str) -> str:
    return f"{value} {word}" if value else ""


def _table(title: str, found: Sequence[Row], total: Figures) -> str:
    """Rows with the figures of which there are any, as the terminal shows them."""
    columns = [column for column in COLUMNS if column.shown(total)]

    def line(name: str, one: Figures) -> str:
        cells = "".join(f"<td>{text(column.shown(one))}</td>" for column in columns)
        return f'<tr><th scope="row">{text(name)}</th>{cells}</tr>'

    head = "".join(f'<th scope="col">{text(column.heading)}</th>' for column in columns)
    body = "\n".join(line(row.name, row.figures) for row in found)
    return (
        f'<section><h2>{text(title)}</h2><div class="wide" tabindex="0" role="region" aria-label="{text(title)}">'
        f"<table><thead><tr><td></td>{head}</tr></thead>\n<tbody>{body}</tbody>\n"
        f"<tfoot>{line('total', total)}</tfoot></table></div></section>"
    )


def _whole(told: Told, body: str) -> str:
    choice = told.choice
    only = {"prompt": choice.prompt, "provider": choice.provider, "model": choice.model}
    said = [told.foot[0], *(f"only the {key} {name}" for key, name in only.items() if name)]
    foot = "\n".join(f"<p>{text(line)}</p>" for line in (*told.foot[1:], f"written by aix {__version__}"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What the runs came to · aix</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>What the runs came to</h1>
<p class="time">{text(" · ".join(said))}</p>
{body}
</main>
<footer>
{foot}
</footer>
</body>
</html>
"""
