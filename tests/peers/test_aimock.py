"""`aix run` against aimock: both protocols, both modes, faults, and its journal compared with what should be sent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix, Result

from aix import __version__
from peers.conftest import KEY, TEXT, Peer

PROMPT = """---
options: {temperature: 0.5, max_tokens: 300, stop: [END]}
output: {format: text}
---
{% system %}
Be brief.
{% user %}
{{ text }}
"""
MODES = ["--stream", "--no-stream"]
WAYS = {
    "openai": ("openai-chat", "gpt-5.4-mini"),
    "anthropic": ("anthropic-messages", "claude-haiku-4-5"),
    "mine": ("openai-chat", "my-model"),
    "theirs": ("anthropic-messages", "their-model"),
}
"""The providers that lead to the peer: two built-in ones by variables, two of the user's own by config.json."""

BUILT_IN = ["openai", "anthropic"]


class Asking:
    """A library and an environment in which every provider leads to the peer."""

    def __init__(self, aix: Aix, library: Path, peer: Peer) -> None:
        self._aix = aix
        self._peer = peer
        self.env = {
            "OPENAI_BASE_URL": f"{peer.url}/v1",
            "OPENAI_API_KEY": KEY,
            "OPENAI_ORG_ID": "org-1",
            "OPENAI_PROJECT_ID": "proj-1",
            "ANTHROPIC_BASE_URL": peer.url,
            "ANTHROPIC_API_KEY": KEY,
            "MY_KEY": KEY,
        }
        custom = {
            "mine": {
                "base_url": f"{peer.url}/v1/",
                "default_model": "my-model",
                "headers": {"X-Team": "blue"},
                "api_key_env": "MY_KEY",
                "max_tokens_field": "max_completion_tokens",
            },
            "theirs": {
                "base_url": peer.url,
                "protocol": "anthropic-messages",
                "default_model": "their-model",
                "headers": {"Anthropic-Version": "2026-10-21"},
            },
        }
        (library / "config.json").write_text(json.dumps({"custom_providers": custom, "api_keys": {"theirs": KEY}}))
        (library / "config.json").chmod(0o600)
        (library / "ask.md").write_text(PROMPT)

    def __call__(self, way: str, text: str, *flags: str, env: dict[str, str] | None = None) -> Result:
        return self._aix("run", "ask", text, "-x", "--provider", way, *flags, env={**self.env, **(env or {})})

    def show_request(self, way: str, text: str, *flags: str) -> Result:
        return self._aix("run", "ask", text, "--provider", way, "--show-request", *flags, env=self.env)

    def asked(self, word: str) -> list[dict[str, Any]]:
        return self._peer.asked(word)


@pytest.fixture
def ask(aix: Aix, library: Path, peer: Peer) -> Asking:
    return Asking(aix, library, peer)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A word that is in no other test's requests."""
    return f"{tmp_path.name}-{os.getpid()}"


# --- whole answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_arrives_whole_and_the_journal_holds_what_should_be_sent(
    way: str, mode: str, ask: Asking, mark: str
) -> None:
    done = ask(way, f"[plain] {mark}", mode, "--usage")
    assert (done.stdout, done.status) == (TEXT, 0)
    assert done.stderr.startswith(f"aix: {way}:peer-model-1 · 11 tokens in, 7 out · ")  # the model that answered
    assert len(done.stderr.splitlines()) == 1

    shown = ask.show_request(way, f"[plain] {mark}", mode)
    head, _, body = shown.stdout.partition("\n\n")
    method_and_url, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    (entry,) = ask.asked(mark)

    protocol, model = WAYS[way]
    path = {"openai-chat": "/v1/chat/completions", "anthropic-messages": "/v1/messages"}[protocol]
    assert (entry["method"], entry["path"]) == ("POST", path)
    assert method_and_url == f"POST {ask.env['ANTHROPIC_BASE_URL']}{path}"

    own = {
        name: value for name, value in entry["headers"].items() if name not in ("host", "connection", "x-request-id")
    }
    keys = {"openai-chat": ("Authorization", "Bearer sk-p***cdef"), "anthropic-messages": ("x-api-key", "sk-p***cdef")}
    key, masked = keys[protocol]
    assert own == {
        "user-agent": f"aix/{__version__}",
        "accept": "text/event-stream" if mode == "--stream" else "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(body.removesuffix("\n").encode())),
        key.lower(): "[REDACTED]",
        **HEADERS[way],
    }
    assert headers.pop(key) == masked
    hidden = dict.fromkeys(HEADERS[way], "***") if way in ("mine", "theirs") else {}  # the user's own may be secrets
    assert {name.lower(): value for name, value in headers.items()} == {
        name: value for name, value in {**own, **hidden}.items() if name not in ("content-length", key.lower())
    }

    sent = json.loads(body)
    assert sent == BODIES[protocol](way, model, mark, stream=mode == "--stream")
    if protocol == "openai-chat":
        assert entry["body"] == {**sent, "_endpointType": "chat"}
    else:  # of Messages the journal keeps what Chat Completions has too
        system = {"role": "system", "content": sent["system"]}
        kept = {name: sent[name] for name in ("model", "stream", "temperature", "max_tokens")}
        assert entry["body"] == {**kept, "messages": [system, *sent["messages"]], "_endpointType": "chat"}


HEADERS = {
    "openai": {"openai-organization": "org-1", "openai-project": "proj-1"},
    "anthropic": {"anthropic-version": "2023-06-01"},
    "mine": {"x-team": "blue"},
    "theirs": {"anthropic-version": "2026-10-21"},
}


def chat_body(way: str, model: str, mark: str, *, stream: bool) -> dict[str, Any]:
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"[plain] {mark}"}]
    body = {"model": model, "messages": said, "max_completion_tokens": 300, "temperature": 0.5, "stop": ["END"]}
    return {**body, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}


def messages_body(way: str, model: str, mark: str, *, stream: bool) -> dict[str, Any]:
    said = [{"role": "user", "content": f"[plain] {mark}"}]
    body = {"model": model, "max_tokens": 300, "system": "Be brief.", "messages": said, "temperature": 0.5}
    return {**body, "stop_sequences": ["END"], "stream": stream}


BODIES = {"openai-chat": chat_body, "anthropic-messages": messages_body}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", BUILT_IN)
def test_the_json_object_of_an_answer(way: str, mode: str, ask: Asking) -> None:
    done = ask(way, "[thinking]", mode, "--json")
    found = json.loads(done.stdout)
    digest = found["prompt"].pop("digest")
    seconds = [attempt.pop("seconds") for attempt in found["attempts"]]
    assert (done.stderr, done.status) == ("", 0)
    assert digest.startswith("sha256:")
    assert all(0 < second < 30 for second in seconds)
    model = WAYS[way][1]
    assert found == {
        "version": 1,
        "ok": True,
        "executed": True,
        "run": None,
        "prompt": {"name": "ask"},
        "provider": way,
        "model": model,
        "text": "Done.",
        "reasoning": "Let me see, step by step.",
        "tool_calls": [],
        "data": None,
        "finish": "stop",
        "usage": {
            "input_tokens": 11,
            "output_tokens": 7,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
            "reported_cost": None,
        },
        "cost": None,
        "unpriced": True,
        "attempts": [{"provider": way, "model": model, "status": 200, "error": None}],
        "error": None,
    }


@pytest.mark.parametrize(
    ("way", "mode", "word", "text"),
    [
        ("openai", "--stream", "[tool]", ""),
        ("anthropic", "--stream", "[tool]", ""),
        ("mine", "--no-stream", "[text and tool]", "Looking."),
        ("theirs", "--no-stream", "[text and tool]", "Looking."),
    ],
)
def test_tool_calls_are_decoded(way: str, mode: str, word: str, text: str, ask: Asking) -> None:
    found = json.loads(ask(way, word, mode, "--json").stdout)
    (call,) = found["tool_calls"]
    assert (found["ok"], found["finish"], found["text"]) == (True, "tool_call", text)
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
    assert call["id"]


def test_reasoning_is_not_the_answer_and_a_tool_call_is(ask: Asking) -> None:
    done = ask("anthropic", "[thinking]")
    assert (done.stdout, done.stderr, done.status) == ("Done.", "", 0)
    done = ask("openai", "[text and tool]")
    assert (done.stdout, done.stderr, done.status) == ('Looking.\nget_weather {"city":"Paris"}\n', "", 0)


def test_the_older_variable_for_the_base_url_works_too(ask: Asking, mark: str) -> None:
    older = {"OPENAI_BASE_URL": "", "OPENAI_API_BASE": ask.env["OPENAI_BASE_URL"]}
    assert ask("openai", f"[plain] {mark}", env=older).stdout == TEXT
    newer = {"OPENAI_API_BASE": "http://127.0.0.1:9/v1"}
    assert ask("openai", f"[plain] {mark}", env=newer).stdout == TEXT
    assert len(ask.asked(mark)) == 2


# --- answers that are not whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "way"), [*(("[cut]", way) for way in WAYS), *(("[hung up]", way) for way in BUILT_IN)]
)
def test_a_stream_that_is_cut_is_never_whole(word: str, way: str, ask: Asking, mark: str, home: Path) -> None:
    done = ask(way, f"{word} {mark}")
    assert done.status == 3
    assert done.stdout
    assert (TEXT * 50).startswith(done.stdout)
    assert TEXT * 50 != done.stdout != TEXT
    assert done.stderr.startswith("aix: error: the answer broke off: ")
    assert len(ask.asked(mark)) == 1  # nothing is sent again once something was delivered


@pytest.mark.parametrize("way", BUILT_IN)
def test_what_came_of_a_cut_stream_is_kept_and_told(way: str, ask: Asking, home: Path) -> None:
    done = ask(way, "[cut]", "--json", "-o", "answer.txt")
    found = json.loads(done.stdout)
    assert (done.status, found["ok"], found["finish"]) == (3, False, None)
    assert (found["error"]["code"], found["error"]["name"]) == (3, "INCOMPLETE")
    assert found["text"]
    assert TEXT.startswith(found["text"])
    assert (home / "answer.txt.partial").read_text() == found["text"]
    assert not (home / "answer.txt").exists()


@pytest.mark.parametrize(("way", "mode"), [*zip(BUILT_IN, MODES, strict=True)])
def test_an_answer_at_the_length_limit_is_not_whole(way: str, mode: str, ask: Asking) -> None:
    done = ask(way, "[too long]", mode)
    assert (done.stdout, done.status) == (TEXT, 3)
    assert done.stderr == (
        "aix: error: the answer was cut at the length limit after 7 tokens\n  hint: allow more: --max-tokens 4000\n"
    )


@pytest.mark.parametrize(("way", "mode"), [*zip(BUILT_IN, MODES, strict=True)])
def test_an_empty_answer_is_none(way: str, mode: str, ask: Asking) -> None:
    done = ask(way, "[empty]", mode)
    assert (done.stdout, done.status) == ("", 9)
    assert done.stderr.startswith(f"aix: error: {way} gave an empty answer\n")


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "mode"), [("openai", MODES[0]), ("anthropic", MODES[1]), ("mine", MODES[1]), ("theirs", MODES[0])]
)
def test_a_limit_is_waited_out_as_the_header_asks(way: str, mode: str, ask: Asking) -> None:
    word = f"[limited once {way}]"
    done = ask(way, word, mode, "--json")
    found = json.loads(done.stdout)
    assert (done.status, found["text"]) == (0, "Now.")
    assert [(attempt["status"], attempt["error"]) for attempt in found["attempts"]] == [
        (429, "RATE_LIMIT"),
        (200, None),
    ]
    first, second = ask.asked(word)
    assert first["body"] == second["body"]
    assert 990 <= second["timestamp"] - first["timestamp"] < 10_000  # Retry-After: 1


@pytest.mark.parametrize(
    ("way", "word", "status", "message", "times"),
    [
        ("openai", "[always limited]", 8, "openai is limiting requests", 3),
        ("anthropic", "[always limited]", 8, "anthropic is limiting requests", 3),
        ("openai", "[limited for an hour]", 8, "openai is limiting requests; it asks to wait 3600 s", 1),
        ("openai", "[no credit]", 8, "the quota or credit at openai is used up", 1),
        ("openai", "[unpaid]", 8, "the quota or credit at openai is used up", 1),
        ("anthropic", "[unpaid]", 8, "the quota or credit at anthropic is used up", 1),
        ("anthropic", "[no such key]", 4, "anthropic does not accept the key", 1),
        ("openai", "[forbidden]", 4, "openai does not allow this to the key", 1),
        ("anthropic", "[unknown model]", 5, "anthropic has no model 'claude-haiku-4-5', or nothing at this address", 1),
        ("openai", "[wrong request]", 9, "openai rejects the request (HTTP 400)", 1),
        ("anthropic", "[broken]", 9, "anthropic failed (HTTP 500)", 3),
        ("openai", "[not prepared]", 5, "openai has no model 'gpt-5.4-mini', or nothing at this address", 1),
    ],
)
def test_an_error_has_its_status_its_words_and_its_number_of_attempts(
    way: str, word: str, status: int, message: str, times: int, ask: Asking, mark: str
) -> None:
    done = ask(way, f"{word} {mark}")
    assert (done.stdout, done.status) == ("", status)
    first, cause, *rest = done.stderr.splitlines()
    assert first == f"aix: error: {message}"
    assert cause.startswith(("  cause: the peer says ", "  cause: No fixture matched"))
    assert rest[-1].startswith("  request-id: req-")
    assert len(ask.asked(mark)) == times
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("way", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY"), ("mine", "MY_KEY")]
)
def test_a_key_that_the_peer_does_not_know_is_an_auth_error(way: str, variable: str, ask: Asking, mark: str) -> None:
    done = ask(way, f"[plain] {mark}", env={variable: "sk-wrong-0123456789abcdef"})
    assert (done.stdout, done.status) == ("", 4)
    assert done.stderr.startswith(f"aix: error: {way} does not accept the key\n  cause: Invalid API key\n")
    assert f"  hint: aix api-key {way}\n" in done.stderr
    assert "sk-wrong" not in done.stderr
    assert ask.asked(mark) == []


def test_a_custom_provider_without_a_key_is_asked_without_one(ask: Asking) -> None:
    done = ask("mine", "[plain]", env={"MY_KEY": ""})
    assert (done.stdout, done.status) == ("", 4)
    assert "Invalid API key" in done.stderr
