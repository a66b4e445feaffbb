"""`aix tokens` through the real command: an estimate, the provider's own count, and what it costs to send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from conftest import Aix, Result
from stage import Terminal, configure, write

FIGURES: dict[str, Any] = {"context": 1000, "max_output": 500, "input_price": 2, "output_price": 10}
LINE = "5 tokens (estimated) · ~$0.00001 to send, ~$0.005 at most with the answer · 0.5 % of the 1000 it can hold"
NOBODY = "aix: there is nobody to send it to yet, so it has no price; aix init sets a provider up\n"


@dataclass(slots=True)
class Counting:
    """A server that counts: what it answers, and what it was asked."""

    port: int = 0
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"input_tokens": 42})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def counting() -> Iterator[Counting]:
    server_side = Counting()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server_side.asked.append((self.path, body))
            self.send_response(server_side.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(server_side.answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server_side.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server_side
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def greet(library: Path) -> Path:
    return write(library, "greet", "Hello, dear {{ name }}!")


def know(library: Path, protocol: str = "openai-chat", port: int = 9, **figures: Any) -> None:
    """A provider `box` on this machine, and what its model costs."""
    box = {"base_url": f"http://127.0.0.1:{port}", "default_model": "tiny", "protocol": protocol}
    configure(library, default_provider="box", custom_providers={"box": box}, models={"box:tiny": figures})


def test_an_estimate_comes_with_its_price_and_its_share(aix: Aix, greet: Path) -> None:
    know(greet.parent, **FIGURES)
    assert aix("tokens", "greet", "--name", "Ada L") == Result(f"{LINE} · box:tiny\n", "", 0)
    done = aix("tokens", "greet", "--name", "Ada L", "--max-tokens", "100", "--json")
    assert json.loads(done.stdout) == {
        "version": 1,
        "ok": True,
        "tokens": 5,
        "exact": False,
        "by": None,
        "provider": "box",
        "model": "tiny",
        "context": 1000,
        "input_cost": "0.00001",
        "worst_cost": "0.00101",
        "unpriced": False,
        "error": None,
    }


def test_what_nobody_knows_is_not_invented(aix: Aix, greet: Path) -> None:
    know(greet.parent)
    assert aix("tokens", "greet", "--name", "Ada L") == Result("5 tokens (estimated) · unpriced · box:tiny\n", "", 0)
    know(greet.parent, input_price=2, output_price=10)
    shown = json.loads(aix("tokens", "greet", "--name", "Ada L", "--json").stdout)
    assert (shown["context"], shown["input_cost"], shown["worst_cost"]) == (None, "0.00001", None)


def test_it_takes_nobody_to_estimate(aix: Aix, greet: Path) -> None:
    assert aix("tokens", "greet", "--name", "Ada L") == Result("5 tokens (estimated) · unpriced\n", NOBODY, 0)
    done = aix("tokens", "greet", "--name", "Ada L", "--json")
    assert (json.loads(done.stdout)["tokens"], json.loads(done.stdout)["provider"]) == (5, None)
    done = aix("tokens", "greet", "--name", "Ada L", "--exact")
    assert (done.stdout, done.stderr.splitlines()[0], done.status) == ("", "aix: error: No API key found", 4)


@pytest.mark.parametrize(
    ("arguments", "stdin", "tokens"),
    [
        ([], "plain {{ text }} as it is", 7),
        ([], "", 0),
        (["-"], "Hello, dear {{ 'Ada L' }}!", 5),
        (["greet", "Ada L"], None, 5),
        (["greet"], "Ada L", 5),
        (["-a", "a.png"], None, 1000),
        (["-a", "-"], "plain text as it is", 10),
        (["greet", "--name", "Ada L", "--system", "Be brief.", "-a", "a.png"], None, 1008),
        (["./draft.md"], None, 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_prompt_a_file_a_text_and_attachments_are_counted(
    arguments: list[str], stdin: str | None, tokens: int, aix: Aix, greet: Path, home: Path
) -> None:
    (home / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (home / "draft.md").write_text("A draft.")
    done = aix("tokens", *arguments, stdin=stdin)
    assert (done.stdout, done.status) == (f"{tokens} tokens (estimated) · unpriced\n", 0)


def test_a_provider_counts_what_would_be_sent(aix: Aix, greet: Path) -> None:
    with counting() as server:
        know(greet.parent, "anthropic-messages", server.port, **FIGURES)
        done = aix("tokens", "greet", "--name", "Ada", "--exact")
        said = "42 tokens (counted by box) · $0.000084 to send, $0.00508 at most with the answer · 4.2 % of the 1000"
        assert done == Result(f"{said} it can hold · box:tiny\n", "", 0)
        assert server.asked == [
            (
                "/v1/messages/count_tokens",
                {"model": "tiny", "messages": [{"role": "user", "content": "Hello, dear Ada!"}]},
            )
        ]
        shown = json.loads(aix("tokens", "greet", "--name", "Ada", "--exact", "--json").stdout)
        assert (shown["tokens"], shown["exact"], shown["by"]) == (42, True, "box")


@pytest.mark.parametrize(
    ("status", "answer", "code", "said"),
    [
        (401, {"error": {"message": "no"}}, 4, "aix: error: box does not accept the key"),
        (429, {"error": {"message": "no"}}, 8, "aix: error: box is limiting requests"),
        (200, {"tokens": "many"}, 9, "aix: error: "),
    ],
)
def test_a_count_that_fails_is_its_own_error(
    status: int, answer: dict[str, Any], code: int, said: str, aix: Aix, greet: Path
) -> None:
    with counting() as server:
        server.status, server.answer = status, answer
        know(greet.parent, "anthropic-messages", server.port)
        done = aix("tokens", "greet", "--name", "Ada", "--exact")
    assert (done.stdout, done.status) == ("", code)
    assert done.stderr.startswith(said)


def test_where_nobody_can_count_it_stays_an_estimate_and_says_so(aix: Aix, greet: Path) -> None:
    know(greet.parent, **FIGURES)
    said = "aix: box has no way to count tokens, so this is an estimate\n"
    assert aix("tokens", "greet", "--name", "Ada L", "--exact") == Result(f"{LINE} · box:tiny\n", said, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which prompt? aix tokens takes a name, a file, -, or text from a pipe"),
        (["--exact", "--bogus", "greet"], "--bogus is not a flag of aix tokens itself"),
        (["greet", "--name", "Ada", "--model", ""], "--model is empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_use_is_told(arguments: list[str], said: str, aix: Aix, greet: Path) -> None:
    done = aix("tokens", *arguments)
    assert (done.stdout, done.stderr.splitlines()[0], done.status) == ("", f"aix: error: {said}", 2)


def test_a_dry_run_names_the_worst_price(aix: Aix, greet: Path) -> None:
    know(greet.parent, **FIGURES)
    done = aix("run", "greet", "--name", "Ada L", "-n")
    price = "~$0.00001 to send, ~$0.005 at most with the answer"
    assert f"aix: about 5 tokens in (estimated), at most 500 out; {price}\n" in done.stderr


def test_a_person_is_asked_for_what_is_missing(greet: Path) -> None:
    terminal = Terminal("tokens", "greet")
    terminal.wait_for("name")
    terminal.type("Ada L\r")
    assert terminal.end() == 0
    assert "5 tokens (estimated)" in terminal.screen
