"""`aix run`: render a prompt and, when asked to, send it and stream the answer."""

from typing import Annotated

import typer

from aix.cli.options import AsJson, LibraryFolder, NoProject, Shell, flag
from aix.cli.order import order_of, view_of, wanted_of
from aix.cli.prompt_flags import (
    CHOSEN,
    PICKED,
    Attached,
    NoCommands,
    Pairs,
    ParamFile,
    Pin,
    PromptCommand,
    PromptFile,
    SystemText,
    Words,
    given,
)
from aix.cli.rendering import Rendering
from aix.cli.run_flags import (
    ANSWER,
    ROUTE,
    SENDING,
    Debug,
    DryRun,
    Effort,
    Extract,
    FailIf,
    Fallback,
    MaxCost,
    MaxTokens,
    ModelName,
    NoFallback,
    NoLog,
    OutputFile,
    Pack,
    ProviderName,
    Raw,
    SchemaText,
    Seed,
    ShowRequest,
    ShowUsage,
    Stop,
    Stream,
    Temperature,
    Timeout,
    TopP,
    Watch,
    is_given,
)
from aix.cli.session import Session
from aix.cli.streams import Stdin
from aix.cli.watch import watch_prompt

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


def run(
    ctx: typer.Context,
    name: PromptFile,
    words: Words = None,
    param: Pairs = None,
    param_file: ParamFile = None,
    system: SystemText = None,
    attach: Attached = None,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    disable_commands: NoCommands = False,
    trust: Pin = "",
    execute: Annotated[
        bool | None, typer.Option("--execute/--no-execute", "-x", help="Send it, and stream the answer.")
    ] = None,
    provider: ProviderName = "",
    model: ModelName = "",
    pack: Pack = "",
    fallback: Fallback = None,
    no_fallback: NoFallback = False,
    stream: Stream = None,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    stop: Stop = None,
    seed: Seed = None,
    effort: Effort = None,
    timeout: Timeout = None,
    max_cost: MaxCost = None,
    no_log: NoLog = False,
    schema: SchemaText = None,
    extract: Extract = None,
    fail_if: FailIf = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    show_request: ShowRequest = False,
    output: OutputFile = None,
    as_json: AsJson = False,
    usage: ShowUsage = False,
    raw: Raw = False,
    debug: Debug = False,
) -> None:
    """Render a prompt; with -x, send it and stream the answer.

    A prompt's params are flags too: aix run NAME --help shows them.
    """
    shell: Shell = ctx.obj
    if watch:
        watch_prompt(ctx)
    rendering = Rendering(shell, ctx.meta[CHOSEN], asks=not as_json)
    session = Session(shell, ctx.meta[CHOSEN].prompt, rendering.run, order_of(ctx), view_of(ctx))
    values = given(ctx, param or (), param_file, words or ())
    session.sending.want(wanted_of(ctx))
    stdin = Stdin(spent=name == "-")
    rendering.attach(attach or (), stdin)
    rendering.render(values, system, stdin, commands=not disable_commands, pin=trust)
    wanted = shell.app.settings.get("execute").value if execute is None else execute
    if picked := ctx.meta.get(PICKED):
        picked.answers = rendering.answers
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
    given_ = [name for name in (*ROUTE, *SENDING, *ANSWER, "no_log", "usage", "raw") if is_given(ctx, name)]
    return [flag(f"no_{name}" if ctx.params[name] is False else name) for name in given_]
