"""Where a prompt meets a model: choose, encode, send, and judge whether the answer is whole."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aix.config.secrets import Key
from aix.config.settings import Settings
from aix.errors import AixError, IncompleteError
from aix.library.prompt import Prompt
from aix.llm.catalogue import Catalogue, Model
from aix.llm.clock import Clock
from aix.llm.deadlines import deadlines
from aix.llm.exchange import Exchange
from aix.llm.money import dollars
from aix.llm.naming import Known
from aix.llm.ordering import alone, arranged, nobody_fits
from aix.llm.protocols import UNCARRIED, counter, longest, protocol
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Candidates, Route, Target, no_key
from aix.llm.selection import candidates
from aix.llm.wire import Call, parsed
from aix.messages import Event, Message, Request
from aix.runs.alternatives import blind, name_models
from aix.runs.cap import Cap
from aix.runs.facts import Explained, Past, facts_of
from aix.runs.failover import Failover, triggers
from aix.runs.fitting import OPTIONS, Fitted, fitted, unseen
from aix.runs.judgement import judge
from aix.runs.keys import Keys
from aix.runs.run import Order, Run
from aix.runs.spent import spent
from aix.runs.wish import policy_of, wish_of

if TYPE_CHECKING:
    from aix.llm.client import Client
    from aix.runs.recorder import Recorder


class Runner:
    """`warn` is told, in a sentence, what the user should know and did not ask. `client` and `catalogue` are made when
    they are needed; `project` is what the project sets."""

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        client: "Callable[[], Client]",
        env: Mapping[str, str],
        warn: Callable[[str], None],
        catalogue: Callable[[], Catalogue] = lambda: Catalogue(()),
        clock: Clock | None = None,
        past: Past | None = None,
        project: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._client = client
        self._warn = warn
        self._catalogue = catalogue
        self._clock = clock or Clock()
        self._past = past or Past()
        self._project = project
        self.keys = Keys(settings, env, warn)
        self._said: set[str] = set()

    def choose(self, order: Order, prompt_model: str) -> Target:
        """The provider and the model that are asked first. Raises NotFoundError or AuthError."""
        return self.route(order, Prompt("", "", "", model=prompt_model)).targets[0]

    def route(self, order: Order, prompt: Prompt, messages: tuple[Message, ...] = ()) -> Route:
        """Whom this run will ask, in this order, as far as its messages are known. Raises NotFoundError, AuthError or
        RefusedError."""
        explained = self.explained(order, prompt, messages)
        if not explained.route.targets and explained.error:
            raise explained.error
        if note := explained.route.targets[0].note:
            self._warn(note)
        return explained.route

    def explained(self, order: Order, prompt: Prompt, messages: tuple[Message, ...] = ()) -> Explained:
        """Whom this run will ask, in this order, and what stands in the way of it."""
        try:
            found = self.candidates(order, prompt)
        except AixError as error:
            return Explained(Route(()), error=error)
        self._say_once(*found.notes)
        request = self.request(found.groups[0].targets[0], messages, order, prompt)
        facts = facts_of(request, found, self._catalogue(), self._past)
        route = alone(arranged(found, replace(facts, cooling=lambda _: ""))) if order.alone else arranged(found, facts)
        return Explained(route, found.groups[0].strategy, self._hindrance(route))

    def _hindrance(self, route: Route) -> AixError | None:
        """What a run of a route would end with before it sends anything."""
        if not route.targets:
            return nobody_fits(route)
        usable = any(self.keys.usable(target.provider) for target in route.targets)
        return None if usable else no_key(route.targets[0].provider)

    def candidates(self, order: Order, prompt: Prompt) -> Candidates:
        """Everybody whom this run may ask. Raises NotFoundError, AuthError or RefusedError."""
        wish = wish_of(order, prompt, self._settings, self._project())
        return candidates(wish, Known(self._providers, self._catalogue, self.keys.usable, self._listens))

    def request(self, target: Target, messages: tuple[Message, ...], order: Order, prompt: Prompt) -> Request:
        """The request: a flag wins over the prompt, the prompt over the settings."""
        options = {name: self._option(name, order.options, prompt.options) for name in OPTIONS}
        given = {name: value for name, value in options.items() if value is not None}
        return Request(target.model, messages, schema=prompt.output.schema, **given)

    def fitted(self, target: Target, request: Request) -> Fitted:
        """The request as its model takes it; what had to change is said, once. Raises UsageError for what it cannot
        see."""
        provider = target.provider
        model = self._model(target)
        if lacking := unseen(request, model, UNCARRIED[provider.protocol]):
            raise blind(target, lacking, self._catalogue())
        fit = fitted(request, provider, protocol(provider.protocol).UNSAID, model, self._clock.today)
        self._say_once(*fit.notes)
        return replace(fit, cut=longest(provider.protocol, fit.request, fit.dialect))

    def capped(self, target: Target, request: Request, order: Order, run: Run) -> Fitted:
        """Like `fitted`, with an answer no longer than the run's `max_cost` pays for. Raises RefusedError."""
        most, fit = self._max_cost(order), self.fitted(target, request)
        if most is None:
            return fit
        cap = Cap(most, spent(run).cost or Decimal())
        tokens = cap.cut(target, fit)
        if tokens is None:
            return fit
        cut = self.fitted(target, replace(request, max_tokens=tokens))
        cap.check(target, cut)
        self._say_once(f"an answer by {target.name} is cut at {tokens} tokens, as it may cost {dollars(most)} at most")
        return cut

    @contextmanager
    def recorded(self, run: Run, request: Request, recorder: "Recorder") -> Iterator[None]:
        """Have a run in the log while its one request is sent, and after that."""
        run.price = self._model(run.asked).price
        with recorder.recording(run):
            recorder.begin(run, self.fitted(run.asked, request).estimate(request.max_tokens))
            yield

    def exchange(self, target: Target, fit: Fitted, order: Order, *, key: Key | None) -> Exchange:
        """The request as it goes over the wire. Nothing is sent by this."""
        stream = self._settings.get("stream").value if order.stream is None else order.stream
        call = protocol(target.provider.protocol).encode(fit.request, fit.dialect, stream=stream)
        return replace(self._asking(target, call, order, key), stream=stream)

    def send(self, run: Run, order: Order, ask: Callable[[Target], Exchange]) -> Generator[Event, None, None]:
        """The events of the answer, of the first target of the run's route that gives one; `ask` makes what is sent to
        each. Raises AixError when it is not a whole one: after the last event, if need be."""
        run.executed = True
        targets = run.route.targets if run.route else (run.asked,)

        def exchange_of(target: Target) -> Exchange:
            run.target, run.price = target, self._model(target).price
            return ask(target)

        try:
            events = self._failover(order).events(run, targets, exchange_of, self.seconds(order, targets))
            yield from run.collector.passing(events)
        except AixError as error:
            if not run.response.text:
                name_models(error, run.asked, self._catalogue())
                raise
            raise IncompleteError(
                f"the answer broke off: {error.message}",
                cause=error.cause,
                hint=error.hint,
                reason=error.reason,
                request_id=error.request_id,
                status=error.status,
            ) from error
        judge(run.response, run.asked.provider.name)

    def count(self, target: Target, fit: Fitted, order: Order, *, key: Key | None) -> int | None:
        """How many tokens the provider itself counts; None where it has no way to say. Raises AixError."""
        provider = target.provider
        if not provider.counter:
            return None
        module = counter(provider.counter)
        exchange = self._asking(target, module.count(fit.request, fit.dialect), order, key)
        ends = self._clock.monotonic() + exchange.timeout
        while error := (reply := self._client().ask(exchange)).error:
            name_models(error, target, self._catalogue())
            exchange = self._failover(order).with_next_key(exchange, error, ends)
        return module.counted(parsed(reply.body, provider.name))

    def _asking(self, target: Target, call: Call, order: Order, key: Key | None) -> Exchange:
        """One question to a target, of which the answer comes in one piece."""
        provider = target.provider
        return Exchange(
            provider=provider,
            model=target.model,
            protocol=protocol(provider.protocol),
            call=call,
            key=key.secret if key else None,
            stream=False,
            timeout=self._timeout(order, provider),
            key_source=key.source if key else "",
            deadlines=deadlines(self._settings, provider, self._timeout(order, provider)),
        )

    def _failover(self, order: Order) -> Failover:
        policy = policy_of(order, self._settings)

        def failed(target: Target, error: AixError) -> None:
            if not policy.on.isdisjoint(triggers(error)):  # else it would be passed over for what is no reason to
                self._past.failed(target, error)

        return Failover(
            client=self._client,
            policy=policy,
            keys=self.keys.queue,
            window=lambda target: self._model(target).context,
            failed=failed,
            answered=self._past.answered,
            warn=self._warn,
            clock=self._clock,
        )

    def seconds(self, order: Order, targets: Sequence[Target]) -> float:
        """How long all targets together may take."""
        return max(self._timeout(order, target.provider) for target in targets)

    def _model(self, target: Target) -> Model:
        return self._catalogue().get(target.provider.name, target.model)

    def _listens(self, provider: Provider) -> bool:
        return self._client().listens(provider)

    def _timeout(self, order: Order, provider: Provider) -> float:
        """In seconds: the flag, the variable, the provider's own, the setting."""
        setting = self._settings.get("timeout")
        own = None if self._settings.variable_over("timeout") else provider.timeout
        return order.timeout or own or float(setting.value)

    def _max_cost(self, order: Order) -> Decimal | None:
        """In dollars: the flag, the setting."""
        setting = self._settings.get("max_cost").value
        return order.max_cost if order.max_cost is not None or setting is None else Decimal(str(setting))

    def _say_once(self, *notes: str) -> None:
        for note in notes:
            if note not in self._said:
                self._warn(note)
        self._said.update(notes)

    def _option(self, name: str, flags: Mapping[str, Any], prompt: Mapping[str, Any]) -> Any:
        for place in (flags, prompt):
            if place.get(name) is not None:
                return place[name]
        return self._settings.get(name).value if name in ("temperature", "top_p", "max_tokens") else None
