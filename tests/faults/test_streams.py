"""Streams that break off: what came is kept, and nothing is called whole whose end mark did not arrive."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from answers import PLAIN, STREAMS, Answer, Framing, chat
from conftest import Aix
from scene import ask, asking, exchange, outcome, provide
from server import Server
from steps import Flood, HalfClose, Reset, Send, Stall, Until

from aix.llm.client import Client

FRAMINGS: tuple[Framing, ...] = ("length", "chunked", "close")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def status_within(answer: Answer, size: int) -> int:
    """The exit status that the first `size` bytes of an answer deserve."""
    return 0 if answer.whole_within(size) else 3 if answer.text_within(size) else 9


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("protocol", STREAMS)
@pytest.mark.parametrize("plain", [False, True], ids=["stream", "plain"])
def test_a_cut_at_any_byte_is_never_whole_and_keeps_the_text(
    plain: bool, protocol: str, framing: Framing, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = (PLAIN[protocol]("Héllo") if plain else STREAMS[protocol]("Hé", "llo")).framed(framing)
    question = exchange(server.url, protocol, stream=not plain)
    for size in range(len(answer.raw) + 1):
        server.answers(answer.cut_at(size))
        found = outcome(question)
        expected = (status_within(answer, size), answer.text_within(size))
        assert (found.status, found.text) == expected, f"cut at {size}: {found.error}"
        assert server.connections == size + 1, f"cut at {size} was sent again"
    with capsys.disabled():
        print(f" [{size + 1} cuts]", end="")


PLACES: dict[str, Callable[[Answer], int]] = {
    "before the first byte": lambda answer: 0,
    "in the status line": lambda answer: 7,
    "in a header": lambda answer: len(answer.head) - 20,
    "before the empty line": lambda answer: len(answer.head) - 2,
    "after the headers": lambda answer: len(answer.head),
    "in the first event": lambda answer: len(answer.head) + 20,
    "before the first text's empty line": lambda answer: answer.after(first_text(answer)) - 1,
    "after the first text": lambda answer: answer.after(first_text(answer)),
    "in the second text": lambda answer: answer.after(first_text(answer)) + 30,
    "after the second text": lambda answer: answer.after(first_text(answer) + 1),
    "in the end mark": lambda answer: answer.after(end_mark(answer)) - 5,
    "before the end mark's empty line": lambda answer: answer.after(end_mark(answer)) - 1,
    "after the end mark": lambda answer: answer.after(end_mark(answer)),
    "before the last byte": lambda answer: len(answer.raw) - 1,
}


def first_text(answer: Answer) -> int:
    """The number, from 1, of the first part that carries text."""
    return next(number for number, part in enumerate(answer.parts, 1) if part.text)


def end_mark(answer: Answer) -> int:
    return next(number for number, part in enumerate(answer.parts, 1) if part.whole)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("protocol", STREAMS)
def test_the_command_says_how_far_a_cut_stream_came(
    protocol: str, place: str, server: Server, library: Path, aix: Aix
) -> None:
    answer = STREAMS[protocol]("Hello", " world")
    size = PLACES[place](answer)
    server.answers(answer.cut_at(size))
    provide(library, server.url, protocol)
    result = ask(aix)
    assert (result.status, result.stdout) == (status_within(answer, size), answer.text_within(size))
    assert len(server.requests) == 1
    assert result.stderr.count("aix: error:") == (0 if result.status == 0 else 1)


def test_a_table_of_cuts_has_every_outcome() -> None:
    answer = chat("Hello", " world")
    assert {status_within(answer, PLACES[place](answer)) for place in PLACES} == {0, 3, 9}


def stripped(answer: Answer) -> Answer:
    """The same stream without the space after `data:`."""
    return answer.with_replaced(b"data: ", b"data:")


ACCENTS: dict[str, Callable[[Answer], Answer]] = {
    "as usual": lambda answer: answer,
    "no space after data:": stripped,
    "CRLF": lambda answer: answer.with_replaced(b"\n", b"\r\n"),
    "CR": lambda answer: answer.with_replaced(b"\n", b"\r"),
    "comments between": lambda answer: answer.with_replaced(b"\n\n", b"\n\n: OPENROUTER PROCESSING\n\n"),
    "ids and retries": lambda answer: answer.with_replaced(b"data:", b"id: 7\nretry: 100\ndata:"),
    "no content type": lambda answer: answer.with_headers(Content_Type="application/octet-stream"),
    "a content type with a charset": lambda answer: answer.with_headers(
        Content_Type="Text/Event-Stream; charset=UTF-8"
    ),
    "a byte order mark": lambda answer: answer.preceded_by(b"\xef\xbb\xbf"),
}
HARD = "naïve \u2028 \u0085 \x0b \x1c 😀\n日本"
"""Letters that some splitters of lines take for ends of lines, and ones of two to four bytes."""


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("protocol", STREAMS)
def test_every_accent_of_a_stream_gives_the_exact_text_byte_by_byte(protocol: str, accent: str, server: Server) -> None:
    answer = ACCENTS[accent](STREAMS[protocol](HARD, "\r\n", HARD))
    server.answers(answer.dripped_from(len(answer.head)))
    found = outcome(exchange(server.url, protocol))
    assert (found.status, found.text) == (0, HARD + "\r\n" + HARD)


@pytest.mark.parametrize("accent", ["no space after data:", "CRLF"])
def test_the_command_prints_the_exact_bytes(accent: str, server: Server, library: Path) -> None:
    server.answers(ACCENTS[accent](chat(HARD, "\r\n")).dripped_from(0))
    provide(library, server.url)
    with asking() as process:
        assert process.communicate(timeout=20)[0] == f"{HARD}\r\n".encode()
    assert process.returncode == 0


def test_what_comes_before_the_answer_is_passed_over(server: Server) -> None:
    informed = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    server.answers([Send(informed + chat("Hello").raw)])
    assert outcome(exchange(server.url)).text == "Hello"


def test_a_server_that_only_stops_sending_has_ended_its_answer(server: Server) -> None:
    cut = chat("Hello").framed("close")
    server.answers([Send(cut.raw[: cut.after(1)]), HalfClose(), Stall()])
    found = outcome(exchange(server.url))
    assert (found.status, found.text) == (3, "Hello")
    assert found.seconds < 5


@pytest.mark.parametrize("protocol", STREAMS)
def test_a_reset_before_any_text_is_the_network_and_is_not_sent_again(
    protocol: str, server: Server, library: Path, aix: Aix
) -> None:
    server.answers([Send(STREAMS[protocol]("Hello").head), Reset()])
    provide(library, server.url, protocol)
    result = ask(aix)
    assert (result.status, result.stdout) == (7, "")
    assert "the connection to fake broke" in result.stderr
    assert len(server.requests) == 1


@pytest.mark.parametrize("protocol", STREAMS)
def test_a_reset_after_text_keeps_the_text(protocol: str, server: Server, library: Path) -> None:
    answer, was_read = STREAMS[protocol]("Hello", " world"), threading.Event()
    start = answer.raw[: answer.after(first_text(answer))]
    server.answers([Send(start), Until(was_read), Reset()])
    provide(library, server.url, protocol)
    with asking() as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"Hello"
        was_read.set()
        rest, stderr = process.communicate(timeout=20)
    assert (process.returncode, rest) == (3, b"")
    assert b"the answer broke off: the connection to fake broke" in stderr
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"message": "slow down", "type": "rate_limit_error"}, "fake is limiting requests"),
        ({"message": "no more", "type": "overloaded_error"}, "fake is overloaded"),
        ({"message": "hm"}, "fake sent an error instead of an answer"),
    ],
)
def test_an_error_inside_a_stream_keeps_the_text_and_is_not_sent_again(
    error: dict[str, str], said: str, server: Server, library: Path, aix: Aix
) -> None:
    answer = chat("Hello")
    failed = b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
    broken = answer.with_headers(X_Request_Id="req-7").framed("close")
    server.answers([Send(broken.raw[: broken.after(1)] + failed)])
    provide(library, server.url)
    result = ask(aix)
    assert (result.status, result.stdout) == (3, "Hello")
    assert f"aix: error: the answer broke off: {said}\n  cause: {error['message']}\n" in result.stderr
    assert "  request-id: req-7\n" in result.stderr
    assert len(server.requests) == 1


def test_a_body_over_the_cap_keeps_the_text(server: Server) -> None:
    endless = chat("x" * 1000).parts[0].data
    server.answers([Send(chat().framed("close").head), Flood(endless, limit=1_000_000)])
    found = outcome(exchange(server.url), Client({}, max_body=100_000))
    assert found.status == 3
    assert set(found.text) == {"x"}
    assert len(found.text) <= 100_000
