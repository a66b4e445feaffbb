"""What is known of a provider without asking it: whether it can be used, and where its key comes from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aix.config.secrets import COMMAND, SAVED, Place, Secret, conventional_variable, keys_at, places
from aix.config.settings import Settings, default_model_key
from aix.errors import AixError
from aix.llm.address import BLANK
from aix.llm.providers import Provider, checked_url
from aix.runs.key_queue import key_sources


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
        usual = f"${provider.key_env[0]}" if provider.key_env else "none"
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
        return str(self.settings.find(default_model_key(provider.name)) or provider.default_model)

    def _lacks_key(self, provider: Provider) -> bool:
        return not (provider.keyless or provider.key_optional) and self.key(provider) is None

    def _places(self, provider: Provider) -> Iterator[KeyPlace]:
        for place in places(key_sources(provider, self.settings, self.env), self.env):
            found = looked_at(place, provider)
            if found.there or not place.source.startswith("custom_providers."):
                yield found


def looked_at(place: Place, provider: Provider) -> KeyPlace:
    """What is in a place where a key may be; a key command is not run."""
    labels = {SAVED: f"{SAVED}, api_keys.{provider.name}", **{name: f"${name}" for name in provider.key_env}}
    source = labels.get(place.source, place.source)
    try:
        keys = tuple(key.secret for key in keys_at(place, provider.name))
    except AixError as error:
        return KeyPlace(source, there=True, error=error.message)
    return KeyPlace(source, there=bool(keys) or place.source == COMMAND, keys=keys)
