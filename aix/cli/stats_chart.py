"""Bars as SVG that needs no script: places are in percent, so that the letters are as large on every screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from aix.cli.streams import visible
from aix.runs.stats import Figures

HEIGHT, BELOW = 160, 24
"""Of the bars, and of what stands below them, in pixels."""
FEWEST = 8
"""Bars are not wider than where there are so many."""
LABELS = 5
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
ROUND = (Decimal(1), Decimal("1.5"), Decimal(2), Decimal(3), Decimal(4), Decimal(6), Decimal(8), Decimal(10))
"""What a scale may end with; the half of it is round too."""


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one colour: `read` is its value in the figures of each place, `shown` how a person reads it."""

    name: str
    every: Sequence[Figures]
    total: Figures
    read: Callable[[Figures], Decimal | float | None]
    shown: Callable[[Figures], str]

    @property
    def values(self) -> list[Decimal]:
        return [Decimal(str(self.read(one) or 0)) for one in self.every]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars on top of each other, one for each of `names`, of which `short` is written below; `heads` says what each of
    them comes to. `say` writes the scale; `none` is said where there is nothing to draw."""

    title: str
    noun: str
    names: Sequence[str]
    short: Sequence[str]
    heads: Sequence[str]
    series: Sequence[Series]
    say: Callable[[Decimal], str]
    none: str

    @property
    def sums(self) -> list[Decimal]:
        return [sum(values, Decimal()) for values in zip(*(one.values for one in self.series), strict=True)]


def text(words: str) -> str:
    """Anybody's words as a part of the page, in an attribute too."""
    return visible(words).translate(ESCAPES)


def drawn(chart: Chart, key: str) -> str:
    """The chart with its title and legend; `key` is its own on the page."""
    heading = f'<h2 id="{key}">{text(chart.title)}</h2>'
    if not any(chart.sums):
        return f'<figure aria-labelledby="{key}">{heading}<p>{text(chart.none)}</p></figure>'
    legend = _legend(chart) if len(chart.series) > 1 else ""
    return f'<figure aria-labelledby="{key}">{heading}\n{legend}{_picture(chart, key)}</figure>'


def _legend(chart: Chart) -> str:
    items = (
        f'<li><svg class="swatch" aria-hidden="true"><rect class="s{at}" width="100%" height="100%"/></svg>'
        f"{text(one.name)} <b>{text(one.shown(one.total))}</b></li>"
        for at, one in enumerate(chart.series)
    )
    return f'<ul class="legend">{"".join(items)}</ul>\n'


def _picture(chart: Chart, key: str) -> str:
    sums = chart.sums
    top = scale(max(sums))
    highest = sums.index(max(sums))
    told = f"A bar for each {chart.noun}. The highest is {chart.names[highest]}: {chart.heads[highest]}."
    columns = [one.values for one in chart.series]
    bars = (_place(chart, at, [values[at] / top for values in columns]) for at in range(len(chart.names)))
    return (
        f'<svg class="chart" role="img" height="{HEIGHT + BELOW}" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{text(chart.title)}</title><desc id="{key}-d">{text(told)}</desc>\n'
        f"{_scale(chart, top)}\n" + "\n".join(bars) + f"\n{_names(chart)}</svg>"
    )


def scale(most: Decimal) -> Decimal:
    """Where a scale ends that has room for so much."""
    step = Decimal(1).scaleb(most.adjusted())
    return next(step * times for times in ROUND if step * times >= most)


def _scale(chart: Chart, top: Decimal) -> str:
    """The lines across, with their values."""
    lines = []
    for share in (0, 0.5, 1):
        y = f"{HEIGHT * (1 - share):g}"
        lines.append(f'<line class="grid" x2="100%" y1="{y}" y2="{y}"/>')
        lines.append(f'<text class="side" x="-8" y="{y}" dy=".32em">{text(chart.say(top * Decimal(share)))}</text>')
    return "".join(lines)


def _place(chart: Chart, at: int, shares: Sequence[Decimal]) -> str:
    """One bar of parts that are so much of the height, and the place around it, which shows its figures."""
    left, wide = _left(chart, at), _wide(chart)
    rects, y = [], float(HEIGHT)
    for number, share in enumerate(shares):
        high = max(float(share) * HEIGHT, 1.0) if share else 0.0
        y -= high
        place = f'x="{left + wide * 0.12:.3f}%" width="{wide * 0.76:.3f}%" y="{y:.1f}" height="{high:.1f}"'
        rects += [f'<rect class="s{number}" {place}/>'] if share else []
    hit = f'<rect class="hit" x="{left:.3f}%" width="{wide:.3f}%" height="{HEIGHT}"/>'
    return f"<g><title>{text(_figures(chart, at, shares))}</title>{''.join(rects)}{hit}</g>"


def _figures(chart: Chart, at: int, shares: Sequence[Decimal]) -> str:
    parts = [
        f"{one.name}: {one.shown(one.every[at])}" for one, share in zip(chart.series, shares, strict=True) if share
    ]
    head = f"{chart.names[at]}: {chart.heads[at] or 'nothing'}"
    return "\n".join([head, *(parts if len(chart.series) > 1 else ())])


def _names(chart: Chart) -> str:
    """As many names below as there is room for on a telephone."""
    step = -(-max(FEWEST, len(chart.names)) // LABELS)
    return "".join(
        f'<text class="below" x="{_left(chart, at) + _wide(chart) / 2:.3f}%" y="{HEIGHT + 18}">{text(name)}</text>'
        for at, name in enumerate(chart.short)
        if at % step == 0
    )


def _wide(chart: Chart) -> float:
    return 100 / max(FEWEST, len(chart.names))


def _left(chart: Chart, at: int) -> float:
    return at * _wide(chart)
