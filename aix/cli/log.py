"""`aix log`: what was run here, and what came of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from aix.cli import log_keep, log_show
from aix.cli.figures import about, amount, cut, width
from aix.cli.log_empty import nothing
from aix.cli.log_keep import OfPrompt, Since, Until
from aix.cli.log_report import figures
from aix.cli.log_show import answered, cost, local
from aix.cli.options import AsJson, Shell, show_help
from aix.cli.run_flags import refuse_empty
from aix.cli.streams import visible_line
from aix.cli.when import between
from aix.errors import UsageError
from aix.library.search import around
from aix.runs.logged import Choice, Logged

HELP = """Look at what was run, who answered, and what came of it.

\b
  aix log list --since 7d --failed
  aix log show                          the last run, with its answer
  aix log search "dangling comma"
  aix log export --since 2026-10 -o october.jsonl
  aix log prune --before 30d            drops texts and keeps figures
"""

LIST = """List the runs, the newest first.

WHEN is a day or a month (2026-10-01, 2026-10), so long ago (30m, 3h, 7d, 2w), today or yesterday. In a pipe each run
is one line: number, time, prompt, provider:model, tokens in, tokens out, dollars, seconds, how it ended, with tabs
between.

\b
  aix log list --prompt commit --since yesterday
  aix log list --since 2026-10 --until 2026-10 --all
  aix log list --failed --json
"""

SEARCH = """Find runs by what was said in them, the newest first.

All the words must stand in one message or in the answer; the beginning of a word will do.

\b
  aix log search comma
  aix log search "pull request" --limit 3
"""

LIMIT, MOST = 20, 1_000_000
CUT = {"prompt": 12, "answered": 16}
"""What is cut where there is no room for all of it, and how short at most."""
LESS = ("time", "in", "out", "answered", "cost", "when")
"""What is left out where that is not enough, in this order."""
NOT_OK = r"^(?!ok$).+"

Limit = Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")]


def register(cli: typer.Typer) -> None:
    noun = typer.Typer(help=HELP, invoke_without_command=True, rich_markup_mode=None)
    noun.callback()(show_help)
    noun.command("list", help=LIST)(list_runs)
    log_show.register(noun)
    noun.command("search", help=SEARCH)(search_runs)
    log_keep.register(noun)
    cli.add_typer(noun, name="log")


def list_runs(
    ctx: typer.Context,
    prompt: OfPrompt = "",
    provider: Annotated[str, typer.Option(metavar="NAME", help="Only those of one provider.")] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="Only those of one model.")] = "",
    since: Since = "",
    until: Until = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    limit: Limit = LIMIT,
    every: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
    as_json: AsJson = False,
) -> None:
    refuse_empty(ctx, "prompt", "provider", "model", "since", "until")
    shell: Shell = ctx.obj
    now = datetime.now().astimezone()
    start, end = between(since, until, now)
    provider, model = _asked(shell, provider.removeprefix("custom:"), model.removeprefix("custom:"))
    most = min(limit, MOST)
    found = shell.app.log.list(
        Choice(
            prompt=prompt,
            provider=provider,
            model=model,
            since=start,
            until=end,
            failed=True if failed else None,
            limit=None if every else most + 1,
        )
    )
    runs = found if every else found[:most]
    if as_json:
        shell.console.json([figures(run) for run in runs])
        return
    _print(shell, runs, now)
    if len(found) > len(runs) and shell.console.stdout_is_terminal:
        shell.console.note(f"these are the last {most}; aix log list --all shows all")


def _asked(shell: Shell, provider: str, model: str) -> tuple[str, str]:
    """A provider and a model; `openai:gpt-5.5` names both."""
    head, colon, rest = model.partition(":")
    if provider or not colon or not shell.app.providers.find(head):
        return provider, model
    return head, rest


def search_runs(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for; every word must be there.")],
    limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    text = " ".join(words)
    if not text.strip():
        raise UsageError("there is no word to look for", hint="aix log list shows the last runs")
    hits = shell.app.log.search(text, min(limit, MOST))
    if as_json:
        shell.console.json([{**figures(run), "found": place} for run, place in hits])
        return
    rows = _found(shell, hits, words)
    shell.console.table(["id", "when", "prompt", "found"], rows, marked=_marks(text))
    if not hits:
        shell.console.note(nothing(shell, f"nothing that was said has {text} in it; aix log list shows the last runs"))


def _found(shell: Shell, hits: Sequence[tuple[Logged, str]], words: Sequence[str]) -> list[list[str]]:
    """The places that were found; on a terminal names leave them room, and a long one begins near the words."""
    now = datetime.now().astimezone()
    if not shell.console.stdout_is_terminal:
        return [[str(run.id), when(run, now, short=False), run.prompt, said] for run, said in hits]
    longest = max(CUT["prompt"], shell.console.columns // 4)
    heads = [[str(run.id), when(run, now, short=True), cut(visible_line(run.prompt), longest)] for run, _ in hits]
    room = shell.console.columns - 2 - sum(2 + max(map(width, column)) for column in zip(*heads, strict=True))
    shown = [around(said, words) if width(said) > room else said for _, said in hits]
    return [[*head, said] for head, said in zip(heads, shown, strict=True)]


def _marks(text: str) -> str:
    """What of a line was looked for, as a regular expression."""
    return f"(?i)(?<![a-z0-9])({'|'.join(map(re.escape, sorted(text.split(), key=len, reverse=True)))})"


def _print(shell: Shell, runs: Sequence[Logged], now: datetime) -> None:
    if not runs:
        shell.console.note(nothing(shell, "no run in the log is like that; aix log list shows the last ones"))
        return
    if not shell.console.stdout_is_terminal:
        shell.console.table([], [list(_exact(run, now).values()) for run in runs])
        return
    rows = [{name: visible_line(cell) for name, cell in _short(run, now).items()} for run in runs]
    widths = _widths(rows, shell.console.columns)
    cells = [[cut(row[heading], room) for heading, room in widths.items()] for row in rows]
    shell.console.table(list(widths), cells, marked=NOT_OK)


def _short(run: Logged, now: datetime) -> Mapping[str, str]:
    mark = "~" if run.estimated else ""
    return {
        "id": str(run.id),
        "when": when(run, now, short=True),
        "prompt": run.prompt,
        "answered": answered(run),
        "in": f"{mark}{about(run.input_tokens)}" if run.input_tokens else "",
        "out": f"{mark}{about(run.output_tokens)}" if run.output_tokens else "",
        "cost": cost(run),
        "time": "" if run.seconds is None else f"{run.seconds:.1f} s",
        "ended": ended(run),
    }


def _exact(run: Logged, now: datetime) -> Mapping[str, str]:
    """The same for a pipe: no figure is cut."""
    return {
        **_short(run, now),
        "when": when(run, now, short=False),
        "in": "" if run.input_tokens is None else str(run.input_tokens),
        "out": "" if run.output_tokens is None else str(run.output_tokens),
        "cost": amount(run.dollars) or "unpriced",
        "time": "" if run.seconds is None else str(run.seconds),
    }


def ended(run: Logged) -> str:
    """How a run ended, in a word."""
    return run.error or ("unfinished" if run.ended is None else "ok")


def when(run: Logged, now: datetime, *, short: bool) -> str:
    """When a run began: for a person the time if that was today, else the day."""
    moment = local(run.started)
    if not short:
        return moment.isoformat(timespec="seconds")
    return moment.strftime("%H:%M") if moment.date() == now.date() else moment.date().isoformat()


def _widths(rows: Sequence[Mapping[str, str]], room: int) -> Mapping[str, int]:
    """The columns that there is room for, each with its width."""
    widths = {heading: max(map(width, (heading, *(row[heading] for row in rows)))) for heading in rows[0]}
    for left_out in (*LESS, ""):
        fitted = _narrowed(widths, room)
        if _taken(fitted) <= room:
            return fitted
        widths.pop(left_out, None)
    return fitted


def _narrowed(widths: Mapping[str, int], room: int) -> Mapping[str, int]:
    """The names cut as far as they may be and must be, the longer one more."""
    fitted, names = dict(widths), sorted((name for name in CUT if name in widths), key=lambda name: widths[name])
    left = room - _taken(widths) + sum(widths[name] for name in names)
    for place, name in enumerate(names):
        share = left // (len(names) - place)
        fitted[name] = min(widths[name], max(CUT[name], share))
        left -= fitted[name]
    return fitted


def _taken(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)
