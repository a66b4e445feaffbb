"""One run on its way: who is asked, what is sent, and the answer as it comes; all of it stands in the log."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from aix.cached import cached_property
from aix.errors import UsageError
from aix.library.prompt import Prompt
from aix.llm.exchange import Exchange
from aix.llm.routing import Route, Target
from aix.messages import Event, Message, Request
from aix.runs.run import Order, Run, Wanted

if TYPE_CHECKING:
    from aix.config.secrets import Key
    from aix.runs.fitting import Fitted
    from aix.runs.gate import Gate
    from aix.runs.recorder import Recorder
    from aix.runs.rerun import Repeats
    from aix.runs.runner import Runner

SHORTEST = 0.1
"""The seconds that a correction is given where no time is left."""


class Revisions(Protocol):
    def revision(self, prompt: Prompt) -> str: ...


class Parts(Protocol):
    """What a run is sent with, each made when it is needed."""

    @property
    def prompts(self) -> Revisions: ...
    @property
    def runner(self) -> "Runner": ...
    @property
    def repeats(self) -> "Repeats": ...
    def recorder(self, order: Order, *, private: bool) -> "Recorder": ...
    def gate(self, prompt: Prompt, wanted: Wanted) -> "Gate": ...


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told in a sentence: `note` of what happens, `progress` of whom is waited for, `debug` of what is asked."""

    note: Callable[[str], None] = _silent
    progress: Callable[[str], None] = _silent
    debug: Callable[[str], None] = _silent


class Sending:
    """Sends one run, whose messages are there by the time they are needed; `prompt` says what else is asked for."""

    def __init__(self, parts: Parts, prompt: Prompt, run: Run, order: Order, told: Told = Told()) -> None:
        self._parts = parts
        self._prompt = prompt
        self._run = run
        self._order = order
        self._told = told
        self._wanted = Wanted()

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._run.messages

    def want(self, wanted: Wanted) -> None:
        """Say what the answer must be; what is wrong with that is known before anything is asked or sent."""
        self._wanted = wanted
        if wanted != Wanted():
            _ = self.gate

    @cached_property
    def gate(self) -> "Gate":
        """What the answer must pass."""
        return self._parts.gate(self._prompt, self._wanted)

    def route(self) -> Route:
        """Who may be asked; chosen once. Raises NotFoundError, AuthError or RefusedError."""
        if self._run.route is None:
            found = self._run.route = self._parts.runner.route(self._order, self._prompt, self._run.messages)
            self._run.target = found.targets[0]
            for said in (*found.steps, *(f"not {out.name}: {out.why}" for out in found.out)):
                self._told.debug(said)
        return self._run.route

    def target(self) -> Target:
        """Who is asked first."""
        return self.route().targets[0]

    def refuse_nothing(self) -> None:
        """Raise UsageError where there is nothing to say."""
        if not self._run.messages:
            raise UsageError(f"'{self._prompt.name}' renders to nothing, so there is nothing to send")

    def request(self, target: Target, more: tuple[Message, ...] = ()) -> Request:
        """What is asked of a target, with some messages more at the end."""
        prompt = self._prompt
        if schema := self.gate.schema:
            prompt = replace(prompt, output=replace(prompt.output, schema=schema.document))
        return self._parts.runner.request(target, (*self._run.messages, *more), self._order, prompt)

    def capped(self, target: Target, more: tuple[Message, ...] = ()) -> "Fitted":
        """The same as its model takes it, with an answer no longer than the run may cost."""
        return self._parts.runner.capped(target, self.request(target, more), self._order, self._run)

    def exchange(self, target: Target, fit: "Fitted", key: "Key | None") -> Exchange:
        """The same as it goes over the wire. Nothing is sent by this."""
        exchange = self._parts.runner.exchange(target, fit, self._order, key=key)
        source = f"key from {key.source}" if key else "no key"
        self._told.debug(f"{target.name}, {source}, {exchange.timeout:g} s at most")
        self._told.debug(f"{exchange.call.method} {exchange.url if exchange.call.path else '(no network)'}")
        for name, value in exchange.masked_headers.items():
            self._told.debug(f"{name}: {value}")
        return exchange

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep what comes of the run in the log; a failure that may pass tells how to send it again from there."""
        self._recorder = self._parts.recorder(self._order, private=self._run.private)
        self._run.revision = self._run.revision or self._parts.prompts.revision(self._prompt)
        try:
            yield
        except BaseException as error:
            self._recorder.end(self._run, error)
            self._parts.repeats.propose(error, self._run, self._prompt)
            raise
        self._recorder.end(self._run, None)

    def events(self) -> Generator[Event, None, None]:
        """All that comes, while the run is `recorded`. Where the gate holds, that is for nobody to see before the end:
        it may be an answer that is asked for once more. Raises AixError, after the last event if need be."""
        ends = time.monotonic() + self._parts.runner.seconds(self._order, self.route().targets)

        def ask_again(more: tuple[Message, ...]) -> Iterator[Event]:
            self._run.route = Route((self._run.asked,))  # a correction is for who made the mistake
            return self._sent(lambda target: replace(self._ask(target, more), timeout=_left(ends)))

        yield from self._sent(self._ask)
        if self.gate.holds:
            yield from self.gate.settle(self._run, ask_again, self._told.note)

    def _sent(self, ask: Callable[[Target], Exchange]) -> Generator[Event, None, None]:
        return self._parts.runner.send(self._run, self._order, ask)

    def _ask(self, target: Target, more: tuple[Message, ...] = ()) -> Exchange:
        """What is sent to a target; it stands in the log before it is."""
        key = self._parts.runner.keys.best(target.provider)
        request = self.request(target, more)
        fit = self.capped(target, more)
        if not more:
            self._parts.repeats.keep(self._run, request, self._order, self._prompt, self._wanted)
        exchange = self.exchange(target, fit, key)
        self._recorder.begin(self._run, fit.estimate(request.max_tokens))
        later = "; the answer is shown once it is whole" if self.gate.holds else ""
        self._told.progress(f"waiting for {target.name}{' to correct its answer' if more else later}")
        return exchange


def _left(ends: float) -> float:
    return max(SHORTEST, ends - time.monotonic())
