"""What is said when a step of asking a provider takes too long."""

import shlex
from urllib.parse import urlsplit

from aix.config.settings import join_key
from aix.errors import AixError, DeadlineError, NetworkError
from aix.llm.exchange import Exchange

LONGER = "give it longer: "
"""Before the flag or the command that does so."""


def unfinished(exchange: Exchange) -> DeadlineError:
    """All of it took too long."""
    name, whole = exchange.provider.name, exchange.deadlines.whole or exchange.timeout
    spent = f"within {whole:g} s" if exchange.timeout >= whole else f"within what was left of {whole:g} s"
    return DeadlineError(f"{name} did not answer {spent}", hint=f"{LONGER}--timeout {whole * 3:g}")


def unconnected(exchange: Exchange) -> NetworkError:
    """No connection came about in time."""
    host = urlsplit(exchange.url).netloc
    return NetworkError(
        f"there is no connection to {exchange.provider.name} at {host} after {exchange.deadlines.connect:g} s",
        hint=f"check that it runs, and its address\n{_longer(exchange, 'connect')}",
    )


def unanswered(exchange: Exchange) -> AixError:
    """Not one byte of the answer came in time."""
    said = f"{exchange.provider.name} began no answer within {exchange.deadlines.first_byte:g} s"
    return DeadlineError(said, hint=_longer(exchange, "first_byte"))


def silent(exchange: Exchange) -> AixError:
    """The answer began, and then nothing came for too long."""
    said = f"{exchange.provider.name} was silent for {exchange.deadlines.silence:g} s"
    return DeadlineError(said, hint=_longer(exchange, "silence"))


def _longer(exchange: Exchange, name: str) -> str:
    """The command that makes a deadline three times as long, where it was set."""
    key, provider = f"{name}_timeout", exchange.provider
    own = join_key(("custom_providers", provider.name, key))
    place = key if getattr(provider, key) is None else shlex.quote(own)
    return f"{LONGER}aix config {place} {getattr(exchange.deadlines, name) * 3:g}"
