"""Each recipe of CUSTOM_PROVIDERS.md, run against a server on this machine: what arrives there, and what is printed.

An address on this machine is put in place of the recipe's; one elsewhere stays as it is, with http for https, and goes
through the server as its proxy. So what aix infers from a host is inferred here too.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import WARM
from docs_scene import ROOT
from pages import BLOCK

from aix.config.values import PROTOCOLS, PROVIDER_FIELDS

PAGE = (ROOT / "CUSTOM_PROVIDERS.md").read_text()
RECIPES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Arrives:
    """What a recipe's server is to get: where, with which headers (None for one that must not come), and what."""

    path: str
    model: str
    headers: Mapping[str, str | None] = field(default_factory=dict)
    host: str = "127.0.0.1"
    limit: str = "max_tokens"


NO_KEY = {"authorization": None, "x-api-key": None, "api-key": None}
AZURE = {"api-key": "0123456789abcdef0123", "authorization": None}
AZURE_HOST = "my-resource.openai.azure.com"

EXPECTED = {
    "Ollama": Arrives("/api/chat", "qwen3:4b", NO_KEY, limit="num_predict"),
    "vLLM": Arrives("/v1/chat/completions", "meta-llama/Llama-3.1-8B-Instruct", NO_KEY),
    "LM Studio": Arrives("/v1/chat/completions", "qwen3-4b", NO_KEY),
    "llama.cpp": Arrives("/v1/chat/completions", "default", NO_KEY),
    "Azure": Arrives("/openai/v1/chat/completions", "my-deployment", AZURE, AZURE_HOST, limit="max_completion_tokens"),
    "Azure, the older form": Arrives(
        "/openai/deployments/gpt-4/chat/completions?api-version=2024-10-21",
        "gpt-4",
        AZURE,
        AZURE_HOST,
        limit="max_completion_tokens",
    ),
    "Groq": Arrives(
        "/openai/v1/chat/completions",
        "openai/gpt-oss-120b",
        {"authorization": "Bearer gsk_0123456789abcdef"},
        "api.groq.com",
        limit="max_completion_tokens",
    ),
    "LiteLLM": Arrives("/v1/chat/completions", "claude-haiku", {"authorization": "Bearer sk-0123456789abcdef"}),
    "A company gateway": Arrives(
        "/v1/messages",
        "claude-haiku-4-5",
        {"x-api-key": "key-from-the-password-manager", "x-team": "payments", "authorization": None},
        "llm.example.com",
    ),
}

CHAT = [
    {"model": "m", "choices": [{"delta": {"content": "Good day."}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
]
MESSAGES = [
    {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Good day."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "Good day."}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
]


def frames(path: str) -> tuple[str, bytes]:
    """The kind and the body of a streamed answer, in the protocol that the path tells."""
    if path.endswith("/api/chat"):
        return "application/x-ndjson", b"".join(json.dumps(frame).encode() + b"\n" for frame in OLLAMA)
    said = MESSAGES if path.endswith("/messages") else CHAT
    return "text/event-stream", b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in said)


class Gateway(ThreadingHTTPServer):
    """Answers for any host, and keeps what was asked: its URL, headers (names in lower case) and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer("application/json", b'{"object": "list", "data": [{"id": "m"}]}')

    def do_POST(self) -> None:
        assert isinstance(self.server, Gateway)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "messages" in body:  # Ollama is also asked what it knows of the model
            self.server.asked.append((self.path, headers, body))
            self._answer(*frames(urlsplit(self.path).path))
        else:
            self._answer("application/json", b"{}")

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def script(recipe: str, port: int) -> str:
    """The commands of a recipe, at the address of a server on this machine, with what is shown now sent."""
    [block] = BLOCK.finditer(RECIPES[recipe])
    text = re.sub(r"http://localhost:\d+", f"http://127.0.0.1:{port}", block["text"])
    text = re.sub(r"(aix provider add \S+) https://", r"\1 --allow-http http://", text)
    sent = text.replace("--show-request", "-x --max-tokens 50")
    assert sent != text
    return sent


def cook(recipe: str, gateway: Gateway, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a recipe in a shell of its own."""
    port = gateway.server_address[1]
    tools = home / "bin"
    tools.mkdir()
    (tools / "pass").write_text("#!/bin/sh\necho key-from-the-password-manager\n")
    (tools / "pass").chmod(0o755)
    return subprocess.run(
        ["bash", "-ec", script(recipe, port)],
        env={
            "HOME": str(home),
            "PATH": f"{tools}:{WARM.command.parent}:/usr/bin:/bin",
            "HTTP_PROXY": f"http://127.0.0.1:{port}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("recipe", EXPECTED)
def test_a_recipe_works(recipe: str, gateway: Gateway, home: Path) -> None:
    done = cook(recipe, gateway, home)
    assert (done.returncode, done.stdout) == (0, "Good day."), done.stderr
    [(url, headers, body)] = gateway.asked
    wanted = EXPECTED[recipe]
    parts = urlsplit(url)
    assert url.removeprefix(f"{parts.scheme}://{parts.netloc}") == wanted.path
    assert headers["host"].partition(":")[0] == wanted.host
    assert body["model"] == wanted.model
    assert {name: headers.get(name) for name in wanted.headers} == wanted.headers
    limits = {**body, **body.get("options", {})}
    fields = [name for name in ("max_tokens", "max_completion_tokens", "num_predict") if name in limits]
    assert (fields, limits[wanted.limit]) == ([wanted.limit], 50)


def test_every_recipe_is_run() -> None:
    assert list(RECIPES) == list(EXPECTED)


@pytest.mark.parametrize("word", [*PROVIDER_FIELDS, *PROTOCOLS])
def test_every_field_and_protocol_is_on_the_page(word: str) -> None:
    assert re.search(rf"`{re.escape(word)}[`.]", PAGE)
