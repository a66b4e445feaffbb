"""Which model answers: from what was asked for to one provider and one model. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from aix.errors import AuthError, NotFoundError
from aix.llm.providers import Provider, Providers

BUILT_IN_ROLES = ("strong", "fast", "cheap")
"""The roles that mean something at every provider."""


@dataclass(frozen=True, slots=True)
class Target:
    """`note` tells the user why it is not the provider that the model's name suggests; empty when it is."""

    provider: Provider
    model: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: `provider` and `model` by flag; `prompt_model` by the prompt; the rest are settings."""

    provider: str = ""
    model: str = ""
    prompt_model: str = ""
    default_provider: str = ""
    default_model: str = ""
    provider_defaults: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chooser:
    """`usable` says whether a provider can be asked: it has a key, or needs none; `listens` whether a local one seems
    to run, and is asked only where there is nobody else."""

    providers: Providers
    wish: Wish
    usable: Callable[[Provider], bool]
    listens: Callable[[Provider], bool] = lambda _: False

    def choose(self) -> Target:
        """The target. Raises NotFoundError or AuthError."""
        wish = self.wish
        text = wish.model or wish.prompt_model or wish.default_model
        if wish.provider:
            target = self._at(self.providers.get(wish.provider))
        else:
            target = self._resolved(text) if text else self._default_of(self._default_provider())
        if not target.model:
            raise _no_model(target.provider)
        return target

    def _at(self, provider: Provider) -> Target:
        """The target when the provider is named: a model given with it goes there whole, unless it is a role."""
        if self.wish.model:
            return self._role_at(self.wish.model, provider) or Target(provider, self.wish.model)
        for text in (self.wish.prompt_model, self.wish.default_model):
            found = self._led(text) if text else None
            if found and found.provider.name == provider.name:
                return Target(provider, found.model)
            if text in BUILT_IN_ROLES:
                return self._built_in_role(text, provider)
        return self._default_of(provider)

    def _resolved(self, text: str) -> Target:
        if found := self._led(text):
            return found
        named = self.wish.roles.get(text, text)
        if named.startswith("custom:"):
            self.providers.get(named.partition("/")[0])
        return Target(self._default_provider(), named)

    def _led(self, text: str) -> Target | None:
        """Where a text leads by itself, a role too; None where it names no one and nobody could be asked."""
        default = self._find_default()
        if text in BUILT_IN_ROLES and text not in self.wish.roles:
            return self._built_in_role(text, default) if default else None
        named = self.wish.roles[text] if self._is_role(text) else text
        if (found := self._by_name(named)) or named.startswith("custom:"):
            return found
        return Target(default, named) if default else None

    def _by_name(self, text: str) -> Target | None:
        """The target of a text that names its provider: `custom:N`, `custom:N/M`, `P:M`, `P/M`, `P`."""
        before, colon, after = text.partition(":")
        if before == "custom" and colon:
            name, _, model = after.partition("/")
            provider = self.providers.find(f"custom:{name}")
            return self._model_at(provider, model) if provider else None
        if colon and (found := self.providers.find(before)):
            return self._model_at(found, after)
        before, slash, after = text.partition("/")
        if slash and after:
            return self._by_path(text, before, after)
        found = self.providers.find(text)
        return self._default_of(found) if found else None

    def _by_path(self, text: str, before: str, after: str) -> Target | None:
        """The target of `P/M`: an aggregator takes it whole when it is the user's default, or when P has no key."""
        named, default = self.providers.find(before), self.providers.find(self.wish.default_provider)
        elsewhere = named is None or not (named.custom or named.local or named.aggregator)
        if default and default.aggregator and elsewhere:
            return Target(default, text)
        if named is None:
            return None
        if named.aggregator and "/" not in after:
            return Target(named, text)  # openrouter/free is the aggregator's own model, under its whole name
        if self.usable(named):
            return Target(named, after)
        other = next((other for other in self._aggregators() if self.usable(other)), None)
        said = f"{named.name} has no key, so {other.name} is asked for {text}" if other else ""
        return Target(other, text, said) if other and elsewhere else Target(named, after)

    def _aggregators(self) -> Iterator[Provider]:
        found = (self.providers.get(name) for name in self.providers.names())
        return (provider for provider in found if provider.aggregator)

    def _role_at(self, text: str, provider: Provider) -> Target | None:
        """What a role means at this provider: the user's own role when it leads there, else the built-in one.
        None when the text is no role. Raises NotFoundError for a role of the user's that means something elsewhere."""
        if not self._is_role(text):
            return None
        own = self._led(text) if text in self.wish.roles else None
        if own and own.provider.name == provider.name:
            return own
        if text in BUILT_IN_ROLES:
            return self._built_in_role(text, provider)
        raise NotFoundError(
            f"the role '{text}' means {self.wish.roles[text]}, which is not a model of {provider.name}",
            hint="leave out --provider, or name a model",
            reason="model",
        )

    def _built_in_role(self, text: str, provider: Provider) -> Target:
        return Target(provider, provider.roles[text]) if text in provider.roles else self._default_of(provider)

    def _is_role(self, text: str) -> bool:
        """A role cannot take a provider's name away from it."""
        return text in BUILT_IN_ROLES or (text in self.wish.roles and self.providers.find(text) is None)

    def _model_at(self, provider: Provider, model: str) -> Target:
        return Target(provider, model) if model else self._default_of(provider)

    def _default_of(self, provider: Provider) -> Target:
        return Target(provider, self.wish.provider_defaults.get(provider.name) or provider.default_model)

    def _default_provider(self) -> Provider:
        if self.wish.default_provider:
            return self.providers.get(self.wish.default_provider)
        if found := self._find_default():
            return found
        telling = [provider for provider in self.providers.local() if provider.custom or provider.telling]
        running = next((provider for provider in telling if self.listens(provider)), None)
        usual = next((provider for provider in telling if provider.telling and provider.default_model), None)
        raise _nobody(self.providers.get(self.providers.preferred()[0]), running, usual)

    def _find_default(self) -> Provider | None:
        if self.wish.default_provider:
            return self.providers.find(self.wish.default_provider)
        known = (self.providers.find(name) for name in self.providers.preferred())
        return next((provider for provider in known if provider and self._has_key(provider)), None)

    def _has_key(self, provider: Provider) -> bool:
        """Whether it has a key, also where it could do without: nobody is asked unasked who has none."""
        return not provider.keyless and self.usable(replace(provider, key_optional=False))


def no_key(provider: Provider) -> AuthError:
    """The help for a missing key: the page to get one, the command to save it, the variable to set."""
    return AuthError(f"No API key found for {provider.name}", hint=_ways(provider), reason="no_key")


def _nobody(keyed: Provider, running: Provider | None, local: Provider | None) -> AuthError:
    """The help where there is no key at all: a key, or what needs none; best a local server that runs already."""
    ways = ["--provider echo (no model at all)"]
    if found := running or local:
        way = f"--provider {found.name}" if found.default_model else f"--model {found.name}:MODEL"
        why = f"{found.name} seems to be running here" if running else "a model on this machine"
        ways.insert(0, f"{way} ({why})")
    hint = f"aix init sets up a provider\n{_ways(keyed)}\nwithout a key: {', '.join(ways)}"
    return AuthError("No API key found", hint=hint, reason="no_key")


def _ways(provider: Provider) -> str:
    ways = [f"get a key at {provider.key_page}"] if provider.key_page else []
    ways.append(f"save it: aix api-key {provider.name}")
    ways += [f"or set {provider.key_env[0]}"] if provider.key_env else []
    return "\n".join(ways)


def _no_model(provider: Provider) -> NotFoundError:
    setting = f"custom_providers.{provider.name}.default_model" if provider.custom else f"{provider.name}_default_model"
    return NotFoundError(
        f"{provider.name} has no default model",
        hint=f"name one: --model {provider.name}:MODEL\nor set it: aix config --set {setting} MODEL",
        reason="model",
    )
