"""The flags that say whom to ask, how to send, what the answer must be and how it is shown, for every command that has
some of them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperCommand

from aix.cli.options import flag
from aix.config.limits import HIGHEST
from aix.config.values import KEYS, convert
from aix.errors import UsageError
from aix.llm.effort import LEVELS
from aix.runs.answers import EXTRACTS

ROUTE = ("provider", "model", "pack", "fallback", "no_fallback")
REQUEST = ("max_tokens", "temperature", "top_p", "stop", "seed", "effort")
"""Those that are fields of a request."""
SENDING = ("stream", *REQUEST, "timeout", "max_cost")
ANSWER = ("schema", "extract", "fail_if")
SHOWN = ("dry_run", "show_request", "output", "as_json", "usage", "raw", "debug")


def reader(key: str) -> Callable[[str], Any]:
    """Reads the flag of a setting just as the setting itself is read."""
    return lambda text: convert(KEYS[key], text, flag(key))


def dollars_of(text: str) -> Decimal:
    """An amount of dollars, exactly as it is written. Raises UsageError."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if amount.is_finite() and 0 <= amount <= HIGHEST:
        return abs(amount)
    raise UsageError(f"--max-cost must be an amount of dollars, not '{text}'", hint="--max-cost 0.05")


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
    typer.Option("--effort", metavar="LEVEL", parser=_level, help="How hard to think: none, low, medium, high …"),
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
        "--extract", metavar="code|json", parser=_part, help="Print the answer's only code block, or its JSON."
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option("--fail-if", metavar="EXPR", help="Exit 15 if this is true of data (its JSON) or text; repeatable."),
]
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
    if ctx.params["fallback"] and ctx.params["no_fallback"]:
        raise UsageError("--fallback and --no-fallback contradict each other", hint="leave one of them out")


def refuse_empty(ctx: typer.Context, *names: str) -> None:
    """Raise UsageError for a flag that was given nothing."""
    for name in names:
        given = ctx.params[name] if is_given(ctx, name) else None
        if any(not text.strip() for text in ([given] if isinstance(given, str) else given or ())):
            raise UsageError(f"--{name} is empty", hint="an unset variable? leave the flag out for the default")
