"""What the flags of a command that sends mean: whom it asks and how, what it wants of the answer, how it is shown."""

from dataclasses import dataclass

import typer

from aix.cli.run_flags import REQUEST, refuse_empty, refuse_route
from aix.runs.flags import refuse_empty_stop
from aix.runs.run import Order, Wanted


@dataclass(frozen=True, slots=True)
class View:
    """How a run is shown: where the answer goes and what is said beside it."""

    output: str | None
    as_json: bool
    usage: bool
    raw: bool
    debug: bool


def order_of(ctx: typer.Context) -> Order:
    """What the flags of a command ask for. Raises UsageError."""
    flags = ctx.params
    refuse_route(ctx)
    refuse_empty_stop(flags["stop"] or ())
    options = {name: flags[name] for name in REQUEST}
    return Order(
        provider=flags["provider"],
        model=flags["model"],
        options={**options, "stop": tuple(flags["stop"] or ()) or None},
        stream=flags["stream"],
        timeout=flags["timeout"],
        pack=flags["pack"],
        fallback=tuple(flags["fallback"] or ()),
        alone=flags["no_fallback"],
        max_cost=flags["max_cost"],
        log=not flags["no_log"],
    )


def wanted_of(ctx: typer.Context) -> Wanted:
    """What the flags of a command want of the answer. Raises UsageError."""
    refuse_empty(ctx, "schema")
    flags = ctx.params
    return Wanted(flags["schema"], flags["extract"] or "", tuple(flags["fail_if"] or ()))


def view_of(ctx: typer.Context) -> View:
    """How the flags of a command have it shown; `-o -` is standard output. Raises UsageError."""
    refuse_empty(ctx, "output")
    flags = ctx.params
    output = None if flags["output"] == "-" else flags["output"]
    return View(output, flags["as_json"], flags["usage"], flags["raw"], flags["debug"])
