"""How long each step of asking a provider may take."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aix.config.settings import Settings

if TYPE_CHECKING:
    from aix.llm.providers import Provider

AT_HOME = ("first_byte", "silence")
"""What a model on this machine may take as long for as all of it may take: it reads a long prompt for minutes before
its first word, and its connection ends when it does."""

NUMERIC = re.compile(r"[0-9.]+|.*:.*")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: until a connection stands, from then until the first byte of the answer, and between two pieces of it.
    `whole` is what all of it may take, where one question is given less."""

    connect: float = 15.0
    first_byte: float = 300.0
    silence: float = 300.0
    whole: float | None = None

    def connect_once(self, host: str) -> float:
        """For one address of a host; a name may have two, and the second is to have its turn."""
        return self.connect if NUMERIC.fullmatch(host) else self.connect / 2


USUAL = Deadlines()


def deadlines(settings: Settings, provider: "Provider", whole: float) -> Deadlines:
    """The deadlines of a provider: the variable, its own, the setting."""

    def seconds(name: str) -> float:
        key = f"{name}_timeout"
        setting = settings.get(key)
        own: float | None = None if settings.variable_over(key) else getattr(provider, key)
        at_home = provider.local and name in AT_HOME and setting.source == "default"
        return own or (math.inf if at_home else float(setting.value))

    return Deadlines(seconds("connect"), seconds("first_byte"), seconds("silence"), whole)
