"""From bytes to lines to frames: where a line ends, what a frame is, and what is neither."""

import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aix.errors import ProviderError
from aix.llm.wire import MAX_LINE, Frame, lines, parsed, sse

NO_LINE_ENDS = ("\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e")
"""What str.splitlines splits at, and a stream must not: they are letters of a model's text."""


def single_bytes(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b"\n"], [b""]),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a\rb\r"], [b"a", b"b"]),
        ([b"a\r\nb\r\n"], [b"a", b"b"]),
        ([b"a\n\nb\n"], [b"a", b"", b"b"]),
        ([b"a\r\rb\r"], [b"a", b"", b"b"]),
        ([b"a\r\n\r\nb\r\n"], [b"a", b"", b"b"]),
        ([b"a\n\rb\n"], [b"a", b"", b"b"]),
        ([b"a\r\n\nb\r\n\r"], [b"a", b"", b"b", b""]),
        ([b"a\r", b"\nb\n"], [b"a", b"b"]),
        ([b"a\r", b"", b"\nb\n"], [b"a", b"b"]),
        ([b"a\r", b"\n", b"b\n"], [b"a", b"b"]),
        ([b"a\r", b"\n", b"\n", b"b\n"], [b"a", b"", b"b"]),
        ([b"a\r", b"\n", b"\r", b"\n", b"b\n"], [b"a", b"", b"b"]),
        ([b"a\r", b"b\r"], [b"a", b"b"]),
        ([b"a\r", b"\r"], [b"a", b""]),
        ([b"a", b"b", b"c\nd", b"e\n"], [b"abc", b"de"]),
        ([b"whole\ncut off"], [b"whole"]),
        ([b"cut off"], []),
    ],
)
def test_a_line_ends_at_cr_lf_and_crlf(reads: list[bytes], expected: list[bytes]) -> None:
    assert list(lines(reads)) == expected
    assert list(lines(single_bytes(b"".join(reads)))) == expected


@pytest.mark.parametrize("letter", NO_LINE_ENDS, ids=ascii)
def test_a_line_ends_at_nothing_else(letter: str) -> None:
    line = f"before{letter}after".encode()
    assert list(lines([line + b"\n"])) == [line]
    assert list(lines(single_bytes(line + b"\n"))) == [line]
    assert list(sse([b"data: " + line + b"\n\n"])) == [Frame(line)]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_letter_that_two_reads_share_is_whole_again(newline: bytes) -> None:
    text = "é漢👩‍👩‍👧"
    for frame in sse(single_bytes(f"data: {text}".encode() + newline * 2)):
        assert frame.data.decode() == text


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        ("", []),
        ("\n\n\n", []),
        ("data: a\n\n", [Frame(b"a")]),
        ("data:a\n\n", [Frame(b"a")]),
        ("data:  a \n\n", [Frame(b" a ")]),
        ("data:\ta\n\n", [Frame(b"\ta")]),
        ("data: a:b\n\n", [Frame(b"a:b")]),
        ("data: a\ndata: b\n\n", [Frame(b"a\nb")]),
        ("data: a\ndata:\ndata: b\n\n", [Frame(b"a\n\nb")]),
        ("data: a\n\ndata: b\n\n", [Frame(b"a"), Frame(b"b")]),
        ("data:\n\n", [Frame(b"")]),
        ("data\n\n", [Frame(b"")]),
        ("event: ping\ndata: a\n\n", [Frame(b"a", "ping")]),
        ("data: a\nevent:ping\n\n", [Frame(b"a", "ping")]),
        ("event: one\nevent: two\ndata: a\n\n", [Frame(b"a", "two")]),
        ("event: one\ndata: a\n\ndata: b\n\n", [Frame(b"a", "one"), Frame(b"b")]),
        ("event: lost\n\ndata: a\n\n", [Frame(b"a")]),
        ("event: \udcff\ndata: a\n\n", [Frame(b"a", "\ufffd")]),
        (": a comment\n\n", []),
        (":\n\n", []),
        (": before\ndata: a\n: between\ndata: b\n\n: after\n\n", [Frame(b"a\nb")]),
        (":data: a\n\n", []),
        ("id: 7\nretry: 3000\nunknown: x\ndata: a\n\n", [Frame(b"a")]),
        ("dat: a\nData: b\n data: c\n\n", []),
        ("\ufeffdata: a\n\n", [Frame(b"a")]),
        ("\ufeff: comment\n\ndata: a\n\n", [Frame(b"a")]),
        ("data: a\n\n\ufeffdata: b\n\n", [Frame(b"a")]),
        ("data: a\n", []),
        ("data: a", []),
        ("data: a\n\ndata: b\n", [Frame(b"a")]),
        ("data: a\n\ndata: b\ndata: c", [Frame(b"a")]),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_a_frame_is_what_an_empty_line_ends(stream: str, newline: str, frames: list[Frame]) -> None:
    data = stream.replace("\n", newline).encode("utf-8", "surrogateescape")
    assert list(sse([data])) == frames
    assert list(sse(single_bytes(data))) == frames


def test_a_frame_is_handed_over_before_the_next_read() -> None:
    def reads() -> Iterator[bytes]:
        yield b"data: a\r\n\r"
        raise AssertionError("the second read was waited for")

    assert next(sse(reads())) == Frame(b"a")


@pytest.mark.parametrize("end", [b"", b"\n", b"more\n"])
@pytest.mark.parametrize("read", [1, 7, 64, 1000])
def test_a_line_may_be_so_long_and_no_longer(end: bytes, read: int) -> None:
    assert list(lines(in_reads(b"first\n" + b"x" * 64 + b"\n", read), 64)) == [b"first", b"x" * 64]
    too_long = lines(in_reads(b"first\n" + b"x" * 65 + end, read), 64)
    assert next(too_long) == b"first", "what came before the long line is not lost with it"
    with pytest.raises(ProviderError, match="a line of more than 64 bytes"):
        next(too_long)


def test_the_longest_line_in_the_smallest_reads_takes_time_in_proportion() -> None:
    """A megabyte that came byte by byte was once copied for each byte: minutes."""
    started = time.process_time()
    with pytest.raises(ProviderError, match=f"a line of more than {MAX_LINE} bytes"):
        list(lines(b"x" for _ in range(MAX_LINE + 1)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("line", [b"data: " + b"x" * 400 + b"\n", b"data:\n"])
def test_an_endless_event_of_many_lines_is_refused(line: bytes) -> None:
    assert len(list(sse([line, line, b"\n"] * 10, max_event=1000))) == 10
    with pytest.raises(ProviderError, match="an event of more than 1000 bytes"):
        list(sse([line] * 1001, max_event=1000))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_what_is_no_json_object_is_the_providers_error(data: bytes, said: str) -> None:
    with pytest.raises(ProviderError, match=said) as caught:
        parsed(data, "acme")
    assert caught.value.message.startswith("acme sent")
    assert len(caught.value.cause) <= 301


def test_numbers_that_json_does_not_know_are_read_as_nothing() -> None:
    assert parsed(b'{"a": NaN, "b": [-Infinity, Infinity]}') == {"a": None, "b": [None, None]}


DATA = st.binary(max_size=40).filter(lambda data: b"\r" not in data)  # a CR in data would be a line end in the stream
NAME = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=10)
FRAMES = st.lists(st.builds(Frame, DATA, NAME), max_size=6)


def in_reads(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def cut_at(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def written(frame: Frame, newline: bytes, space: bytes, noise: bytes) -> bytes:
    """The frame as a server may write it: its event first, then its data line by line, and noise after each."""
    said = [(b"event:", frame.event.encode())] if frame.event else []
    said += [(b"data:", line) for line in frame.data.split(b"\n")]
    # a value that begins with a space needs one before it
    whole = [name + (b" " if value.startswith(b" ") else space) + value for name, value in said]
    return b"".join(line + newline + noise + newline for line in whole) + newline


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([Frame(b"a\n\nb", "x"), Frame(b" ")], b"\r\n", b"", b"id: 1", [3, 4, 5])
@given(
    frames=FRAMES,
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    space=st.sampled_from([b"", b" "]),
    noise=st.sampled_from([b": keep-alive", b":", b"id: 7", b"retry: 10", b"nothing"]),
    places=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_frames_come_back_equal_however_they_were_written_and_read(
    frames: list[Frame], newline: bytes, space: bytes, noise: bytes, places: list[int]
) -> None:
    stream = b"".join(written(frame, newline, space, noise) for frame in frames)
    assert list(sse(cut_at(stream, places))) == frames
    assert list(sse(single_bytes(stream))) == frames
