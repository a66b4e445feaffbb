"""`aix rerun`: what a run sent is sent once more, with other flags."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import typer

from aix.cli.log_report import number_of
from aix.cli.log_show import RunId
from aix.cli.options import AsJson, Shell
from aix.cli.order import order_of, view_of, wanted_of
from aix.cli.run_flags import (
    ANSWER,
    ROUTE,
    SENDING,
    SHOWN,
    Debug,
    Effort,
    Extract,
    FailIf,
    Fallback,
    HeadedCommand,
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
)
from aix.cli.session import Session

EPILOG = """\b
Examples:
  aix rerun                                   the last run, as it was
  aix rerun last --fallback groq              if that fails, somebody else
  aix rerun 12 -m openai:gpt-5.5 -o other.md  another answer to run 12
  aix rerun last --temperature 0 -n           say what would be sent
"""


class RerunCommand(HeadedCommand):
    """The flags of `run`, but for those that make the messages."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "Who is asked": ROUTE,
        "Sending": (*SENDING, "no_log"),
        "The answer": ANSWER,
        "What is shown": [name for name in SHOWN if name != "watch"],
        "Help": ("help",),
    }


def register(cli: typer.Typer) -> None:
    cli.command("rerun", cls=RerunCommand, epilog=EPILOG)(rerun)


def rerun(
    ctx: typer.Context,
    run: RunId = "last",
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
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Send nothing; say who would be asked.")] = False,
    show_request: ShowRequest = False,
    output: OutputFile = None,
    as_json: AsJson = False,
    usage: ShowUsage = False,
    raw: Raw = False,
    debug: Debug = False,
) -> None:
    """Send what a run sent once more, with other flags.

    ID is a number of `aix log list`; without one it is the last run. The
    messages are as they were: nothing is rendered anew. It asks whom that run
    was to ask, with the same options; a flag wins over each.
    """
    shell: Shell = ctx.obj
    flags, view, wanted = order_of(ctx), view_of(ctx), wanted_of(ctx)
    old = shell.app.repeats.get(number_of(run))
    session = Session(shell, old.prompt, old.run, old.order(flags), view)
    session.sending.want(old.want(wanted))
    if show_request:
        session.show_request()
    elif dry_run:
        session.show_dry_run()
    else:
        session.send()
        return
    shell.console.note(f"not sent; leave out {'--show-request' if show_request else '--dry-run'} to send")
