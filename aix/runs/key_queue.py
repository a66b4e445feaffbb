"""Which key is shown to a provider: the best one first, the next when that one is turned down."""

from collections.abc import Iterator, Mapping, Sequence

from aix.config.secrets import Key, KeySources, Secret, known_secrets
from aix.config.settings import Settings
from aix.errors import AixError, AuthError
from aix.llm.providers import Provider

NOT_ACCEPTED = "is not accepted"
USED_UP = "has nothing left to spend"
TURNED_DOWN: Mapping[int, str] = {402: USED_UP, 403: "is not allowed this", 429: "is at its limit"}
"""What is said of a key after a status."""


def key_sources(provider: Provider, settings: Settings, env: Mapping[str, str]) -> KeySources:
    """Where to look for a provider's keys."""
    row = settings.section("custom_providers").get(provider.name) if provider.custom else {}
    own = row if isinstance(row, dict) else {}
    secrets = known_secrets(env, settings.data) if own.get("api_key_command") else []
    saved = settings.section("api_keys").get(provider.name)
    return KeySources(provider.name, own, provider.key_env, saved, secrets, settings.get("keyring").value)


class KeyQueue:
    """A provider's keys, best first: each is looked for when it is asked for, and none is there twice."""

    def __init__(self, keys: Iterator[Key]) -> None:
        self._rest = keys
        self._found: list[Key] = []
        self._best = 0

    def best(self) -> Key | None:
        """The first that was not turned down yet."""
        return self._at(self._best)

    def find(self, secret: Secret | None) -> Key | None:
        """The key that was given out with this text."""
        return next((key for key in self._found if key.secret == secret), None)

    @property
    def found(self) -> Sequence[Key]:
        """Those that were looked for so far."""
        return self._found

    def number(self, key: Key) -> int:
        """Which of them it is, from 1."""
        return self._found.index(key) + 1

    def after(self, key: Key) -> Key | None:
        """The key that is the best once this one was turned down; None where there is no other."""
        place = self.number(key)
        other = self._at(place)
        self._best = place if other else self._best
        return other

    def has_after(self, key: Key) -> bool:
        """Whether there is another, which stays where it is."""
        return self._at(self.number(key)) is not None

    def used_up(self, error: AixError) -> AixError:
        """The error of the last key, which says that there were others."""
        if len(self._found) > 1:
            error.hint = f"all {len(self._found)} keys were tried\n{error.hint}".strip()
        return error

    def _at(self, place: int) -> Key | None:
        while len(self._found) <= place:
            key = next(self._rest, None)
            if key is None:
                return None
            if self.find(key.secret) is None:
                self._found.append(key)
        return self._found[place]


def turned_down(error: AixError) -> str:
    """What is said of the key that met an error, where another one may do better; empty where none will."""
    if error.reason == "quota":
        return USED_UP
    return TURNED_DOWN.get(error.status, NOT_ACCEPTED if isinstance(error, AuthError) else "")
