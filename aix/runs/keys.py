"""The keys of providers: whether there are any, which is shown next, and which of them a text must not hold."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aix.config.secrets import Key, Secret, find_keys, has_key
from aix.config.settings import Settings
from aix.llm.providers import Provider
from aix.llm.routing import no_key
from aix.runs.key_queue import KeyQueue, key_sources


class Keys:
    """Each place where a key may be is looked at once, and only when a key is needed. `warn` is told of one that should
    be elsewhere."""

    def __init__(self, settings: Settings, env: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._env = env
        self._warn = warn
        self._queues: dict[str, KeyQueue] = {}

    def usable(self, provider: Provider) -> bool:
        """Whether the provider needs no key, or has one. No key command is run to know that."""
        if provider.keyless or provider.key_optional:
            return True
        return has_key(key_sources(provider, self._settings, self._env), self._env)

    def best(self, provider: Provider) -> Key | None:
        """The key to show first; None when the provider takes none. Raises AuthError when it needs one and there is
        none."""
        if provider.keyless:
            return None
        key = self.queue(provider).best()
        if key is None and not provider.key_optional:
            raise no_key(provider)
        if key and key.source.endswith(".api_key"):
            self._warn(f"{key.source} holds a key; better: aix api-key custom:{provider.name}, or api_key_env")
        return key

    def all(self, provider: Provider) -> Sequence[Key]:
        """All keys of the provider, best first. Raises AuthError when it needs one and there is none."""
        found = [] if provider.keyless else list(self._find(provider))
        if not (found or provider.keyless or provider.key_optional):
            raise no_key(provider)
        return found

    def queue(self, provider: Provider) -> KeyQueue:
        """The keys of the provider, one after the other."""
        if provider.name not in self._queues:
            self._queues[provider.name] = KeyQueue(self._find(provider))
        return self._queues[provider.name]

    def found(self) -> list[Secret]:
        """Every key that was looked for, wherever it came from."""
        return [key.secret for queue in self._queues.values() for key in queue.found]

    def _find(self, provider: Provider) -> Iterator[Key]:
        return find_keys(key_sources(provider, self._settings, self._env), self._env)
