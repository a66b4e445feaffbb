"""`aix run`: render a prompt and, when asked to, send it and stream the answer."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from aix.cli.options import AsJson, LibraryFolder, Shell
from aix.cli.prompt_flags import CHOSEN, PICKED, SENDING, PromptCommand, given
from aix.cli.session import Session, View
from aix.cli.streams import Stdin
from aix.config.values import KEYS, convert
from aix.errors import UsageError
from aix.runs.run import Order

EPILOG = """\b
Examples:
  aix run hello --name Ada                     render it and look at it
  aix run hello --name Ada -x                  send it
  git diff | aix run review -x -o review.md    from a pipe, into a file
  aix run explain "what is a monad" -x -m openai:gpt-5.5
  aix run ./draft.md -p topic@notes.txt -n     a file; say what would be sent
"""


def register(cli: typer.Typer) -> None:
    cli.command("run", cls=PromptCommand, epilog=EPILOG)(run)


def _reader(key: str) -> Callable[[str], Any]:
    """Reads the flag of a setting just as the setting itself is read."""
    return lambda text: convert(KEYS[key], text, f"--{key.replace('_', '-')}")


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE|-", help="A prompt, a prompt file, or - for stdin.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS]", help="Text for the prompt's main param.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="K=VALUE", help="Give a param a value, or K@FILE a file's text."),
    ] = None,
    param_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Give many params values, from JSON or YAML.")
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="Put TEXT in place of the system message.")] = None,
    library: LibraryFolder = None,
    disable_commands: Annotated[
        bool, typer.Option("--disable-commands", help="Run no sh() of the prompt; put [command: …] there.")
    ] = False,
    execute: Annotated[
        bool | None, typer.Option("--execute/--no-execute", "-x", help="Send it, and stream the answer.")
    ] = None,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Whom to ask: openai, ollama, custom:NAME …")] = "",
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="MODEL", help="A model, PROVIDER:MODEL, or a role (strong).")
    ] = "",
    stream: Annotated[bool | None, typer.Option(help="As it is written, or all at its end.")] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(metavar="INT", parser=_reader("max_tokens"), help="Cut the answer at this many tokens."),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER", parser=_reader("temperature"), help="How freely it chooses words; 0 is the least."
        ),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", parser=_reader("top_p"), help="Choose among this share of words, 0 to 1."),
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End the answer before TEXT; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="INT", help="Ask for the same answer every time.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", parser=_reader("timeout"), help="Give up when all of it takes longer."),
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
    for flag, text in (("--provider", provider), ("--model", model)):
        if not text.strip() and _is_given(ctx, flag[2:]):
            raise UsageError(f"{flag} is empty", hint="an unset variable? leave the flag out for the default")
    shell: Shell = ctx.obj
    output = None if output == "-" else output
    options = {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p, "seed": seed}
    order = Order(provider, model, {**options, "stop": tuple(stop) if stop else None}, stream, timeout)
    session = Session(shell, ctx.meta[CHOSEN], order, View(output, as_json, usage, raw, debug))
    values = given(ctx, param or (), param_file, words or ())
    session.render(values, system, Stdin(spent=name == "-"), commands=not disable_commands)
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
    given_ = [name for name in (*SENDING, "usage", "raw") if _is_given(ctx, name)]
    return [f"--{'no-' if ctx.params[name] is False else ''}{name.replace('_', '-')}" for name in given_]


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
