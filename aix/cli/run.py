"""`aix run`: render a prompt and, when asked to, send it and stream the answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from aix.app import Chosen
from aix.cli import ask, report
from aix.cli.console import Stdin
from aix.cli.options import AsJson, LibraryFolder, Shell
from aix.cli.prompt_flags import CHOSEN, PromptCommand, given
from aix.config.files import Answer
from aix.errors import UsageError
from aix.library.arguments import Given, Sources, resolve
from aix.llm.exchange import Exchange
from aix.messages import ReasoningDelta, TextDelta, estimate_tokens, with_system
from aix.runs.run import Order, Run

EPILOG = """\b
Examples:
  aix run hello --name Ada                     render it
  aix run hello --name Ada -x                  send it
  git diff | aix run review -x -o review.md    from a pipe, into a file
  aix run explain "what is a monad" -x -m openai:gpt-5.5
  aix run ./draft.md -p topic@notes.txt -n     a file; say what would be sent
"""

SEND, SHOW, VALUES = "Sending", "What is shown", "Values"
"""The headings of the options in the help."""


def register(cli: typer.Typer) -> None:
    cli.command("run", cls=PromptCommand, epilog=EPILOG, rich_help_panel=None)(run)


@dataclass(frozen=True, slots=True)
class View:
    """How a run is shown: where the answer goes and what is said beside it."""

    output: str | None
    as_json: bool
    usage: bool
    raw: bool
    debug: bool


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE|-", help="A prompt, a prompt file, or - for stdin.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS]", help="Text for the prompt's main param.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="K=V", help="A value, or its file: K@FILE.", rich_help_panel=VALUES),
    ] = None,
    param_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Many values, as JSON or YAML.", rich_help_panel=VALUES)
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Replace the system message.", rich_help_panel=VALUES)
    ] = None,
    library: LibraryFolder = None,
    execute: Annotated[
        bool | None,
        typer.Option("--execute/--no-execute", "-x", help="Send it, and stream the answer.", rich_help_panel=SEND),
    ] = None,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Whom to ask.", rich_help_panel=SEND)] = "",
    model: Annotated[
        str,
        typer.Option("--model", "-m", metavar="MODEL", help="Which model, or provider:model.", rich_help_panel=SEND),
    ] = "",
    stream: Annotated[bool | None, typer.Option(help="As it comes, or in one piece.", rich_help_panel=SEND)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer.", rich_help_panel=SEND)] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="How freely it chooses.", rich_help_panel=SEND)
    ] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1, help="Nucleus sampling.", rich_help_panel=SEND)] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End the answer here; repeatable.", rich_help_panel=SEND)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For answers that repeat.", rich_help_panel=SEND)] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="For the whole of it.", rich_help_panel=SEND)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Render, and say what would be sent.", rich_help_panel=SHOW)
    ] = False,
    show_request: Annotated[
        bool, typer.Option("--show-request", help="Print the HTTP request; send nothing.", rich_help_panel=SHOW)
    ] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE.", rich_help_panel=SHOW)
    ] = None,
    as_json: AsJson = False,
    usage: Annotated[bool, typer.Option("--usage", help="Say on stderr what it took.", rich_help_panel=SHOW)] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Do not draw Markdown.", rich_help_panel=SHOW)] = False,
    disable_commands: Annotated[
        bool, typer.Option("--disable-commands", help="Put [command: …] for each sh().", rich_help_panel=VALUES)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Say on stderr how it was decided.", rich_help_panel=SHOW)
    ] = False,
) -> None:
    """Render a prompt; with -x, send it and stream the answer.

    The prompt's own params are flags too: aix run NAME --help shows them.
    """
    if timeout is not None and timeout <= 0:
        raise UsageError("--timeout must be a number of seconds above 0")
    shell: Shell = ctx.obj
    options = {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p, "seed": seed}
    order = Order(provider, model, {**options, "stop": tuple(stop) if stop else None}, stream, timeout)
    session = _Session(shell, ctx.meta[CHOSEN], order, View(output, as_json, usage, raw, debug))
    session.render(given(ctx, param or (), param_file, words or ()), system, commands=not disable_commands)
    wanted = shell.app.settings.get("execute").value if execute is None else execute
    if show_request:
        session.show_request()
    elif dry_run or not wanted:
        session.show_rendering(dry_run=dry_run, unused=_only_when_sending(ctx), asked=bool(execute))
    else:
        session.send()


class _Session:
    """One call of `aix run`, step by step."""

    def __init__(self, shell: Shell, chosen: Chosen, order: Order, view: View) -> None:
        self._app = shell.app
        self._console = shell.console
        self._prompt = chosen.prompt
        self._template = chosen.template
        self._params = chosen.template.params
        self._order = order
        self._view = view
        self._run = Run(chosen.prompt.name, chosen.template.digest)
        shell.app.run = self._run
        self._debug(f"prompt {chosen.prompt.place} ({chosen.prompt.layer or 'stdin'}), {self._run.digest}")

    def render(self, values: Given, system: str | None, *, commands: bool) -> None:
        """Fill in the values, and keep the messages."""
        app, inferred = self._app, self._prompt.params is None
        person = self._console.person_is_there and not self._view.as_json
        found = resolve(self._params, values, Sources(Stdin(), app.cwd, self._ask if person else None))
        if not inferred:
            found |= {param.name: param.empty for param in self._params if param.name not in found}
        allowed = commands and app.settings.get("commands_enabled").value
        messages = self._template.render(found, app.surroundings(), commands=allowed)
        self._run.messages = messages if system is None else with_system(messages, system)

    def show_rendering(self, *, dry_run: bool, unused: list[str], asked: bool) -> None:
        if self._view.as_json:
            self._console.json(report.succeeded(self._run))
        else:
            self._put(_as_text(self._run))
        if dry_run:
            self._say_what_would_be_sent()
        if dry_run and asked:
            self._console.note("rendered, not sent; leave out --dry-run to send")
            return
        idle = f" ({', '.join(unused)} {'matters' if len(unused) == 1 else 'matter'} only then)" if unused else ""
        self._console.note(f"rendered, not sent; add -x to send{idle}")

    def show_request(self) -> None:
        """Print the HTTP request exactly, but for the key."""
        exchange = self._exchange(need_key=False)
        body = exchange.call.content.decode()
        address = exchange.url if exchange.call.path else "(echo answers itself; nothing is sent)"
        if self._view.as_json:
            shown = {"method": exchange.call.method, "url": address, "headers": exchange.masked_headers}
            self._console.json({**shown, "body": exchange.call.body})
            return
        headers = "".join(f"{name}: {value}\n" for name, value in exchange.masked_headers.items())
        self._put(f"{exchange.call.method} {address}\n{headers}\n{body}\n")

    def send(self) -> None:
        """Send the request and hand on the answer as it comes."""
        exchange = self._exchange(need_key=True)
        try:
            with self._destination() as write:
                self._console.progress(f"waiting for {exchange.provider.name}:{exchange.model}")
                self._stream(exchange, write)
        finally:
            self._say_usage()
        if self._view.as_json:
            self._console.json(report.succeeded(self._run))

    def _stream(self, exchange: Exchange, write: Callable[[str], None]) -> None:
        thinking = False
        for event in self._app.runner.send(self._run, exchange):
            if isinstance(event, ReasoningDelta) and self._console.stderr_is_terminal:
                thinking = True
                self._console.dim(event.text)
            elif isinstance(event, TextDelta):
                if thinking:
                    self._console.dim("\n\n")
                    thinking = False
                write(event.text)
        for call in self._run.response.tool_calls:
            write(f"{call.name} {call.arguments}\n")

    def _exchange(self, *, need_key: bool) -> Exchange:
        runner, prompt = self._app.runner, self._prompt
        if not self._run.messages:
            raise UsageError(f"'{prompt.name}' renders to nothing, so there is nothing to send")
        target = runner.choose(self._order, prompt.model)
        self._run.target = target
        key = runner.key(target.provider) if need_key or runner.usable(target.provider) else None
        if key is None and not target.provider.keyless and not target.provider.key_optional:
            self._console.warn(f"there is no key for {target.provider.name} yet, so none is shown")
        request = runner.request(target, self._run.messages, self._order, prompt)
        exchange = runner.exchange(target, request, self._order, key=key)
        self._debug(f"{target.provider.name}:{target.model}, key from {key.source if key else 'nowhere'}")
        self._debug(f"{exchange.call.method} {exchange.url if exchange.call.path else ''} {exchange.masked_headers}")
        return exchange

    @contextmanager
    def _destination(self) -> Iterator[Callable[[str], None]]:
        """Where the text of the answer goes, piece by piece."""
        if self._view.output is not None:
            with self._file(self._view.output):
                yield _nowhere
        elif self._view.as_json:
            yield _nowhere
        else:
            drawn = self._prompt.output.format == "markdown" and not self._view.raw
            with self._console.answer("markdown" if drawn else "exact") as write:
                yield write

    @contextmanager
    def _file(self, output: str) -> Iterator[None]:
        """Keep the whole answer in the file, or what came of it beside the file."""
        answer = Answer(self._app.cwd / Path(output).expanduser())
        try:
            yield
        except BaseException:
            if partial := answer.keep_partial(self._run.response.text):
                self._console.note(f"what came is in {partial}")
            raise
        answer.keep(self._run.response.text)

    def _put(self, text: str) -> None:
        if self._view.output is not None:
            Answer(self._app.cwd / Path(self._view.output).expanduser()).keep(text)
            return
        with self._console.answer("exact") as write:
            write(text)

    def _ask(self, param: Any) -> str:
        return ask.value(param, self._app.env, self._app.settings.get("editor").value)

    def _say_what_would_be_sent(self) -> None:
        runner = self._app.runner
        target = runner.choose(self._order, self._prompt.model)
        request = runner.request(target, self._run.messages, self._order, self._prompt)
        tokens = sum(estimate_tokens(message.text) for message in request.messages)
        longest = f"at most {request.max_tokens} out" if request.max_tokens else "no limit set on the answer"
        where = f" at {target.provider.base_url}" if target.provider.base_url else ""
        self._console.note(f"would ask {target.provider.name}:{target.model}{where}")
        self._console.note(f"about {tokens} tokens in (estimated), {longest}; unpriced")

    def _say_usage(self) -> None:
        finish, target = self._run.response.finish, self._run.target
        if not (self._view.usage or self._console.stderr_is_terminal) or finish is None or target is None:
            return
        said = [f"{target.provider.name}:{finish.model or target.model}"]
        if usage := finish.usage:
            cached = f" ({usage.cache_read_tokens} cached)" if usage.cache_read_tokens else ""
            reasoned = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
            said.append(f"{usage.input_tokens} tokens in{cached}, {usage.output_tokens} out{reasoned}")
        said.append(f"{sum(attempt.seconds for attempt in self._run.attempts):.1f} s")
        self._console.note(" · ".join(said))

    def _debug(self, text: str) -> None:
        if self._view.debug:
            self._console.note(f"debug: {text}")


def _as_text(run: Run) -> str:
    """One message as it is; several under a heading each."""
    said = report.messages(run.messages)
    if len(said) == 1:
        return said[0]["content"]
    return "\n\n".join(f"## {message['role']}\n\n{message['content']}" for message in said) + ("\n" if said else "")


def _only_when_sending(ctx: typer.Context) -> list[str]:
    """The flags that were given and change nothing until the prompt is sent."""
    sending = (
        "provider",
        "model",
        "stream",
        "max_tokens",
        "temperature",
        "top_p",
        "stop",
        "seed",
        "timeout",
        "usage",
        "raw",
    )
    return [f"--{name.replace('_', '-')}" for name in sending if ctx.params.get(name) not in (None, "", False, [], ())]


def _nowhere(_: str) -> None:
    """The text is kept by the run itself."""
