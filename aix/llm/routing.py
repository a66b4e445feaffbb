"""Which model answers: from what was asked for to one provider and one model. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aix.errors import AuthError
from aix.llm.providers import Provider, Providers

PREFERRED = ("openrouter", "openai", "anthropic")
"""Without a default provider, the first of these that has a key is asked; echo and local ones never unasked."""


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
    """`usable` says whether a provider can be asked: it has a key, or needs none."""

    providers: Providers
    wish: Wish
    usable: Callable[[Provider], bool]

    def choose(self) -> Target:
        """The target. Raises NotFoundError or AuthError."""
        wish = self.wish
        if wish.provider:
            return self._at(self.providers.get(wish.provider))
        text = wish.model or wish.prompt_model or wish.default_model
        return self._resolved(text) if text else self._default_of(self._default_provider())

    def _at(self, provider: Provider) -> Target:
        """The target when the provider is named: a model given with it goes there whole, unless it is a role."""
        if self.wish.model:
            return self._role(self.wish.model, provider) or Target(provider, self.wish.model)
        for text in (self.wish.prompt_model, self.wish.default_model):
            found = self._role(text, provider) or self._by_name(text)
            if found and found.provider.name == provider.name:
                return found
        return self._default_of(provider)

    def _resolved(self, text: str) -> Target:
        if self._is_role(text):
            if named := self.wish.roles.get(text):
                return self._by_name(named) or Target(self._default_provider(), named)
            provider = self._default_provider()
            return self._role(text, provider) or Target(provider, text)
        return self._by_name(text) or Target(self._default_provider(), text)

    def _by_name(self, text: str) -> Target | None:
        """The target of a text that names its provider: `custom:N`, `custom:N/M`, `P:M`, `P/M`, `P`."""
        before, colon, after = text.partition(":")
        if before == "custom" and colon:
            name, _, model = after.partition("/")
            provider = self.providers.get(f"custom:{name}")
            return Target(provider, model) if model else self._default_of(provider)
        if colon and after and (found := self.providers.find(before)):
            return Target(found, after)
        before, slash, after = text.partition("/")
        if slash and after:
            return self._by_path(text, before, after)
        found = self.providers.find(text)
        return self._default_of(found) if found else None

    def _by_path(self, text: str, before: str, after: str) -> Target | None:
        default = self.providers.find(self.wish.default_provider) if self.wish.default_provider else None
        if default and default.aggregator and default.name != before:
            return Target(default, text)
        named = self.providers.find(before)
        if named is None:
            return None
        if self.usable(named):
            return Target(named, after)
        for name in self.providers.names():
            other = self.providers.get(name)
            if other.aggregator and self.usable(other):
                return Target(other, text, f"{named.name} has no key, so {other.name} is asked for {text}")
        raise no_key(named)

    def _role(self, text: str, provider: Provider) -> Target | None:
        """What a role means at this provider: the user's own role when it leads there, else the built-in one."""
        if not self._is_role(text):
            return None
        own = self._by_name(self.wish.roles[text]) if text in self.wish.roles else None
        if own and own.provider.name == provider.name:
            return own
        return Target(provider, provider.roles[text]) if text in provider.roles else self._default_of(provider)

    def _is_role(self, text: str) -> bool:
        return text in self.wish.roles or text in ("strong", "fast", "cheap")

    def _default_of(self, provider: Provider) -> Target:
        return Target(provider, self.wish.provider_defaults.get(provider.name) or provider.default_model)

    def _default_provider(self) -> Provider:
        if self.wish.default_provider:
            return self.providers.get(self.wish.default_provider)
        for name in PREFERRED:
            found = self.providers.find(name)
            if found and self.usable(found):
                return found
        raise no_key(self.providers.get(PREFERRED[0]), anyone=True)


def no_key(provider: Provider, *, anyone: bool = False) -> AuthError:
    """The help for a missing key: the page to get one, the command to save it, the variable to set."""
    hints = [f"get a key at {provider.key_page}"] if provider.key_page else []
    hints.append(f"save it: aix api-key {provider.name}")
    if provider.key_env:
        hints.append(f"or set {provider.key_env[0]}")
    if anyone:
        hints.append("without a key: --provider ollama (a model on this machine), --provider echo (no model at all)")
    return AuthError(
        "No API key found" + ("" if anyone else f" for {provider.name}"), hint="\n".join(hints), reason="no_key"
    )
