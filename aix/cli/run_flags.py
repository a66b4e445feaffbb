"""The flags that say whom to ask, how to send, what the answer must be and how it is shown, for every command that has
some of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperCommand

from aix.runs import flags
from aix.runs.flags import dollars_of, level, part, refuse_both, setting

ROUTE = ("provider", "model", "pack", "fallback", "no_fallback")
REQUEST = ("max_tokens", "temperature", "top_p", "stop", "seed", "effort")
"""Those that are fields of a request."""
SENDING = ("stream", *REQUEST, "timeout", "max_cost")
ANSWER = ("schema", "extract", "fail_if")
SHOWN = ("watch", "dry_run", "show_request", "output", "as_json", "usage", "raw", "debug")


def reader(key: str) -> Callable[[str], Any]:
    """Reads the flag of a setting just as the setting itself is read."""
    return partial(setting, key)


ProviderName = Annotated[
    str, typer.Option("--provider", metavar="NAME", help="Whom to ask: openai, ollama, custom:NAME …")
]
ModelName = Annotated[
    str, typer.Option("--model", "-m", metavar="MODEL", help="A model, PROVIDER:MODEL, or a role (strong).")
]
Pack = Annotated[str, typer.Option("--pack", metavar="NAME", help="Take what a role means from this pack first.")]
Fallback = Annotated[
    list[str] | None,
    typer.Option("--fallback", metavar="MODEL", help="Whom to ask when the first fails; repeatable."),
]
NoFallback = Annotated[bool, typer.Option("--no-fallback", help="Ask nobody else, and with no other key.")]
MaxCost = Annotated[
    Decimal | None,
    typer.Option("--max-cost", metavar="DOLLARS", parser=dollars_of, help="Send nothing that may cost more."),
]
NoLog = Annotated[bool, typer.Option("--no-log", help="Keep nothing but what limits count.")]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens", metavar="INT", parser=reader("max_tokens"), help="Cut the answer at this many tokens."
    ),
]
Stream = Annotated[bool | None, typer.Option("--stream/--no-stream", help="As it is written, or all at its end.")]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        metavar="NUMBER",
        parser=reader("temperature"),
        help="How freely it chooses words; 0 is the least.",
    ),
]
TopP = Annotated[
    float | None,
    typer.Option("--top-p", metavar="NUMBER", parser=reader("top_p"), help="Choose among this share of words, 0 to 1."),
]
Stop = Annotated[
    list[str] | None, typer.Option("--stop", metavar="TEXT", help="End the answer before TEXT; repeatable.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="INT", help="Ask for the same answer every time.")]
Effort = Annotated[
    str | None,
    typer.Option("--effort", metavar="LEVEL", parser=level, help="How hard to think: none, low, medium, high …"),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", parser=reader("timeout"), help="Give up when all of it takes longer."),
]
SchemaText = Annotated[
    str | None, typer.Option("--schema", metavar="FILE|JSON", help="Have the answer fit a JSON Schema.")
]
Extract = Annotated[
    str | None,
    typer.Option(
        "--extract", metavar="code|json", parser=part, help="Print the answer's only code block, or its JSON."
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option("--fail-if", metavar="EXPR", help="Exit 15 if this is true of data (its JSON) or text; repeatable."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Send nothing; render on each save, and show changes.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Send nothing, even with -x; say who would be asked.")]
ShowRequest = Annotated[
    bool, typer.Option("--show-request", help="Send nothing; print the HTTP request, its key masked.")
]
OutputFile = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE; it is replaced when all is well."),
]
ShowUsage = Annotated[bool, typer.Option("--usage", help="Say on stderr how many tokens it took.")]
Raw = Annotated[bool, typer.Option("--raw", help="Do not draw Markdown on a terminal.")]
Debug = Annotated[bool, typer.Option("--debug", help="Say on stderr what is asked, and of whom.")]


class HeadedCommand(TyperCommand):
    """A command whose help has its options under headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = list(self.params)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        options = (*self.own, *filter(None, [self.get_help_option(ctx)]))
        own = {option.name: option.get_help_record(ctx) for option in options}
        for title, names in self.headings.items():
            with formatter.section(title):
                formatter.write_dl([own[name] for name in names])


def is_given(ctx: typer.Context, name: str) -> bool:
    """Whether a flag stands on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def refuse_route(ctx: typer.Context) -> None:
    """Raise UsageError for flags that cannot say whom to ask: one that is empty, two that contradict each other."""
    refuse_empty(ctx, "provider", "model", "pack", "fallback")
    refuse_both(ctx.params["fallback"] or (), none=ctx.params["no_fallback"])


def refuse_empty(ctx: typer.Context, *names: str) -> None:
    """Raise UsageError for a flag that was given nothing."""
    for name in names:
        given = ctx.params[name] if is_given(ctx, name) else None
        flags.refuse_empty(name, [given] if isinstance(given, str) else given or ())
