"""Where a prompt meets a model: choose, encode, send, and judge whether the answer is whole."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from aix.config.secrets import Key, find_keys, has_key
from aix.config.settings import Settings
from aix.errors import AixError, IncompleteError, NotFoundError, UsageError
from aix.library.prompt import Prompt
from aix.llm.catalogue import Catalogue
from aix.llm.exchange import Exchange
from aix.llm.protocols import UNCARRIED, counter, protocol
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Chooser, Target, Wish, no_key
from aix.llm.wire import Call, parsed
from aix.messages import Event, Message, Request
from aix.runs.fitting import OPTIONS, Fitted, fitted, unseen
from aix.runs.judgement import judge
from aix.runs.key_queue import KeyQueue, key_sources, turned_down
from aix.runs.run import Order, Run

if TYPE_CHECKING:
    from aix.llm.client import Client

NOTHING: frozenset[str] = frozenset()

UNABLE: Mapping[str, tuple[str, str]] = {
    "vision": ("images", "aix model list --vision"),
    "pdf": ("PDF files", "attach its text: pdftotext FILE - | aix run NAME -a -"),
}
"""What a model without a capability cannot read, and what to do then."""


class Runner:
    """`warn` is told, in a sentence, what the user should know and did not ask. `client` and `catalogue` are made when
    they are needed; `today` tells which models are retired."""

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        client: "Callable[[], Client]",
        env: Mapping[str, str],
        warn: Callable[[str], None],
        catalogue: Callable[[], Catalogue] = lambda: Catalogue(()),
        today: date | None = None,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._client = client
        self._env = env
        self._warn = warn
        self._catalogue = catalogue
        self._today = today
        self._key_queues: dict[str, KeyQueue] = {}
        self._said: set[str] = set()

    def choose(self, order: Order, prompt_model: str) -> Target:
        """The provider and the model that this run will ask. Raises NotFoundError or AuthError."""
        settings = self._settings
        wish = Wish(
            provider=order.provider,
            model=order.model,
            prompt_model=prompt_model,
            default_provider=settings.get("default_provider").value or "",
            default_model=settings.get("default_model").value or "",
            provider_defaults={
                key.removesuffix("_default_model"): str(value)
                for key, value in settings.data.items()
                if key.endswith("_default_model")
            },
            roles={name: value for name, value in settings.section("roles").items() if isinstance(value, str)},
        )
        target = Chooser(self._providers, wish, self.usable, self._listens).choose()
        if target.note:
            self._warn(target.note)
        return target

    def request(self, target: Target, messages: tuple[Message, ...], order: Order, prompt: Prompt) -> Request:
        """The request: a flag wins over the prompt, the prompt over the settings."""
        options = {name: self._option(name, order.options, prompt.options) for name in OPTIONS}
        given = {name: value for name, value in options.items() if value is not None}
        return Request(target.model, messages, schema=prompt.output.schema, **given)

    def fitted(self, target: Target, request: Request) -> Fitted:
        """The request as its model takes it; what had to change is said, once. Raises UsageError for what it cannot
        see."""
        provider = target.provider
        model = self._catalogue().get(provider.name, target.model)
        if lacking := unseen(request, model, UNCARRIED.get(provider.protocol, NOTHING)):
            raise self._blind(provider, target.model, lacking)
        fit = fitted(request, provider, protocol(provider.protocol).UNSAID, model, self._today)
        for note in fit.notes:
            if note not in self._said:
                self._warn(note)
        self._said.update(fit.notes)
        return fit

    def exchange(self, target: Target, request: Request, order: Order, *, key: Key | None) -> Exchange:
        """The request as it goes over the wire. Nothing is sent by this."""
        stream = self._settings.get("stream").value if order.stream is None else order.stream
        fit = self.fitted(target, request)
        call = protocol(target.provider.protocol).encode(fit.request, fit.dialect, stream=stream)
        return replace(self._asking(target, call, order, key), stream=stream)

    def send(self, run: Run, exchange: Exchange) -> Iterator[Event]:
        """The events of the answer. Raises AixError when it is not a whole one: after the last event, if need be."""
        run.executed = True
        run.price = self._catalogue().get(exchange.provider.name, exchange.model).price
        try:
            yield from run.collector.passing(self._events(run, exchange))
        except AixError as error:
            if not run.response.text:
                self._name_models(error, exchange)
                raise
            raise IncompleteError(
                f"the answer broke off: {error.message}",
                cause=error.cause,
                hint=error.hint,
                reason=error.reason,
                request_id=error.request_id,
                status=error.status,
            ) from error
        judge(run.response, exchange)

    def count(self, target: Target, request: Request, order: Order, *, key: Key | None) -> int | None:
        """How many tokens the provider itself counts; None where it has no way to say. Raises AixError."""
        provider = target.provider
        if not provider.counter:
            return None
        module, fit = counter(provider.counter), self.fitted(target, request)
        exchange = self._asking(target, module.count(fit.request, fit.dialect), order, key)
        while error := (reply := self._client().ask(exchange)).error:
            self._name_models(error, exchange)
            exchange = self._with_next_key(exchange, error, exchange.timeout)
        return module.counted(parsed(reply.body, provider.name))

    def usable(self, provider: Provider) -> bool:
        """Whether the provider needs no key, or has one. No key command is run to know that."""
        if provider.keyless or provider.key_optional:
            return True
        return has_key(key_sources(provider, self._settings, self._env), self._env)

    def key(self, provider: Provider) -> Key | None:
        """The provider's key; None when it takes none. Raises AuthError when it needs one and there is none."""
        if provider.keyless:
            return None
        key = self._key_queue(provider).best()
        if key is None and not provider.key_optional:
            raise no_key(provider)
        if key and key.source.endswith(".api_key"):
            self._warn(f"{key.source} holds a key; better: aix api-key custom:{provider.name}, or api_key_env")
        return key

    def keys(self, provider: Provider) -> list[Key]:
        """All of the provider's keys, best first. Raises AuthError when it needs one and there is none."""
        found = [] if provider.keyless else list(self._find_keys(provider))
        if not (found or provider.keyless or provider.key_optional):
            raise no_key(provider)
        return found

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
        )

    def _events(self, run: Run, exchange: Exchange) -> Iterator[Event]:
        """The events of the answer, within the time for all of it; each key is tried until one is not turned down."""
        best = self._key_queue(exchange.provider).best() if exchange.key else None
        exchange = replace(exchange, key=best.secret) if best else exchange
        ends, following = time.monotonic() + exchange.timeout, [exchange]
        while following:
            begun = False
            try:
                for event in self._client().events(following.pop(), run.attempts):
                    begun = True
                    yield event
            except AixError as error:
                if begun:
                    raise
                exchange = self._with_next_key(exchange, error, round(ends - time.monotonic(), 1))
                following.append(exchange)

    def _with_next_key(self, exchange: Exchange, error: AixError, seconds: float) -> Exchange:
        """The exchange with the key after the one that met an error. Raises the error where no other key would help."""
        queue, name = self._key_queue(exchange.provider), exchange.provider.name
        why, used = turned_down(error), queue.find(exchange.key)
        if not why or used is None or seconds <= 0:
            raise error
        other = queue.after(used)
        if other is None:
            raise queue.used_up(error)
        which = f"{other.source}, key {queue.number(other)}"
        self._warn(f"{name}: the key from {used.source} {why}; trying the next one ({which})")
        return replace(exchange, key=other.secret, timeout=seconds)

    def _key_queue(self, provider: Provider) -> KeyQueue:
        if provider.name not in self._key_queues:
            self._key_queues[provider.name] = KeyQueue(self._find_keys(provider))
        return self._key_queues[provider.name]

    def _blind(self, provider: Provider, model: str, lacking: str) -> UsageError:
        """The error for a model that cannot read what it would be sent, with some that can."""
        hopeless = lacking in UNCARRIED.get(provider.protocol, NOTHING)
        known = () if hopeless else self._catalogue().of(provider.name)
        able = [other for other in known if lacking in other.capabilities]
        usual = (provider.default_model, *provider.roles.values())
        able.sort(key=lambda other: (other.id not in usual, bool(other.retires)))
        names = ", ".join(f"{provider.name}:{other.id}" for other in able[:3])
        said, way_out = UNABLE[lacking]
        hints = [f"these can: {names}", way_out] if names else [way_out]
        return UsageError(f"{provider.name}:{model} cannot read {said}", hint="\n".join(hints))

    def _name_models(self, error: AixError, exchange: Exchange) -> None:
        """Add to an error that means "no such model" names that are near, or where the models are listed."""
        if not isinstance(error, NotFoundError) or error.status != 404:
            return
        name = exchange.provider.name
        near = [f"{name}:{model}" for model in self._catalogue().near(name, exchange.model) if model != exchange.model]
        listed = f"did you mean {' or '.join(near)}?" if near else f"aix model list --provider {name} --live"
        error.hint = f"{error.hint}\n{listed}".strip()

    def _listens(self, provider: Provider) -> bool:
        return self._client().listens(provider)

    def _find_keys(self, provider: Provider) -> Iterator[Key]:
        return find_keys(key_sources(provider, self._settings, self._env), self._env)

    def _timeout(self, order: Order, provider: Provider) -> float:
        """In seconds: the flag, the variable, the provider's own, the setting."""
        setting = self._settings.get("timeout")
        own = None if self._settings.variable_over("timeout") else provider.timeout
        return order.timeout or own or float(setting.value)

    def _option(self, name: str, flags: Mapping[str, Any], prompt: Mapping[str, Any]) -> Any:
        for place in (flags, prompt):
            if place.get(name) is not None:
                return place[name]
        return self._settings.get(name).value if name in ("temperature", "top_p", "max_tokens") else None
