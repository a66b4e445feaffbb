"""`aix model refresh` and `aix model test`: what the world says of models today."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from aix.cli.options import AsJson, Shell
from aix.config.secrets import hidden
from aix.errors import AixError
from aix.llm.refresh import Refreshed
from aix.llm.routing import Target
from aix.messages import Message, Request, Text
from aix.runs.run import TRIAL, Order, Run

QUESTION = "Answer with the word: yes"
MAX_TOKENS = 256
"""Enough for a model that thinks first."""

SECONDS = 60.0

TEST = """Send a few words to models, and see what comes.

Without a name: to the default model. It costs next to nothing. The exit status is that of the first failure, as a run
would have it.

\b
  aix model test
  aix model test openai:gpt-5.4-mini ollama:qwen3:4b
"""


def register(cli: typer.Typer) -> None:
    cli.command("refresh")(refresh)
    cli.command("test", help=TEST)(test)


def refresh(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Fetch what is published of models today.

    OpenRouter and models.dev are asked; nothing else is sent. What comes is kept in your cache directory, and counts
    before what came with aix. A source that cannot be fetched keeps what it had.
    """
    shell: Shell = ctx.obj
    shell.console.progress("fetching what is published of models")
    done = shell.app.refresh()
    if as_json:
        shell.console.json([_refreshed(one) for one in done])
    for one in done:
        if one.error is None and not as_json:
            shell.console.line(f"{one.source}: {_count(one)}, as of {one.date}")
        elif one.error and any(other.error is None for other in done):
            shell.console.warn(f"{one.error.message}; {_kept(one)}")
    if all(one.error for one in done):
        _fail(shell, done, silent=as_json)


def _fail(shell: Shell, done: Sequence[Refreshed], *, silent: bool) -> None:
    """Say what went wrong, and what there still is. Raises the first error."""
    first = done[0].error
    assert first is not None
    if silent:
        shell.console.error(first)
        raise typer.Exit(first.exit_code)
    for one in done[1:]:
        shell.console.warn(f"{one.error.message if one.error else ''}; {_kept(one)}")
    shell.console.note(f"{done[0].source}: {_kept(done[0])}")
    raise first


def _kept(one: Refreshed) -> str:
    if not one.date:
        return "what came with aix counts"
    return f"{_count(one)} of {one.date} kept"


def _count(one: Refreshed) -> str:
    return f"{one.models} model{'' if one.models == 1 else 's'}"


def _refreshed(one: Refreshed) -> Mapping[str, Any]:
    said = one.error.message if one.error else None
    return {"source": one.source, "models": one.models, "date": one.date or None, "error": said}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of sending a few words to one model; `error` what stands in the way of using it."""

    name: str
    text: str = ""
    seconds: float = 0.0
    tokens: tuple[int, int] | None = None
    error: AixError | None = None


def test(
    ctx: typer.Context,
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]…", help="Models, by any of their names.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    trials = [_tried(shell, name) for name in models or [_default_model(shell)]]
    failed = next((trial.error for trial in trials if trial.error), None)
    if as_json:
        shell.console.json([_trial(trial) for trial in trials])
    else:
        whole = not shell.console.stdout_is_terminal  # where it is one, the error stands below, and in full
        rows = [_cells(trial, whole=whole) for trial in trials]
        shell.console.table(["model", "result", "seconds", "tokens", "said"], rows)
        for trial in trials:
            if trial.error:
                shell.console.error(trial.error)
    if failed:
        raise typer.Exit(failed.exit_code)


def _default_model(shell: Shell) -> str:
    """The model that a run would ask which names none. Raises NotFoundError or AuthError."""
    try:
        target = shell.app.runner.choose(Order(), "")
    except AixError as error:
        error.hint = f"{error.hint.splitlines()[0]}\nor name a model: aix model test PROVIDER:MODEL"
        raise
    return f"{target.provider.name}:{target.model}"


def _tried(shell: Shell, name: str) -> Trial:
    """Send it to one model. What fails is kept, so that the others are tried too."""
    shell.console.progress(f"asking {name}")
    started, shown = time.monotonic(), name
    run = Run(TRIAL, "")
    try:
        target = shell.app.runner.choose(Order(model=name), "")
        shown = f"{target.provider.name}:{target.model}"
        _send(shell, target, run)
    except AixError as error:
        return Trial(shown, seconds=round(time.monotonic() - started, 2), error=_scrubbed(shell, error))
    usage = run.response.finish.usage if run.response.finish else None
    counts = (usage.input_tokens, usage.output_tokens) if usage else None
    return Trial(shown, run.response.text.strip(), round(time.monotonic() - started, 2), counts)


def _send(shell: Shell, target: Target, run: Run) -> None:
    runner, model = shell.app.runner, shell.app.catalogue.find(target.provider.name, target.model)
    request = Request(
        target.model,
        (Message("user", (Text(QUESTION),)),),
        max_tokens=MAX_TOKENS,
        effort=model.efforts[0] if model and model.efforts else None,
    )
    order = Order(timeout=SECONDS)
    run.target = target
    key = runner.keys.best(target.provider)
    with runner.recorded(run, request, shell.app.recorder(order, private=True)):
        for _ in runner.send(run, order, lambda one: runner.exchange(one, runner.fitted(one, request), order, key=key)):
            pass


def _scrubbed(shell: Shell, error: AixError) -> AixError:
    """The error without any key in it, as it is shown beside others."""
    secrets = shell.app.known_secrets()
    error.reword(lambda text: hidden(text, secrets))
    return error


def _cells(trial: Trial, *, whole: bool) -> list[str]:
    tokens = f"{trial.tokens[0]} in, {trial.tokens[1]} out" if trial.tokens else ""
    result = "failed" if trial.error else "ok"
    said = trial.text if trial.error is None else trial.error.message if whole else ""
    return [trial.name, result, f"{trial.seconds:.2f}", tokens, said]


def _trial(trial: Trial) -> Mapping[str, Any]:
    counts = trial.tokens or (None, None)
    error = trial.error
    return {
        "model": trial.name,
        "ok": error is None,
        "seconds": trial.seconds,
        "input_tokens": counts[0],
        "output_tokens": counts[1],
        "text": trial.text or None,
        "error": {"name": error.name, "message": error.message, "hint": error.hint or None} if error else None,
    }
