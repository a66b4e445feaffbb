"""`aix log export`, `aix log prune`: what is kept of runs goes elsewhere, or goes."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from aix.cli.figures import so_many_runs
from aix.cli.log_report import has_texts, number_of, whole
from aix.cli.log_show import local
from aix.cli.options import AsJson, Shell, Yes
from aix.cli.run_flags import refuse_empty
from aix.cli.when import METAVAR, between, span
from aix.config.files import Answer
from aix.config.paths import in_home
from aix.errors import UsageError
from aix.runs.logged import Choice, Logged
from aix.runs.recorder import DAY

if TYPE_CHECKING:
    from aix.runs.runlog import RunLog

EXPORT = """Write runs as JSON Lines, the oldest first.

Each is an object as aix log show --json has it.

\b
  aix log export > runs.jsonl
  aix log export 3 last -o two.jsonl
  aix log export --prompt commit --since 2026-10 --until 2026-10 -o oct.jsonl
"""

PRUNE = """Drop the texts of old runs: arguments, messages and answers.

The figures stay, so that sums of tokens and costs do. With --whole these go too. Without a time it is what is older
than `log_keep` days.

\b
  aix log prune --before 2026-10
  aix log prune --keep 7 --yes
  aix log prune --before today --whole
"""

AT_ONCE = 20
"""Of how many runs the texts are read at once, images and all."""

OfPrompt = Annotated[str, typer.Option(metavar="NAME", help="Only those of one prompt.")]
Since = Annotated[str, typer.Option(metavar=METAVAR, help="Only those from then on.")]
Until = Annotated[str, typer.Option(metavar=METAVAR, help="Only those up to then; a day or a month is included.")]


def register(noun: typer.Typer) -> None:
    noun.command("export", help=EXPORT)(export)
    noun.command("prune", help=PRUNE)(prune)


def export(
    ctx: typer.Context,
    runs: Annotated[list[str] | None, typer.Argument(metavar="[last|ID]…", help="Runs, by their numbers.")] = None,
    prompt: OfPrompt = "",
    since: Since = "",
    until: Until = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, which only you can read.")
    ] = None,
) -> None:
    refuse_empty(ctx, "prompt", "since", "until", "output")
    shell: Shell = ctx.obj
    log, now = shell.app.log, datetime.now().astimezone()
    if runs and (prompt or since or until):
        raise UsageError("runs are chosen by their numbers or by flags, not by both", hint="leave one of them out")
    start, end = between(since, until, now)
    found = _named(log, runs) if runs else log.list(Choice(prompt=prompt, since=start, until=end))[::-1]
    if output is None or output == "-":
        for line in _lines(log, found):
            shell.console.out(line)
        return
    Answer(in_home(output, shell.app.paths.home, shell.app.cwd), private=True).keep_all(_lines(log, found))
    shell.console.note(f"{so_many_runs(len(found))} in {output}")


def _named(log: "RunLog", names: Sequence[str]) -> list[Logged]:
    return [log.get(number) for number in dict.fromkeys(map(number_of, names))]


def _lines(log: "RunLog", runs: Sequence[Logged]) -> Iterator[str]:
    """The runs, some at a time: while whoever reads takes their time, runs can be written down."""
    for first in range(0, len(runs), AT_ONCE):
        for one in log.details(runs[first : first + AT_ONCE]):
            yield f"{json.dumps(whole(*one), ensure_ascii=False)}\n"


def prune(
    ctx: typer.Context,
    before: Annotated[str, typer.Option(metavar=METAVAR, help="Those from before then.")] = "",
    keep: Annotated[
        int | None, typer.Option(metavar="DAYS", min=0, max=36500, help="Those older than so many days.")
    ] = None,
    everything: Annotated[bool, typer.Option("--whole", help="Drop the figures too.")] = False,
    sure: Yes = False,
    as_json: AsJson = False,
) -> None:
    refuse_empty(ctx, "before")
    shell: Shell = ctx.obj
    limit = _limit(shell, before, keep)
    runs = [run for run in shell.app.log.list(Choice(until=limit)) if everything or has_texts(run)]
    until = local(limit).strftime("%Y-%m-%d %H:%M")
    what = "all that is kept" if everything else "the texts"
    if runs and not shell.agreed(f"Drop {what} of {so_many_runs(len(runs))} from before {until}?", sure=sure):
        return
    dropped = shell.app.log.prune(limit, whole=everything) if runs else 0
    if as_json:
        shell.console.json({"before": local(limit).isoformat(), "whole": everything, "dropped": dropped})
    else:
        shell.console.note(f"dropped {what} of {so_many_runs(dropped)} from before {until}")


def _limit(shell: Shell, before: str, keep: int | None) -> int:
    """Up to when texts go, in milliseconds since 1970. Raises UsageError."""
    if before and keep is not None:
        raise UsageError("--before and --keep say the same in two ways", hint="leave one of them out")
    now = datetime.now().astimezone()
    if before:
        return span(before, now, "--before").since
    days = shell.app.settings.get("log_keep").value if keep is None else keep
    return max(0, int((now.timestamp() - days * DAY) * 1000))
