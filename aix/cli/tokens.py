"""`aix tokens`: how many tokens a prompt is, and what it costs to send it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import typer

from aix.app_prompts import Chosen
from aix.cli.figures import amount, price_of
from aix.cli.options import AsJson, LibraryFolder, NoProject, Shell
from aix.cli.order import View
from aix.cli.prompt_flags import (
    CHOSEN,
    HEADINGS,
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
from aix.cli.run_flags import MaxCost, MaxTokens, ModelName, ProviderName, refuse_empty
from aix.cli.session import Session
from aix.cli.streams import Stdin
from aix.errors import AuthError, UsageError
from aix.library.prompt import Prompt
from aix.llm.routing import Target
from aix.runs.fitting import Fitted, estimated
from aix.runs.run import Order
from aix.runs.sending import Sending

EPILOG = """\b
Examples:
  aix tokens hello --name Ada                  estimate it
  aix tokens hello --name Ada --exact          have the provider count it
  aix tokens explain "a plan" -a plan.pdf      with a file
  aix tokens < notes.txt                       a text as it is, not a prompt
  aix tokens review -m openai:gpt-5.5 < x.patch | cut -d " " -f 1
"""

STDIN_ATTACHED = re.compile(r"(^|\0)(-a\0?|--attach[\0=])-(\0|$)")
"""`-a -` among words that are joined by NUL."""


class TokensCommand(PromptCommand):
    """Without a name, text that is piped in is counted as it is; so are attachments alone."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "Values": HEADINGS["Values"],
        "Commands": HEADINGS["Commands"],
        "Sending": ("provider", "model", "max_tokens", "max_cost"),
        "What is shown": ("exact", "as_json"),
        "Help": ("help",),
    }

    def unnamed(self, ctx: Any, library: str | None, args: list[str]) -> str:  # noqa: ARG002 - as that of `run`
        piped = Stdin().kind == "piped" and not STDIN_ATTACHED.search("\0".join(args))
        if not piped and not any(arg.startswith(("-a", "--attach")) for arg in args):
            raise UsageError(
                "which prompt? aix tokens takes a name, a file, -, or text from a pipe",
                hint="aix list shows all prompts",
            )
        text = Stdin().read() if piped else ""
        prompt = Prompt("-", text, text, params=(), template=False)
        ctx.meta[CHOSEN] = Chosen(prompt, ctx.obj.app.prompts.template(prompt, None))
        return "-" if piped else ""


def register(cli: typer.Typer) -> None:
    cli.command("tokens", cls=TokensCommand, epilog=EPILOG)(tokens)


def tokens(
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
    provider: ProviderName = "",
    model: ModelName = "",
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    exact: Annotated[bool, typer.Option("--exact", help="Have the provider count; the prompt is sent to it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count a prompt's tokens, and say what it costs to send it."""
    refuse_empty(ctx, "provider", "model")
    shell: Shell = ctx.obj
    order = Order(provider, model, {"max_tokens": max_tokens}, max_cost=max_cost)
    view = View(output=None, as_json=as_json, usage=False, raw=False, debug=False)
    rendering, stdin = Rendering(shell, ctx.meta[CHOSEN], asks=not as_json), Stdin(spent=name == "-")
    session = Session(shell, ctx.meta[CHOSEN].prompt, rendering.run, order, view)
    rendering.attach(attach or (), stdin)
    values = given(ctx, param or (), param_file, words or ())
    rendering.render(values, system, stdin, commands=not disable_commands, pin=trust)
    count = _count(shell, session.sending, order, exact=exact)
    if as_json:
        shell.console.json(count.as_json)
    else:
        shell.console.line(count.as_line)


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens there are; `by` is who counted them, and `fit` what would be sent to `target`."""

    tokens: int
    by: str = ""
    target: Target | None = None
    fit: Fitted | None = None

    @property
    def context(self) -> int | None:
        return self.fit.model.context if self.fit else None

    @property
    def sending(self) -> Decimal | None:
        return self.fit.cost(self.tokens, 0) if self.fit else None

    @property
    def worst(self) -> Decimal | None:
        return self.fit.cost(self.tokens, self.fit.longest) if self.fit else None

    @property
    def as_line(self) -> str:
        """The number first, so that a script can cut it off."""
        said = [f"{self.tokens} tokens ({f'counted by {self.by}' if self.by else 'estimated'})"]
        said.append(price_of(self.sending, self.worst, exact=bool(self.by)))
        said += [f"{_share(self.tokens, self.context)} of the {self.context} it can hold"] if self.context else []
        said += [f"{self.target.provider.name}:{self.target.model}"] if self.target else []
        return " · ".join(said)

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "ok": True,
            "tokens": self.tokens,
            "exact": bool(self.by),
            "by": self.by or None,
            "provider": self.target.provider.name if self.target else None,
            "model": self.target.model if self.target else None,
            "context": self.context,
            "input_cost": amount(self.sending),
            "worst_cost": amount(self.worst),
            "unpriced": self.sending is None,
            "error": None,
        }


def _count(shell: Shell, sending: Sending, order: Order, *, exact: bool) -> Count:
    """The count: the provider's own with `exact` where it has one, else an estimate."""
    runner, target = shell.app.runner, _target(shell, sending, order, needed=exact)
    if target is None:
        return Count(estimated(sending.messages))
    capped = order.max_cost is not None
    fit = sending.capped(target) if capped else runner.fitted(target, sending.request(target))
    provider = target.provider
    if exact and not provider.counter:
        shell.console.note(f"{provider.name} has no way to count tokens, so this is an estimate")
    key = runner.keys.best(provider) if exact and provider.counter else None
    counted = runner.count(target, fit, order, key=key) if exact else None
    return Count(fit.tokens, "", target, fit) if counted is None else Count(counted, provider.name, target, fit)


def _target(shell: Shell, sending: Sending, order: Order, *, needed: bool) -> Target | None:
    """Whom it would be sent to; None where there is nobody yet, and nobody in particular was asked for."""
    try:
        return sending.target()
    except AuthError:
        if needed or order.provider or order.model:
            raise
        shell.console.note("there is nobody to send it to yet, so it has no price; aix init sets a provider up")
        return None


def _share(tokens: int, window: int) -> str:
    share = 100 * tokens / window
    return f"{share:.1f} %" if share >= 0.1 or not tokens else "less than 0.1 %"
