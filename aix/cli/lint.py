"""`aix lint`: what is wrong with prompt files, before anybody runs them."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.cli.options import AsJson, LibraryFolder, NoProject, Shell
from aix.cli.streams import visible_line
from aix.errors import TemplateError, UsageError
from aix.lint.rules import RULES, Finding, Severity

if TYPE_CHECKING:
    from aix.lint.file import File
    from aix.lint.linter import Linter

HELP = """Look for what is wrong with prompt files.

Without a name it looks at your own prompts and the project's. FILE and DIR are looked at as they lie: a DIR is a folder
of prompts of its own. Nothing is rendered, sent or run.

\b
  aix lint                    your own prompts and the project's
  aix lint review ./draft.md
  aix lint prompts/ --strict  a folder of prompts, for CI
  aix lint --fix              mend what can be mended without a doubt

In a pipe each finding is one line: path:line: severity: message [rule]. The exit status is 6 where there is an error;
warnings count with --strict only. A file can have a rule passed over: x-lint: [unused-param] in its front matter.
"""

MARKS: dict[Severity, tuple[str, str, str]] = {"error": ("✗", "error", "31"), "warning": ("!", "warn ", "33")}
"""How a severity looks on a terminal: as a symbol, as a word, and its colour."""

EVERY = 100
"""After how many files a person is told how far it is."""

What = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME|FILE|DIR]...", help="Prompts, prompt files, folders of prompts.")
]
LayerName = Annotated[
    str,
    typer.Option("--layer", metavar="LAYER", help="All prompts of this layer: user, project, builtin, a collection."),
]
Fix = Annotated[bool, typer.Option("--fix", help="Mend misspelt keys, missing quotes and tabs in front matter.")]
Strict = Annotated[bool, typer.Option("--strict", help="Have warnings count as errors do.")]


def register(cli: typer.Typer) -> None:
    cli.command("lint", help=HELP)(lint)


def lint(
    ctx: typer.Context,
    what: What = None,
    layer: LayerName = "",
    fix: Fix = False,
    strict: Strict = False,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    if what and layer:
        raise UsageError("--layer and names contradict each other", hint=f"aix lint {layer}:NAME")
    report = Report(shell, as_json=as_json)
    taken = ctx.find_root().command.get_command(ctx, "run").taken  # type: ignore[attr-defined]
    linter = shell.app.linter(taken)
    for file, findings in linter.lint(shell.app.lint_files(what or [], library, layer)):
        fixable = fix and file and file.is_ours and any(finding.changes for finding in findings)
        report.add(file, _mended(shell, report, file, linter) if file and fixable else findings)
    report.end()
    if report.counts["error"] or (strict and report.counts["warning"]):
        raise typer.Exit(TemplateError.exit_code)


class Report:
    """What a person, a pipe or a program gets to see."""

    def __init__(self, shell: Shell, *, as_json: bool) -> None:
        self._shell = shell
        self._as_json = as_json
        self._findings: list[Finding] = []
        self._fixed: list[Finding] = []
        self._last = ""
        self._files = 0
        self._fixable = 0
        self.counts: Counter[str] = Counter()

    def add(self, file: "File | None", findings: Sequence[Finding]) -> None:
        self._files += file is not None
        self.counts.update(finding.severity for finding in findings)
        self._fixable += sum(bool(finding.changes) for finding in findings)
        for finding in findings:
            self._show(finding)
        if self._files % EVERY == 0:
            self._shell.console.progress(f"{self._files} files looked at")

    def fix(self, finding: Finding) -> None:
        self._fixed.append(finding)
        self._shell.console.note(f"fixed {self._place(finding)}: {finding.changes[0].new.strip()}")

    def end(self) -> None:
        if self._as_json:
            rows = {"findings": self._findings, "fixed": self._fixed}
            shown = {name: [_row(one) for one in found] for name, found in rows.items()}
            ok = not self.counts["error"]
            self._shell.console.json({"version": 1, "ok": ok, "files": self._files, **shown})
        self._shell.console.note(self._summary())

    def _summary(self) -> str:
        looked = f"{self._files} file{'s' * (self._files != 1)}"
        said = [f"{count} {kind}{'s' * (count != 1)}" for kind in MARKS if (count := self.counts[kind])]
        more = f"; --fix can mend {self._fixable}" if self._fixable else ""
        return f"{looked}, {' and '.join(said) or 'and nothing is wrong'}{more}"

    def _show(self, finding: Finding) -> None:
        if self._as_json:
            self._findings.append(finding)
        elif self._shell.console.stdout_is_terminal:
            self._draw(finding)
        else:
            hint = f" ({finding.hint})" if finding.hint else ""
            said = f"{self._place(finding)}: {finding.severity}: {finding.message}{hint} [{finding.rule}]"
            self._shell.console.line(" ".join(said.split()))

    def _draw(self, finding: Finding) -> None:
        """A finding below the name of its file, and below it what to do."""
        console = self._shell.console
        if finding.path != self._last:
            if self._last:
                console.line()
            console.heading(visible_line(self._shown(finding.path)))
            self._last = finding.path
        symbol, word, colour = MARKS[finding.severity]
        mark = symbol if console.symbols else word
        console.entry(mark, colour, f"{finding.line}: {visible_line(finding.message)} [{finding.rule}]")
        indent = " " * (len(mark) + 1)
        for line in textwrap.wrap(visible_line(finding.hint), max(20, console.columns - len(indent) - 1)):
            console.line(indent + line)

    def _place(self, finding: Finding) -> str:
        return f"{self._shown(finding.path)}:{finding.line}"

    def _shown(self, path: str) -> str:
        """A path as it is seen from here; one that begins oddly could mean something else to whoever reads the line."""
        here = self._shell.app.cwd
        near = str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
        return near if near[:1].isalnum() or near[:1] in "._/" else f"./{near}"


def _mended(shell: Shell, report: Report, file: "File", linter: "Linter") -> Sequence[Finding]:
    """What is still wrong with a file after what could be mended was."""
    done, left = shell.app.mend(file, linter)
    for finding in done:
        report.fix(finding)
    return left


def _row(finding: Finding) -> dict[str, Any]:
    facts = {"path": finding.path, "line": finding.line, "rule": finding.rule, "severity": RULES[finding.rule].severity}
    return {**facts, "message": finding.message, "hint": finding.hint, "fixable": bool(finding.changes)}
