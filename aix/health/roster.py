"""What is known of a provider without asking it: whether it can be used, and where its key comes from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aix.config.secrets import KEYRING, KeySources, Secret, conventional_variable, find_keys
from aix.config.settings import Settings
from aix.errors import AixError
from aix.llm.address import BLANK
from aix.llm.providers import Provider, checked_url


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One place where a key is looked for: a variable as `$NAME`, `api_key_command`, or a part of config.json.

    `there` says whether something is in it; a command is not run, so that its key is not known.
    """

    source: str
    there: bool
    keys: tuple[Secret, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """`listens` says whether a local server seems to run."""

    settings: Settings
    env: Mapping[str, str]
    listens: Callable[[Provider], bool]

    def key_places(self, provider: Provider) -> list[KeyPlace]:
        """Where the key is looked for, in order: the first place that has one is used."""
        return [] if provider.keyless else list(self._places(provider))

    def key(self, provider: Provider) -> KeyPlace | None:
        """The place that the key comes from."""
        return None if provider.keyless else next((place for place in self._places(provider) if place.there), None)

    def key_label(self, provider: Provider) -> str:
        """Where the key comes from, or would: `$GROQ_API_KEY (default)`, with the usual variable of its name."""
        if provider.keyless:
            return "none"
        usual = f"${provider.key_env[0]}" if provider.key_env else "config.json"
        found = self.key(provider)
        source = found.source if found else usual
        return f"{source} (default)" if source == f"${conventional_variable(provider.name)}" else source

    def trouble(self, provider: Provider) -> str:
        """Why the provider cannot be used as things are; empty when it can. Nothing is sent to it, and no key command
        is run."""
        if not provider.base_url:
            return ""  # it answers here
        if self._lacks_key(provider):
            return "no key"
        try:
            checked_url(provider)
        except AixError:
            return "no address" if BLANK.search(provider.base_url) else "unsafe address"
        return "not running" if provider.local and not self.listens(provider) else ""

    def default_model(self, provider: Provider) -> str:
        """The model when none is named: the setting's, else the row's."""
        return str(self.settings.find(f"{provider.name}_default_model") or provider.default_model)

    def _lacks_key(self, provider: Provider) -> bool:
        named = "api_key_env" in self._own(provider)
        return not provider.keyless and (named or not provider.key_optional) and self.key(provider) is None

    def _own(self, provider: Provider) -> Mapping[str, Any]:
        row = self.settings.section("custom_providers").get(provider.name) if provider.custom else {}
        return row if isinstance(row, dict) else {}

    def _places(self, provider: Provider) -> Iterator[KeyPlace]:
        own, name = self._own(provider), provider.name
        for field in ("api_key", "api_keys"):
            if own.get(field):
                yield self._place(f"custom_providers.{name}.{field}", KeySources(name, {field: own[field]}, (), None))
        for variable in provider.key_env:
            yield self._place(f"${variable}", KeySources(name, {}, (variable,), None))
        if own.get("api_key_command"):
            yield KeyPlace("api_key_command", there=True)
        if self.settings.get("keyring").value:
            yield self._place(KEYRING, KeySources(name, {}, (), None, keyring=True))
        saved = self.settings.section("api_keys").get(name)
        yield self._place(f"config.json, api_keys.{name}", KeySources(name, {}, (), saved))

    def _place(self, source: str, sources: KeySources) -> KeyPlace:
        try:
            keys = tuple(key.secret for key in find_keys(sources, self.env))
        except AixError as error:
            return KeyPlace(source, there=True, error=error.message)
        return KeyPlace(source, there=bool(keys), keys=keys)
