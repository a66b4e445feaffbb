"""A stand-in for a model server, on 127.0.0.1: what the documents show is run against it, without a network or a key.

It speaks Chat Completions and Messages, and answers from a table. `scripts/stand_in.py` prints the port it listens on,
and serves until its stdin ends.
"""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = """fix(greet): greet people who give no name

An empty name left a dangling comma in the greeting.
"""
EXPLAIN = """**141 means that a signal ended the command**: 128 + 13, and signal 13 is `SIGPIPE`.

- It wrote to a pipe whose reader was gone, as in `git log | head -n 1`.
- That is how pipes are meant to end, and no sign of a fault.
"""
FOUND = '{"findings": [{"file": "greet.py", "line": 2, "what": "a password"}]}\n'
ANSWERS = (
    ("write the commit message", COMMIT),
    ("explain things", EXPLAIN),
    ("PASSWORD", FOUND),
    ("findings", '{"findings": []}\n'),
    ("", "Good day, Ada.\n"),
)
"""The first of these whose words stand in the question is the answer."""

MODELS = ("llama3.2", "qwen3:4b")


def answer(request: dict[str, Any]) -> str:
    """What is said to a request."""
    question = json.dumps(request, ensure_ascii=False)
    return next(text for words, text in ANSWERS if words in question)


def pieces(text: str) -> Iterator[str]:
    """A text as a model streams it, a word or so at a time."""
    yield from text.replace(" ", " \0").split("\0")


def chat_frames(model: str, text: str) -> Iterator[dict[str, Any]]:
    """An answer as Chat Completions streams it."""
    for piece in pieces(text):
        yield {"model": model, "choices": [{"index": 0, "delta": {"content": piece}}]}
    yield {"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {"model": model, "choices": [], "usage": {"prompt_tokens": 412, "completion_tokens": 31}}


def chat_whole(model: str, text: str) -> dict[str, Any]:
    """An answer of Chat Completions in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"model": model, "choices": [choice], "usage": {"prompt_tokens": 412, "completion_tokens": 31}}


def message_frames(model: str, text: str) -> Iterator[dict[str, Any]]:
    """An answer as Messages streams it."""
    yield {"type": "message_start", "message": {"id": "m", "model": model, "usage": {"input_tokens": 412}}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for piece in pieces(text):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 31}}
    yield {"type": "message_stop"}


def message_whole(model: str, text: str) -> dict[str, Any]:
    """An answer of Messages in one piece."""
    usage = {"input_tokens": 412, "output_tokens": 31}
    said = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return {**said, "model": model, "stop_reason": "end_turn", "usage": usage}


class Handler(BaseHTTPRequestHandler):
    """One question, one answer."""

    def do_GET(self) -> None:
        """List the models."""
        self._json({"object": "list", "data": [{"id": name} for name in MODELS]})

    def do_POST(self) -> None:
        """Answer, in the protocol that the path tells."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, text, messages = request["model"], answer(request), self.path.endswith("/messages")
        if not request.get("stream"):
            self._json((message_whole if messages else chat_whole)(model, text))
            return
        self._head("text/event-stream")
        for frame in (message_frames if messages else chat_frames)(model, text):
            name = f"event: {frame['type']}\n" if messages else ""
            self.wfile.write(f"{name}data: {json.dumps(frame)}\n\n".encode())

    def _json(self, value: dict[str, Any]) -> None:
        self._head("application/json")
        self.wfile.write(json.dumps(value).encode())

    def _head(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Say nothing."""


def main() -> None:
    """Serve until stdin ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
