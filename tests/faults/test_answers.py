"""Answers that are none: web pages, redirects, bombs, garbage, nothing at all, and nobody there."""

import functools
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from answers import PLAIN, STREAMS, Answer, answer, chat, error, plain_chat
from conftest import Aix
from scene import ASK, KEY, ask, exchange, outcome, provide
from server import Server, nobody_listens
from steps import Close, Flood, Reset, Script, Send

from aix.llm.client import Client

SSE = {"Content_Type": "text/event-stream"}
JSON = {"Content_Type": "application/json"}
MEBIBYTE = 1024 * 1024


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another origin, which must never hear of anything."""
    with Server() as running:
        running.answers(chat("stolen"))
        yield running


def endless(head: bytes, data: bytes) -> Script:
    return [Send(head), Flood(data)]


@functools.cache
def bomb(layers: int = 1) -> bytes:
    """200 MiB of zeros, compressed once or more often."""
    press = zlib.compressobj(level=1, wbits=31)
    data = b"".join(press.compress(bytes(MEBIBYTE)) for _ in range(200)) + press.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, wbits=31)
    return data


NO_ANSWERS: Mapping[str, tuple[Answer | Script | Callable[[], Answer], str]] = {
    "a web page": (
        answer(b"<!doctype html><p>Sign in", Content_Type="text/html; charset=utf-8"),
        "fake answered with a web page instead of an answer",
    ),
    "a web page that calls itself nothing": (answer(b"<html>"), "fake ended the connection without an answer"),
    "a web page that calls itself JSON": (answer(b"<html>", **JSON), "fake sent something that is not JSON"),
    "an empty stream": (answer(b"", **SSE), "fake ended the connection without an answer"),
    "an empty JSON": (answer(b"", **JSON), "fake ended the connection without an answer"),
    "an empty nothing": (answer(b""), "fake ended the connection without an answer"),
    "blank lines": (answer(b"\n\n \r\n", **JSON), "fake ended the connection without an answer"),
    "no content": (answer(b"", "204 No Content"), "fake ended the connection without an answer"),
    "no content and no length": ([Send(b"HTTP/1.1 204 No Content\r\n\r\n")], "fake ended the connection without an"),
    "another protocol": ([Send(b"HTTP/1.1 101 Switching\r\nUpgrade: h2\r\n\r\n")], "fake does not speak HTTP as it"),
    "half of a JSON": (answer(b'{"choices": [', **JSON), "fake sent something that is not JSON"),
    "a list": (answer([1, 2]), "fake sent JSON that is not an object"),
    "a frame that is not JSON": (answer(b"data: hello\n\n", **SSE), "that is not JSON"),
    "a JSON of nothing": (answer({}), "fake ended the connection without an answer"),
    "an answer without text": (plain_chat(""), "fake gave an empty answer"),
    "a stream without text": (chat(), "fake gave an empty answer"),
    "the end before the beginning": ([Close()], "fake ended the connection, unanswered"),
    "a greeting of SSH": ([Send(b"SSH-2.0-OpenSSH_9.6\r\n")], "fake ended the connection, unanswered"),
    "a word": ([Send(b"incomplete\r\n\r\n")], "fake does not speak HTTP as it should"),
    "zeros": ([Send(bytes(1000))], "fake does not speak HTTP as it should"),
    "a length that is none": (
        [Send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")],
        "fake does not speak HTTP as it should",
    ),
    "a chunk size that is none": (
        [Send(chat().head + b"xyz\r\n")],
        "fake does not speak HTTP as it should",
    ),
    "an endless header": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), "fake does not speak HTTP as it should"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10000), "fake does not speak HTTP as it should"),
    "an endless line": (endless(chat().framed("close").head, b"x" * 65536), "a line of more than 1048576 bytes"),
    "an endless event": (
        endless(chat().framed("close").head, b"data: " + b"x" * 65530 + b"\n"),
        "fake sent more than 67108864 bytes",
    ),
    "an endless chunk size": (endless(chat().head, b"0" * 65536), "fake does not speak HTTP as it should"),
    "an endless JSON": (
        endless(answer(b"", **JSON).framed("close").head, b" " * 65536),
        "fake sent more than 67108864 bytes",
    ),
    "a bomb of a JSON": (lambda: answer(bomb(), Content_Encoding="gzip", **JSON), "fake sent more than 67108864 bytes"),
    "a bomb of a line": (lambda: answer(bomb(), Content_Encoding="GZip", **SSE), "a line of more than 1048576 bytes"),
    "a bomb in a bomb": (
        lambda: answer(bomb(2), Content_Encoding="gzip, gzip", **JSON),
        "an encoding that aix did not ask",
    ),
    "a bomb of an error": (
        lambda: answer(bomb(), "400 No", Content_Encoding="gzip", **JSON),
        "rejects the request (HTTP 400)",
    ),
    "gzip that is none": (answer(b"hello", Content_Encoding="gzip", **JSON), "a body that cannot be decompressed"),
    "an encoding of others": (answer(b"hello", Content_Encoding="br", **JSON), "an encoding that aix did not ask for"),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_the_providers_fault(name: str, server: Server, library: Path, aix: Aix) -> None:
    script, said = NO_ANSWERS[name]
    server.answers(script() if callable(script) else script)
    provide(library, server.url)
    result = ask(aix)
    assert (result.status, result.stdout) == (9, "")
    assert said in result.stderr.splitlines()[0]
    assert server.connections == 1
    assert 0 < result.memory < 400


@pytest.mark.parametrize("protocol", STREAMS)
def test_a_plain_answer_is_taken_where_a_stream_was_asked_for(
    protocol: str, server: Server, library: Path, aix: Aix
) -> None:
    server.answers(PLAIN[protocol]("Hello"))
    provide(library, server.url, protocol)
    result = ask(aix, "--stream")
    assert (result.status, result.stdout, result.stderr) == (0, "Hello", "")
    assert server.requests[0].json["stream"] is True


@pytest.mark.parametrize("protocol", STREAMS)
def test_a_stream_is_taken_where_a_plain_answer_was_asked_for(
    protocol: str, server: Server, library: Path, aix: Aix
) -> None:
    server.answers(STREAMS[protocol]("Hel", "lo"))
    provide(library, server.url, protocol)
    result = ask(aix, "--no-stream")
    assert (result.status, result.stdout, result.stderr) == (0, "Hello", "")
    assert not server.requests[0].json.get("stream")


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity"])
def test_an_answer_is_taken_though_it_is_compressed_unasked(encoding: str, server: Server) -> None:
    press = zlib.compressobj(wbits={"deflate": 15}.get(encoding, 31))
    stream = chat("Hello", " world").framed("close")
    sent = stream.body if encoding == "identity" else press.compress(stream.body) + press.flush()
    packed = answer(sent, Content_Encoding=encoding, **SSE)
    server.answers(packed.dripped_from(len(packed.head)))
    found = outcome(exchange(server.url))
    assert (found.status, found.text) == (0, "Hello world")
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_a_cut_compressed_stream_is_as_whole_as_what_can_be_read_of_it(server: Server) -> None:
    stream = chat("Hello").framed("close")
    packed = answer(zlib.compress(stream.body, wbits=31), Content_Encoding="gzip", **SSE)
    for size in range(len(packed.body) + 1):
        readable = len(stream.head) + len(zlib.decompressobj(wbits=31).decompress(packed.body[:size]))
        server.answers(packed.cut_at(len(packed.head) + size))
        expected = 0 if stream.whole_within(readable) else 3 if stream.text_within(readable) else 9
        assert outcome(exchange(server.url)).status == expected, size


def test_a_plain_body_over_the_cap_is_refused(server: Server) -> None:
    server.answers(plain_chat("x" * 2000))
    found = outcome(exchange(server.url), Client({}, max_body=1000))
    assert (found.status, found.text) == (9, "")
    assert found.error is not None
    assert found.error.message == "fake sent more than 1000 bytes"


def test_a_bomb_goes_off_a_piece_at_a_time(server: Server) -> None:
    server.answers(answer(bomb(), Content_Encoding="gzip", **JSON))
    question, client = exchange(server.url), Client({}, max_body=2 * MEBIBYTE)
    tracemalloc.start()
    try:
        found = outcome(question, client)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.status == 9
    assert most < 20 * MEBIBYTE


@pytest.mark.parametrize("auth", ["bearer", "x-api-key", "api-key"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_stays(
    status: int, auth: str, server: Server, elsewhere: Server
) -> None:
    server.answers(answer(b"", f"{status} Moved", Location=f"{elsewhere.url}/v1/chat/completions"))
    found = outcome(exchange(server.url, auth_type=auth, headers={"X-Api-Token": KEY}))
    assert found.status == 7
    assert found.error is not None
    assert found.error.message.startswith(f"fake redirects to {elsewhere.url}/v1/chat/completions, and aix does not")
    assert (elsewhere.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_command_does_not_follow_a_redirect(
    status: int, server: Server, elsewhere: Server, library: Path, aix: Aix
) -> None:
    server.answers(answer(b"", f"{status} Moved", Location=elsewhere.url))
    provide(library, server.url)
    result = ask(aix)
    assert (result.status, result.stdout) == (7, "")
    assert (elsewhere.connections, server.connections) == (0, 1)


@pytest.mark.parametrize(
    "location", ["", "http://[bad", "//evil.invalid/x", "javascript:alert(1)", "http://x:99999999/", "/v1/other", KEY]
)
def test_a_redirect_is_one_wherever_it_leads(location: str, server: Server) -> None:
    server.answers(answer(b"", "302 Found", Location=location))
    found = outcome(exchange(server.url))
    assert found.error is not None
    assert found.error.message.startswith("fake redirects to ")
    assert KEY not in found.error.message
    assert (found.status, server.connections) == (7, 1)


def test_nobody_listens(library: Path, aix: Aix) -> None:
    with nobody_listens() as url:
        provide(library, url)
        result = ask(aix)
    host = url.removeprefix("http://")
    assert result.status == 7
    assert result.stderr.splitlines()[0] == f"aix: error: cannot connect to fake at {host}"
    assert "refused" in result.stderr.splitlines()[1]
    assert result.stderr.splitlines()[2] == "  hint: check that it runs, and its address"


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 64 + ".invalid"])
def test_a_host_that_does_not_exist(host: str, library: Path, aix: Aix) -> None:
    provide(library, f"http://{host}/v1", allow_http=True)
    result = ask(aix)
    assert result.status == 7
    assert result.stderr.startswith("aix: error: cannot ")
    assert "  cause: " in result.stderr


@pytest.mark.parametrize(
    ("url", "status"), [("http://exa mple/v1", 12), ("http://a..b/v1", 7), ("http://\u200b/v1", 12)]
)
def test_an_address_that_is_none(url: str, status: int, library: Path, aix: Aix) -> None:
    provide(library, url, allow_http=True)
    assert ask(aix).status == status


def test_a_server_without_tls_is_asked_once(server: Server, library: Path, aix: Aix) -> None:
    server.answers([Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
    provide(library, server.url.replace("http:", "https:"))
    result = ask(aix)
    assert result.status == 7
    assert result.stderr.splitlines()[0].startswith("aix: error: cannot connect to fake at 127.0.0.1:")
    assert "SSL" in result.stderr.splitlines()[1]
    assert server.connections == 1


def test_a_proxy_that_refuses_never_sees_the_key(server: Server) -> None:
    server.answers(error(407))
    found = outcome(exchange("https://nowhere.invalid/v1"), Client({"HTTPS_PROXY": server.url}))
    assert found.error is not None
    assert (found.status, found.error.message) == (7, "the proxy for fake refuses")
    assert {(request.method, request.path) for request in server.requests} == {("CONNECT", "nowhere.invalid:443")}
    assert not any(KEY in value for request in server.requests for value in request.headers.values())


def test_a_proxy_hands_on_what_goes_in_the_clear(server: Server, library: Path, aix: Aix) -> None:
    server.answers(chat("Hello"))
    provide(library, "http://nowhere.invalid/v1", allow_http=True)
    result = aix(*ASK, env={"http_proxy": server.url})
    assert (result.status, result.stdout) == (0, "Hello")
    assert server.requests[0].path == "http://nowhere.invalid/v1/chat/completions"


def test_certificates_that_are_not_there_are_one_sentence(server: Server, library: Path, aix: Aix) -> None:
    provide(library, server.url.replace("http:", "https:"))
    result = aix(*ASK, env={"SSL_CERT_FILE": "/nowhere/authority.pem"})
    assert (result.status, result.stderr) == (
        7,
        "aix: error: cannot read the certificates in /nowhere/authority.pem: No such file or directory\n"
        "  hint: check SSL_CERT_FILE, SSL_CERT_DIR\n",
    )
    assert server.connections == 0


def test_a_connection_that_is_reset_before_the_answer_is_not_sent_again(
    server: Server, library: Path, aix: Aix
) -> None:
    server.answers([Reset()])
    provide(library, server.url)
    assert ask(aix).status == 7
    assert server.connections == 1


@pytest.mark.parametrize("headers", [{"X-Token": f" {KEY}"}, {"X Token": KEY}, {"X-Token": f"{KEY} "}, {"X:Y": KEY}])
def test_a_header_that_cannot_be_sent_is_named_without_its_value(
    headers: dict[str, Any], server: Server, library: Path, aix: Aix
) -> None:
    provide(library, server.url, headers=headers)
    result = ask(aix)
    assert (result.status, server.requests) == (12, [])


SINKS: Mapping[str, Answer] = {
    "a message": answer({"error": {"message": f"no such key: {KEY}"}}, "401 No"),
    "a message, cut inside the key": answer({"error": {"message": "x" * 285 + f" {KEY}"}}, "401 No"),
    "a plain body": answer(f"key {KEY} is wrong".encode(), "400 No"),
    "a request id": answer(b"", "400 No", X_Request_Id=KEY),
    "a code": answer({"error": {"code": KEY}}, "422 No"),
    "an error inside a stream": answer(b'data: {"error": "%s"}\n\n' % KEY.encode(), **SSE),
    "something that is not JSON": answer(f"<{KEY}>".encode(), **JSON),
    "a status line": answer(b"", f"abc {KEY}"),
}


@pytest.mark.parametrize("sink", SINKS)
def test_a_key_that_the_provider_repeats_is_not_shown(sink: str, server: Server, library: Path, aix: Aix) -> None:
    server.answers(SINKS[sink])
    provide(library, server.url)
    result = ask(aix, "--debug", "--json")
    assert result.status != 0
    assert KEY[:12] not in result.stdout + result.stderr
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_is_not_in_a_traceback_either(server: Server, library: Path, aix: Aix) -> None:
    server.answers(SINKS["a message"])
    provide(library, server.url)
    result = aix(*ASK, env={"AIX_DEBUG": "1"})
    assert "Traceback" in result.stderr
    assert KEY not in result.stderr
