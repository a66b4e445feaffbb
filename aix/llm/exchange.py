"""One question to one provider, ready to be sent, and the record of sending it: values, without a network."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aix import __version__
from aix.config.secrets import Secret, mask
from aix.llm.deadlines import USUAL, Deadlines
from aix.llm.protocols import WireProtocol
from aix.llm.providers import VERSION_AT_END, Provider, checked_followed, checked_url
from aix.llm.wire import Call

SHORTEST_SECRET = 8
"""What is shorter (`none`, `ollama`) is a word that may stand in any sentence."""

VERSION = re.compile(r"/(v[0-9]\w*|api)/")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One send: `status` is the HTTP status, 0 where none came; `error` the name of its failure, empty on success;
    `first_token` how many seconds passed before the first event, None where none came; `key_source` where the key that
    it showed was found."""

    provider: str
    model: str
    status: int
    error: str
    seconds: float
    first_token: float | None = None
    key_source: str = ""
    sent: bool = True
    """False where no connection came about, so that nobody can have read it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to one provider, encoded. `timeout` is in seconds, for all attempts together, and `deadlines` are
    the steps of each; `key_source` says where the key was found."""

    provider: Provider
    model: str
    protocol: WireProtocol
    call: Call
    key: Secret | None
    stream: bool
    timeout: float
    key_source: str = ""
    deadlines: Deadlines = USUAL

    @property
    def url(self) -> str:
        base, path = checked_url(self.provider), self.call.path
        if spelt := self.provider.paths.get(path):
            path = spelt.replace("{model}", quote(self.model, safe=""))
        if not path.startswith("/"):
            return checked_followed(path, self.provider)
        versioned = VERSION.match(path)  # some write the version into the base, as others' protocols want
        return (VERSION_AT_END.sub("", base) if versioned else base) + path

    @property
    def at_home(self) -> bool:
        """Whether it goes to the provider's own scheme, host and port, the only place that is shown the key."""
        own, asked = urlsplit(self.provider.base_url), urlsplit(self.call.path)
        return not asked.scheme or (own.scheme, own.netloc) == (asked.scheme, asked.netloc)

    @property
    def headers(self) -> dict[str, str]:
        """All headers that aix sets, with the key in the clear."""
        merged = {
            "User-Agent": f"aix/{__version__}",
            "Accept": "text/event-stream" if self.stream else "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        own = (self.provider.headers, self._authorization(Secret.reveal)) if self.at_home else ()
        for more in (self.call.headers, *own):
            for name, value in more.items():
                merged = {key: text for key, text in merged.items() if key.lower() != name.lower()} | {name: value}
        return merged

    @property
    def masked_headers(self) -> dict[str, str]:
        """The headers as they may be shown: the key and every value that can be a secret are masked, and with that all
        that the user set, as in `aix config`."""
        shown = self._authorization(repr)
        sent = self.headers
        own = self.provider.headers if self.provider.custom else {}
        private = {name: mask(value) for name, value in sent.items() if is_private(name) or name in own}
        return {**sent, **private, **shown}

    @property
    def names(self) -> dict[str, str]:
        row = self.provider
        return {"provider": row.name, "model": self.model, "page": row.key_page or self.url, "start": row.start}

    def without_secrets(self, text: str) -> str:
        """The text without the key and the headers that the user set, also where it breaks off (`…`) inside one."""
        headers = self.provider.headers.items()
        private = [text for name, text in headers if self.provider.custom or is_private(name)]
        private += [text.split()[-1] for text in private if text.split()]  # `Bearer` goes before many a secret
        for secret in (*([self.key.reveal()] if self.key else []), *private):
            if len(secret) >= SHORTEST_SECRET:
                text = _covered(text, secret)
        return text

    def _authorization(self, text: Callable[[Secret], str]) -> dict[str, str]:
        if not self.key or not self.at_home:
            return {}
        return self.provider.authorize(text(self.key), self.provider.auth_of(self.key))


def _covered(text: str, secret: str) -> str:
    text = text.replace(secret, mask(secret))
    if not text.endswith("…"):
        return text
    sizes = range(len(secret) - 1, SHORTEST_SECRET - 1, -1)
    size = next((size for size in sizes if text.endswith(secret[:size] + "…")), 0)
    return text[: -size - 1] + mask(secret) + "…" if size else text


def is_private(header: str) -> bool:
    """Whether a header's name says that its value is a secret."""
    return any(
        word in header.lower() for word in ("auth", "key", "token", "secret", "cookie", "password", "credential")
    )
