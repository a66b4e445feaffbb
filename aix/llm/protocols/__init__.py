"""The wire protocols: one module of pure functions each, found by its name."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Protocol, cast

from aix.llm.providers import Dialect
from aix.llm.wire import JSON, Call, Frame
from aix.messages import Event, Request

MODULES = {
    "openai-chat": "aix.llm.protocols.openai_chat",
    "anthropic-messages": "aix.llm.protocols.anthropic_messages",
    "echo": "aix.llm.protocols.echo",
}


class WireProtocol(Protocol):
    """What a protocol module is: it turns a Request into a Call, and an answer into events. It sees no network.

    `decode_stream` ends without a Finish when the frames end before the provider's own end mark; an error inside an
    answer is raised. `answer` is the whole reply of a protocol that needs no network, None for all others.
    """

    def encode(self, request: Request, dialect: Dialect, *, stream: bool) -> Call: ...

    def decode(self, body: JSON) -> Iterator[Event]: ...

    def decode_stream(self, frames: Iterable[Frame]) -> Iterator[Event]: ...


def protocol(name: str) -> WireProtocol:
    """The module of that name. Raises KeyError."""
    return cast("WireProtocol", import_module(MODULES[name]))
