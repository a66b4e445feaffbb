"""How long each step of asking may take, and what is said when one takes longer."""

import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aix.config.settings import Settings, join_key
from aix.errors import AixError, DeadlineError, NetworkError

if TYPE_CHECKING:
    from aix.llm.exchange import Exchange
    from aix.llm.providers import Provider

AT_HOME = ("first_byte", "silence")
"""What a model on this machine may take as long for as all of it may take: it reads a long prompt for minutes before
its first word, and its connection ends when it does."""

NUMERIC = re.compile(r"[0-9.]+|.*:.*")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: until a connection stands, from then until the first byte of the answer, and between two pieces of it.
    `whole` is what all of it may take, where one question is given less."""

    connect: float = 15.0
    first_byte: float = 300.0
    silence: float = 300.0
    whole: float | None = None

    def connect_once(self, host: str) -> float:
        """For one address of a host; a name may have two, and the second is to have its turn."""
        return self.connect if NUMERIC.fullmatch(host) else self.connect / 2


USUAL = Limits()


def limits(settings: Settings, provider: "Provider", whole: float) -> Limits:
    """The limits of a provider: the variable, its own, the setting."""

    def seconds(name: str) -> float:
        key = f"{name}_timeout"
        setting = settings.get(key)
        own: float | None = None if settings.variable_over(key) else getattr(provider, key)
        at_home = provider.local and name in AT_HOME and setting.source == "default"
        return own or (math.inf if at_home else float(setting.value))

    return Limits(seconds("connect"), seconds("first_byte"), seconds("silence"), whole)


def late(exchange: "Exchange") -> DeadlineError:
    """All of it took too long."""
    name, whole = exchange.provider.name, exchange.limits.whole or exchange.timeout
    spent = f"within {whole:g} s" if exchange.timeout >= whole else f"within what was left of {whole:g} s"
    return DeadlineError(f"{name} did not answer {spent}", hint=f"give it longer: --timeout {whole * 3:g}")


def unconnected(exchange: "Exchange") -> NetworkError:
    """No connection came about in time."""
    host = urlsplit(exchange.url).netloc
    return NetworkError(
        f"there is no connection to {exchange.provider.name} at {host} after {exchange.limits.connect:g} s",
        hint=f"check that it runs, and its address\n{_longer(exchange, 'connect')}",
    )


def unanswered(exchange: "Exchange") -> AixError:
    """Not one byte of the answer came in time."""
    said = f"{exchange.provider.name} began no answer within {exchange.limits.first_byte:g} s"
    return DeadlineError(said, hint=_longer(exchange, "first_byte"))


def silent(exchange: "Exchange") -> AixError:
    """The answer began, and then nothing came for too long."""
    said = f"{exchange.provider.name} was silent for {exchange.limits.silence:g} s"
    return DeadlineError(said, hint=_longer(exchange, "silence"))


def _longer(exchange: "Exchange", name: str) -> str:
    """The command that makes a limit three times as long, where it was set."""
    key, provider = f"{name}_timeout", exchange.provider
    own = join_key(("custom_providers", provider.name, key))
    place = key if getattr(provider, key) is None else shlex.quote(own)
    return f"give it longer: aix config {place} {getattr(exchange.limits, name) * 3:g}"
