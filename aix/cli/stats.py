"""`aix stats`: what the runs came to, in figures and bars."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from textwrap import fill
from time import time as clock
from typing import Annotated, Any

import typer

from aix.cli.figures import amount, so_many_runs
from aix.cli.log_empty import nothing
from aix.cli.options import AsJson, Shell
from aix.cli.run_flags import refuse_empty
from aix.cli.stats_page import Told, page
from aix.cli.stats_table import drawn
from aix.cli.when import METAVAR, Span, month_of, refuse_nothing, span
from aix.config.files import Answer
from aix.config.paths import in_home
from aix.errors import UsageError
from aix.runs.budget import described, said, standing
from aix.runs.logged import Choice
from aix.runs.stats import NAMES, UNITS, Fact, Figures, Row, figures, read, rows

HELP = """Add up the run log: runs, tokens, cost and speed.

It shows the last 30 days (12 weeks, 12 months), or since WHEN: a day or a month (2026-10-01, 2026-10), so long ago
(30m, 3h, 7d, 2w), today or yesterday. Times to the first token and tokens per second are medians, weeks begin on
Monday, and ~ marks what is estimated: where the provider does not say the price, or no tokens.

In a pipe each row is one line: name, runs, failed, tokens in, cached, tokens out, reasoning, dollars, estimated runs,
unpriced runs, seconds to the first token, tokens per second, with tabs between.

\b
  aix stats --by model --month last
  aix stats --by week --prompt commit
  aix stats --since 2026-10 --json
  aix stats --by month --html stats.html    a page with charts
"""


def register(cli: typer.Typer) -> None:
    cli.command("stats", help=HELP)(stats)


def stats(
    ctx: typer.Context,
    by: Annotated[str, typer.Option("--by", metavar="WHAT", help=f"One of {', '.join((*UNITS, *NAMES))}.")] = "day",
    month: Annotated[str, typer.Option(metavar="MONTH", help="A month: 2026-10, or last.")] = "",
    since: Annotated[str, typer.Option(metavar=METAVAR, help="Only what was run from then on.")] = "",
    until: Annotated[str, typer.Option(metavar=METAVAR, help="Only up to then; a day or a month is included.")] = "",
    prompt: Annotated[str, typer.Option(metavar="NAME", help="Only the runs of one prompt.")] = "",
    provider: Annotated[str, typer.Option(metavar="NAME", help="Only those of one provider.")] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="Only those of one model.")] = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a page with charts, which only you can read.")] = "",
    as_json: AsJson = False,
) -> None:
    refuse_empty(ctx, "month", "since", "until", "prompt", "provider", "model", "html")
    shell: Shell = ctx.obj
    if by not in (*UNITS, *NAMES):
        raise UsageError(f"--by takes {', '.join((*UNITS, *NAMES))}, not '{by}'", hint="aix stats --by model")
    now = datetime.now().astimezone()
    if month and (since or until):
        raise UsageError("--month is a time of its own", hint="leave out --since and --until")
    time = month_of(month, now) if month else _time(now, by, since, until)
    choice = Choice(prompt, provider.removeprefix("custom:"), model, time.since, time.until)
    facts = read(shell.app.log, choice)
    came = Came(time, by, facts, rows(facts, by, _last(time)), figures(facts))
    if html:
        _write_page(shell, html, page(Told(facts, choice, _last(time), by, [*came.foot, *_limits(shell)])))
    if as_json:
        shell.console.json(came.as_json)
    elif not html:
        _print(shell, came)


@dataclass(frozen=True, slots=True)
class Came:
    """What the runs of some time came to, row by row and in all."""

    time: Span
    by: str
    facts: Sequence[Fact]
    rows: Sequence[Row]
    total: Figures

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "ok": True,
            "since": self.time.start.isoformat(timespec="seconds"),
            "until": self.time.end.isoformat(timespec="seconds"),
            "by": self.by,
            "rows": [{"name": row.name, **_facts(row.figures)} for row in self.rows],
            "total": _facts(self.total),
            "unpriced": self.total.unpriced,
            "estimated": self.total.estimated,
            "machine_only": True,
            "error": None,
        }

    @property
    def foot(self) -> Iterator[str]:
        """What a reader of the figures has to know."""
        total = self.total
        yield f"{self.time.start.date()} to {_last(self.time)}, on this machine only"
        if total.unpriced:
            yield f"unpriced: {so_many_runs(total.unpriced)}, whose cost is in no sum"
        if total.estimated:
            runs = so_many_runs(total.estimated)
            yield f"estimated (~): {runs}, for which no provider reported the price or the tokens"
        if total.unfinished:
            yield f"unfinished: {so_many_runs(total.unfinished)}, killed or still going on"


def _last(time: Span) -> date:
    """The last day of a time."""
    return (time.end - timedelta(milliseconds=1)).date()


def _limits(shell: Shell) -> Iterator[str]:
    """Where the limits stand that are for more than one run."""
    limits = [limit for limit in shell.app.limits if limit.per != "run"]
    if limits:
        with shell.app.log.reading() as base:
            for one in standing(limits, base, clock()):
                yield f"limit: {said(one.limit.measure, one.used)} of {described(one.limit)}"


def _facts(one: Figures) -> dict[str, Any]:
    return {
        "runs": one.runs,
        "failed": one.failed,
        "unfinished": one.unfinished,
        "input_tokens": one.input_tokens,
        "cache_read_tokens": one.cache_read_tokens,
        "output_tokens": one.output_tokens,
        "reasoning_tokens": one.reasoning_tokens,
        "cost": amount(one.cost),
        "cost_is_estimate": one.cost_is_estimate,
        "unpriced": one.unpriced,
        "estimated": one.estimated,
        "first_token": None if one.first_token is None else round(one.first_token, 3),
        "tokens_per_second": None if one.speed is None else round(one.speed, 1),
    }


def _time(now: datetime, by: str, since: str, until: str) -> Span:
    """From when to when; there is nothing after today. Raises UsageError."""
    today = span("today", now, "").end
    end = min(today, span(until, now, "--until").end) if until else today
    unit = UNITS.get(by, UNITS["day"])
    first = unit.before(_last(Span(end, end)), unit.usual - 1)
    start = span(since or first.isoformat(), now, "--since").start
    refuse_nothing(start, end)
    return Span(start, end)


def _write_page(shell: Shell, file: str, text: str) -> None:
    if file == "-":
        shell.console.out(text)
        return
    Answer(in_home(file, shell.app.paths.home, shell.app.cwd), private=True, option="--html").keep(text)
    shell.console.note(f"{file} shows it in a browser")


def _print(shell: Shell, came: Came) -> None:
    console = shell.console
    if not came.facts:
        days = f"{came.time.start.date()} to {_last(came.time)}"
        console.note(nothing(shell, f"no run is like that from {days}; aix log list shows the last ones"))
        return
    foot = [*came.foot, *_limits(shell)]
    if not console.stdout_is_terminal:
        console.table([], [[row.name, *_exact(row.figures)] for row in came.rows])
        for line in foot:
            console.note(line)
        return
    heading, *lines = drawn(came.rows, came.total, console.columns, symbols=console.symbols)
    console.heading(heading)
    console.line("\n".join((*lines, "", *(fill(line, console.columns) for line in foot))))


def _exact(one: Figures) -> list[str]:
    """All figures for a pipe; none is rounded but the medians."""
    tokens = (one.input_tokens, one.cache_read_tokens, one.output_tokens, one.reasoning_tokens)
    counts = map(str, (one.runs, one.failed, *tokens))
    medians = (
        "" if one.first_token is None else f"{one.first_token:.3f}",
        "" if one.speed is None else f"{one.speed:.1f}",
    )
    return [*counts, amount(one.cost) or "unpriced", str(one.estimated), str(one.unpriced), *medians]
