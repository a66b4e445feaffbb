"""A stand-in for a model server, on 127.0.0.1: what the documents show is run against it, without a network or a key.

It speaks Chat Completions, Messages and Ollama's own protocol, and answers from a table. `scripts/stand_in.py` prints
the port it listens on, and serves until its stdin ends.
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
APPROVED = '{"summary": "People without a name are greeted as you.", "verdict": "approve", "findings": []}\n'
FOUND = '{"findings": [{"file": "greet.py", "line": 2, "what": "a password"}]}\n'
ANSWERS = (
    ("write the commit message", COMMIT),
    ("explain things", EXPLAIN),
    ("request_changes", APPROVED),
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


def native_frames(model: str, text: str) -> Iterator[dict[str, Any]]:
    """An answer as Ollama streams it."""
    for piece in pieces(text):
        yield {"model": model, "message": {"role": "assistant", "content": piece}, "done": False}
    yield {**native_whole(model, text), "message": {"role": "assistant", "content": ""}}


def native_whole(model: str, text: str) -> dict[str, Any]:
    """An answer of Ollama in one piece."""
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 412, "eval_count": 31}
    return {"model": model, "message": {"role": "assistant", "content": text}, **end}


WAYS = {
    "/messages": (message_whole, message_frames, "text/event-stream"),
    "/api/chat": (native_whole, native_frames, "application/x-ndjson"),
    "": (chat_whole, chat_frames, "text/event-stream"),
}
"""How to answer by the end of the path: in one piece, as a stream, and what kind of stream that is."""


def line(frame: dict[str, Any], kind: str) -> str:
    """A frame of a stream of that kind."""
    if kind == "application/x-ndjson":
        return f"{json.dumps(frame)}\n"
    event = f"event: {frame['type']}\n" if "type" in frame else ""
    return f"{event}data: {json.dumps(frame)}\n\n"


class Handler(BaseHTTPRequestHandler):
    """One question, one answer."""

    def do_GET(self) -> None:
        """List the models."""
        self._json({"object": "list", "data": [{"id": name} for name in MODELS]})

    def do_POST(self) -> None:
        """Answer, in the protocol that the path tells."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        whole, frames, kind = next(way for end, way in WAYS.items() if self.path.endswith(end))
        if not request.get("stream"):
            self._json(whole(request["model"], answer(request)))
            return
        self._head(kind)
        for frame in frames(request["model"], answer(request)):
            self.wfile.write(line(frame, kind).encode())

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
