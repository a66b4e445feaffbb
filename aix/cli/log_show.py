"""`aix log show`: one run of the log, all of it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from aix.cli.figures import paid
from aix.cli.log_report import answer_of, has_texts, messages_of, number_of, whole
from aix.cli.options import AsJson, Shell
from aix.errors import NotFoundError
from aix.llm.exchange import Attempt
from aix.runs.logged import ANSWER, Logged

SHOW = """Show a run: who was asked, what was sent, what came.

Without an ID it is the last one.

\b
  aix log show
  aix log show 12 --answer > answer.md
  aix log show last --json
"""

LONGEST = 60
"""Of a value that is longer than this its beginning is shown."""

RunId = Annotated[str, typer.Argument(metavar="[last|ID]", help="A run, by its number.")]


def register(noun: typer.Typer) -> None:
    noun.command("show", help=SHOW)(show)


def show(
    ctx: typer.Context,
    run: RunId = "last",
    answer: Annotated[bool, typer.Option("--answer", help="Print the answer alone, exactly as it came.")] = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    log = shell.app.log
    found = log.get(number_of(run))
    if as_json:
        shell.console.json(whole(*log.details([found])[0]))
        return
    said = log.said(found.id)
    text = answer_of(said)
    if answer:
        _print(shell, _kept_answer(found, text))
        return
    for heading, fact in (*_facts(found), *(("attempt", _tried(one)) for one in log.attempts(found.id))):
        shell.console.line(f"{f'{heading}:':<13}{fact}")
    for role, content in messages_of(said):
        shell.console.line(f"\n## {role}\n")
        _print(shell, content if content.endswith("\n") else f"{content}\n")
    if text is not None:
        shell.console.line(f"\n## {ANSWER}\n")
        _print(shell, text)
    if not has_texts(found):
        shell.console.note(f"no texts are kept of it: {_why(found)}")


def _print(shell: Shell, text: str) -> None:
    with shell.console.answer("exact") as write:
        write(text)


def _kept_answer(run: Logged, text: str | None) -> str:
    if text is None:
        why = "it answered nothing" if has_texts(run) else _why(run)
        raise NotFoundError(f"no answer of run {run.id} is kept: {why}", hint=f"aix log show {run.id}", reason="answer")
    return text


def _why(run: Logged) -> str:
    """Why no texts are kept of a run."""
    if run.ended is None:
        return "it has not ended, or was killed"
    return "they were dropped by age, or only its figures were to be kept (`log`, CI, a secret value)"


def _facts(run: Logged) -> Iterator[tuple[str, str]]:
    """What is said above the messages, line by line."""
    yield "run", str(run.id)
    yield "when", local(run.started).strftime("%Y-%m-%d %H:%M:%S")
    yield "prompt", f"{run.layer}:{run.prompt}" if run.layer else run.prompt
    yield "digest", run.digest
    if run.revision:
        yield "revision", run.revision
    if run.asked != answered(run):
        yield "asked", run.asked
    yield "answered" if run.error is None and run.ended else "last asked", answered(run)
    yield from (("argument", text) for text in _pairs(run.arguments))
    yield from (("option", text) for text in _pairs(run.options))
    yield "tokens", tokens(run)
    yield "cost", cost(run)
    if run.seconds is not None:
        yield "time", f"{run.seconds:.1f} s{_first(run)}"
    yield ("error", _error(run)) if run.error else ("finish", run.finish or "unfinished")


def _pairs(text: str | None) -> Iterator[str]:
    """Each name with its value, as far as that is short."""
    for name, value in json.loads(text or "{}").items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        line = " ".join(said.split())
        yield f"{name} = {line if len(line) <= LONGEST else f'{line[:LONGEST]}…'}"


def _first(run: Logged) -> str:
    return "" if run.first_token is None else f", {run.first_token:.1f} s to the first token"


def _error(run: Logged) -> str:
    reason = f" ({run.reason})" if run.reason else ""
    return f"{run.error}{reason}{f': {run.message}' if run.message else ''}"


def _tried(attempt: Attempt) -> str:
    """One send: to whom, what came, and whose key was shown."""
    said = " ".join(filter(None, (str(attempt.status or ""), attempt.error or "ok")))
    key = f", key from {attempt.key_source}" if attempt.key_source else ""
    return f"{attempt.provider}:{attempt.model}, {said} after {attempt.seconds:.1f} s{key}"


def local(moment: int) -> datetime:
    """A time of the log by this machine's clock."""
    return datetime.fromtimestamp(moment / 1000).astimezone()


def answered(run: Logged) -> str:
    """Who answered, or was asked last."""
    return f"{run.provider}:{run.model}"


def tokens(run: Logged) -> str:
    """The tokens in and out, `~` where they are an estimate."""
    if run.input_tokens is None and run.output_tokens is None:
        return "unknown"
    mark = "~" if run.estimated else ""
    cached = f" ({run.cache_read_tokens} cached)" if run.cache_read_tokens else ""
    reasoned = f" ({run.reasoning_tokens} reasoning)" if run.reasoning_tokens else ""
    return f"{mark}{run.input_tokens or 0} in{cached}, {mark}{run.output_tokens or 0} out{reasoned}"


def cost(run: Logged) -> str:
    """What it cost, `~` where the provider did not say so itself."""
    return paid(run.dollars, exact=bool(run.reported))
