"""Where a prompt meets a model: choose, encode, send, and judge whether the answer is whole."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aix.config.secrets import Key, KeySources, find_keys, known_secrets
from aix.config.settings import Settings
from aix.errors import AixError, IncompleteError, ProviderError
from aix.library.prompt import Prompt
from aix.llm.exchange import Exchange
from aix.llm.protocols import protocol
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Chooser, Target, Wish, no_key
from aix.messages import Event, Finish, Message, Request, Response
from aix.runs.run import Order, Run

if TYPE_CHECKING:
    from aix.llm.client import Client

OPTIONS = ("temperature", "top_p", "max_tokens", "stop", "seed", "effort")
"""What a prompt and a flag may set of a request; the first three are settings too."""


class Runner:
    """`warn` is told, in a sentence, what the user should know and did not ask."""

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        client: "Callable[[], Client]",
        env: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._client = client
        self._env = env
        self._warn = warn

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

    def exchange(self, target: Target, request: Request, order: Order, *, key: Key | None) -> Exchange:
        """The request as it goes over the wire. Nothing is sent by this."""
        stream = self._settings.get("stream").value if order.stream is None else order.stream
        module = protocol(target.provider.protocol)
        return Exchange(
            provider=target.provider,
            model=target.model,
            protocol=module,
            call=module.encode(request, target.provider.dialect, stream=stream),
            key=key.secret if key else None,
            stream=stream,
            timeout=self._timeout(order, target.provider),
        )

    def send(self, run: Run, exchange: Exchange) -> Iterator[Event]:
        """The events of the answer. Raises AixError when it is not a whole one: after the last event, if need be."""
        run.executed = True
        try:
            yield from run.collector.passing(self._client().events(exchange, run.attempts))
        except AixError as error:
            if not run.response.text:
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

    def usable(self, provider: Provider) -> bool:
        """Whether the provider needs no key, or has one; a key command is not run for the answer."""
        if provider.keyless or provider.key_optional:
            return True
        return next(find_keys(self._sources(provider), self._env), None) is not None

    def key(self, provider: Provider) -> Key | None:
        """The provider's key; None when it takes none. Raises AuthError when it needs one and there is none."""
        if provider.keyless:
            return None
        key = next(find_keys(self._sources(provider), self._env), None)
        if key is None and not provider.key_optional:
            raise no_key(provider)
        if key and key.source.endswith(".api_key"):
            self._warn(f"{key.source} holds a key; better: aix api-key custom:{provider.name}, or api_key_env")
        return key

    def _listens(self, provider: Provider) -> bool:
        return self._client().listens(provider)

    def _sources(self, provider: Provider) -> KeySources:
        own = self._settings.section("custom_providers").get(provider.name, {}) if provider.custom else {}
        saved = self._settings.section("api_keys").get(provider.name)
        secrets = known_secrets(self._env, self._settings.data) if own.get("api_key_command") else []
        return KeySources(provider.name, own, provider.key_env, saved, secrets)

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


def judge(response: Response, exchange: Exchange) -> None:
    """Raise what is wrong with an answer that came without an error; return when it is whole."""
    name, finish = exchange.provider.name, response.finish
    if finish is None:
        if response.text:
            raise IncompleteError(
                f"the answer broke off: {name} ended it without its end mark", hint="run the command again"
            )
        raise ProviderError(f"{name} ended the connection without an answer", hint="run the command again")
    if reason := _REASONS.get(finish.reason):
        raise reason(response, finish, name)
    if not response.text.strip() and not response.tool_calls:
        raise ProviderError(
            f"{name} gave an empty answer", hint="run the command again, or name another model: --model"
        )


def _cut(response: Response, finish: Finish, _: str) -> AixError:
    spent = finish.usage.output_tokens if finish.usage else 0
    thought = finish.usage.reasoning_tokens if finish.usage else 0
    more = f"--max-tokens {max(4000, 2 * spent)}"
    if thought and not response.text:
        hint = f"{thought} of {spent} tokens went to reasoning; try {more}"
        return IncompleteError("the answer was cut at the length limit", hint=hint)
    count = f" after {spent} tokens" if spent else ""
    return IncompleteError(f"the answer was cut at the length limit{count}", hint=f"allow more: {more}")


def _refused(_: Response, finish: Finish, name: str) -> AixError:
    return IncompleteError(
        f"{name} refused to answer (content filter)",
        cause=finish.detail,
        hint="say it differently, or ask another model: --model",
        reason="content_filter",
    )


def _failed(response: Response, finish: Finish, name: str) -> AixError:
    kind = IncompleteError if response.text else ProviderError
    return kind(f"{name} ended the answer with an error", cause=finish.detail, hint="run the command again")


_REASONS: Mapping[str, Callable[[Response, Finish, str], AixError]] = {
    "length": _cut,
    "content_filter": _refused,
    "error": _failed,
}
