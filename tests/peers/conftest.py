"""aimock, a server that nobody here wrote, started once for all tests: it checks keys, answers, and keeps a journal."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LLMOCK = Path(__file__).parent / "node_modules" / ".bin" / "llmock"
KEY = "sk-peer-0123456789abcdef"
START_SECONDS = 30.0

TEXT = "It is what it is, said the aimock, and it said it at some length: ünïcödé, 日本語, \u2028 and 🙂."
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "input_tokens": 11, "output_tokens": 7}
WEATHER = {"name": "get_weather", "arguments": {"city": "Paris"}}


def answer(word: str, **response: Any) -> dict[str, Any]:
    """What is answered to a user message that holds the word."""
    return {"match": {"userMessage": word}, "response": response}


def error(word: str, status: int, kind: str, **more: Any) -> dict[str, Any]:
    return answer(word, error={"message": f"the peer says {kind}", "type": kind}, status=status, **more)


FIXTURES: list[dict[str, Any]] = [
    answer("[plain]", content=TEXT, usage=USAGE, model="peer-model-1"),
    answer("[priced]", content="Not for free.", usage={**USAGE, "cost": 0.00042}),
    answer("[thinking]", content="Done.", reasoning="Let me see, step by step.", usage=USAGE),
    answer("[text and tool]", content="Looking.", toolCalls=[WEATHER], usage=USAGE),
    answer("[text and Gemini's tool]", content="Looking.", toolCalls=[WEATHER], usage=USAGE, finishReason="stop"),
    answer("[too long]", content=TEXT, finishReason="length", usage=USAGE),
    answer("[empty]", content="", usage=USAGE),
    {**answer("[cut]", content=TEXT * 3), "truncateAfterChunks": 8},
    {**answer("[hung up]", content=TEXT * 50), "disconnectAfterMs": 700},
    error("[always limited]", 429, "rate_limit_error", retryAfter=0),
    error("[limited for an hour]", 429, "rate_limit_error", retryAfter=3600),
    error("[no credit]", 429, "insufficient_quota", retryAfter=0),
    error("[no such key]", 401, "authentication_error"),
    error("[forbidden]", 403, "permission_error"),
    error("[broken]", 500, "api_error"),
]
for _way in ("openai", "responses", "anthropic", "gemini", "cohere", "ollama"):  # a sequence is gone through only once
    _word = f"[limited once {_way}]"
    FIXTURES += [error(_word, 429, "rate_limit_error", retryAfter=1), answer(_word, content="Now.", usage=USAGE)]
    FIXTURES[-2]["match"]["sequenceIndex"] = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """The running server; `url` has no path."""

    url: str

    def asked(self, word: str) -> list[dict[str, Any]]:
        """The journal's entries for the requests whose user message holds the word."""
        request = urllib.request.Request(f"{self.url}/__aimock/journal", headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            entries = json.load(response)
        return [entry for entry in entries if word in json.dumps(entry["body"], ensure_ascii=False)]


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """aimock on a port of its own, which ends with the tests."""
    node = shutil.which("node")
    if node is None or not LLMOCK.exists():
        pytest.skip("Node or tests/peers/node_modules is not there: scripts/test installs the peer where Node is")
    fixtures = tmp_path_factory.mktemp("peer") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [node, str(LLMOCK), "-p", str(port), "-f", str(fixtures), "-l", "20", "--log-level", "warn"]
    with subprocess.Popen(command, env={"PATH": os.environ["PATH"], "AIMOCK_API_KEYS": KEY}) as process:
        try:
            _wait_until_it_listens(process, port)
            yield Peer(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            try:
                status = process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"aimock ended with status {status} before it listened")
        else:
            return
    pytest.fail(f"aimock did not listen within {START_SECONDS:.0f} s")
