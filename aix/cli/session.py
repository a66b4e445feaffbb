"""One call of `aix run`, step by step: render, choose, send, and show what comes of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aix.app import Chosen
from aix.cli import ask, report
from aix.cli.figures import dollars, price_of, without_base64
from aix.cli.options import Shell
from aix.cli.pick import choose_way
from aix.cli.streams import Stdin
from aix.config.files import Answer
from aix.config.paths import in_home
from aix.config.secrets import Key, without_keys
from aix.errors import AuthError, UsageError
from aix.library.arguments import Given, Sources, resolve
from aix.library.filters import fenced
from aix.library.prompt import Param
from aix.llm.exchange import Exchange
from aix.llm.routing import Target
from aix.messages import Message, Part, ReasoningDelta, Request, TextDelta, letters, with_system
from aix.runs.attachments import attached, with_attachments
from aix.runs.run import Order, Run, Wanted

if TYPE_CHECKING:
    from aix.runs.gate import Gate


@dataclass(frozen=True, slots=True)
class View:
    """How a run is shown: where the answer goes and what is said beside it."""

    output: str | None
    as_json: bool
    usage: bool
    raw: bool
    debug: bool


class Session:
    """One call of `aix run`."""

    def __init__(self, shell: Shell, chosen: Chosen, order: Order, view: View) -> None:
        self._app = shell.app
        self._console = shell.console
        self._prompt = chosen.prompt
        self._template = chosen.template
        self._params = chosen.template.params
        self._order = order
        self._view = view
        self._attached: tuple[Part, ...] = ()
        self._wanted = Wanted()
        self._key: Key | None = None
        self._run = Run(chosen.prompt.name, chosen.template.digest)
        self.answers: list[tuple[Param, str]] = []
        """What a person was asked for, and gave."""
        shell.app.run = self._run
        self._debug(f"prompt {chosen.prompt.place} ({chosen.prompt.layer or 'stdin'}), {self._run.digest}")

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._run.messages

    def want(self, wanted: Wanted) -> None:
        """Say what the answer must be; what is wrong with that is known before anything is asked or sent."""
        self._wanted = wanted
        if wanted != Wanted():
            self._gate = self._app.gate(self._prompt, wanted)

    def attach(self, names: Sequence[str], stdin: Stdin) -> None:
        """Read what goes with the prompt, before anything else reads standard input."""
        self._attached = attached(names, lambda name: in_home(name, self._app.paths.home, self._app.cwd), stdin.take)

    def render(self, values: Given, system: str | None, stdin: Stdin, *, commands: bool) -> None:
        """Fill in the values, and keep the messages."""
        app, inferred = self._app, self._prompt.params is None
        person = self._console.person_is_there and not self._view.as_json
        found = resolve(self._params, values, Sources(stdin, app.cwd, self._ask if person else None))
        if not inferred:
            found |= {param.name: param.empty for param in self._params if param.name not in found}
        allowed = commands and app.settings.get("commands_enabled").value
        messages = self._template.render(found, app.surroundings(), commands=allowed)
        messages = messages if system is None else with_system(messages, system)
        self._run.messages = with_attachments(messages, self._attached)

    def wants_to_send(self, usual: bool) -> bool:
        """Ask what shall be done with the rendered prompt."""
        try:
            target = self._target(need_key=False)
        except AuthError:
            self._console.note("there is nobody to send it to yet; aix init sets a provider up")
            return False
        return choose_way(f"{target.provider.name}:{target.model}", sending=usual)

    def show_rendering(self) -> None:
        self._show(_as_text(self._run), {})

    def show_dry_run(self) -> None:
        """The rendering, and who would be asked for what."""
        if self._view.as_json:  # first, as it may be an error, and only one object may be printed
            self._say_what_would_be_sent()
            self.show_rendering()
        else:
            self.show_rendering()
            self._say_what_would_be_sent()

    def show_request(self) -> None:
        """Print the HTTP request exactly, but for the key."""
        exchange = self._exchange(need_key=False)
        call, headers = exchange.call, exchange.masked_headers
        address = exchange.url if call.path else "(echo answers itself; nothing is sent)"
        shown = "".join(f"{name}: {value}\n" for name, value in headers.items())
        request = {"method": call.method, "url": address, "headers": headers, "body": call.body}
        body = call.content.decode()
        body = without_base64(body) if self._console.stdout_is_terminal and self._view.output is None else body
        self._show(f"{call.method} {address}\n{shown}\n{body}\n", {"request": request})

    def say_not_sent(self, how: str, idle: list[str]) -> None:
        """The last line of everything that is not sent; `idle` are flags that were given for nothing."""
        matter = f" ({', '.join(idle)} {'matters' if len(idle) == 1 else 'matter'} only then)" if idle else ""
        self._console.note(f"rendered, not sent; {how}{matter}")

    def send(self) -> None:
        """Send the request and hand on the answer as it comes."""
        exchange = self._exchange(need_key=True)
        try:
            with self._destination() as write:
                later = "; the answer is shown once it is whole" if self._gate.holds else ""
                self._console.progress(f"waiting for {exchange.provider.name}:{exchange.model}{later}")
                (self._hold if self._gate.holds else self._stream)(exchange, write)
                self._gate.check(self._run)
        except KeyboardInterrupt:
            if self._console.stderr_is_terminal and self._run.response.text:
                self._console.note("stopped; this is not the whole answer")
            raise
        finally:
            self._say_usage()
        if self._view.as_json:
            self._console.json(report.succeeded(self._run))

    def _stream(self, exchange: Exchange, write: Callable[[str], None]) -> None:
        with self._aside() as aside:
            for event in self._app.runner.send(self._run, exchange):
                if isinstance(event, ReasoningDelta):
                    aside(event.text)
                elif isinstance(event, TextDelta):
                    aside("")
                    write(event.text)
        if calls := "".join(f"{call.name} {call.arguments}\n" for call in self._run.response.tool_calls):
            gap = "" if self._run.response.text[-1:] in ("", "\n") else "\n"
            write(f"{gap}\n{fenced(calls)}\n" if self._draws else f"{gap}{calls}")

    def _hold(self, exchange: Exchange, write: Callable[[str], None]) -> None:
        """Hand on nothing before it is known to be what is wanted, or that nothing better comes."""
        ends = time.monotonic() + exchange.timeout

        def ask_again(more: tuple[Message, ...]) -> None:
            request = self.request(self.target(), more)
            again = self._app.runner.exchange(self.target(), request, self._order, key=self._key)
            self._console.progress(f"waiting for {exchange.provider.name}:{exchange.model} to correct its answer")
            self._stream(replace(again, timeout=max(0.1, ends - time.monotonic())), _nowhere)

        try:
            self._stream(exchange, _nowhere)
            self._gate.settle(self._run, ask_again, self._console.note)
        finally:
            write(self._run.text)

    @contextmanager
    def _aside(self) -> Iterator[Callable[[str], None]]:
        """A function that takes the model's reasoning for a terminal; "" ends its paragraph."""
        open_ = False

        def aside(text: str) -> None:
            nonlocal open_
            if text and self._console.stderr_is_terminal:
                self._console.dim(text)
                open_ = True
            elif open_:
                self._console.dim("\n\n")
                open_ = False

        try:
            yield aside
        finally:
            aside("")

    def request(self, target: Target, more: tuple[Message, ...] = ()) -> Request:
        """What is asked of a target, with some messages more at the end."""
        prompt = self._prompt
        if schema := self._gate.schema:
            prompt = replace(prompt, output=replace(prompt.output, schema=schema.document))
        return self._app.runner.request(target, (*self._run.messages, *more), self._order, prompt)

    @property
    def _draws(self) -> bool:
        """Whether the answer is drawn as Markdown."""
        exact = self._view.raw or self._view.as_json or self._view.output is not None or self._gate.holds
        return self._prompt.output.format == "markdown" and not exact and self._console.draws

    @cached_property
    def _gate(self) -> "Gate":
        return self._app.gate(self._prompt, self._wanted)

    def _exchange(self, *, need_key: bool) -> Exchange:
        runner, prompt = self._app.runner, self._prompt
        if not self._run.messages:
            raise UsageError(f"'{prompt.name}' renders to nothing, so there is nothing to send")
        target = self._target(need_key=need_key)
        key = self._key = runner.key(target.provider) if need_key or runner.usable(target.provider) else None
        exchange = runner.exchange(target, self.request(target), self._order, key=key)
        source = f"key from {key.source}" if key else "no key"
        self._debug(f"{target.provider.name}:{target.model}, {source}, {exchange.timeout:g} s at most")
        self._debug(f"{exchange.call.method} {exchange.url if exchange.call.path else '(no network)'}")
        for name, value in exchange.masked_headers.items():
            self._debug(f"{name}: {value}")
        return exchange

    def target(self) -> Target:
        """Who is asked; chosen once. Raises NotFoundError or AuthError."""
        if self._run.target is None:
            self._run.target = self._app.runner.choose(self._order, self._prompt.model)
        return self._run.target

    def _target(self, *, need_key: bool) -> Target:
        known, target = self._run.target, self.target()
        if not (need_key or known) and not self._app.runner.usable(target.provider):
            name = target.provider.name
            self._console.warn(f"there is no key for {name} yet; to save one: aix api-key {name}")
        return target

    @contextmanager
    def _destination(self) -> Iterator[Callable[[str], None]]:
        """Where the text of the answer goes, piece by piece."""
        if self._view.output is not None:
            with self._file(self._view.output) as write:
                yield write
        elif self._view.as_json:
            yield _nowhere
        else:
            with self._console.answer("markdown" if self._draws else "exact") as write:
                yield write

    @contextmanager
    def _file(self, output: str) -> Iterator[Callable[[str], None]]:
        """Keep the whole answer in the file, or what came of it beside the file."""
        answer, pieces = self._answer(output), list[str]()
        try:
            yield pieces.append
        except BaseException:
            if partial := answer.keep_partial(letters("".join(pieces))):
                self._console.note(f"what came is in {partial}")
            raise
        answer.keep(letters("".join(pieces)))

    def _answer(self, output: str) -> Answer:
        return Answer(in_home(output, self._app.paths.home, self._app.cwd))

    def _show(self, text: str, more: dict[str, Any]) -> None:
        """What was made without sending: as text, or with `--json` as the object of a run and `more`."""
        if self._view.output is not None:
            self._answer(self._view.output).keep(letters(text))
        if self._view.as_json:
            self._console.json(report.succeeded(self._run, more))
        elif self._view.output is None:
            with self._console.answer("exact") as write:
                write(text)

    def _ask(self, param: Param) -> str:
        env = without_keys(self._app.env, self._app.known_secrets())
        if param.stdin:
            self._console.note(f"nothing is piped in; a pipe fills it too: COMMAND | aix run {self._prompt.name}")
        text = ask.value(param, env, self._app.settings.get("editor").value)
        self.answers.append((param, text))
        return text

    def _say_what_would_be_sent(self) -> None:
        target = self._target(need_key=False)
        fit = self._app.runner.fitted(target, self.request(target))
        longest = f"at most {fit.longest} out" if fit.longest else "no limit set on the answer"
        cost = price_of(fit.cost(fit.tokens, 0), fit.cost(fit.tokens, fit.longest), exact=False)
        where = f" at {target.provider.base_url}" if target.provider.base_url else ""
        self._console.note(f"would ask {target.provider.name}:{target.model}{where}")
        self._console.note(f"about {fit.tokens} tokens in (estimated), {longest}; {cost}")

    def _say_usage(self) -> None:
        finish, target = self._run.response.finish, self._run.target
        if not (self._view.usage or self._console.stderr_is_terminal) or finish is None or target is None:
            return
        said = [f"{target.provider.name}:{finish.model or target.model}"]
        if (usage := self._run.usage) and (usage.input_tokens or usage.output_tokens):
            cached = f" ({usage.cache_read_tokens} cached)" if usage.cache_read_tokens else ""
            reasoned = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
            said.append(f"{usage.input_tokens} tokens in{cached}, {usage.output_tokens} out{reasoned}")
            cost = self._run.cost
            said.append("unpriced" if cost is None else dollars(cost, exact=self._run.cost_is_reported))
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


def _nowhere(_: str) -> None:
    """The text is kept by the run itself."""
