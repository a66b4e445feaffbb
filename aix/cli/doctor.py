"""`aix doctor`: what is right, what is wrong, and what to type."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer

from aix.cli import editor
from aix.cli.options import AsJson, Shell
from aix.health.finding import Finding, Level

HELP = """Look for what is wrong, and say what to type.

It looks at files, keys, prompts and the network.

\b
  aix doctor             looks at this machine only
  aix doctor --online    also asks each usable provider for its models

In a pipe each finding is one line: level, name, message, hint, with tabs between.
The exit status is 0 where there is no error, else that of the first one: 12 for config.json, 4 for a key that is
refused, 7 for the network, as a run would have. Warnings do not count.
"""

MARKS: Mapping[Level, tuple[str, str, str]] = {
    "ok": ("✓", "ok  ", "32"),
    "warning": ("!", "warn", "33"),
    "error": ("✗", "FAIL", "31"),
    "skipped": ("-", "skip", "2"),
}
"""How a level looks on a terminal: as a symbol, as a word, and its colour."""

Online = Annotated[bool, typer.Option("--online", help="Ask each provider that can be used for its models.")]


def register(cli: typer.Typer) -> None:
    cli.command("doctor", help=HELP)(doctor)


def doctor(ctx: typer.Context, online: Online = False, as_json: AsJson = False) -> None:
    shell: Shell = ctx.obj
    show(shell, shell.app.examine(lambda setting: editor.find_editor(shell.app.env, setting), online=online), as_json)


def show(shell: Shell, findings: Iterable[Finding], as_json: bool) -> None:
    """Print findings as they come, and end with the status of the first error."""
    prints = _print_json if as_json else _draw if shell.console.stdout_is_terminal else _print_lines
    status = prints(shell, findings)
    if status:
        raise typer.Exit(status)


def exit_status(findings: Iterable[Finding]) -> int:
    """That of the first error; 0 where there is none."""
    return next((finding.status for finding in findings if finding.level == "error"), 0)


def _print_json(shell: Shell, findings: Iterable[Finding]) -> int:
    found = list(findings)
    status = exit_status(found)
    shell.console.json({"version": 1, "ok": status == 0, "checks": [_row(finding) for finding in found]})
    return status


def _row(finding: Finding) -> Mapping[str, object]:
    fields = asdict(finding)
    facts, status = fields.pop("facts"), fields.pop("status")
    return {name: fields[name] for name in ("name", "group", "level", "message", "hint")} | {"exit": status, **facts}


def _print_lines(shell: Shell, findings: Iterable[Finding]) -> int:
    found: list[Finding] = []
    for finding in findings:
        found.append(finding)
        cells = (finding.level, finding.name, finding.message, "; ".join(finding.hint.splitlines()))
        shell.console.line("\t".join(" ".join(cell.split()) for cell in cells).rstrip("\t"))
    return exit_status(found)


def _draw(shell: Shell, findings: Iterable[Finding]) -> int:
    """The findings under headings, each with its mark, and below it what to type."""
    found: list[Finding] = []
    for group, members in groupby(findings, lambda finding: finding.group):
        shell.console.line(f"\n{group}" if found else group)
        for finding in members:
            found.append(finding)
            symbol, word, colour = MARKS[finding.level]
            shell.console.entry(symbol if shell.console.symbols else word, colour, sentence(finding))
            for line in finding.hint.splitlines():
                shell.console.line(f"    {line}")
    shell.console.line(f"\n{_summary(found)}")
    return exit_status(found)


def sentence(finding: Finding) -> str:
    """What was found, after the check's name; a provider's name is not said twice."""
    named = finding.facts.get("provider") == finding.name and finding.name in finding.message
    return finding.message if named else f"{finding.name}: {finding.message}"


def _summary(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    said = [
        f"{counts[level]} {level}{'s' if counts[level] > 1 else ''}" for level in ("error", "warning") if counts[level]
    ]
    return f"{' and '.join(said)}; what to type stands below each" if said else "all is well"
