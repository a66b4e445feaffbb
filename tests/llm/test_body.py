"""The body of an answer: read for what it is, whatever its server calls it."""

import json
from pathlib import Path

import pytest

from aix.errors import ProviderError
from aix.llm.body import FIGURES_SECONDS, decoded
from aix.llm.exchange import Exchange
from aix.llm.protocols import MODULES, protocol
from aix.llm.providers import Providers
from aix.llm.wire import Call
from aix.messages import Response, collect

WIRE = Path(__file__).parent / "wire"
PROTOCOLS = sorted(MODULES.keys() - {"echo"})
LABELS = ["", "text/plain", "text/event-stream", "application/x-ndjson", "application/json", "application/octet-stream"]


def case(name: str, file: str) -> bytes:
    return (WIRE / name / ("plain-text" if name == "openai-chat" else "text") / file).read_bytes()


def exchange(name: str, *, stream: bool) -> Exchange:
    provider = Providers({"acme": {"base_url": "https://acme.invalid", "protocol": name}}, {}).get("acme")
    return Exchange(provider, "m", protocol(name), Call("POST", "/", {}), None, stream, 20)


def read(name: str, kind: str, body: bytes, *, stream: bool = True, hurried: list[float] | None = None) -> Response:
    waits = [] if hurried is None else hurried
    return collect(decoded(exchange(name, stream=stream), kind, [body], waits.append))


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_answer_is_read_whatever_it_is_called(name: str, stream: bool, kind: str) -> None:
    streamed = read(name, kind, case(name, "stream.txt"), stream=stream)
    plain = json.dumps(json.loads(case(name, "response.json"))).encode() + b"\n"
    assert streamed.whole and streamed.text
    assert read(name, kind, plain, stream=stream).text == streamed.text
    assert read(name, kind, b"\xef\xbb\xbf" + case(name, "stream.txt"), stream=stream).text == streamed.text


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_cut_stream_that_is_called_json_is_not_whole(name: str) -> None:
    lines = case(name, "stream.txt").splitlines(keepends=True)
    cut = read(name, "application/json", b"".join(lines[: len(lines) * 2 // 3]))
    assert cut.text and cut.finish is None


def test_what_is_neither_is_the_providers_fault() -> None:
    with pytest.raises(ProviderError, match="acme sent something that is not JSON"):
        read("openai-chat", "application/json", b"Bad gateway\n")


@pytest.mark.parametrize(("name", "field"), [("openai-chat", b'"finish_reason"'), ("gemini", b'"finishReason"')])
def test_nobody_waits_long_for_what_comes_after_the_end(name: str, field: bytes) -> None:
    """The other protocols need no such thing: they are done with their end mark."""
    stream, waits = case(name, "stream.txt"), list[float]()
    frames = [frame + b"\n\n" for frame in stream.split(b"\n\n") if frame.strip()]
    events = decoded(exchange(name, stream=True), "text/event-stream", frames, waits.append)
    while not waits:
        assert next(events, None) is not None
    assert set(waits) == {FIGURES_SECONDS}
    waits.clear()
    read(name, "text/event-stream", stream.replace(field, b'"said"'), hurried=waits)
    assert waits == []


def test_a_text_that_speaks_of_the_end_is_not_the_end() -> None:
    said = json.dumps({"choices": [{"delta": {"content": '{"finish_reason": "stop"}'}, "finish_reason": None}]})
    waits = list[float]()
    read("openai-chat", "text/event-stream", f"data: {said}\n\n".encode(), hurried=waits)
    assert waits == []
