"""A prediction is promised first: what is asked next, of whom, how often, and what it costs when that goes wrong.

The servers are real ones on this machine, and one of them speaks TLS; only the waits between two questions are played.
"""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aix.config.secrets import Secret
from aix.errors import AixError
from aix.llm.client import Client
from aix.llm.clock import Clock
from aix.llm.exchange import Attempt, Exchange
from aix.llm.protocols import protocol
from aix.llm.protocols.replicate import POLL_SECONDS
from aix.llm.providers import Providers
from aix.messages import Finish, Message, Request, Response, Text, Usage, collect

KEY = "r8_canary0123456789abcdef"
MODEL = "meta/llama"
STREAM = 'event: output\nid: 1:0\ndata: Good \n\nevent: output\nid: 1:1\ndata: day.\n\nevent: done\ndata: {"x": 1}\n\n'
CREATE, GET, EVENTS = "POST /v1/models/meta/llama/predictions", "GET /v1/predictions/p1", "GET /events/p1"


@dataclass(frozen=True, slots=True)
class Says:
    """One answer; `HERE` and `OTHER` in it become the addresses of the two servers."""

    body: str
    status: int = 201
    kind: str = "application/json"


@dataclass(slots=True)
class Server:
    """What it says, the last of it again and again, and what it was asked."""

    scheme: str
    says: list[Says] = field(default_factory=list)
    port: int = 0
    other: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append(f"{self.command} {self.path}")
            server.heads.append({name.lower(): value for name, value in self.headers.items()})
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            says = server.says.pop(0) if len(server.says) > 1 else server.says[0]
            self.send_response(says.status)
            self.send_header("Content-Type", says.kind)
            self.end_headers()
            self.wfile.write(says.body.replace("HERE", server.url).replace("OTHER", server.other).encode())

        do_GET = do_POST  # noqa: N815 - http.server's own name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    return Handler


@contextmanager
def serving(*says: Says, certificate: Path | None = None) -> Iterator[Server]:
    server = Server("https" if certificate else "http", list(says))
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler(server))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    server.port = listener.server_address[1]
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, made on the spot."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl makes the certificate, and is not installed")
    file = tmp_path_factory.mktemp("tls") / "here.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=here"]
    made = [
        *kind,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(file.with_suffix(".key")),
        "-out",
        str(file),
    ]
    subprocess.run([openssl, "req", "-x509", *made], check=True, capture_output=True)
    return file


def prediction(status: str, stream: str = "", **more: Any) -> Says:
    urls = {"get": "HERE/v1/predictions/p1", **({"stream": stream} if stream else {})}
    return Says(json.dumps({"id": "p1", "model": MODEL, "status": status, "output": None, "urls": urls, **more}))


STARTING, RUNNING = prediction("starting"), prediction("processing")
STREAMING = prediction("starting", "HERE/events/p1")
EVENT_STREAM = Says(STREAM, 200, "text/event-stream")
METRICS = {"input_token_count": 11, "output_token_count": 7, "predict_time": 0.4}
DONE = prediction("succeeded", output=["Good ", "day."], metrics=METRICS)
FINISHED = Finish("stop", Usage(11, 7), MODEL, "p1")


@dataclass
class Asked:
    """One question, put to a client whose clock only moves when it waits."""

    env: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def of(self, server: Server, *, stream: bool = False, timeout: float = 30.0) -> Response:
        row = {"base_url": f"{server.url}/v1", "protocol": "replicate", "headers": {"X-Team": "blue"}}
        provider = Providers({"box": row}, {}).get("box")
        module = protocol("replicate")
        call = module.encode(Request(MODEL, (Message("user", (Text("Hi"),)),)), provider.dialect, stream=stream)
        exchange = Exchange(provider, MODEL, module, call, Secret(KEY), stream, timeout)
        clock = Clock(lambda: sum(self.waits), lambda: 0.0, self.waits.append, lambda: 0.5)
        return collect(Client(self.env, clock).events(exchange, self.attempts))

    def error(self, server: Server, *, stream: bool = False, timeout: float = 30.0) -> AixError:
        with pytest.raises(AixError) as caught:
            self.of(server, stream=stream, timeout=timeout)
        return caught.value


def test_a_stream_is_read_where_the_promise_says() -> None:
    asked = Asked()
    with serving(STREAMING, EVENT_STREAM) as server:
        response = asked.of(server, stream=True)
    assert (response.text, response.finish) == ("Good day.", Finish("stop"))
    assert server.asked == [CREATE, EVENTS]
    assert json.loads(server.bodies[0]) == {"input": {"prompt": "Hi"}, "stream": True}
    assert server.bodies[1] == b""
    assert [head["accept"] for head in server.heads] == ["text/event-stream"] * 2
    assert ["prefer" in head for head in server.heads] == [False, False]
    assert [(attempt.status, attempt.error) for attempt in asked.attempts] == [(200, "")]
    assert asked.waits == []


def test_without_a_stream_the_answer_may_come_at_once() -> None:
    asked = Asked()
    with serving(DONE) as server:
        response = asked.of(server)
    assert (response.text, response.finish) == ("Good day.", FINISHED)
    assert server.asked == [CREATE]
    assert server.heads[0]["prefer"] == "wait=60"
    assert asked.waits == []


@pytest.mark.parametrize("stream", [True, False], ids=["a model that does not stream", "nobody asked for a stream"])
def test_it_is_asked_for_once_a_second_until_it_is_there(stream: bool) -> None:
    asked = Asked()
    with serving(STARTING, RUNNING, prediction("unheard of"), DONE) as server:
        response = asked.of(server, stream=stream)
    assert (response.text, response.finish) == ("Good day.", FINISHED)
    assert server.asked == [CREATE, GET, GET, GET]
    assert server.bodies[1:] == [b"", b"", b""]
    assert asked.waits == [POLL_SECONDS] * 3
    assert len(asked.attempts) == 1


def test_a_stream_is_not_opened_for_what_is_there_already() -> None:
    with serving(prediction("succeeded", "HERE/events/p1", output="Good day.")) as server:
        assert Asked().of(server, stream=True).text == "Good day."
    assert server.asked == [CREATE]


def test_its_own_host_is_shown_the_key_each_time() -> None:
    with serving(STARTING, DONE) as server:
        Asked().of(server)
    assert [head["authorization"] for head in server.heads] == [f"Bearer {KEY}"] * 2
    assert [head["x-team"] for head in server.heads] == ["blue", "blue"]


@pytest.mark.parametrize("way", ["stream", "get"])
def test_another_origin_is_asked_without_the_key_and_the_users_headers(way: str, certificate: Path) -> None:
    asked = Asked(env={"SSL_CERT_FILE": str(certificate)})
    answer = EVENT_STREAM if way == "stream" else DONE
    promise = prediction("starting", urls={way: "OTHER/events/p1"})
    with serving(answer, certificate=certificate) as other, serving(promise) as server:
        server.other = other.url
        assert asked.of(server, stream=way == "stream").text == "Good day."
    assert server.asked == [CREATE]
    assert other.asked == [EVENTS]
    assert KEY not in str(other.heads)
    assert "x-team" not in other.heads[0]
    assert other.heads[0]["user-agent"].startswith("aix/")


@pytest.mark.parametrize("way", ["stream", "get"])
def test_another_origin_is_not_asked_over_plain_http(way: str) -> None:
    asked = Asked()
    with serving(EVENT_STREAM) as other, serving(prediction("starting", urls={way: "OTHER/events/p1"})) as server:
        server.other = other.url
        error = asked.error(server, stream=True)
    assert error.message == "box answers that the rest is at an address that is not safe to ask"
    assert (error.exit_code, other.asked, server.asked) == (7, [], [CREATE])


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "https://u:p@127.0.0.1/x", "x", "@127.0.0.1", "https://"])
def test_an_address_that_is_none_is_not_asked(url: str) -> None:
    with serving(prediction("starting", urls={"get": url})) as server:
        assert Asked().error(server).exit_code == 7
    assert server.asked == [CREATE]


@pytest.mark.parametrize("urls", [{}, None, {"get": 7}, {"get": ""}])
def test_a_promise_that_says_nowhere_is_no_answer(urls: Any) -> None:
    with serving(prediction("starting", urls=urls)) as server:
        error = Asked().error(server)
    assert (error.message, error.exit_code) == ("box ended the connection without an answer", 9)
    assert server.asked == [CREATE]


FAILED = prediction("failed", error="CUDA out of memory")
BAD_STREAM = Says("event: error\ndata: CUDA out of memory\n\n", 200, "text/event-stream")


@pytest.mark.parametrize(
    ("says", "stream"),
    [([FAILED], False), ([STARTING, RUNNING, FAILED], False), ([STREAMING, BAD_STREAM], True), ([FAILED], True)],
    ids=["at once", "later", "in the stream", "before the stream"],
)
def test_a_prediction_that_fails_is_an_error_and_is_not_made_again(says: list[Says], stream: bool) -> None:
    asked = Asked()
    with serving(*says) as server:
        error = asked.error(server, stream=stream)
    assert (error.name, error.cause) == ("PROVIDER", "CUDA out of memory")
    assert server.asked.count(CREATE) == 1
    assert [attempt.error for attempt in asked.attempts] == ["PROVIDER"]


@pytest.mark.parametrize("status", ["canceled", "aborted"])
def test_a_prediction_that_is_called_off_ends_as_an_error(status: str) -> None:
    with serving(STARTING, prediction(status, output=["Good "])) as server:
        response = Asked().of(server)
    assert response.text == "Good "
    assert response.finish == Finish("error", None, MODEL, "p1", status)
    assert server.asked == [CREATE, GET]


LATER: dict[str, Callable[[], list[Says]]] = {
    "a server that fails": lambda: [Says("{}", 503)],
    "a limit": lambda: [Says('{"detail": "slow down"}', 429)],
    "a prediction that is gone": lambda: [Says('{"detail": "not found"}', 404)],
    "no JSON": lambda: [Says("oops")],
    "a web page": lambda: [Says("<html>", 200, "text/html")],
    "a redirect": lambda: [Says("", 302)],
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("then", LATER)
def test_nothing_is_made_and_paid_twice_where_the_rest_fails(then: str, stream: bool) -> None:
    asked = Asked()
    with serving(STREAMING, *LATER[then]()) as server:
        asked.error(server, stream=stream)
    assert server.asked == [CREATE, EVENTS if stream else GET]
    assert len(asked.attempts) == 1


def test_a_promise_that_was_not_made_is_asked_for_again() -> None:
    asked = Asked()
    with serving(Says('{"detail": "slow down"}', 429), DONE) as server:
        assert asked.of(server).text == "Good day."
    assert server.asked == [CREATE, CREATE]
    assert [attempt.status for attempt in asked.attempts] == [429, 200]


def test_a_prediction_that_never_ends_is_left_at_the_deadline() -> None:
    asked = Asked()
    with serving(STARTING) as server:
        error = asked.error(server, timeout=4.5)
    assert error.name == "TIMEOUT"
    assert asked.waits == [1.0, 1.0, 1.0, 1.0, 0.5]
    assert server.asked[:5] == [CREATE, GET, GET, GET, GET]
    assert server.asked.count(CREATE) == 1


def test_a_stream_that_is_cut_is_not_a_whole_answer() -> None:
    with serving(STREAMING, Says(STREAM.partition("event: done")[0], 200, "text/event-stream")) as server:
        response = Asked().of(server, stream=True)
    assert (response.text, response.finish) == ("Good day.", None)
    assert server.asked == [CREATE, EVENTS]
