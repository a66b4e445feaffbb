"""`aix run`: render a prompt and, when asked to, send it and stream the answer."""

from difflib import get_close_matches
from typing import Annotated

import typer

from aix.cli.options import AsJson, LibraryFolder, Shell, flag
from aix.cli.prompt_flags import (
    ANSWER,
    CHOSEN,
    PICKED,
    SENDING,
    Attached,
    MaxTokens,
    ModelName,
    NoCommands,
    Pairs,
    ParamFile,
    PromptCommand,
    PromptFile,
    ProviderName,
    SystemText,
    Words,
    given,
    is_given,
    reader,
    refuse_empty,
)
from aix.cli.session import Session, View
from aix.cli.streams import Stdin
from aix.errors import UsageError
from aix.llm.effort import LEVELS
from aix.runs.answers import EXTRACTS
from aix.runs.run import Order, Wanted

EPILOG = """\b
Examples:
  aix run hello --name Ada                     render it and look at it
  aix run hello --name Ada -x                  send it
  git diff | aix run review -x -o review.md    from a pipe, into a file
  aix run explain "what is a monad" -x -m openai:gpt-5.5
  aix run explain "this plan" -a plan.pdf -x   with an image, a PDF or a text
  aix run ./draft.md -p topic@notes.txt -n     a file; say what would be sent
"""


def register(cli: typer.Typer) -> None:
    cli.command("run", cls=PromptCommand, epilog=EPILOG)(run)


def _level(text: str) -> str:
    """A level of effort. Raises UsageError."""
    if text in LEVELS:
        return text
    near = get_close_matches(text.lower(), LEVELS, n=1)
    raise UsageError(
        f"--effort must be one of {', '.join(LEVELS)}, not '{text}'", hint=f"did you mean {near[0]}?" if near else ""
    )


def _part(text: str) -> str:
    """A part of the answer. Raises UsageError."""
    if text in EXTRACTS:
        return text
    raise UsageError(f"--extract must be one of {', '.join(EXTRACTS)}, not '{text}'")


def run(
    ctx: typer.Context,
    name: PromptFile,
    words: Words = None,
    param: Pairs = None,
    param_file: ParamFile = None,
    system: SystemText = None,
    attach: Attached = None,
    library: LibraryFolder = None,
    disable_commands: NoCommands = False,
    execute: Annotated[
        bool | None, typer.Option("--execute/--no-execute", "-x", help="Send it, and stream the answer.")
    ] = None,
    provider: ProviderName = "",
    model: ModelName = "",
    stream: Annotated[bool | None, typer.Option(help="As it is written, or all at its end.")] = None,
    max_tokens: MaxTokens = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER", parser=reader("temperature"), help="How freely it chooses words; 0 is the least."
        ),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", parser=reader("top_p"), help="Choose among this share of words, 0 to 1."),
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End the answer before TEXT; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="INT", help="Ask for the same answer every time.")] = None,
    effort: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", parser=_level, help="How hard to think: none, low, medium, high …"),
    ] = None,
    schema: Annotated[str | None, typer.Option(metavar="FILE|JSON", help="Have the answer fit a JSON Schema.")] = None,
    extract: Annotated[
        str | None,
        typer.Option(metavar="code|json", parser=_part, help="Print the answer's only code block, or its JSON."),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(metavar="EXPR", help="Exit 15 if this is true of data (its JSON) or text; repeatable."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", parser=reader("timeout"), help="Give up when all of it takes longer."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Send nothing, even with -x; say who would be asked.")
    ] = False,
    show_request: Annotated[
        bool, typer.Option("--show-request", help="Send nothing; print the HTTP request, its key masked.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to FILE; it is replaced when all is well."),
    ] = None,
    as_json: AsJson = False,
    usage: Annotated[bool, typer.Option("--usage", help="Say on stderr how many tokens it took.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Do not draw Markdown on a terminal.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Say on stderr what is asked, and of whom.")] = False,
) -> None:
    """Render a prompt; with -x, send it and stream the answer.

    A prompt's params are flags too: aix run NAME --help shows them.
    """
    refuse_empty(ctx, "provider", "model", "schema", "output")
    if stop and "" in stop:
        raise UsageError("--stop is empty", hint="an unset variable? leave the flag out for no stop")
    shell: Shell = ctx.obj
    output = None if output == "-" else output
    options = {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p, "seed": seed, "effort": effort}
    order = Order(provider, model, {**options, "stop": tuple(stop) if stop else None}, stream, timeout)
    session = Session(shell, ctx.meta[CHOSEN], order, View(output, as_json, usage, raw, debug))
    values = given(ctx, param or (), param_file, words or ())
    session.want(Wanted(schema, extract or "", tuple(fail_if or ())))
    stdin = Stdin(spent=name == "-")
    session.attach(attach or (), stdin)
    session.render(values, system, stdin, commands=not disable_commands)
    wanted = shell.app.settings.get("execute").value if execute is None else execute
    if picked := ctx.meta.get(PICKED):
        picked.answers = session.answers
        if execute is None and not (dry_run or show_request):
            wanted = picked.sent = session.wants_to_send(wanted)
    if show_request:
        session.show_request()
    elif dry_run:
        session.show_dry_run()
    elif wanted:
        session.send()
        return
    else:
        session.show_rendering()
    if picked and picked.sent is not None:
        return  # the command that is told next says as much
    held_back = "--show-request" if show_request else "--dry-run" if dry_run else ""
    idle = [] if held_back else _only_when_sending(ctx)
    session.say_not_sent(f"leave out {held_back} to send" if wanted else "add -x to send", idle)


def _only_when_sending(ctx: typer.Context) -> list[str]:
    """The flags that were given and change nothing until the prompt is sent."""
    given_ = [name for name in (*SENDING, *ANSWER, "usage", "raw") if is_given(ctx, name)]
    return [flag(f"no_{name}" if ctx.params[name] is False else name) for name in given_]
