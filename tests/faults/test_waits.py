"""Waits that would not end by themselves: every one of them ends with the deadline, and says what came before it."""

import socket
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from answers import PLAIN, STREAMS, Answer, answer, chat, error
from conftest import Aix
from scene import ASK, ask, exchange, outcome, provide
from server import Server
from steps import Drip, Script, Send, Stall, Tell, Until

from aix.config.paths import find_paths
from aix.config.settings import Settings
from aix.errors import NetworkError
from aix.llm.client import Client
from aix.llm.clock import Clock, pause
from aix.llm.deadlines import Deadlines, deadlines
from aix.llm.exchange import Attempt
from aix.llm.providers import Providers
from aix.llm.retry import Patience
from aix.llm.wire import Call
from aix.messages import Finish, TextDelta

TIMEOUT = 0.3
LATE = 1.0
"""How much later than the deadline an answer may be given up."""

SLOW = 0.05
"""Seconds between two drops: no answer is whole before the deadline."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def kept_alive(answer: Answer, count: int) -> Script:
    """The first parts of an answer, then nothing but comments."""
    start = answer.framed("close")
    return [Send(start.raw[: start.after(count)] if count else start.head), Drip(b": keep-alive\n\n" * 1000, 14, SLOW)]


WAITS: dict[str, Callable[[Answer], Script]] = {
    "before the status line": lambda answer: [Stall()],
    "in the status line": lambda answer: answer.stalled_at(7),
    "in a header": lambda answer: answer.stalled_at(len(answer.head) - 20),
    "after the headers": lambda answer: answer.stalled_at(len(answer.head)),
    "in a chunk size": lambda answer: answer.stalled_at(len(answer.head) + 1),
    "in the first event": lambda answer: answer.stalled_at(len(answer.head) + 30),
    "before the first event's empty line": lambda answer: answer.stalled_at(answer.after(1) - 1),
    "keep-alives only": lambda answer: kept_alive(answer, 0),
    "dripped status line": lambda answer: answer.dripped_from(0, 1, SLOW),
    "dripped headers": lambda answer: answer.dripped_from(20, 1, SLOW),
    "dripped chunk sizes": lambda answer: [Send(answer.head), Drip(b"0" * 1000, 1, SLOW)],
    "dripped body": lambda answer: answer.dripped_from(len(answer.head), 1, SLOW),
    "endless informational answers": lambda _: [Drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 25, SLOW)],
    "a compressed drip": lambda _: [
        Send(Answer((), headers={"Content-Encoding": "gzip"}, framing="close").head),
        Drip(zlib.compress(b": keep-alive\n\n" * 100_000, wbits=31), 1, SLOW),
    ],
}
"""Where a provider can fall silent, or nearly so, before any text."""

WAITS_AFTER_TEXT: dict[str, Callable[[Answer], Script]] = {
    "between events": lambda answer: answer.stalled_at(answer.after(3)),
    "in an event": lambda answer: answer.stalled_at(answer.after(3) + 20),
    "keep-alives only": lambda answer: kept_alive(answer, 3),
    "dripped body": lambda answer: answer.dripped_from(answer.after(3), 1, SLOW),
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_before_any_text_ends_with_the_deadline(wait: str, server: Server) -> None:
    server.answers(WAITS[wait](chat("Hello", " world")))
    found = outcome(exchange(server.url, timeout=TIMEOUT))
    assert (found.status, found.text) == (10, ""), found.error
    assert found.error is not None
    assert found.error.message == "fake did not answer within 0.3 s"
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE
    assert server.connections == 1


@pytest.mark.parametrize("wait", WAITS_AFTER_TEXT)
@pytest.mark.parametrize("protocol", STREAMS)
def test_a_wait_after_text_ends_with_the_deadline_and_keeps_the_text(protocol: str, wait: str, server: Server) -> None:
    answer = STREAMS[protocol]("Hel", "lo", "!", " world")
    server.answers(WAITS_AFTER_TEXT[wait](answer))
    found = outcome(exchange(server.url, protocol, timeout=TIMEOUT))
    assert (found.status, found.text) == (3, answer.text_within(answer.after(3)))
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE
    assert server.connections == 1


SHORT = Deadlines(connect=0.4, first_byte=0.6, silence=0.5)
"""Each another, so that none can be taken for another."""

UNBEGUN = (
    *("before the status line", "in a header", "after the headers", "in a chunk size"),
    *("dripped status line", "dripped headers", "dripped chunk sizes", "endless informational answers"),
)


@pytest.mark.parametrize("wait", UNBEGUN)
def test_a_first_byte_that_does_not_come_has_a_limit_of_its_own(wait: str, server: Server) -> None:
    server.answers(WAITS[wait](chat("Hello", " world")))
    found = outcome(exchange(server.url, deadlines=SHORT))
    assert found.error is not None
    assert (found.status, found.error.message) == (10, "fake began no answer within 0.6 s")
    assert found.error.hint == "give it longer: aix config first_byte_timeout 1.8"
    assert 0.5 <= found.seconds < 0.6 + LATE
    assert server.connections == 1


@pytest.mark.parametrize("wait", ["between events", "in an event"])
def test_silence_between_two_pieces_has_a_limit_of_its_own(wait: str, server: Server) -> None:
    answer = chat("Hel", "lo", "!", " world")
    server.answers(WAITS_AFTER_TEXT[wait](answer))
    found = outcome(exchange(server.url, deadlines=SHORT, silence_timeout=0.5))
    assert found.error is not None
    assert (found.status, found.text) == (3, answer.text_within(answer.after(3)))
    assert found.error.message == "the answer broke off: fake was silent for 0.5 s"
    assert found.error.hint == "give it longer: aix config custom_providers.fake.silence_timeout 1.5"
    assert 0.4 <= found.seconds < 0.5 + LATE


@pytest.mark.parametrize("wait", ["keep-alives only", "dripped body"])
def test_what_comes_without_saying_anything_is_bounded_by_the_whole(wait: str, server: Server) -> None:
    server.answers(WAITS_AFTER_TEXT[wait](chat("Hel", "lo", "!", " world")))
    found = outcome(exchange(server.url, timeout=1, deadlines=SHORT))
    assert found.error is not None
    assert (found.status, found.error.message) == (3, "the answer broke off: fake did not answer within 1 s")
    assert 0.9 <= found.seconds < 1 + LATE


def test_a_whole_that_was_shared_is_named(server: Server) -> None:
    server.answers([Stall()])
    found = outcome(exchange(server.url, timeout=TIMEOUT, deadlines=Deadlines(whole=60)))
    assert found.error is not None
    assert found.error.message == "fake did not answer within what was left of 60 s"
    assert found.error.hint == "give it longer: --timeout 180"


@pytest.mark.parametrize("way", ["a crowd", "TLS that is silent", "TLS that drips"])
def test_a_connection_that_does_not_come_about_has_a_limit_and_is_tried_again(way: str) -> None:
    attempts = list[Attempt]()
    with crowded() as full, Server(reads=False) as mute:
        mute.answers(TLS["dripped" if way.endswith("drips") else "silent"])
        url = full if way == "a crowd" else mute.url.replace("http:", "https:")
        started = time.monotonic()
        with pytest.raises(NetworkError) as caught:
            list(Client({}).events(exchange(url, deadlines=SHORT), attempts, Patience(retries=1)))
        seconds = time.monotonic() - started
    host = url.partition("://")[2]
    assert caught.value.message == f"there is no connection to fake at {host} after 0.4 s"
    assert caught.value.hint == "check that it runs, and its address\ngive it longer: aix config connect_timeout 1.2"
    assert [attempt.error for attempt in attempts] == ["NETWORK", "NETWORK"]
    assert all(0.3 <= attempt.seconds < 0.4 + LATE for attempt in attempts)
    assert seconds < 2 * (0.4 + LATE) + 0.5


def test_who_takes_no_connection_for_long_is_tried_once_where_another_could_be_asked() -> None:
    attempts = list[Attempt]()
    hasty = Clock(monotonic=lambda: time.monotonic() * 10)
    with crowded() as full, pytest.raises(NetworkError):
        list(Client({}, hasty).events(exchange(full, deadlines=SHORT), attempts, Patience(others=lambda _: True)))
    assert len(attempts) == 1


def test_a_limit_may_be_far_away_while_another_is_near(server: Server) -> None:
    server.answers(chat("Hello"))
    assert outcome(exchange(server.url, deadlines=Deadlines(1e18, inf, inf))).text == "Hello"


SET: dict[str, tuple[dict[str, object], dict[str, str], Deadlines]] = {
    "nothing": ({}, {}, Deadlines(15, inf, inf, 600)),
    "in config.json": ({"first_byte_timeout": 7, "silence_timeout": 8}, {}, Deadlines(15, 7, 8, 600)),
    "of its own": ({"custom_providers.fake.first_byte_timeout": 7}, {}, Deadlines(15, 7, inf, 600)),
    "a variable over its own": (
        {"custom_providers.fake.first_byte_timeout": 7},
        {"AIX_FIRST_BYTE_TIMEOUT": "9", "AIX_CONNECT_TIMEOUT": "2"},
        Deadlines(2, 9, inf, 600),
    ),
}


@pytest.mark.parametrize("name", SET)
def test_where_the_deadlines_are_from(name: str, tmp_path: Path) -> None:
    values, variables, expected = SET[name]
    env = {"AIX_HOME": str(tmp_path), **variables}
    settings = Settings(find_paths(env, tmp_path), env)
    settings.save_all({"custom_providers.fake.base_url": "http://localhost:1", **values})
    fresh = Settings(find_paths(env, tmp_path), env)
    provider = Providers(fresh.section("custom_providers"), env).get("fake")
    assert deadlines(fresh, provider, 600) == expected
    away = replace(provider, local=False)
    assert deadlines(fresh, away, 600).first_byte == min(300, expected.first_byte)


@pytest.mark.parametrize(
    "wait",
    [
        "before the status line",
        "in a header",
        "after the headers",
        "in the first event",
        "keep-alives only",
        "dripped headers",
        "dripped body",
    ],
)
def test_the_command_ends_with_the_deadline(wait: str, server: Server, library: Path, aix: Aix) -> None:
    server.answers(WAITS[wait](chat("Hello")))
    provide(library, server.url)
    started = time.monotonic()
    result = ask(aix, "--timeout", "1")
    seconds = time.monotonic() - started
    assert (result.status, result.stdout) == (10, "")
    assert result.stderr.startswith("aix: error: fake did not answer within 1 s\n  hint: aix rerun last --timeout 3\n")
    assert 1 <= seconds < 4
    assert server.connections == 1


@pytest.mark.parametrize("wait", ["in an event", "dripped body"])
def test_the_command_keeps_the_text_at_the_deadline(wait: str, server: Server, library: Path, aix: Aix) -> None:
    server.answers(WAITS_AFTER_TEXT[wait](chat("Hel", "lo", "!", " world")))
    provide(library, server.url)
    started = time.monotonic()
    result = ask(aix, "--timeout", "1")
    seconds = time.monotonic() - started
    assert (result.status, result.stdout) == (3, "Hello!")
    assert result.stderr.startswith("aix: error: the answer broke off: fake did not answer within 1 s\n")
    assert 1 <= seconds < 4


def test_an_answer_whose_end_mark_came_is_whole_though_the_connection_stays(server: Server) -> None:
    answer = chat("Hello")
    server.answers(answer.stalled_at(answer.after(2)))
    found = outcome(exchange(server.url, timeout=TIMEOUT))
    assert (found.status, found.text) == (0, "Hello")
    assert found.seconds < TIMEOUT + LATE


@pytest.mark.parametrize("stream", ["openai-chat", "anthropic-messages"])
def test_nothing_is_waited_for_after_the_very_end(stream: str, server: Server) -> None:
    answer = STREAMS[stream]("Hello")
    server.answers(answer.stalled_at(answer.after(len(answer.parts))))
    found = outcome(exchange(server.url, stream, timeout=20))
    assert (found.status, found.text) == (0, "Hello")
    assert found.seconds < 5


@pytest.mark.parametrize("protocol", PLAIN)
def test_a_plain_answer_that_stalls_is_no_answer(protocol: str, server: Server) -> None:
    answer = PLAIN[protocol]("Hello")
    server.answers(answer.stalled_at(len(answer.raw) - 1))
    found = outcome(exchange(server.url, protocol, stream=False, timeout=TIMEOUT))
    assert (found.status, found.text) == (10, "")
    assert found.seconds < TIMEOUT + LATE


def test_an_error_that_stalls_is_still_that_error(server: Server) -> None:
    refused = error(401)
    server.answers(refused.stalled_at(len(refused.head) + 10))
    found = outcome(exchange(server.url, timeout=TIMEOUT))
    assert found.status == 4
    assert found.seconds < TIMEOUT + LATE


def test_a_server_that_does_not_read_the_request_is_given_up() -> None:
    with Server(reads=False) as server:
        given_up = threading.Event()
        server.answers([Until(given_up)])
        question = exchange(server.url, timeout=TIMEOUT)
        found = outcome(replace(question, call=Call("POST", "/", {"text": "x" * 16_000_000})))
        given_up.set()
    assert found.status == 10
    assert found.seconds < TIMEOUT + LATE


def test_a_host_that_takes_no_connection_is_given_up() -> None:
    with crowded() as url:
        found = outcome(exchange(url, timeout=TIMEOUT))
    assert found.status == 10
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE


@contextmanager
def crowded() -> Iterator[str]:
    """The URL of a listener whose queue is full: the kernel leaves whoever comes now without a word."""
    with socket.socket() as listener, ExitStack() as queue:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


TLS: dict[str, Script] = {
    "silent": [Stall()],
    "dripped": [Drip(b"\x16\x03\x03\x40\x00" + bytes(1000), 1, SLOW)],
}


@pytest.mark.parametrize("way", TLS)
def test_a_handshake_that_does_not_end_is_given_up(way: str) -> None:
    with Server(reads=False) as server:
        server.answers(TLS[way])
        found = outcome(exchange(server.url.replace("http:", "https:"), timeout=TIMEOUT))
    assert found.status == 10, found.error
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE


def test_a_proxy_that_stalls_is_given_up(server: Server) -> None:
    server.answers([Stall()])
    question = exchange("https://nowhere.invalid/v1", timeout=TIMEOUT)
    found = outcome(question, Client({"HTTPS_PROXY": server.url}))
    assert found.status == 10
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE


def test_a_look_up_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    released, entered = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        entered.set()
        released.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        found = outcome(exchange("http://slow.invalid/v1", timeout=TIMEOUT, allow_http=True))
    finally:
        released.set()
    assert entered.is_set()
    assert found.status == 10
    assert TIMEOUT * 0.9 <= found.seconds < TIMEOUT + LATE


def test_a_look_up_that_ends_too_late_sends_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    released, gone, look_up = threading.Event(), threading.Event(), socket.getaddrinfo

    def hang(host: str, *rest: object, **more: object) -> object:
        released.wait(30)
        return look_up("127.0.0.1", *rest, **more)  # type: ignore[arg-type]

    server.answers([Stall(), Tell(gone)])
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    found = outcome(exchange(f"http://slow.invalid:{server.port}", timeout=TIMEOUT, allow_http=True))
    released.set()
    assert gone.wait(10)
    assert (found.status, server.connections, server.requests) == (10, 1, [])


HANGING = """
    import socket, sys, threading
    socket.getaddrinfo = lambda *_, **__: threading.Event().wait(60)
    from aix.cli.main import main
    sys.argv = ["aix", *sys.argv[1:]]
    main()
"""


def test_a_look_up_that_hangs_does_not_keep_the_process_and_leaves_no_traceback(library: Path) -> None:
    provide(library, "http://slow.invalid/v1", allow_http=True)
    started = time.monotonic()
    command = [sys.executable, "-c", textwrap.dedent(HANGING), *ASK, "--timeout", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr.startswith("aix: error: fake did not answer within 1 s\n  hint: aix rerun last --timeout 3\n")
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("timeout", [1e9, 1e18, float("inf")])
def test_a_deadline_may_be_far_away(timeout: float, server: Server) -> None:
    server.answers(chat("Hello"))
    assert outcome(exchange(server.url, timeout=timeout)).text == "Hello"


ENDS: dict[str, tuple[bytes, int]] = {
    "whole": (chat("Hello").raw, 0),
    "cut": (chat("Hello").raw[:-1], 0),
    "late": (chat("Hello").head, 10),
    "refused": (error(400).raw, 9),
    "refused, without an end": (error(400).raw[:-1], 9),
    "a web page without an end": (answer(b"<html>", Content_Type="text/html").raw[:-1], 9),
    "a redirect without an end": (answer(b"moved", "302 Found").raw[:-1], 7),
    "an error inside": (answer(b'data: {"error": "no"}\n\n', Content_Type="text/event-stream").raw, 9),
    "not HTTP": (b"hello\r\n\r\n", 9),
}


@pytest.mark.parametrize("end", ENDS)
def test_no_connection_is_left_open(end: str, server: Server) -> None:
    data, status = ENDS[end]
    gone = threading.Event()
    server.answers([Send(data), Stall(), Tell(gone)])
    assert outcome(exchange(server.url, timeout=TIMEOUT)).status == status
    assert gone.wait(10)


def test_an_answer_that_nobody_wants_any_more_is_closed_and_noted(server: Server) -> None:
    gone, attempts = threading.Event(), list[Attempt]()
    answer = chat("Hello", " world")
    server.answers([Send(answer.raw[: answer.after(1)]), Stall(), Tell(gone)])
    events = Client({}).events(exchange(server.url), attempts)
    assert next(events) == TextDelta("Hello")
    events.close()
    assert gone.wait(10)
    assert [(attempt.status, attempt.error) for attempt in attempts] == [(200, "INTERRUPTED")]


def test_what_came_in_time_is_handed_over_though_it_is_taken_late(server: Server) -> None:
    gone, attempts = threading.Event(), list[Attempt]()
    server.answers([Send(chat("Hello", " world").raw), Stall(), Tell(gone)])
    events = Client({}).events(exchange(server.url, timeout=TIMEOUT), attempts)
    assert next(events) == TextDelta("Hello")
    assert gone.wait(10)
    pause(TIMEOUT)
    assert [type(event) for event in events] == [TextDelta, Finish]
