"""A provider with several keys: the next is tried when one is turned down, each once, none after an answer began."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from conftest import Aix, Result
from stage import configure, write

FIRST, SECOND, THIRD = (f"sk-canary-{word}-0123456789abcdef" for word in ("first", "second", "third"))
ANSWER = (
    'data: {"choices": [{"delta": {"content": "Good day."}}]}\n\n'
    'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
)
BROKEN = 'data: {"choices": [{"delta": {"content": "Good "}}]}\n\ndata: {"error": {"code": 401, "message": "no"}}\n\n'

Said = Mapping[str, tuple[int, str]]


@contextmanager
def serving(answers: Said) -> Iterator[tuple[int, list[str]]]:
    """A server with an answer for each key: its port, and the keys that it was shown."""
    shown: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            shown.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
            status, word = answers.get(shown[-1], (200, ANSWER))
            body = word if status == 200 else json.dumps({"error": {"message": "no", "code": word}})
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if status == 200 else "application/json")
            self.send_header("x-should-retry", "false")  # the waits between retries are tested elsewhere
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], shown
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def greet(library: Path) -> Path:
    return write(library, "greet", "Hello!")


def ask(aix: Aix, library: Path, answers: Said, *arguments: str, env: str = FIRST) -> tuple[Result, list[str]]:
    """What comes of asking `box`, whose keys are in a variable and in config.json, and the keys that it was shown."""
    with serving(answers) as (port, shown):
        box = {"base_url": f"http://127.0.0.1:{port}/v1", "default_model": "tiny"}
        keys = [SECOND, FIRST, THIRD]
        configure(library, default_provider="box", custom_providers={"box": box}, api_keys={"box": keys})
        done = aix("run", "greet", "-x", *arguments, env={"BOX_API_KEY": env} if env else None)
    assert not any(key in done.stdout + done.stderr for key in (FIRST, SECOND, THIRD))
    return done, shown


def switches(done: Result) -> list[tuple[str, str]]:
    """Of each switch, where the key came from that was turned down, and why."""
    said = r"aix: warning: box: the key from (.+) (is .+|has .+); trying the next one \(.+, key [23]\)"
    return re.findall(said, done.stderr)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, "invalid_api_key"), "is not accepted"),
        ((403, "denied"), "is not allowed this"),
        ((402, "unpaid"), "has nothing left to spend"),
        ((429, "insufficient_quota"), "has nothing left to spend"),
        ((429, "slow_down"), "is at its limit"),
    ],
)
def test_the_next_key_is_tried_when_one_is_turned_down(
    answer: tuple[int, str], why: str, aix: Aix, greet: Path
) -> None:
    done, shown = ask(aix, greet.parent, {FIRST: answer}, "--json")
    assert (json.loads(done.stdout)["text"], done.status) == ("Good day.", 0)
    assert shown == [FIRST, SECOND]
    assert switches(done) == [("BOX_API_KEY", why)]
    assert [attempt["status"] for attempt in json.loads(done.stdout)["attempts"]] == [answer[0], 200]


def test_no_key_is_shown_twice_and_the_last_error_counts_them(aix: Aix, greet: Path) -> None:
    answers = {FIRST: (429, "slow_down"), SECOND: (402, "unpaid"), THIRD: (401, "invalid_api_key")}
    done, shown = ask(aix, greet.parent, answers)
    assert shown == [FIRST, SECOND, THIRD]
    assert [why for _, why in switches(done)] == ["is at its limit", "has nothing left to spend"]
    assert done.stderr.splitlines()[2:] == [
        "aix: error: box does not accept the key",
        "  cause: no",
        "  hint: all 3 keys were tried",
        "  hint: aix api-key box",
    ]
    assert (done.stdout, done.status) == ("", 4)


@pytest.mark.parametrize("status", [400, 404, 500, 529])
def test_no_other_key_would_help_against_other_errors(status: int, aix: Aix, greet: Path) -> None:
    done, shown = ask(aix, greet.parent, {FIRST: (status, "no")})
    assert (shown, switches(done), done.stdout) == ([FIRST], [], "")
    assert "keys were tried" not in done.stderr


def test_an_answer_that_began_is_not_asked_for_again(aix: Aix, greet: Path) -> None:
    done, shown = ask(aix, greet.parent, {FIRST: (200, BROKEN)})
    assert (shown, done.stdout, done.status) == ([FIRST], "Good ", 3)


def test_debug_names_the_source_in_use(aix: Aix, greet: Path) -> None:
    done, _ = ask(aix, greet.parent, {FIRST: (401, "invalid_api_key")}, "--debug")
    assert "aix: debug: box:tiny, key from BOX_API_KEY, 600 s at most\n" in done.stderr
    assert switches(done) == [("BOX_API_KEY", "is not accepted")]
