"""`aix run` against aimock: every protocol that it speaks, both modes, faults, and its journal of what was sent."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
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
MODEL = "asked-model"
"""A model of which no catalogue knows anything, so that all is sent to it that was asked for."""

MODES = ["--stream", "--no-stream"]
USAGE = "11 tokens in, 7 out"


@dataclass(frozen=True, slots=True)
class Way:
    """A provider that leads to the peer: the path that it is asked at, the header of its key, and its own headers.

    `answers` is the model that the answer names, `usage` what it says of tokens, and `left_out` which of the prompt's
    options it has no word for.
    """

    protocol: str
    path: str
    streamed_path: str = ""
    key: str = "authorization"
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: str = "peer-model-1"
    usage: str = USAGE
    left_out: str = ""

    def path_of(self, mode: str) -> str:
        return self.streamed_path if mode == "--stream" and self.streamed_path else self.path


CHAT, GEMINI = "/v1/chat/completions", f"/v1beta/models/{MODEL}"
WAYS: Mapping[str, Way] = {
    "openai": Way(
        "openai-chat", CHAT, headers={"openai-organization": "org-1", "openai-project": "proj-1"},
    ),
    "anthropic": Way(
        "anthropic-messages", "/v1/messages", key="x-api-key", headers={"anthropic-version": "2023-06-01"},
    ),
    "gemini": Way(
        "gemini", f"{GEMINI}:generateContent", f"{GEMINI}:streamGenerateContent?alt=sse",
        key="x-goog-api-key", answers=MODEL,  # aimock gives no modelVersion
    ),
    "azure": Way(
        "openai-chat", f"/openai/deployments/{MODEL}/chat/completions?api-version=2024-10-21", key="api-key",
    ),
    "responses": Way("openai-responses", "/v1/responses", left_out="stop"),
    "cohere": Way("cohere", "/v2/chat", answers=MODEL),
    "ollama": Way("ollama", "/api/chat", answers=MODEL, usage=""),  # aimock counts nothing for it
    "router": Way("openai-chat", "/api/v1/chat/completions"),
    "mine": Way("openai-chat", CHAT, headers={"x-team": "blue"}),
    "theirs": Way(
        "anthropic-messages", "/v1/messages", key="x-api-key", headers={"anthropic-version": "2026-10-21"},
    ),
}  # fmt: skip
"""The first four are built in and led here by variables, the others are the user's own, of config.json."""

PROTOCOLS = ["openai", "responses", "anthropic", "gemini", "cohere", "ollama"]
"""One way for each protocol."""

EACH_IN_BOTH_MODES = [(way, mode) for way in PROTOCOLS for mode in MODES]
CUSTOM: Mapping[str, Mapping[str, Any]] = {
    "responses": {"base_url": "{peer}/v1", "protocol": "openai-responses"},
    "cohere": {"base_url": "{peer}", "protocol": "cohere"},
    "ollama": {"base_url": "{peer}", "protocol": "ollama"},
    "router": {"base_url": "{peer}/api/v1"},
    "mine": {
        "base_url": "{peer}/v1/",
        "headers": {"X-Team": "blue"},
        "api_key_env": "MY_KEY",
        "max_tokens_field": "max_completion_tokens",
    },
    "theirs": {
        "base_url": "{peer}",
        "protocol": "anthropic-messages",
        "headers": {"Anthropic-Version": "2026-10-21"},
    },
}


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
            "GOOGLE_GEMINI_BASE_URL": peer.url,
            "GEMINI_API_KEY": KEY,
            "AZURE_OPENAI_ENDPOINT": f"{peer.url}/openai/deployments",
            "AZURE_OPENAI_API_KEY": KEY,
            "MY_KEY": KEY,
        }
        custom = {name: {**row, "base_url": row["base_url"].format(peer=peer.url)} for name, row in CUSTOM.items()}
        keys = dict.fromkeys([name for name, row in CUSTOM.items() if "api_key_env" not in row], KEY)
        (library / "config.json").write_text(json.dumps({"custom_providers": custom, "api_keys": keys}))
        (library / "config.json").chmod(0o600)
        (library / "ask.md").write_text(PROMPT)

    def __call__(self, way: str, text: str, *flags: str, env: dict[str, str] | None = None) -> Result:
        more = {**self.env, **(env or {})}
        return self._aix("run", "ask", text, "-x", "--provider", way, "-m", MODEL, *flags, env=more)

    def show_request(self, way: str, text: str, *flags: str) -> Result:
        return self._aix("run", "ask", text, "--provider", way, "-m", MODEL, "--show-request", *flags, env=self.env)

    def asked(self, word: str) -> list[dict[str, Any]]:
        return self._peer.asked(word)


@pytest.fixture
def ask(aix: Aix, library: Path, peer: Peer) -> Asking:
    return Asking(aix, library, peer)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A word that is in no other test's requests."""
    return f"{tmp_path.name}-{os.getpid()}"


def told(way: str, done: Result) -> str:
    """What stands on stderr behind the warning, where there must be one."""
    left_out = WAYS[way].left_out
    warning = f"aix: warning: {way}:{MODEL} takes no {left_out}; it was left out\n" if left_out else ""
    assert done.stderr.startswith(warning)
    return done.stderr.removeprefix(warning)


def own_headers(entry: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a request but those that HTTP itself needs."""
    return {name: value for name, value in entry["headers"].items() if name not in ("host", "connection")}


# --- whole answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "mode"), EACH_IN_BOTH_MODES)
def test_an_answer_arrives_whole_and_the_journal_holds_what_should_be_sent(
    way: str, mode: str, ask: Asking, mark: str
) -> None:
    done = ask(way, f"[plain] {mark}", mode, "--usage")
    assert (done.stdout, done.status) == (TEXT, 0)
    assert told(way, done).startswith(f"aix: {way}:{WAYS[way].answers} · {WAYS[way].usage}")
    assert len(told(way, done).splitlines()) == 1
    (entry,) = ask.asked(mark)
    assert_sent(entry, way, mode, mark)


@pytest.mark.parametrize(("way", "mode"), [*zip(("azure", "router", "mine", "theirs"), MODES * 2, strict=True)])
def test_another_address_is_asked_in_its_own_way_and_that_request_is_shown(
    way: str, mode: str, ask: Asking, mark: str
) -> None:
    assert ask(way, f"[plain] {mark}", mode).stdout == TEXT
    (entry,) = ask.asked(mark)
    assert_sent(entry, way, mode, mark)

    known, sent = WAYS[way], own_headers(entry)
    head, _, body = ask.show_request(way, f"[plain] {mark}", mode).stdout.partition("\n\n")
    method_and_url, *lines = head.splitlines()
    assert method_and_url == f"POST {ask.env['ANTHROPIC_BASE_URL']}{known.path_of(mode)}"
    shown = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert shown.pop(known.key).removeprefix("Bearer ") == "sk-p***cdef"
    kept = {name: value for name, value in sent.items() if name not in ("content-length", "x-request-id", known.key)}
    assert shown == {**kept, **dict.fromkeys(known.headers, "***")}  # the user's own may be secrets
    assert sent["content-length"] == str(len(body.removesuffix("\n").encode()))


def assert_sent(entry: Mapping[str, Any], way: str, mode: str, mark: str) -> None:
    """That a request has come to the right path, with the right headers and all that was to be said."""
    known = WAYS[way]
    assert (entry["method"], entry["path"]) == ("POST", known.path_of(mode))
    headers = own_headers(entry)
    assert headers == {
        "user-agent": f"aix/{__version__}",
        "accept": "text/event-stream" if mode == "--stream" else "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": headers["content-length"],
        "x-request-id": headers["x-request-id"],  # aimock's own
        known.key: "[REDACTED]",
        **known.headers,
    }
    limit = "max_completion_tokens" if way in ("openai", "azure", "mine") else "max_tokens"
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"[plain] {mark}"}]
    sent = {"model": MODEL, "messages": said, limit: 300, "temperature": 0.5, "stream": mode == "--stream"}
    if known.protocol == "openai-chat":  # of the others the journal keeps what Chat Completions has too
        sent |= {"stop": ["END"], **({"stream_options": {"include_usage": True}} if mode == "--stream" else {})}
    assert entry["body"] == {**sent, "_endpointType": "chat"}


@pytest.mark.parametrize(
    ("way", "mode"),
    [("openai", MODES[1]), ("responses", MODES[0]), ("anthropic", MODES[0]), ("gemini", MODES[1])],
)
def test_the_json_object_of_an_answer(way: str, mode: str, ask: Asking) -> None:
    """Not of Cohere and Ollama, whose reasoning aimock puts where they never have it."""
    done = ask(way, "[thinking]", mode, "--json")
    found = json.loads(done.stdout)
    digest = found["prompt"].pop("digest")
    seconds = [attempt.pop("seconds") for attempt in found["attempts"]]
    assert (told(way, done), done.status) == ("", 0)
    assert digest.startswith("sha256:")
    assert all(0 < second < 30 for second in seconds)
    assert all(attempt.pop("first_token") > 0 for attempt in found["attempts"])
    assert all(attempt.pop("key_source") for attempt in found["attempts"])
    assert found.pop("seconds") == round(sum(seconds), 3)
    assert found.pop("tokens_per_second") is None or mode == "--stream"
    assert found == {
        "version": 1,
        "ok": True,
        "executed": True,
        "run": 1,
        "prompt": {"name": "ask"},
        "provider": way,
        "model": MODEL,
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
        "usage_estimated": False,
        "cost": None,
        "cost_estimated": False,
        "unpriced": True,
        "attempts": [{"provider": way, "model": MODEL, "status": 200, "error": None, "sent": True}],
        "error": None,
    }


@pytest.mark.parametrize(("way", "mode"), EACH_IN_BOTH_MODES)
def test_tool_calls_are_decoded(way: str, mode: str, ask: Asking) -> None:
    word = "[text and Gemini's tool]" if way == "gemini" else "[text and tool]"  # aimock has a finishReason of its own
    done = ask(way, word, mode, "--json")
    found = json.loads(done.stdout)
    (call,) = found["tool_calls"]
    assert (done.status, found["ok"], found["finish"], found["text"]) == (0, True, "tool_call", "Looking.")
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
    assert call["id"] or way in ("gemini", "ollama")  # which need none


def test_a_tool_call_is_part_of_the_answer(ask: Asking) -> None:
    done = ask("openai", "[text and tool]")
    assert (done.stdout, done.stderr, done.status) == ('Looking.\nget_weather {"city":"Paris"}\n', "", 0)


def test_what_a_router_says_that_it_cost_is_kept(ask: Asking) -> None:
    found = json.loads(ask("router", "[priced]", "--json").stdout)
    assert (found["text"], float(found["usage"]["reported_cost"])) == ("Not for free.", 0.00042)


def test_the_older_variable_for_the_base_url_works_too(ask: Asking, mark: str) -> None:
    older = {"OPENAI_BASE_URL": "", "OPENAI_API_BASE": ask.env["OPENAI_BASE_URL"]}
    assert ask("openai", f"[plain] {mark}", env=older).stdout == TEXT
    assert len(ask.asked(mark)) == 1


# --- answers that are not whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", PROTOCOLS)
def test_a_stream_that_is_cut_is_never_whole_and_what_came_is_kept(
    way: str, ask: Asking, mark: str, home: Path
) -> None:
    done = ask(way, f"[cut] {mark}", "--json", "-o", "answer.txt")
    found = json.loads(done.stdout)
    assert (done.status, found["ok"], found["finish"]) == (3, False, None)
    assert (found["error"]["code"], found["error"]["name"]) == (3, "INCOMPLETE")
    assert found["text"]
    assert (TEXT * 3).startswith(found["text"]) and found["text"] != TEXT * 3
    assert (home / "answer.txt.partial").read_text() == found["text"]
    assert not (home / "answer.txt").exists()
    assert len(ask.asked(mark)) == 1  # nothing is sent again once something was delivered


def test_a_server_that_hangs_up_leaves_what_it_said(ask: Asking, mark: str) -> None:
    done = ask("openai", f"[hung up] {mark}")
    assert done.status == 3
    assert done.stdout
    assert (TEXT * 50).startswith(done.stdout) and done.stdout != TEXT * 50
    assert done.stderr.startswith("aix: error: the answer broke off: ")
    assert len(ask.asked(mark)) == 1


@pytest.mark.parametrize(("way", "mode"), [("openai", MODES[0]), ("anthropic", MODES[1]), ("gemini", MODES[0])])
def test_an_answer_at_the_length_limit_is_not_whole(way: str, mode: str, ask: Asking) -> None:
    """Not of Responses and Ollama, for which aimock calls it complete."""
    done = ask(way, "[too long]", mode)
    assert (done.stdout, done.status) == (TEXT, 3)
    assert done.stderr == (
        "aix: error: the answer was cut at the length limit after 7 tokens\n  hint: allow more: --max-tokens 4000\n"
    )


def test_an_empty_answer_is_none(ask: Asking) -> None:
    done = ask("gemini", "[empty]")
    assert (done.stdout, done.status) == ("", 9)
    assert done.stderr.startswith("aix: error: gemini gave an empty answer\n")


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "mode"), [*zip(PROTOCOLS, MODES * 3, strict=True)])
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
        ("gemini", "[limited for an hour]", 8, "gemini is limiting requests; it asks to wait 60 min", 1),
        ("responses", "[no credit]", 8, "the quota or credit at responses is used up", 1),
        ("anthropic", "[no such key]", 4, "anthropic does not accept the key", 1),
        ("responses", "[forbidden]", 4, "responses does not allow this to the key", 1),
        ("cohere", "[broken]", 9, "cohere failed (HTTP 500)", 3),
        ("ollama", "[not prepared]", 5, f"ollama has no model '{MODEL}', or nothing at this address", 1),
    ],
)
def test_an_error_has_its_status_its_words_and_its_number_of_attempts(
    way: str, word: str, status: int, message: str, times: int, ask: Asking, mark: str
) -> None:
    done = ask(way, f"{word} {mark}")
    assert (done.stdout, done.status) == ("", status)
    first, cause, *rest = told(way, done).splitlines()
    assert first == f"aix: error: {message}"
    assert cause.startswith(("  cause: the peer says ", "  cause: No fixture matched"))
    assert rest[-1].startswith("  request-id: req-")
    assert len(ask.asked(mark)) == times
    assert KEY not in done.stderr


@pytest.mark.parametrize(("way", "variable"), [("azure", "AZURE_OPENAI_API_KEY"), ("mine", "MY_KEY")])
def test_a_key_that_the_peer_does_not_know_is_an_auth_error(way: str, variable: str, ask: Asking, mark: str) -> None:
    done = ask(way, f"[plain] {mark}", env={variable: "sk-wrong-0123456789abcdef"})
    assert (done.stdout, done.status) == ("", 4)
    assert done.stderr.startswith(f"aix: error: {way} does not accept the key\n  cause: Invalid API key\n")
    assert f"  hint: aix api-key {way}\n" in done.stderr
    assert "sk-wrong" not in done.stderr
    assert ask.asked(mark) == []


def test_a_custom_provider_without_a_key_is_asked_without_one(ask: Asking, library: Path, peer: Peer) -> None:
    (library / "config.json").write_text(json.dumps({"custom_providers": {"open": {"base_url": f"{peer.url}/v1"}}}))
    done = ask("open", "[plain]")
    assert (done.stdout, done.status) == ("", 4)
    assert "Invalid API key" in done.stderr


def test_one_that_says_where_its_key_is_is_not_asked_without_it(ask: Asking) -> None:
    done = ask("mine", "[plain]", env={"MY_KEY": ""})
    assert (done.stdout, done.status) == ("", 4)
    assert done.stderr.startswith("aix: error: No API key found for mine\n")
    assert done.stderr.endswith("hint: or set MY_KEY\n")
