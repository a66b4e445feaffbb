"""What happens to messages: who is asked is chosen, they are shown or sent, and what comes of it is handed on."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from aix.cli import report
from aix.cli.figures import price_of, without_base64
from aix.cli.options import Shell
from aix.cli.order import View
from aix.cli.pick import choose_way
from aix.cli.usage_line import usage_line
from aix.config.files import Answer
from aix.config.paths import in_home
from aix.errors import AuthError
from aix.library.prompt import Prompt
from aix.library.templates.filters import fenced
from aix.llm.routing import Target
from aix.messages import Finish, ReasoningDelta, TextDelta, letters
from aix.runs.run import Order, Run
from aix.runs.sending import Sending, Told


class Session:
    """One run. `run` has its messages by the time when they are shown or sent; `prompt` says what else is asked for."""

    def __init__(self, shell: Shell, prompt: Prompt, run: Run, order: Order, view: View) -> None:
        self._app = shell.app
        self._console = shell.console
        self._prompt = prompt
        self._run = run
        self._view = view
        shell.app.run = run
        told = Told(shell.console.note, shell.console.progress, self._debug)
        self.sending = Sending(shell.app, prompt, run, order, told)
        self._debug(f"prompt {prompt.place} ({prompt.layer or 'stdin'}), {run.digest}")

    def wants_to_send(self, usual: bool) -> bool:
        """Ask what shall be done with the rendered prompt."""
        try:
            target = self._target(need_key=False)
        except AuthError:
            self._console.note("there is nobody to send it to yet; aix init sets a provider up")
            return False
        return choose_way(target.name, sending=usual)

    def show_rendering(self) -> None:
        self._show(report.as_text(self._run.messages), {})

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
        target = self._target(need_key=False)
        self.sending.refuse_nothing()
        keys = self._app.runner.keys
        key = keys.best(target.provider) if keys.usable(target.provider) else None
        exchange = self.sending.exchange(target, self.sending.capped(target), key)
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
        self._target(need_key=True)
        self.sending.refuse_nothing()
        with self.sending.recorded():
            self._send()
        if self._view.as_json:
            self._console.json(report.succeeded(self._run))

    def _send(self) -> None:
        try:
            with self._destination() as write:
                (self._hold if self._holds else self._stream)(write)
                self.sending.gate.check(self._run)
        except KeyboardInterrupt:
            if self._console.stderr_is_terminal and self._run.response.text:
                self._console.note("stopped; this is not the whole answer")
            raise
        finally:
            self._say_usage()

    def _stream(self, write: Callable[[str], None]) -> None:
        events = self.sending.events()
        with self._aside() as aside, closing(events):  # what was sent is noted even when nobody reads on
            for event in events:
                match event:
                    case ReasoningDelta(text):
                        aside(text)
                    case TextDelta(text):
                        aside("")
                        write(text)
                    case Finish():
                        aside("")
        if calls := "".join(f"{call.name} {call.arguments}\n" for call in self._run.response.tool_calls):
            gap = "" if self._run.response.text[-1:] in ("", "\n") else "\n"
            write(f"{gap}\n{fenced(calls)}\n" if self._draws else f"{gap}{calls}")

    def _hold(self, write: Callable[[str], None]) -> None:
        """Hand on nothing before it is known to be what is wanted, or that nothing better comes."""
        try:
            self._stream(_nowhere)
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

    @property
    def _draws(self) -> bool:
        """Whether the answer is drawn as Markdown."""
        exact = self._view.raw or self._view.as_json or self._view.output is not None or self._holds
        return self._prompt.output.format == "markdown" and not exact and self._console.draws

    @property
    def _holds(self) -> bool:
        return self.sending.gate.holds

    def _target(self, *, need_key: bool) -> Target:
        known, target = self._run.route, self.sending.target()
        if not (need_key or known) and not self._app.runner.keys.usable(target.provider):
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

    def _say_what_would_be_sent(self) -> None:
        target = self._target(need_key=False)
        fit = self.sending.capped(target)
        longest = f"at most {fit.longest} out" if fit.longest else "no limit set on the answer"
        cost = price_of(fit.cost(fit.tokens, 0), fit.cost(fit.tokens, fit.longest), exact=False)
        where = f" at {target.provider.base_url}" if target.provider.base_url else ""
        self._console.note(f"would ask {target.name}{where}")
        if others := ", then ".join(other.name for other in self.sending.route().targets[1:]):
            self._console.note(f"then, if that fails: {others}")
        self._console.note(f"about {fit.tokens} tokens in (estimated), {longest}; {cost}")

    def _say_usage(self) -> None:
        wanted = self._view.usage or self._console.stderr_is_terminal
        if wanted and (line := usage_line(self._run)):
            self._console.note(line)

    def _debug(self, text: str) -> None:
        if self._view.debug:
            self._console.note(f"debug: {text}")


def _nowhere(_: str) -> None:
    """The text is kept by the run itself."""
