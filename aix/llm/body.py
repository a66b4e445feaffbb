"""The body of an answer: decompressed, and read for what it is, whatever it is called. No network."""

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator

from aix.errors import ProviderError
from aix.llm.exchange import Exchange
from aix.llm.protocols import END_MARKS
from aix.llm.wire import Frame, clip, items, parsed, sse
from aix.messages import Event

STREAMS = ("event-stream", "ndjson", "jsonl")
INFLATED_AT_ONCE = 1024 * 1024
FIGURES_SECONDS = 2.0
"""How long the usage may take after the answer came to its end: some servers keep the connection open for long."""


def decoded(exchange: Exchange, kind: str, body: Iterable[bytes], hurry: Callable[[float], None]) -> Iterator[Event]:
    """The events of a body of that type; `hurry` is told how long to wait at most for what comes after the end mark.

    Raises InBandError, and ProviderError for a body that is no answer.
    """
    rest = iter(body)
    first = next(rest, b"")
    chunks = itertools.chain([first], rest)
    if _is_stream(exchange, kind, first):
        yield from exchange.protocol.decode_stream(_hurried(exchange, chunks, hurry))
    else:
        yield from _in_one_piece(exchange, b"".join(chunks))


def _is_stream(exchange: Exchange, kind: str, first: bytes) -> bool:
    """Whether it is a stream, by its type, and by how it begins: some servers have one type for everything."""
    if exchange.protocol.frames is sse and first.lstrip().startswith((b"{", b"[")):
        return False
    return any(word in kind for word in STREAMS) or (exchange.stream and "json" not in kind)


def _hurried(exchange: Exchange, chunks: Iterable[bytes], hurry: Callable[[float], None]) -> Iterator[Frame]:
    mark, ended = END_MARKS.get(exchange.provider.protocol), False
    for frame in exchange.protocol.frames(chunks):
        ended = ended or (mark is not None and mark.search(frame.data) is not None)
        if ended:
            hurry(FIGURES_SECONDS)
        yield frame


def _in_one_piece(exchange: Exchange, body: bytes) -> Iterator[Event]:
    """The events of what is said to be one JSON value; a stream that is called so is taken for what it is."""
    protocol, whole = exchange.protocol, body.strip()
    if whole.startswith(b"["):
        yield from protocol.decode_stream(items(whole, exchange.provider.name))
    elif whole:
        try:
            value = parsed(whole, exchange.provider.name)
        except ProviderError:
            if not (frames := list(protocol.frames([body]))):
                raise
            yield from protocol.decode_stream(frames)
        else:
            yield from protocol.decode(value)


def inflated(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks decompressed, a bounded piece at a time: a few bytes can stand for gigabytes."""
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        yield from chunks
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise ProviderError("the provider sent a body in an encoding that aix did not ask for", cause=clip(coding))
    engine = zlib.decompressobj(wbits=47)  # whichever of the two its header says
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                yield engine.decompress(rest, INFLATED_AT_ONCE)
                rest = engine.unconsumed_tail
            if engine.eof:
                return
    except zlib.error as error:
        raise ProviderError("the provider sent a body that cannot be decompressed", cause=str(error)) from error
