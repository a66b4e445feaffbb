"""The wire protocols: one module of pure functions each, found by its name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Protocol, cast

from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame
from aix.messages import Event, Request

MODULES = {
    "openai-chat": "aix.llm.protocols.openai_chat",
    "openai-responses": "aix.llm.protocols.openai_responses",
    "anthropic-messages": "aix.llm.protocols.anthropic_messages",
    "gemini": "aix.llm.protocols.gemini",
    "cohere": "aix.llm.protocols.cohere",
    "ollama": "aix.llm.protocols.ollama",
    "replicate": "aix.llm.protocols.replicate",
    "echo": "aix.llm.protocols.echo",
}

COUNTERS: Mapping[str, str] = {
    name: MODULES[name] for name in ("openai-responses", "anthropic-messages", "gemini", "cohere")
}
"""The protocols that can ask how many tokens a request is; a provider's row says which of them it has."""

UNCARRIED: Mapping[str, frozenset[str]] = {
    name: frozenset({"pdf"} if name in ("cohere", "ollama", "replicate") else ()) for name in MODULES
}
"""What each protocol has no place for, by the capability of a model that would be needed."""

BOUNDED: Mapping[str, str] = {"anthropic-messages": MODULES["anthropic-messages"]}
"""The protocols that always say how long an answer may be, also where the Request does not."""

END_MARKS: Mapping[str, re.Pattern[bytes]] = {
    "openai-chat": re.compile(rb'"finish_reason"\s*:\s*"\w'),
    "gemini": re.compile(rb'"finishReason"\s*:\s*"(?!FINISH_REASON_UNSPECIFIED)'),
}
"""How a frame looks after which nothing but figures can follow; in the other protocols nothing at all does."""


class WireProtocol(Protocol):
    """What a protocol module is: it turns a Request into a Call, and an answer into events. It sees no network.

    `frames` cuts the bytes of a stream into frames (`sse` or `ndjson` of wire.py). `UNSAID` names the fields of a
    Request for which the protocol has no word; `encode` is never given them. `decode_stream` ends without a Finish
    when the frames end before the provider's own end mark; an error inside an answer is raised.
    """

    UNSAID: frozenset[str]

    @staticmethod
    def frames(chunks: Iterable[bytes]) -> Iterator[Frame]: ...

    def encode(self, request: Request, dialect: Dialect, *, stream: bool) -> Call: ...

    def decode(self, body: JSON) -> Iterator[Event]: ...

    def decode_stream(self, frames: Iterable[Frame]) -> Iterator[Event]: ...


class Bounded(Protocol):
    """A protocol that always says how many tokens an answer may have, and maybe not those that were asked for."""

    def longest(self, request: Request, dialect: Dialect) -> int: ...


class Counter(Protocol):
    """A protocol that can ask its provider how many tokens a request is: the Call, and what the answer says."""

    def count(self, request: Request, dialect: Dialect) -> Call: ...

    def counted(self, body: JSON) -> int: ...


def protocol(name: str) -> WireProtocol:
    """The module of that name. Raises KeyError."""
    return cast("WireProtocol", import_module(MODULES[name]))


def counter(name: str) -> Counter:
    """The module that counts tokens in that protocol. Raises KeyError."""
    return cast("Counter", import_module(COUNTERS[name]))


def longest(name: str, request: Request, dialect: Dialect) -> int | None:
    """How many tokens of answer a protocol asks for at most; None where that is for the request to say."""
    return cast("Bounded", import_module(BOUNDED[name])).longest(request, dialect) if name in BOUNDED else None
